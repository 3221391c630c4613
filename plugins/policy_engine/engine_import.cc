// The engine's command that takes what was read of another system's export: all of it, or nothing.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/policy/negotiation.h"
#include "core/policy/partner_words.h"
#include "core/policy/policy_view.h"
#include "core/xmpp/jid.h"
#include "plugins/policy_engine/access_rules.h"
#include "plugins/policy_engine/engine.h"
#include "plugins/policy_engine/gateway_rules.h"
#include "plugins/policy_engine/lookalike.h"
#include "plugins/policy_engine/partner_rules.h"
#include "plugins/policy_engine/record_fields.h"
#include "plugins/policy_engine/record_set.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::array<std::string_view, 10> kImportedPartnerFields = {
    "domain",   "additional_domains", "type",       "tls",   "sasl",
    "dialback", "connection_limit",   "keep_alive", "proxy", "description"};
constexpr std::array<std::string_view, 6> kImportedGatewayFields = {
    "connection_limit",
    "partner_connection_limit",
    "keep_alive_interval_s",
    "stream_establishment_timeout_s",
    "stream_inactivity_timeout_s",
    "subscription_refresh_interval_s"};

// Of an audit entry's subject, but for a single file's name.
constexpr std::size_t kMaxSubjectBytes = 1024;

// The policy "global" as a new store has it.
bool IsAsMade(const proto::AccessPolicy& global) {
  return !global.xmpp_access() && global.description().empty();
}

// Those the import may set, as a new store has them.
bool AreAsMade(const proto::GatewaySettings& settings) {
  proto::GatewaySettings as_made = settings;
  google::protobuf::RepeatedPtrField<std::string> fields;
  for (const std::string_view field : kImportedGatewayFields) *fields.Add() = field;
  return ReplaceFields(fields, kImportedGatewayFields, DefaultGatewaySettings(), as_made)
             .has_value() &&
         as_made.SerializeAsString() == settings.SerializeAsString();
}

// What the import would make of the store, record by record.
class ImportPlan {
 public:
  ImportPlan(const proto::FederationData& data, const std::vector<std::string>& served,
             const std::vector<std::string>& denied, const proto::Import& command)
      : data_(data),
        command_(command),
        owners_(served, DomainOwners::Remedy::kCommand, denied),
        lookalikes_(served) {
    std::set<std::string> replaced;
    if (command.replace())
      for (const proto::ImportRecord& record : command.records())
        if (Result<std::string> domain = PrepareDomain(record.partner().domain()))
          replaced.insert(*std::move(domain));
    for (const proto::Partner& partner : data.partners()) {
      partners_.emplace(partner.domain(), &partner);
      if (!replaced.contains(partner.domain())) Own(partner, DomainOwners::Remedy::kCommand);
    }
  }

  void Take(const proto::ImportRecord& record, proto::ImportResult& result) {
    result.set_from(record.from());
    *result.mutable_notes() = record.notes();
    const Result<void> taken = TakeRecord(record, result);
    if (taken) return;
    refused_ = true;
    result.set_result("refused");
    result.set_why(taken.error().text);
  }
  [[nodiscard]] bool refused() const { return refused_; }

  [[nodiscard]] const std::vector<proto::RecordChange>& changes() const { return changes_; }

 private:
  Result<void> TakeRecord(const proto::ImportRecord& record, proto::ImportResult& result) {
    result.set_kind("record");
    if (record.has_partner()) return TakePartner(record, result);
    if (record.has_policy()) return TakePolicy(record, result);
    if (record.has_gateway()) return TakeGateway(record, result);
    return BadConfig(record.refused().empty() ? "it has no content" : record.refused());
  }

