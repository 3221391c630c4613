#include "plugins/policy_engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/policy/domain_pattern.h"
#include "core/policy/downgrade_guard.h"
#include "core/policy/negotiation.h"
#include "core/policy/partner_view.h"
#include "core/tls/crypto.h"
#include "core/xmpp/jid.h"
#include "plugins/policy_engine/change_view.h"
#include "plugins/policy_engine/gateway_rules.h"
#include "plugins/policy_engine/lookalike.h"
#include "plugins/policy_engine/partner_rules.h"
#include "plugins/policy_engine/record_fields.h"
#include "plugins/policy_engine/verdict_preview.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kMaxReasonBytes = 1024;  // a few sentences for people
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
constexpr std::array<std::string_view, 13> kGatewayFields = {"connection_limit",
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
                                                             "discover"};

proto::CtlResponse GatewayResponse(const proto::GatewaySettings& settings) {
  proto::CtlResponse response;
  *response.mutable_gateway() = settings;
  return response;
}

bool Names(const proto::Partner& partner, const std::string& domain) {
  return partner.domain() == domain || std::ranges::find(partner.additional_domains(), domain) !=
                                           partner.additional_domains().end();
}

proto::ContactState StateOf(ContactMark mark) {
  return mark == ContactMark::kBlocked ? proto::CONTACT_BLOCKED : proto::CONTACT_AUTHORISED;
}

