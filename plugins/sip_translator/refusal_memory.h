// The last things that were refused, so that an operator can ask why (`gatehousectl why`). Pure,
// bounded in partners and in refusals of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/policy/decide.h"
#include "core/policy/reasons.h"
#include "core/policy/traffic_kind.h"
#include "proto/ctl.pb.h"

namespace gatehouse::translator {

struct RefusalNote {
  std::string id;
  std::uint64_t at_unix_ms = 0;
  std::string remote_domain;
  std::string from;  // bare
  std::string to;
  TrafficKind kind = TrafficKind::kMessage;
  Reason reason = Reason::kNone;
  std::string_view rule;    // static
  std::string_view answer;  // static
};

class RefusalMemory {
 public:
  static constexpr std::size_t kPerPartner = 32;
  static constexpr std::size_t kPartners = 256;

  // Keeps it under `partner`, a primary domain; empty: all that are no partners share one place.
  // Pushes out the oldest there, or the partner that was refused nothing for the longest.
  void Add(std::string_view partner, RefusalNote note);
  // The one with this id, or none.
  [[nodiscard]] proto::RefusalRecords Find(std::string_view id) const;
  // Those of a partner (its primary domain) or of a domain that is no partner's, newest first.
  [[nodiscard]] proto::RefusalRecords Of(std::string_view partner) const;

 private:
  using Notes = std::deque<RefusalNote>;
  void MakeRoom();
  std::unordered_map<std::string, Notes> by_partner_;  // none empty
};

// Eight characters that can be read out loud; drawn at random, so that nobody can count by them.
[[nodiscard]] std::string NewRefusalId();

}  // namespace gatehouse::translator
