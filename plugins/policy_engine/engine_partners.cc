// The engine's commands on partners and gateway settings, and what is remembered of streams.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/policy/domain_pattern.h"
#include "core/policy/downgrade_guard.h"
#include "core/policy/expiry.h"
#include "core/policy/negotiation.h"
#include "core/policy/partner_view.h"
#include "core/xmpp/jid.h"
#include "plugins/policy_engine/engine.h"
#include "plugins/policy_engine/gateway_rules.h"
#include "plugins/policy_engine/lookalike.h"
#include "plugins/policy_engine/partner_rules.h"
#include "plugins/policy_engine/record_fields.h"
#include "plugins/policy_engine/record_set.h"

namespace gatehouse::policy_engine {
namespace {

// A success over TLS is written down anew after this long; each writing is a new snapshot.
constexpr std::int64_t kTlsMemoryStepSeconds = 86400;
constexpr std::array<std::string_view, 16> kPartnerFields = {"additional_domains",
                                                             "type",
                                                             "tls",
                                                             "sasl",
                                                             "dialback",
                                                             "connection_limit",
                                                             "keep_alive",
                                                             "proxy",
                                                             "description",
                                                             "enabled",
                                                             "trust_anchors",
                                                             "strict_sasl",
                                                             "bidi",
                                                             "same_certificate",
                                                             "dane",
                                                             "expires_unix"};
constexpr std::array<std::string_view, 14> kGatewayFields = {"connection_limit",
                                                             "partner_connection_limit",
                                                             "keep_alive_interval_s",
                                                             "stream_establishment_timeout_s",
                                                             "stream_inactivity_timeout_s",
                                                             "subscription_refresh_interval_s",
                                                             "log_message_bodies",
                                                             "dialback_disabled_reply",
                                                             "one_stream_per_pair",
                                                             "authorisation_ttl_s",
                                                             "unverified_outbound_im",
                                                             "federation",
                                                             "discover",
                                                             "synthetic_interval_s"};

bool Names(const proto::Partner& partner, const std::string& domain) {
  return partner.domain() == domain || std::ranges::find(partner.additional_domains(), domain) !=
                                           partner.additional_domains().end();
}

proto::RecordChange ChangeFrom(const proto::Partner& before) {
  proto::RecordChange change;
  *change.mutable_before()->mutable_partner() = before;
  return change;
}

// The partner with the longest wildcard that `domain` is below; or null.
const proto::Partner* Covering(const proto::FederationData& data, const std::string& domain) {
  const proto::Partner* found = nullptr;
  std::size_t longest = 0;
  for (const proto::Partner& partner : data.partners())
    for (const std::string& pattern : partner.additional_domains()) {
      if (!IsWildcard(pattern) || !Covers(pattern, domain) || pattern.size() <= longest) continue;
      found = &partner;
      longest = pattern.size();
    }
  return found;
}

bool SameButRevision(proto::Partner a, proto::Partner b) {
  a.clear_revision();
  b.clear_revision();
  return a.SerializeAsString() == b.SerializeAsString();
}

}  // namespace

Result<const proto::Partner*> Engine::Owner(const std::string& domain) const {
  Result<std::string> prepared = PrepareDomain(domain);
  if (!prepared)
    return BadConfig(fmt::format("'{}' is not a domain ({}); write one like partner.example",
                                 domain, prepared.error().text));
  for (const proto::Partner& partner : content_.data.partners())
    if (Names(partner, *prepared)) return &partner;
  if (const proto::Partner* covering = Covering(content_.data, *prepared)) return covering;
  return BadConfig(
      fmt::format("no partner has the domain '{}'; see gatehousectl partner list", *prepared));
}

// For changes: an additional domain must not stand for the whole partner.
Result<const proto::Partner*> Engine::OwnerByPrimary(const std::string& domain) const {
  GATEHOUSE_TRY(const proto::Partner* partner, Owner(domain));
  const Result<std::string> prepared = PrepareDomain(domain);
  if (prepared && partner->domain() == *prepared) return partner;
  return BadConfig(fmt::format("'{}' is an additional domain of partner '{}'; name that partner",
                               domain, partner->domain()));
}

// By the rules, next to everybody but the record it replaces, and small enough with all of them.
Result<proto::Partner> Engine::Checked(proto::Partner partner) const {
  DomainOwners others(served_, DomainOwners::Remedy::kCommand, Denied());
  std::size_t before = 0;
  for (const proto::Partner& other : content_.data.partners())
    if (other.id() != partner.id())
      others.Add(other);
    else
      before = other.ByteSizeLong();
  GATEHOUSE_TRY(proto::Partner checked, CheckPartner(std::move(partner), others, content_.data.partner_types()));
  GATEHOUSE_TRY_VOID(CheckGrowth(before, checked.ByteSizeLong()));
  return checked;
}

Result<void> Engine::CheckGrowth(std::size_t octets_before, std::size_t octets_after) const {
  const std::size_t all = OctetsOf(content_.data);
  return CheckRoom(all - octets_before + octets_after, all, RecordLimits());
}

std::vector<std::string> Engine::Denied() const {
  std::vector<std::string> denied;
  for (const proto::DeniedDomain& one : content_.data.denied()) denied.push_back(one.domain());
  return denied;
}

Engine::Reply Engine::Save(proto::RecordChange change, proto::Partner partner, AuditEntry audit) {
  GATEHOUSE_TRY(partner, Checked(std::move(partner)));
  audit.subject = partner.domain();
  *change.mutable_after()->mutable_partner() = partner;
  audit.changes.push_back(std::move(change));
  GATEHOUSE_TRY_VOID(Take(store_.Write(std::move(audit))));
  return ShowPartner(partner.domain());
}

Result<void> Engine::CheckLooks(const proto::Partner& partner, const proto::Partner& before) const {
  std::vector<std::string> fresh;
  if (!Names(before, partner.domain())) fresh.push_back(partner.domain());
  for (const std::string& domain : partner.additional_domains())
    if (!Names(before, domain)) fresh.push_back(domain);
  if (fresh.empty()) return {};
  Lookalikes lookalikes(served_);
  for (const proto::Partner& other : content_.data.partners())
    if (other.id() != partner.id()) lookalikes.Add(other);
  for (const std::string& domain : fresh)
    if (std::string why = lookalikes.WhyLike(domain); !why.empty())
      return BadConfig(std::move(why));
  return {};
}

proto::CtlResponse Engine::OneView(const proto::Partner& partner) const {
  proto::CtlResponse response;
  proto::PartnerView& view = *response.mutable_partners()->add_partners();
  view = ViewOf(partner);
  view.set_expired(IsExpired(partner, now_unix_));
  return response;
}

Engine::Reply Engine::NewPartner(const proto::PartnerNew& command, AuditEntry audit) {
  proto::Partner partner = command.partner();
  partner.set_id(NewRecordId());
  partner.clear_revision();
  partner.clear_tls_seen_unix();
  const auto held = static_cast<std::size_t>(content_.data.partners_size());
  GATEHOUSE_TRY_VOID(CheckPartnerCount(held + 1, held, limits_));
  GATEHOUSE_TRY_VOID(CheckExpiry(partner.expires_unix(), now_unix_));
  GATEHOUSE_TRY(partner, Checked(std::move(partner)));
  if (!command.allow_lookalike()) GATEHOUSE_TRY_VOID(CheckLooks(partner, {}));
  return Save({}, std::move(partner), std::move(audit));
}

Engine::Reply Engine::SetPartner(const proto::PartnerSet& command, AuditEntry audit) {
  GATEHOUSE_TRY(const proto::Partner* stored, OwnerByPrimary(command.domain()));
  const proto::Partner before = *stored;
  proto::Partner after = before;
  GATEHOUSE_TRY_VOID(ReplaceFields(command.fields(), kPartnerFields, command.partner(), after));
  if (after.expires_unix() != before.expires_unix())
    GATEHOUSE_TRY_VOID(CheckExpiry(after.expires_unix(), now_unix_));
  GATEHOUSE_TRY(after, Checked(std::move(after)));
  if (!command.allow_lookalike()) GATEHOUSE_TRY_VOID(CheckLooks(after, before));
  if (SameButRevision(before, after)) return OneView(before);
  return Save(ChangeFrom(before), std::move(after), std::move(audit));
}

Engine::Reply Engine::RemovePartner(const std::string& domain, AuditEntry audit) {
  GATEHOUSE_TRY(const proto::Partner* stored, OwnerByPrimary(domain));
  const proto::Partner before = *stored;
  audit.subject = before.domain();
  audit.changes.push_back(ChangeFrom(before));
  GATEHOUSE_TRY(const std::vector<std::string> lifted, Commit(std::move(audit)));
  proto::CtlResponse response;
  response.set_done(fmt::format("partner '{}' is removed{}", before.domain(),
                                lifted.empty() ? "" : " and the blocks of its contacts with it"));
  return response;
}

Engine::Reply Engine::ShowPartner(const std::string& domain) const {
  GATEHOUSE_TRY(const proto::Partner* partner, Owner(domain));
  return OneView(*partner);
}

Engine::Reply Engine::ListPartners() const {
  proto::CtlResponse response;
  proto::PartnerViews& views = *response.mutable_partners();
  for (const proto::Partner& partner : content_.data.partners()) {
    *views.add_partners() = OneView(partner).partners().partners(0);
    still_busy_();
  }
  return response;
}

Engine::Reply Engine::ExplainPartner(const std::string& domain, std::int64_t now_unix) const {
  GATEHOUSE_TRY(const proto::Partner* partner, Owner(domain));
  const std::string asked = PrepareDomain(domain).value_or(domain);
  for (const std::string& denied : Denied())
    if (Covers(denied, asked))
      return BadConfig(
          fmt::format("'{}' is denied by '{}', before any partner is looked for; take that out "
                      "with: gatehousectl partner undeny '{}'",
                      asked, denied, denied));
  proto::CtlResponse response = OneView(*partner);
  proto::PartnerView& view = *response.mutable_partners()->mutable_partners(0);
  for (const proto::StreamRecord& record : streams_.Of(partner->id()))
    *view.add_last_streams() = record;
  const MethodSet methods = PermittedMethods(RowOf(*partner));
  const std::int64_t until =
      ClearRefusedUntil(static_cast<std::int64_t>(partner->tls_seen_unix()), now_unix);
  if (partner->tls() == proto::OPTIONAL && methods.tcp_dialback)
    view.set_clear_refused_until_unix(static_cast<std::uint64_t>(until));
  return response;
}

Engine::Reply Engine::ForgetTls(const std::string& domain, AuditEntry audit) {
  GATEHOUSE_TRY(const proto::Partner* stored, OwnerByPrimary(domain));
  const proto::Partner before = *stored;
  audit.subject = before.domain();
  GATEHOUSE_TRY_VOID(Take(store_.ForgetTls(before.id(), std::move(audit))));
  proto::CtlResponse response;
  response.set_done(fmt::format("that TLS with '{}' has succeeded is forgotten", before.domain()));
  return response;
}

Result<void> Engine::NoteStreams(const proto::StreamsSeen& seen, std::int64_t now_unix) {
  std::vector<std::string> remember;
  for (const proto::StreamRecord& record : seen.streams()) {
    const auto partner = std::ranges::find(content_.data.partners(), record.partner_id(),
                                           [](const proto::Partner& p) { return p.id(); });
    if (partner == content_.data.partners().end()) continue;  // removed meanwhile
    streams_.Add(record);
    const auto known = static_cast<std::int64_t>(partner->tls_seen_unix());
    const bool over_tls = record.outbound() && !record.method().empty() && !record.tls().empty();
    if (over_tls && now_unix - known >= kTlsMemoryStepSeconds) remember.push_back(partner->id());
  }
  if (remember.empty()) return {};
  return Take(store_.RememberTls(remember, now_unix));
}

Engine::Reply Engine::ShowGateway() const {
  proto::CtlResponse response;
  *response.mutable_gateway() = content_.data.gateway();
  return response;
}

Engine::Reply Engine::SetGateway(const proto::GatewaySet& command, AuditEntry audit) {
  const proto::GatewaySettings& before = content_.data.gateway();
  proto::GatewaySettings after = before;
  GATEHOUSE_TRY_VOID(ReplaceFields(command.fields(), kGatewayFields, command.settings(), after));
  GATEHOUSE_TRY_VOID(CheckGateway(after, content_.data.gateway()));
  if (after.SerializeAsString() == before.SerializeAsString()) return ShowGateway();
  audit.subject = "gateway";
  proto::RecordChange& change = audit.changes.emplace_back();
  *change.mutable_before()->mutable_gateway() = before;
  *change.mutable_after()->mutable_gateway() = after;
  GATEHOUSE_TRY_VOID(Take(store_.Write(std::move(audit))));
  return ShowGateway();
}

}  // namespace gatehouse::policy_engine