bool HasControls(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

proto::RecordChange ChangeOf(const proto::Partner& before) {
  proto::RecordChange change;
  *change.mutable_before()->mutable_partner() = before;
  return change;
}

proto::AuditRecord RecordOf(const AuditEntry& entry) {
  proto::AuditRecord record;
  record.set_revision(entry.revision);
  record.set_at_unix_ms(entry.at_unix_ms);
  record.set_user(entry.actor);
  record.set_uid(entry.uid);
  record.set_action(entry.action);
  record.set_subject(entry.subject);
  record.set_reason(entry.reason);
  for (const proto::RecordChange& change : entry.changes)
    *record.add_changes() = ChangeViewOf(change);
  if (!entry.before.empty() || !entry.after.empty())
    *record.add_changes() = ChangeViewOf(entry.subject, entry.before, entry.after);
  return record;
}

AuditEntry EntryOf(const proto::CtlRequest& request, std::chrono::system_clock::time_point now) {
  AuditEntry audit;
  audit.at_unix_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  audit.actor = request.actor();
  audit.uid = request.actor_uid();
  audit.reason = request.reason();
  return audit;
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

Engine::Engine(Store store, std::vector<std::string> served, StoreContent content,
               std::int64_t now_unix)
    : store_(std::move(store)),
      served_(std::move(served)),
      now_unix_(now_unix),
      content_(std::move(content)),
      policy_(CompilePolicy(content_, served_, now_unix_)) {}

Result<Engine> Engine::Create(Store store, std::vector<std::string> served, std::int64_t now_unix) {
  GATEHOUSE_TRY(StoreContent content, store.Read());
  return Engine(std::move(store), std::move(served), std::move(content), now_unix);
}

void Engine::SetServed(std::vector<std::string> served) {
  served_ = std::move(served);
  policy_ = CompilePolicy(content_, served_, now_unix_);
}

void Engine::OnTime(std::int64_t now_unix) {
  now_unix_ = now_unix;
  if (policy_.next_expiry_unix == 0 || policy_.next_expiry_unix > now_unix) return;
  policy_ = CompilePolicy(content_, served_, now_unix_);
}

Result<void> Engine::Reload() {
  GATEHOUSE_TRY(content_, store_.Read());
  policy_ = CompilePolicy(content_, served_, now_unix_);
  return {};
}

proto::CtlResponse Engine::Answer(const proto::CtlRequest& request,
                                  std::chrono::system_clock::time_point now) {
  OnTime(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  const Result<void> may = MayChange(request);
  return Sealed(request, may ? Dispatch(request, EntryOf(request, now))
                             : Reply(std::unexpected(may.error())));
}

proto::CtlResponse Engine::Sealed(const proto::CtlRequest& request, Reply reply) const {
  proto::CtlResponse response;
  if (reply) {
    response = *std::move(reply);
  } else {
    response.set_exit_code(1);
    response.set_error(reply.error().text);
  }
  response.set_id(request.id());
  response.set_revision(content_.revision);
  return response;
}

// What every changing command may say besides.
Result<void> Engine::MayChange(const proto::CtlRequest& request) const {
  if (request.reason().size() > kMaxReasonBytes)
    return BadConfig(fmt::format("the reason has {} octets; at most {} are possible",
                                 request.reason().size(), kMaxReasonBytes));
  if (HasControls(request.reason()))
    return BadConfig("the reason has control characters; write it on one line");
  if (request.has_if_revision() && request.if_revision() != content_.revision)
    return BadConfig(
        fmt::format("the store is at revision {}, not {}: it was changed meanwhile; see what with "
                    "gatehousectl config history, then name the revision it is at",
                    content_.revision, request.if_revision()));
  return {};
}

Engine::Reply Engine::Dispatch(const proto::CtlRequest& request, AuditEntry audit) {
  switch (request.command_case()) {
    case proto::CtlRequest::kPartnerNew:
      audit.action = "partner new";
      return NewPartner(request.partner_new(), std::move(audit));
    case proto::CtlRequest::kPartnerSet:
      audit.action = "partner set";
      return SetPartner(request.partner_set(), std::move(audit));
    case proto::CtlRequest::kPartnerRemove:
      audit.action = "partner remove";
      return RemovePartner(request.partner_remove().domain(), std::move(audit));
    case proto::CtlRequest::kPartnerForgetTls:
      audit.action = "partner forget-tls";
      return ForgetTls(request.partner_forget_tls().domain(), std::move(audit));
    case proto::CtlRequest::kPartnerGet:
      return ShowPartner(request.partner_get().domain());
    case proto::CtlRequest::kPartnerExplain:
      return ExplainPartner(request.partner_explain().domain(), audit.at_unix_ms / 1000);
    case proto::CtlRequest::kPartnerList:
      return ListPartners();
    case proto::CtlRequest::kGatewayGet:
      return GatewayResponse(content_.data.gateway());
    case proto::CtlRequest::kAuditGet:
      return ShowAudit(request.audit_get());
    case proto::CtlRequest::kConfigDiff:
      return ShowDifference(request.config_diff());
    case proto::CtlRequest::kConfigRollback:
      audit.action = "config rollback";
      return RollBack(request.config_rollback().revision(), std::move(audit));
    case proto::CtlRequest::kExportData:
      return ExportData();
    case proto::CtlRequest::kApply:
      audit.action = "apply";
      return ApplyData(request.apply(), std::move(audit));
    case proto::CtlRequest::kGatewaySet:
      audit.action = "gateway set";
      return SetGateway(request.gateway_set(), std::move(audit));
    case proto::CtlRequest::kPolicyTest:
      return TestPolicy(request.policy_test(), audit.at_unix_ms / 1000);
    case proto::CtlRequest::kContactChange:
      return ChangeContacts(request.contact_change(), std::move(audit));
    case proto::CtlRequest::kContactList:
      return policy_engine::ListContacts(store_, RulesOfContacts(), request.contact_list(),
                                         ClockAt(audit.at_unix_ms / 1000));
    case proto::CtlRequest::kPolicyList:
      return ListPolicies(request.policy_list().name());
    case proto::CtlRequest::kPolicyNew:
      audit.action = "policy new";
      return NewPolicy(request.policy_new(), std::move(audit));
    case proto::CtlRequest::kPolicySet:
      audit.action = "policy set";
      return SetPolicy(request.policy_set(), std::move(audit));
    case proto::CtlRequest::kPolicyRemove:
      audit.action = "policy remove";
      return RemovePolicy(request.policy_remove().name(), std::move(audit));
    case proto::CtlRequest::kPolicyGrant:
      audit.action = "policy grant";
      return GrantPolicy(request.policy_grant(), std::move(audit));
    case proto::CtlRequest::kPolicyRevoke:
      audit.action = "policy revoke";
      return RevokePolicies(request.policy_revoke().from(), std::move(audit));
    case proto::CtlRequest::kPartnerDeny:
      audit.action = "partner deny";
      return DenyDomain(request.partner_deny().domain(), std::move(audit));
    case proto::CtlRequest::kPartnerUndeny:
      audit.action = "partner undeny";
      return UndenyDomain(request.partner_undeny().domain(), std::move(audit));
    case proto::CtlRequest::kPartnerDenied:
      return ListDenied();
    case proto::CtlRequest::kPartnerDiscovered:
      return ListStrangers();
    case proto::CtlRequest::kPartnerAccept:
      audit.action = "partner accept";
      return AcceptStranger(request.partner_accept().accepted(), std::move(audit));
    case proto::CtlRequest::kPartnerRefuse:
      audit.action = "partner refuse";
      return RefuseStranger(request.partner_refuse().domain(), std::move(audit));
    case proto::CtlRequest::kImport:
      audit.action = "import";
      return ImportRecords(request.import(), std::move(audit));
    case proto::CtlRequest::kStatus:
    case proto::CtlRequest::kWorker:
    case proto::CtlRequest::kScale:
    case proto::CtlRequest::kStop:
    case proto::CtlRequest::kReload:
    case proto::CtlRequest::kBackupRead:
    case proto::CtlRequest::kRestoreWrite:
    case proto::CtlRequest::kDialbackSecretSet:
    case proto::CtlRequest::kTestStream:
    case proto::CtlRequest::kTestIm:
    case proto::CtlRequest::kWhy:
    case proto::CtlRequest::COMMAND_NOT_SET:
      break;
  }
  proto::CtlResponse response;
  response.set_exit_code(2);
  response.set_error("this command is not one of the policy engine; use gatehousectl --help");
  return response;
}

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
  for (const proto::Partner& other : content_.data.partners())
    if (other.id() != partner.id()) others.Add(other);
  GATEHOUSE_TRY(proto::Partner checked, CheckPartner(std::move(partner), others));
  GATEHOUSE_TRY_VOID(CheckSnapshotRoom(checked.ByteSizeLong()));
  return checked;
}

Result<void> Engine::CheckSnapshotRoom(std::size_t more) const {
  const std::size_t size = policy_.snapshot.ByteSizeLong() + more;
  if (size <= kMaxSnapshotBytes) return {};
  return BadConfig(
      fmt::format("all partners together would take {} octets; at most {} are "
                  "possible, remove some first",
                  size, kMaxSnapshotBytes));
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
  GATEHOUSE_TRY_VOID(store_.Write(std::move(audit)));
  GATEHOUSE_TRY_VOID(Reload());
  return ShowPartner(partner.domain());
}

Result<void> Engine::CheckLooks(const proto::Partner& partner, const proto::Partner& before) const {
  std::vector<std::string> known = served_;
  for (const proto::Partner& other : content_.data.partners()) {
    if (other.id() == partner.id()) continue;
    known.push_back(other.domain());
    for (const std::string& domain : other.additional_domains()) known.emplace_back(BaseOf(domain));
  }
  const Lookalikes lookalikes(known);
  std::vector<std::string> domains(partner.additional_domains().begin(),
                                   partner.additional_domains().end());
  domains.push_back(partner.domain());
  for (const std::string& domain : domains) {
    if (Names(before, domain)) continue;
    if (std::string why = lookalikes.WhyLike(BaseOf(domain)); !why.empty())
      return BadConfig(std::move(why));
  }
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
  partner.set_id(RandomHex(kIdBytes));
  partner.clear_revision();
  partner.clear_tls_seen_unix();
  GATEHOUSE_TRY_VOID(CheckExpiry(partner.expires_unix(), now_unix_));
  GATEHOUSE_TRY(partner, Checked(std::move(partner)));
  if (!command.allow_lookalike()) GATEHOUSE_TRY_VOID(CheckLooks(partner, {}));
  strangers_.Forget(partner.domain());
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
  return Save(ChangeOf(before), std::move(after), std::move(audit));
}

Engine::Reply Engine::RemovePartner(const std::string& domain, AuditEntry audit) {
  GATEHOUSE_TRY(const proto::Partner* stored, OwnerByPrimary(domain));
  const proto::Partner before = *stored;
  audit.subject = before.domain();
  audit.changes.push_back(ChangeOf(before));
  GATEHOUSE_TRY_VOID(store_.Write(std::move(audit)));
  GATEHOUSE_TRY_VOID(Reload());
  streams_.Forget(before.id());
  proto::CtlResponse response;
  response.set_done(fmt::format("partner '{}' is removed", before.domain()));
  return response;
}

Engine::Reply Engine::ShowPartner(const std::string& domain) const {
  GATEHOUSE_TRY(const proto::Partner* partner, Owner(domain));
  return OneView(*partner);
}

Engine::Reply Engine::ExplainPartner(const std::string& domain, std::int64_t now_unix) const {
  GATEHOUSE_TRY(const proto::Partner* partner, Owner(domain));
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
  GATEHOUSE_TRY_VOID(store_.ForgetTls(before.id(), std::move(audit)));
  GATEHOUSE_TRY_VOID(Reload());
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
  GATEHOUSE_TRY_VOID(store_.RememberTls(remember, now_unix));
  return Reload();
}

ContactRules Engine::RulesOfContacts() const {
  return {served_, [this](const std::string& domain) -> Result<void> {
            GATEHOUSE_TRY([[maybe_unused]] const proto::Partner* owner, Owner(domain));
            return {};
          }};
}

Engine::Reply Engine::ChangeContacts(const proto::ContactChange& command, AuditEntry audit) {
  audit.action = ActionOf(command.verb());
  const ContactClock clock = ClockAt(audit.at_unix_ms / 1000);
  GATEHOUSE_TRY(proto::CtlResponse response,
                policy_engine::ChangeContacts(store_, RulesOfContacts(), command, audit, clock));
  GATEHOUSE_TRY_VOID(Reload());
  return response;
}

Result<proto::ContactState> Engine::ContactOf(const proto::ContactWanted& wanted,
                                              std::int64_t now_unix) {
  GATEHOUSE_TRY_VOID(CheckAddresses(wanted.sip_user(), wanted.contact()));
  const ContactPair pair{wanted.sip_user(), wanted.contact()};
  if (!IsOurs(pair.sip_user)) return proto::CONTACT_UNKNOWN;
  GATEHOUSE_TRY(const std::optional<ContactRow> row, store_.FindContact(pair, ClockAt(now_unix)));
  if (!row) return proto::CONTACT_UNKNOWN;
  return StateOf(row->mark);
}

// Refused is exit code 1, with the verdict all the same.
Engine::Reply Engine::TestPolicy(const proto::PolicyTest& test, std::int64_t now_unix) {
  const PolicyView view(policy_.snapshot);
  const auto state_of = [this, now_unix](const std::string& sip_user,
                                         const std::string& contact) -> Result<ContactState> {
    const ContactPair pair{sip_user, contact};
    GATEHOUSE_TRY(const auto row, store_.FindContact(pair, ClockAt(now_unix)));
    if (!row) return ContactState::kNotAuthorised;
    return row->mark == ContactMark::kBlocked ? ContactState::kBlocked : ContactState::kAuthorised;
  };
  GATEHOUSE_TRY(const proto::PolicyVerdict verdict, PreviewVerdict(view, served_, test, state_of));
  proto::CtlResponse response;
  *response.mutable_verdict() = verdict;
  if (!verdict.reason().empty()) {
    response.set_exit_code(1);
    response.set_error(fmt::format("refused: {}{}{}", verdict.sentence(),
                                   verdict.remedy().empty() ? "" : "; ", verdict.remedy()));
  }
  return response;
}

Result<std::vector<proto::ContactState>> Engine::NoteContacts(
    std::span<const proto::ContactSeen> seen, std::int64_t now_unix) {
  std::vector<proto::ContactState> states(seen.size(), proto::CONTACT_UNKNOWN);
  std::vector<ContactPair> pairs;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!IsOurs(seen[i].sip_user())) continue;
    pairs.push_back({seen[i].sip_user(), seen[i].contact()});
    places.push_back(i);
  }
  GATEHOUSE_TRY(const auto marks, store_.SeeContacts(pairs, ClockAt(now_unix)));
  for (std::size_t i = 0; i < marks.size(); ++i)
    if (marks[i]) states[places[i]] = StateOf(*marks[i]);
  return states;
}

