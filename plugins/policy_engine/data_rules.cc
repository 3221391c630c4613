#include "plugins/policy_engine/data_rules.h"

#include <fmt/format.h>

#include "plugins/policy_engine/access_rules.h"
#include "plugins/policy_engine/gateway_rules.h"
#include "plugins/policy_engine/partner_rules.h"

namespace gatehouse::policy_engine {
namespace {

// Puts the mistakes of one record among all.
void Note(std::vector<proto::Mistake> of_record, const std::string& place,
          const std::string& record, std::vector<proto::Mistake>& all) {
  for (proto::Mistake& mistake : of_record) {
    mistake.set_key(mistake.key().empty() ? place : fmt::format("{}.{}", place, mistake.key()));
    mistake.set_record(record);
    all.push_back(std::move(mistake));
  }
}

}  // namespace

CheckedData CheckData(proto::FederationData data, const std::vector<std::string>& served) {
  CheckedData checked{std::move(data), {}};
  Note(GatewayMistakes(checked.data.gateway()), "gateway", "gateway", checked.mistakes);
  const auto add = [&checked](std::string key, std::string record, std::string what) {
    proto::Mistake& mistake = checked.mistakes.emplace_back();
    mistake.set_key(std::move(key));
    mistake.set_record(std::move(record));
    mistake.set_what(std::move(what));
  };
  if (Result<void> held = CheckAccessPolicies(*checked.data.mutable_policies()); !held)
    add("policies", "access policies", std::move(held).error().text);
  std::vector<std::string> denied;
  for (int i = 0; i < checked.data.denied_size(); ++i) {
    std::string& domain = *checked.data.mutable_denied(i)->mutable_domain();
    if (Result<std::string> held = CheckDenied(domain, served); held)
      denied.push_back(domain = *std::move(held));
    else
      add(fmt::format("denied[{}].domain", i), "denied " + domain, std::move(held).error().text);
  }
  DomainOwners owners(served, DomainOwners::Remedy::kInTheFile, denied);
  for (int i = 0; i < checked.data.partners_size(); ++i) {
    proto::Partner& partner = *checked.data.mutable_partners(i);
    Note(PartnerMistakes(partner, owners), fmt::format("partners[{}]", i),
         "partner " + partner.domain(), checked.mistakes);
    owners.Add(partner);
  }
  const std::size_t size = checked.data.ByteSizeLong();
  if (size <= kMaxSnapshotBytes) return checked;
  proto::Mistake& mistake = checked.mistakes.emplace_back();
  mistake.set_key("partners");
  mistake.set_record("all partners together");
  mistake.set_what(fmt::format("take {} octets; at most {} are possible, leave some out", size,
                               kMaxSnapshotBytes));
  return checked;
}

}  // namespace gatehouse::policy_engine
