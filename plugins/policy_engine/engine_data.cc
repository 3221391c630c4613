// The engine's commands on the federation data as a whole: its history and export, and the
// store's file.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/policy/access_notice.h"
#include "core/xmpp/jid.h"
#include "plugins/policy_engine/certificate_view.h"
#include "plugins/policy_engine/change_view.h"
#include "plugins/policy_engine/engine.h"

namespace gatehouse::policy_engine {
namespace {

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
  if (entry.before.empty() && entry.after.empty()) return record;
  if (IsSlotAction(entry.action))
    AddSlotChanges(entry.before, entry.after, record);
  else
    *record.add_changes() =
        ChangeViewOf(IsCertificateAction(entry.action) ? "certificate" : "contact", entry.subject,
                     entry.before, entry.after);
  return record;
}

// What opening says of a store in `path`, to somebody who gave it as `file`: the name is his, and
// so is the remedy.
std::string AsGiven(std::string text, const std::string& path, const std::string& file) {
  const std::string named = fmt::format("policy store '{}'", path);
  if (const std::size_t at = text.find(named); at != std::string::npos)
    text.replace(at, named.size(), fmt::format("'{}'", file));
  if (const std::size_t at = text.rfind("; restore a copy"); at != std::string::npos)
    text.replace(at, std::string::npos, "; name another backup");
  return text;
}

}  // namespace

Engine::Reply Engine::ShowAudit(const proto::AuditGet& command) {
  const Result<std::string> domain = PrepareDomain(command.subject());
  GATEHOUSE_TRY(AuditWalk walk, store_.WalkAudit({.last = command.last(),
                                                  .subject = domain ? *domain : command.subject(),
                                                  .revisions_only = command.revisions_only()}));
  proto::CtlResponse response;
  proto::AuditRecords& records = *response.mutable_audit();
  while (true) {
    GATEHOUSE_TRY(const std::optional<AuditEntry> entry, walk.Next());
    if (!entry) return response;
    *records.add_records() = RecordOf(*entry);
  }
}

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
  GATEHOUSE_TRY(AuditWalk later, store_.WalkAudit({.after_revision = revision}));
  while (true) {
    GATEHOUSE_TRY(const std::optional<AuditEntry> entry, later.Next());
    if (!entry) return records;
    GATEHOUSE_TRY_VOID(TakeBack(entry->changes, records));
  }
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
  const CheckedData target = CheckAll(DataOf(records));
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

Engine::Reply Engine::Become(const CheckedData& target, AuditEntry audit, bool dry_run,
                             std::span<const ContactEdit> edits) {
  proto::CtlResponse response;
  if (!target.mistakes.empty()) {
    response.set_exit_code(1);
    for (const proto::Mistake& mistake : target.mistakes) *response.add_mistakes() = mistake;
    return response;
  }
  audit.changes = Difference(RecordsOf(content_.data), RecordsOf(target.data));
  proto::ChangeReport& report = *response.mutable_changes();
  report.set_from(content_.revision);
  for (const proto::RecordChange& change : audit.changes) {
    *report.add_changes() = ChangeViewOf(change);
    still_busy_();
  }
  if (dry_run) return response;
  GATEHOUSE_TRY(const std::vector<std::string> lifted, Commit(std::move(audit), edits));
  for (const std::string& domain : lifted)
    *report.add_changes() = ChangeViewOf("contact", domain, std::string(kLiftedBlocks), {});
  report.set_to(content_.revision);
  return response;
}

Result<std::vector<std::string>> Engine::Commit(AuditEntry audit,
                                                std::span<const ContactEdit> edits) {
  const ContactClock clock = ClockAt(audit.at_unix_ms / 1000);
  if (audit.changes.empty()) {
    if (!edits.empty()) GATEHOUSE_TRY_VOID(Take(store_.EditContacts(edits, clock)));
    return {};
  }
  const std::vector<std::string> blocked = content_.blocked_domains;
  std::vector<std::string> removed;
  for (const proto::RecordChange& change : audit.changes)
    if (change.before().has_partner() && !change.has_after())
      removed.push_back(change.before().partner().id());
  GATEHOUSE_TRY_VOID(Take(store_.Write(std::move(audit), edits, clock)));
  for (const std::string& id : removed) streams_.Forget(id);
  std::vector<std::string> lifted;
  std::ranges::set_difference(blocked, content_.blocked_domains, std::back_inserter(lifted));
  // Not what the edits themselves have lifted, which they say.
  for (const ContactEdit& edit : edits)
    if (!edit.audit.before.empty())
      std::erase(lifted, edit.pair.contact.substr(edit.pair.contact.find('@') + 1));
  return lifted;
}

Result<void> Engine::NoteBackup(const proto::CtlRequest& request,
                                std::chrono::system_clock::time_point now) {
  AuditEntry audit = EntryOf(request, now);
  audit.action = "backup";
  return store_.Note(audit);
}

proto::CtlResponse Engine::TakeStore(const std::string& file, const proto::CtlRequest& request,
                                     std::chrono::system_clock::time_point now) {
  AuditEntry audit = EntryOf(request, now);
  audit.action = "restore";
  audit.subject = request.restore_write().file();
  const Result<void> may = MayChange(request);
  return Sealed(request,
                may ? TakeFile(file, std::move(audit)) : Reply(std::unexpected(may.error())));
}

Engine::Reply Engine::TakeFile(const std::string& file, AuditEntry audit) {
  Result<Store> taken = Store::Open(file, still_busy_);
  const auto refuse = [&](const Error& error) {
    return BadConfig("this is not a store to be restored: " +
                     AsGiven(error.text, file, audit.subject));
  };
  if (!taken) return refuse(taken.error());
  const Result<StoreContent> read = taken->Read();
  if (!read) return refuse(read.error());
  const StoreContent& content = *read;
  // What it holds was in force where it comes from: a machine that is new holds nothing to compare.
  const CheckedData checked = CheckData(content.data, content.data, served_, limits_, still_busy_);
  if (!checked.mistakes.empty()) {
    const proto::Mistake& first = checked.mistakes.front();
    return BadConfig(fmt::format("the store to be restored would not be valid today: {}: {}",
                                 first.record(), first.what()));
  }
  GATEHOUSE_TRY(const std::string kept, store_.KeepBeside(audit.at_unix_ms / 1000));
  GATEHOUSE_TRY(const std::uint64_t revision, taken->CountOnFrom(content_, std::move(audit)));
  // Once more: from here on there is no way back.
  if (const Result<StoreContent> counted = taken->Read(); !counted) return refuse(counted.error());
  GATEHOUSE_TRY_VOID(store_.Become(*taken));
  GATEHOUSE_TRY_VOID(Take(store_.Read()));
  GATEHOUSE_TRY_VOID(store_.CountContacts());
  GATEHOUSE_TRY_VOID(certificates_.Read(store_));
  const std::string unusable = certificates_.UnusableNames();
  proto::CtlResponse response;
  response.set_done(fmt::format(
      "restored what was revision {}, as revision {} with {} partners; the store before is in "
      "'{}'{}{}{}",
      content.revision, revision, content.data.partners_size(), kept,
      policy_.nobody_may ? "; " : "", policy_.nobody_may ? kNobodyMay : "",
      unusable.empty() ? ""
                       : fmt::format("; the keys of certificates {} were sealed on another machine "
                                     "and cannot be used: bring its certificate.key, or import "
                                     "them anew with their keys",
                                     unusable)));
  return response;
}

}  // namespace gatehouse::policy_engine