Result<void> Engine::SweepContacts(std::int64_t now_unix) {
  return store_.SweepContacts(ClockAt(now_unix));
}

// A sibling's addresses are checked, not mended.
Result<void> Engine::CheckAddresses(const std::string& sip_user, const std::string& contact) {
  for (const std::string* address : {&sip_user, &contact}) {
    const Result<Jid> jid = Jid::Parse(*address);
    if (!jid || jid->Bare() != *address) return BadPeer("an address that is not bare and prepared");
  }
  return {};
}

bool Engine::IsOurs(const std::string& bare_jid) const {
  const std::size_t at = bare_jid.find('@');
  return at != std::string::npos &&
         std::ranges::find(served_, std::string_view(bare_jid).substr(at + 1)) != served_.end();
}

ContactClock Engine::ClockAt(std::int64_t now_unix) const {
  return {now_unix, std::int64_t{content_.data.gateway().authorisation_ttl_s()}};
}

Engine::Reply Engine::ListPartners() const {
  proto::CtlResponse response;
  proto::PartnerViews& views = *response.mutable_partners();
  for (const proto::Partner& partner : content_.data.partners())
    *views.add_partners() = OneView(partner).partners().partners(0);
  return response;
}

Engine::Reply Engine::SetGateway(const proto::GatewaySet& command, AuditEntry audit) {
  const proto::GatewaySettings& before = content_.data.gateway();
  proto::GatewaySettings after = before;
  GATEHOUSE_TRY_VOID(ReplaceFields(command.fields(), kGatewayFields, command.settings(), after));
  GATEHOUSE_TRY_VOID(CheckGateway(after));
  if (after.SerializeAsString() == before.SerializeAsString()) return GatewayResponse(after);
  audit.subject = "gateway";
  proto::RecordChange& change = audit.changes.emplace_back();
  *change.mutable_before()->mutable_gateway() = before;
  *change.mutable_after()->mutable_gateway() = after;
  GATEHOUSE_TRY_VOID(store_.Write(std::move(audit)));
  GATEHOUSE_TRY_VOID(Reload());
  if (!content_.data.gateway().discover()) strangers_.Clear();
  return GatewayResponse(content_.data.gateway());
}

