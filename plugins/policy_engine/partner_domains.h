// Whose a domain is by the federation data: looked up, where ContactTable asks the store.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "proto/federation_data.pb.h"

namespace gatehouse::policy_engine {

class PartnerDomains {
 public:
  PartnerDomains() = default;
  // A domain that cannot be prepared is nobody's.
  explicit PartnerDomains(const proto::FederationData& data);
  // The primary domain of the partner who has `domain` (prepared) by its name, else by the
  // narrowest wildcard it is below; empty: nobody has.
  [[nodiscard]] std::string Of(std::string_view domain) const;

 private:
  std::unordered_map<std::string, std::string> owners_;
};

}  // namespace gatehouse::policy_engine
