#include "plugins/policy_engine/data_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
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

// What the engine keeps of a partner by itself, which a file of the operator's has not.
constexpr std::size_t kKeptOctets = 32;
// The field's number and the length, before each text of a list.
constexpr std::size_t kTextHeadOctets = 4;
constexpr const char* kAllPartners = "all partners together";

template <class Records>
std::size_t Count(const Records& records) {
  return static_cast<std::size_t>(records.size());
}

// Puts the mistakes of one record among all.
void Note(std::vector<proto::Mistake> of_record, const std::string& place,
          const std::string& record, std::vector<proto::Mistake>& all) {
  for (proto::Mistake& mistake : of_record) {
    mistake.set_key(mistake.key().empty() ? place : fmt::format("{}.{}", place, mistake.key()));
    mistake.set_record(record);
    all.push_back(std::move(mistake));
  }
}

// Which partners, by their places, have no mistake.
std::vector<bool> SoundPartners(const CheckedData& checked) {
  constexpr std::string_view kPlace = "partners[";
  std::vector<bool> is_sound(Count(checked.data.partners()), checked.has_all);
  for (const proto::Mistake& mistake : checked.mistakes) {
    const std::string_view key = mistake.key();
    if (!key.starts_with(kPlace)) continue;
    std::size_t place = 0;
    std::from_chars(key.data() + kPlace.size(), key.data() + key.size(), place);
    if (place < is_sound.size()) is_sound[place] = false;
  }
  return is_sound;
}

std::vector<std::string_view> DomainsOf(const proto::Partner& partner) {
  std::vector<std::string_view> domains{partner.domain()};
  domains.insert(domains.end(), partner.additional_domains().begin(),
                 partner.additional_domains().end());
  return domains;
}

}  // namespace

std::size_t OctetsOf(const proto::FederationData& data) {
  const auto fresh = std::ranges::count_if(
      data.partners(), [](const proto::Partner& partner) { return partner.id().empty(); });
  return data.ByteSizeLong() + static_cast<std::size_t>(fresh) * kKeptOctets;
}

std::size_t OctetsOf(std::span<const std::string> blocked_domains) {
  std::size_t octets = 0;
  for (const std::string& domain : blocked_domains) octets += domain.size() + kTextHeadOctets;
  return octets;
}

CheckedData CheckData(proto::FederationData data, const proto::FederationData& held,
                      const std::vector<std::string>& served, const DataLimits& limits,
                      const StillBusy& still_busy) {
  CheckedData checked{std::move(data), {}};
  Note(GatewayMistakes(checked.data.gateway(), held.gateway()), "gateway", "gateway",
       checked.mistakes);
  std::ranges::move(TypeMistakes(checked.data.partner_types(), Count(held.partner_types()), limits),
                    std::back_inserter(checked.mistakes));
  const auto check = [&checked](std::string key, std::string record, Result<void> result) {
    if (result) return true;
    proto::Mistake& mistake = checked.mistakes.emplace_back();
    mistake.set_key(std::move(key));
    mistake.set_record(std::move(record));
    mistake.set_what(std::move(result).error().text);
    return false;
  };
  check("policies", "access policies",
        CheckAccessPolicies(*checked.data.mutable_policies(), held.policies(), served, limits));
  const bool few =
      check("denied", "all denied domains",
            CheckDeniedCount(Count(checked.data.denied()), Count(held.denied()), limits)) &&
      check("partners", kAllPartners,
            CheckPartnerCount(Count(checked.data.partners()), Count(held.partners()), limits));
  if (!few) return checked;
  std::vector<std::string> denied;
  for (int i = 0; i < checked.data.denied_size(); ++i) {
    std::string& domain = *checked.data.mutable_denied(i)->mutable_domain();
    Result<std::string> prepared = CheckDenied(domain, served);
    if (prepared)
      denied.push_back(domain = *std::move(prepared));
    else
      check(fmt::format("denied[{}].domain", i), "denied " + domain,
            std::unexpected(std::move(prepared).error()));
  }
  DomainOwners owners(served, DomainOwners::Remedy::kInTheFile, denied);
  for (int i = 0; i < checked.data.partners_size(); ++i) {
    proto::Partner& partner = *checked.data.mutable_partners(i);
    Note(PartnerMistakes(partner, owners, checked.data.partner_types()),
         fmt::format("partners[{}]", i), "partner " + partner.domain(), checked.mistakes);
    if (!partner.domain().empty()) owners.Add(partner);
    still_busy();
  }
  checked.has_all = true;
  check("partners", kAllPartners, CheckRoom(OctetsOf(checked.data), OctetsOf(held), limits));
  return checked;
}

std::vector<proto::Mistake> ExpiryMistakes(const proto::FederationData& before,
                                           const CheckedData& checked, std::int64_t now_unix) {
  const proto::FederationData& after = checked.data;
  const std::vector<bool> is_sound = SoundPartners(checked);
  std::unordered_map<std::string_view, std::uint64_t> old;
  for (const proto::Partner& partner : before.partners())
    old.emplace(partner.domain(), partner.expires_unix());
  std::vector<proto::Mistake> mistakes;
  for (int i = 0; i < after.partners_size(); ++i) {
    const proto::Partner& partner = after.partners(i);
    if (!is_sound[static_cast<std::size_t>(i)]) continue;
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
                                              const CheckedData& checked,
                                              const std::vector<std::string>& served,
                                              const StillBusy& still_busy) {
  const proto::FederationData& after = checked.data;
  const std::vector<bool> is_sound = SoundPartners(checked);
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
  for (const proto::Partner& partner : after.partners()) {
    for (const std::string_view domain : DomainsOf(partner))
      if (!is_new(domain)) lookalikes.Add(domain);
    still_busy();
  }
  for (int i = 0; i < after.partners_size(); ++i) {
    const proto::Partner& partner = after.partners(i);
    if (!is_sound[static_cast<std::size_t>(i)]) continue;
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
    still_busy();
  }
  return mistakes;
}

}  // namespace gatehouse::policy_engine