Engine::Reply Engine::ShowAudit(const proto::AuditGet& command) {
  const Result<std::string> domain = PrepareDomain(command.subject());
  GATEHOUSE_TRY(const std::vector<AuditEntry> entries,
                store_.Audit({.last = command.last(),
                              .subject = domain ? *domain : command.subject(),
                              .revisions_only = command.revisions_only()}));
  proto::CtlResponse response;
  proto::AuditRecords& records = *response.mutable_audit();
  for (const AuditEntry& entry : entries) *records.add_records() = RecordOf(entry);
  return response;
}

// --- the data as a whole

// What the present data was at that revision: the changes since then are taken back one by one.
Result<RecordSet> Engine::RecordsAt(std::uint64_t revision) {
  RecordSet records = RecordsOf(content_.data);
  if (revision == content_.revision) return records;
  GATEHOUSE_TRY(const bool known, store_.HasRevision(revision));
  if (!known || revision > content_.revision)
    return BadConfig(
        fmt::format("there is no revision {} to look at; see gatehousectl config "
                    "history",
                    revision));
  GATEHOUSE_TRY(const std::vector<AuditEntry> later, store_.Audit({.after_revision = revision}));
  for (const AuditEntry& entry : later) TakeBack(entry.changes, records);
  return records;
}

