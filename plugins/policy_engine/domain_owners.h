// Who has which domain: ourselves or a partner. A domain has one owner at most.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/policy_snapshot.pb.h"

namespace gatehouse::policy_engine {

class DomainOwners {
 public:
  // What a sentence tells the operator to do: give a command, or change the file he applies.
  enum class Remedy : std::uint8_t { kCommand, kInTheFile };

  // `served` are our own domains, prepared (6.2).
  explicit DomainOwners(const std::vector<std::string>& served, Remedy remedy = Remedy::kCommand);
  // Adds the partner's primary and additional domains.
  void Add(const proto::Partner& partner);
  // Why `domain` (prepared) cannot be given to another partner, with the remedy; empty when it is
  // free.
  [[nodiscard]] std::string WhyTaken(std::string_view domain) const;

 private:
  Remedy remedy_;
  std::map<std::string, std::string, std::less<>> owner_of_;  // empty owner: ourselves
};

}  // namespace gatehouse::policy_engine