  Result<void> TakePartner(const proto::ImportRecord& record, proto::ImportResult& result) {
    result.set_kind("partner");
    result.set_name(record.partner().domain());
    if (!record.refused().empty()) return BadConfig(record.refused());
    const proto::Partner* before = PartnerOf(record.partner().domain());
    if (before != nullptr && !command_.replace())
      return BadConfig(
          "the partner exists already; give --replace, or take it out with gatehousectl partner "
          "remove");
    // What Lync does not know of stays as it was.
    proto::Partner partner = before == nullptr ? record.partner() : *before;
    if (before == nullptr) partner.set_id(NewRecordId());
    google::protobuf::RepeatedPtrField<std::string> fields;
    for (const std::string_view field : kImportedPartnerFields) *fields.Add() = field;
    GATEHOUSE_TRY_VOID(ReplaceFields(fields, kImportedPartnerFields, record.partner(), partner));
    GATEHOUSE_TRY(partner, CheckPartner(std::move(partner), owners_, data_.partner_types()));
    if (!command_.allow_lookalike()) GATEHOUSE_TRY_VOID(CheckLooks(partner));
    result.set_name(partner.domain());
    for (const NegotiationNote note : NotesOf(RowOf(partner)))
      result.add_notes(fmt::format("{}: {}", NoteCode(note), NoteText(note)));
    Own(partner, DomainOwners::Remedy::kInTheFile);
    result.set_result(before == nullptr ? "imported" : "replaced");
    if (before != nullptr && before->SerializeAsString() == partner.SerializeAsString()) {
      result.set_result("unchanged");
      return {};
    }
    proto::RecordChange& change = changes_.emplace_back();
    if (before != nullptr) *change.mutable_before()->mutable_partner() = *before;
    *change.mutable_after()->mutable_partner() = std::move(partner);
    return {};
  }

  Result<void> TakePolicy(const proto::ImportRecord& record, proto::ImportResult& result) {
    result.set_kind("policy");
    result.set_name(record.policy().name());
    if (!record.refused().empty()) return BadConfig(record.refused());
    GATEHOUSE_TRY(proto::AccessPolicy policy, CheckAccessPolicy(record.policy()));
    result.set_name(policy.name());
    if (!policies_.insert(policy.name()).second)
      return BadConfig("it is there twice; leave one of them out");
    const proto::AccessPolicy* before = PolicyNamed(policy.name());
    const bool is_global = policy.name() == kGlobalPolicy;
    const bool is_same = before != nullptr && before->xmpp_access() == policy.xmpp_access() &&
                         before->description() == policy.description();
    if (before != nullptr && !command_.replace() && !is_global)
      return BadConfig(
          "the access policy exists already; give --replace, or take it out with gatehousectl "
          "policy remove");
    // In a store that nobody has set anything in it is there, too.
    if (before != nullptr && !command_.replace() && !is_same && !IsAsMade(*before))
      return BadConfig(
          "the access policy 'global' was set already; give --replace, or leave it out of the "
          "file");
    result.set_result(is_same ? "unchanged" : before == nullptr ? "imported" : "replaced");
    if (is_same) return {};
    proto::RecordChange& change = changes_.emplace_back();
    proto::AccessPolicy& after = *change.mutable_after()->mutable_policy();
    if (before != nullptr) {
      *change.mutable_before()->mutable_policy() = *before;
      after = *before;  // its grants stay
    }
    after.set_name(policy.name());
    after.set_xmpp_access(policy.xmpp_access());
    after.set_description(policy.description());
    return {};
  }

  Result<void> TakeGateway(const proto::ImportRecord& record, proto::ImportResult& result) {
    result.set_kind("gateway");
    if (!record.refused().empty()) return BadConfig(record.refused());
    if (std::exchange(gateway_, true)) return BadConfig("it is there twice; leave one of them out");
    proto::GatewaySettings settings = data_.gateway();
    result.set_result("unchanged");
    if (record.gateway().fields().empty()) return {};
    GATEHOUSE_TRY_VOID(ReplaceFields(record.gateway().fields(), kImportedGatewayFields,
                                     record.gateway().settings(), settings));
    GATEHOUSE_TRY_VOID(CheckGateway(settings, data_.gateway()));
    if (settings.SerializeAsString() == data_.gateway().SerializeAsString()) return {};
    if (!command_.replace() && !AreAsMade(data_.gateway()))
      return BadConfig(
          "gateway settings were set already; give --replace, or leave them out of the file");
    result.set_result("replaced");
    proto::RecordChange& change = changes_.emplace_back();
    *change.mutable_before()->mutable_gateway() = data_.gateway();
    *change.mutable_after()->mutable_gateway() = std::move(settings);
    return {};
  }

  Result<void> CheckLooks(const proto::Partner& partner) const {
    std::string why = lookalikes_.WhyLike(partner.domain());
    for (const std::string& domain : partner.additional_domains())
      if (why.empty()) why = lookalikes_.WhyLike(domain);
    return why.empty() ? Result<void>{} : BadConfig(std::move(why));
  }