Engine::Reply Engine::ShowDifference(const proto::ConfigDiff& command) {
  const std::uint64_t to = command.to() == 0 ? content_.revision : command.to();
  GATEHOUSE_TRY(const RecordSet before, RecordsAt(command.from()));
  GATEHOUSE_TRY(RecordSet after, RecordsAt(to));
  proto::CtlResponse response;
  proto::ChangeReport& report = *response.mutable_changes();
  report.set_from(command.from());
  report.set_to(to);
  for (const proto::RecordChange& change : Difference(before, std::move(after)))
    *report.add_changes() = ChangeViewOf(change);
  return response;
}

Engine::Reply Engine::RollBack(std::uint64_t revision, AuditEntry audit) {
  GATEHOUSE_TRY(const RecordSet records, RecordsAt(revision));
  const CheckedData target = CheckData(DataOf(records), served_);
  if (!target.mistakes.empty()) {
    const proto::Mistake& first = target.mistakes.front();
    return BadConfig(fmt::format("revision {} would not be valid today: {}: {}", revision,
                                 first.record(), first.what()));
  }
  audit.subject = fmt::format("revision {}", revision);
  return Become(target, std::move(audit), false);
}

Engine::Reply Engine::ExportData() const {
  proto::CtlResponse response;
  *response.mutable_federation_data() = WithoutKept(content_.data);
  return response;
}

