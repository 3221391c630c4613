#include "plugins/policy_engine/data_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "plugins/policy_engine/access_rules.h"
#include "plugins/policy_engine/gateway_rules.h"
#include "plugins/policy_engine/lookalike.h"
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

std::vector<std::string_view> DomainsOf(const proto::Partner& partner) {
  std::vector<std::string_view> domains{partner.domain()};
  domains.insert(domains.end(), partner.additional_domains().begin(),
                 partner.additional_domains().end());
  return domains;
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

std::vector<proto::Mistake> ExpiryMistakes(const proto::FederationData& before,
                                           const proto::FederationData& after,
                                           std::int64_t now_unix) {
  std::unordered_map<std::string_view, std::uint64_t> old;
  for (const proto::Partner& partner : before.partners())
    old.emplace(partner.domain(), partner.expires_unix());
  std::vector<proto::Mistake> mistakes;
  for (int i = 0; i < after.partners_size(); ++i) {
    const proto::Partner& partner = after.partners(i);
    const auto known = old.find(partner.domain());
    if (known != old.end() && known->second == partner.expires_unix()) continue;
    Result<void> held = CheckExpiry(partner.expires_unix(), now_unix);
    if (held) continue;
    proto::Mistake& mistake = mistakes.emplace_back();
    mistake.set_key(fmt::format("partners[{}].expires_unix", i));
    mistake.set_record("partner " + partner.domain());
    mistake.set_what(std::move(held).error().text);
  }
  return mistakes;
}

std::vector<proto::Mistake> LookalikeMistakes(const proto::FederationData& before,
                                              const proto::FederationData& after,
                                              const std::vector<std::string>& served) {
  std::unordered_set<std::string_view> old;
  for (const proto::Partner& partner : before.partners()) {
    old.insert(partner.domain());
    old.insert(partner.additional_domains().begin(), partner.additional_domains().end());
  }
  const auto is_new = [&old](std::string_view domain) { return !old.contains(domain); };
  const auto brings_new = [&](const proto::Partner& partner) {
    return std::ranges::any_of(DomainsOf(partner), is_new);
  };
  std::vector<proto::Mistake> mistakes;
  if (std::ranges::none_of(after.partners(), brings_new)) return mistakes;
  Lookalikes lookalikes(served);
  for (const proto::Partner& partner : after.partners())
    for (const std::string_view domain : DomainsOf(partner))
      if (!is_new(domain)) lookalikes.Add(domain);
  for (int i = 0; i < after.partners_size(); ++i) {
    const proto::Partner& partner = after.partners(i);
    const std::vector<std::string_view> domains = DomainsOf(partner);
    for (const std::string_view domain : domains) {
      if (!is_new(domain)) continue;
      std::string why = lookalikes.WhyLike(domain);
      if (why.empty()) continue;
      proto::Mistake& mistake = mistakes.emplace_back();
      mistake.set_key(fmt::format("partners[{}].{}", i,
                                  domain == domains.front() ? "domain" : "additional_domains"));
      mistake.set_record("partner " + partner.domain());
      mistake.set_what(std::move(why));
    }
    for (const std::string_view domain : domains) lookalikes.Add(domain);
  }
  return mistakes;
}

}  // namespace gatehouse::policy_engine