  void Own(const proto::Partner& partner, DomainOwners::Remedy remedy) {
    owners_.Add(partner, remedy);
    lookalikes_.Add(partner);
  }

  [[nodiscard]] const proto::Partner* PartnerOf(const std::string& domain) const {
    const auto found = partners_.find(PrepareDomain(domain).value_or(std::string()));
    return found == partners_.end() ? nullptr : found->second;
  }
  [[nodiscard]] const proto::AccessPolicy* PolicyNamed(const std::string& name) const {
    const auto found = std::ranges::find(data_.policies(), name,
                                         [](const proto::AccessPolicy& p) { return p.name(); });
    return found == data_.policies().end() ? nullptr : &*found;
  }

  const proto::FederationData& data_;
  const proto::Import& command_;
  DomainOwners owners_;
  Lookalikes lookalikes_;
  std::unordered_map<std::string, const proto::Partner*> partners_;  // by primary domain
  std::vector<proto::RecordChange> changes_;
  std::set<std::string> policies_;  // names of this import
  bool gateway_ = false;
  bool refused_ = false;
};

// "nothing is imported: 1 of 4 records cannot be, the first is partner 'a.example' of FILE: its
// mistake; the remedy"
std::string WhyNothing(const proto::ImportReport& report) {
  const auto is_refused = [](const proto::ImportResult& one) { return one.result() == "refused"; };
  const auto refused = std::ranges::count_if(report.results(), is_refused);
  const proto::ImportResult& first = *std::ranges::find_if(report.results(), is_refused);
  return fmt::format("nothing is imported: {} of {} records cannot be, the first is {}{} of {}: {}",
                     refused, report.results_size(), first.kind(),
                     first.name().empty() ? "" : " '" + first.name() + "'", first.from(),
                     first.why());
}

// "a.xml, b.xml", each once; of too many "a.xml, b.xml and 7 more".
std::string FilesOf(const proto::Import& command) {
  std::vector<std::string> files;
  for (const proto::ImportRecord& record : command.records())
    if (std::ranges::find(files, record.from()) == files.end()) files.push_back(record.from());
  std::string text = files.front();
  for (std::size_t i = 1; i < files.size(); ++i) {
    if (text.size() + files[i].size() > kMaxSubjectBytes)
      return fmt::format("{} and {} more", text, files.size() - i);
    text += ", " + files[i];
  }
  return text;
}

// What no record does by itself, but all of them with what is there.
proto::ImportResult RefusedTogether(const proto::Mistake& mistake, const std::string& from) {
  proto::ImportResult result;
  result.set_from(from);
  result.set_kind("record");
  result.set_name(mistake.record());
  result.set_result("refused");
  result.set_why(mistake.what());
  return result;
}

}  // namespace

Engine::Reply Engine::ImportRecords(const proto::Import& command, AuditEntry audit) {
  if (command.records().empty()) return BadConfig("there is nothing to import");
  const auto partners = std::ranges::count_if(command.records(), &proto::ImportRecord::has_partner);
  GATEHOUSE_TRY_VOID(CheckPartnerCount(static_cast<std::size_t>(partners), 0, limits_));
  ImportPlan plan(content_.data, served_, Denied(), command);
  proto::CtlResponse response;
  proto::ImportReport& report = *response.mutable_imported();
  for (const proto::ImportRecord& record : command.records()) {
    plan.Take(record, *report.add_results());
    still_busy_();
  }
  if (plan.refused()) {
    response.set_exit_code(1);
    response.set_error(WhyNothing(report));
    return response;
  }
  audit.subject = FilesOf(command);
  const RecordSet before = RecordsOf(content_.data);
  RecordSet after = before;
  for (const proto::RecordChange& change : plan.changes()) PutIn(change.after(), after);
  const CheckedData target = CheckAll(DataOf(after));
  if (!target.mistakes.empty()) {
    const proto::Mistake& first = target.mistakes.front();
    response.set_exit_code(1);
    response.set_error(fmt::format("nothing is imported: {}: {}", first.record(), first.what()));
    *report.add_results() = RefusedTogether(first, audit.subject);
    return response;
  }
  if (command.dry_run()) return response;
  audit.changes = Difference(before, RecordsOf(target.data));
  GATEHOUSE_TRY_VOID(Commit(std::move(audit)));
  report.set_written(true);
  return response;
}

}  // namespace gatehouse::policy_engine
