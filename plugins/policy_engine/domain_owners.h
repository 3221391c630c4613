// Who has which domain: ourselves or a partner. A domain, or a wildcard such as
// "*.fabrikam.example", has one owner at most.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "proto/policy_snapshot.pb.h"

namespace gatehouse::policy_engine {

class DomainOwners {
 public:
  // What a sentence tells the operator to do: give a command, or change the file he brings in.
  enum class Remedy : std::uint8_t { kCommand, kInTheFile };

  // As what a partner is to have a domain.
  enum class Place : std::uint8_t { kFirst, kAdditional };

  // `served` are our own domains, prepared (6.2); `denied` is the deny list.
  explicit DomainOwners(const std::vector<std::string>& served, Remedy remedy = Remedy::kCommand,
                        const std::vector<std::string>& denied = {});
  // Adds the partner's primary and additional domains; `remedy` where that is not as for the
  // others.
  void Add(const proto::Partner& partner, std::optional<Remedy> remedy = {});
  // Why `domain` (prepared, or a wildcard) cannot be given to another partner as `place`, with the
  // remedy; empty when it is free. A domain below another partner's wildcard is: the narrower one
  // holds.
  [[nodiscard]] std::string WhyTaken(std::string_view domain, Place place = Place::kFirst) const;
  [[nodiscard]] Remedy remedy() const { return remedy_; }

 private:
  struct Owner {
    std::string partner;  // empty: ourselves
    Remedy remedy;
  };
  // The entry of the deny list that means `domain`; or empty.
  [[nodiscard]] std::string DeniedBy(std::string_view domain) const;

  Remedy remedy_;
  std::vector<std::string> served_;
  std::unordered_set<std::string> denied_;
  std::map<std::string, Owner, std::less<>> owner_of_;
};

}  // namespace gatehouse::policy_engine
