// How much the federation data may be, whichever way it comes in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/result.h"

namespace gatehouse::policy_engine {

struct DataLimits {
  // Every worker keeps all of them, and one operation on all of them must not keep the engine from
  // its other work for long.
  std::size_t partners = 20'000;
  std::size_t partner_types = 100;
  std::size_t policies = 1000;
  // Those of a domain that begin alike (with a "*": end alike) are compared one by one, for each
  // message of a user without a grant of his own.
  std::size_t patterns = 256;
  std::size_t grants = 10'000;  // patterns among them
  std::size_t denied = 10'000;
  // Of one apply: they are made in one step, and whoever asks the engine waits meanwhile.
  std::uint64_t changed_contacts = 100'000;
  // A snapshot must fit its link (16 MiB) with room to spare, and every worker keeps one. The
  // domains of blocked contacts are in it too, and leave that much less for the records.
  std::size_t octets = 8'388'608;
};

// "20001 partners are too many; at most 20000 are possible, take out ...". As many as are `held`
// already may stay, so that they can be made fewer one by one.
//   fails  kConfig
Result<void> CheckCount(std::size_t count, std::size_t held, std::size_t most, const char* what,
                        const char* remedy);
// The same for the octets that all records take together.
Result<void> CheckRoom(std::size_t octets, std::size_t held, const DataLimits& limits);

// The same for all records and the domains of blocked contacts, before a contact is blocked in a
// domain that was not among these.
Result<void> CheckRoomToBlock(std::size_t octets, const DataLimits& limits);

Result<void> CheckPartnerCount(std::size_t count, std::size_t held, const DataLimits& limits);
Result<void> CheckDeniedCount(std::size_t count, std::size_t held, const DataLimits& limits);

}  // namespace gatehouse::policy_engine