Engine::Reply Engine::ApplyData(const proto::Apply& command, AuditEntry audit) {
  std::vector<const google::protobuf::FieldDescriptor*> sections;
  for (const std::string& name : command.sections()) {
    sections.push_back(proto::FederationData::descriptor()->FindFieldByName(name));
    if (sections.back() == nullptr)
      return BadConfig(fmt::format("'{}' is no part of the federation data", name));
  }
  proto::FederationData data = content_.data;
  proto::FederationData given = WithoutKept(command.data());
  data.GetReflection()->SwapFields(&data, &given, sections);
  const CheckedData target = CheckData(std::move(data), served_);
  audit.subject = command.file();
  return Become(target, std::move(audit), command.dry_run());
}

Engine::Reply Engine::Become(const CheckedData& target, AuditEntry audit, bool dry_run) {
  proto::CtlResponse response;
  if (!target.mistakes.empty()) {
    response.set_exit_code(1);
    for (const proto::Mistake& mistake : target.mistakes) *response.add_mistakes() = mistake;
    return response;
  }
  audit.changes = Difference(RecordsOf(content_.data), RecordsOf(target.data));
  proto::ChangeReport& report = *response.mutable_changes();
  report.set_from(content_.revision);
  for (const proto::RecordChange& change : audit.changes)
    *report.add_changes() = ChangeViewOf(change);
  if (dry_run) return response;
  report.set_to(content_.revision);
  if (audit.changes.empty()) return response;
  std::vector<std::string> removed;
  for (const proto::RecordChange& change : audit.changes)
    if (change.before().has_partner() && !change.has_after())
      removed.push_back(change.before().partner().id());
  GATEHOUSE_TRY_VOID(store_.Write(std::move(audit)));
  GATEHOUSE_TRY_VOID(Reload());
  for (const std::string& id : removed) streams_.Forget(id);
  report.set_to(content_.revision);
  return response;
}

// --- the whole store

Result<StoreCopy> Engine::CopyTo(const std::string& path, const proto::CtlRequest& request,
                                 std::chrono::system_clock::time_point now) {
  AuditEntry audit = EntryOf(request, now);
  audit.action = "backup";
  GATEHOUSE_TRY_VOID(store_.Note(audit));
  return store_.CopyTo(path);
}

proto::CtlResponse Engine::TakeStore(const std::string& file, const proto::CtlRequest& request,
                                     std::chrono::system_clock::time_point now) {
  AuditEntry audit = EntryOf(request, now);
  audit.action = "restore";
  audit.subject = request.restore_write().file();
  const Result<void> may = MayChange(request);
  return Sealed(request, may ? Take(file, std::move(audit)) : Reply(std::unexpected(may.error())));
}

Engine::Reply Engine::Take(const std::string& file, AuditEntry audit) {
  Result<Store> taken = Store::Open(file);
  if (!taken) return BadConfig("this is not a store to be restored: " + taken.error().text);
  GATEHOUSE_TRY(const StoreContent content, taken->Read());
  if (const CheckedData checked = CheckData(content.data, served_); !checked.mistakes.empty()) {
    const proto::Mistake& first = checked.mistakes.front();
    return BadConfig(fmt::format("the store to be restored would not be valid today: {}: {}",
                                 first.record(), first.what()));
  }
  GATEHOUSE_TRY(const std::string kept, store_.KeepBeside(audit.at_unix_ms / 1000));
  GATEHOUSE_TRY(const std::uint64_t revision, taken->CountOnFrom(content_, std::move(audit)));
  GATEHOUSE_TRY_VOID(store_.Become(*taken));
  GATEHOUSE_TRY_VOID(Reload());
  proto::CtlResponse response;
  response.set_done(fmt::format(
      "restored what was revision {}, as revision {} with {} partners; the store before is in '{}'",
      content.revision, revision, content.data.partners_size(), kept));
  return response;
}

}  // namespace gatehouse::policy_engine
