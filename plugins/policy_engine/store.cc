#include "plugins/policy_engine/store.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "plugins/policy_engine/record_rows.h"
#include "plugins/policy_engine/record_set.h"
#include "plugins/policy_engine/store_file.h"
#include "plugins/policy_engine/sweep_memory.h"

namespace gatehouse::policy_engine {
namespace {

Result<std::uint64_t> FileId(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0)
    return Trouble(fmt::format("policy store '{}': the file is gone", path));
  return static_cast<std::uint64_t>(info.st_ino);
}

Result<std::uint64_t> NextRevision(SqliteDatabase& database) {
  GATEHOUSE_TRY(SqliteStatement update,
                database.Prepare("UPDATE store_state SET revision = revision + 1"
                                 " RETURNING revision"));
  GATEHOUSE_TRY(const bool row, update.Step());
  if (!row) return Trouble("the store has no revision");
  const auto revision = static_cast<std::uint64_t>(update.Integer(0));
  GATEHOUSE_TRY_VOID(update.Run());
  return revision;
}

// Answers about contacts that were given before are void from now on.
Result<void> NextContactsEpoch(SqliteDatabase& database) {
  return database.Run("UPDATE store_state SET contacts_epoch = contacts_epoch + 1");
}

// ", 3 of them ended": what the operator may forget first.
std::string EndedText(const EndedContacts& ended) {
  if (ended.count == 0) return ended.all ? ", none of them ended" : "";
  return fmt::format(", {}{} of them ended", ended.all ? "" : "at least ", ended.count);
}

std::vector<std::string> DomainsOf(const proto::Record& record) {
  if (!record.has_partner()) return {};
  std::vector<std::string> domains(record.partner().additional_domains().begin(),
                                   record.partner().additional_domains().end());
  domains.push_back(record.partner().domain());
  std::ranges::sort(domains);
  return domains;
}

// Domains and wildcards of the one that the other has not.
std::vector<std::string> OnlyOf(const proto::Record& record, const proto::Record& other) {
  std::vector<std::string> only;
  std::ranges::set_difference(DomainsOf(record), DomainsOf(other), std::back_inserter(only));
  return only;
}

}  // namespace

Result<Store> Store::Open(const std::string& path, std::function<void()> still_busy,
                          std::int64_t contacts_of_a_partner) {
  GATEHOUSE_TRY(SqliteDatabase database, OpenStoreFile(path, still_busy));
  GATEHOUSE_TRY(const std::uint64_t file_id, FileId(path));
  Store store(std::move(database), path, file_id, contacts_of_a_partner);
  store.still_busy_ = std::move(still_busy);
  return store;
}

void Store::OnProgress(std::function<void()> still_busy) {
  still_busy_ = std::move(still_busy);
  database_.OnProgress(still_busy_);
}

// SQLite would go on writing into a file that has no name any more, and lose it all at the end.
Result<void> Store::CheckFileIsThere() const {
  const Result<std::uint64_t> now = FileId(path_);
  if (now && *now == file_id_) return {};
  return Trouble(
      fmt::format("policy store '{}' was taken away or replaced while in use; put it "
                  "back, then run: gatehousectl worker restart policy_engine/0",
                  path_));
}

// To be asked before the change is made: a partner loses a domain or a wildcard, or one takes what
// was below another's wildcard.
Result<bool> Store::MovesDomains(const AuditEntry& audit) {
  for (const proto::RecordChange& one : audit.changes) {
    if (!OnlyOf(one.before(), one.after()).empty()) return true;
    for (const std::string& domain : OnlyOf(one.after(), one.before())) {
      GATEHOUSE_TRY(const std::string partner, contacts_.PartnerOf(database_, domain));
      if (!partner.empty()) return true;
    }
  }
  return false;
}

// Contacts in a domain that a partner loses are forgotten, even where another has it from now on:
// nobody has authorised them as that one's.
Result<void> Store::BecomeRecords(const AuditEntry& audit) {
  GATEHOUSE_TRY(const bool moves, MovesDomains(audit));
  ContactTable::Owners before;
  if (moves) GATEHOUSE_TRY_VOID(contacts_.ReadOwners(database_, before));
  for (const proto::RecordChange& one : audit.changes) GATEHOUSE_TRY_VOID(TakeOut(database_, one));
  for (const proto::RecordChange& one : audit.changes)
    GATEHOUSE_TRY_VOID(PutIn(database_, one, audit.revision));
  if (!moves) return {};
  GATEHOUSE_TRY(const std::vector<std::string> blocked, ReadBlockedDomains(database_));
  GATEHOUSE_TRY(const bool any, contacts_.ForgetMoved(database_, before));
  if (!any) return {};
  GATEHOUSE_TRY_VOID(NoteLiftedBlocks(blocked, audit));
  return NextContactsEpoch(database_);
}

Result<void> Store::NoteLiftedBlocks(std::span<const std::string> blocked_before,
                                     const AuditEntry& why) {
  GATEHOUSE_TRY(const std::vector<std::string> left, ReadBlockedDomains(database_));
  AuditEntry entry = why;
  entry.revision = 0;
  entry.changes.clear();
  entry.before = kLiftedBlocks;
  for (const std::string& domain : blocked_before) {
    if (std::ranges::binary_search(left, domain)) continue;
    entry.subject = domain;
    GATEHOUSE_TRY_VOID(AddAudit(database_, entry));
  }
  return {};
}

template <class T>
Result<T> Store::Told(Result<T> result) const {
  if (result || result.error().fault == Fault::kConfig ||
      result.error().text.starts_with("policy store '"))
    return result;
  return Trouble(
      fmt::format("policy store '{}': {}; nothing was changed, see that its disk has room and is "
                  "sound, or restore a copy",
                  path_, result.error().text));
}

template <class T>
Result<T> Store::Settled(Result<T> result) {
  if (result)
    contacts_.Keep();
  else
    contacts_.TakeBack();
  return Told(std::move(result));
}

// `change` does what is not in the entry's records.
template <class Change>
Result<StoreContent> Store::Write(AuditEntry audit, Change change) {
  return Settled(WriteIn(std::move(audit), change));
}

template <class Change>
Result<StoreContent> Store::WriteIn(AuditEntry audit, Change change) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  GATEHOUSE_TRY(audit.revision, NextRevision(database_));
  for (proto::RecordChange& one : audit.changes) KeepDifference(one);
  GATEHOUSE_TRY_VOID(BecomeRecords(audit));
  GATEHOUSE_TRY_VOID(change(audit.revision));
  GATEHOUSE_TRY_VOID(AddAudit(database_, audit));
  return Seal(transaction);
}

// The last step of every write of what is in the data. A wrong bit in the log is for SQLite the
// log's end: what was said to be done would be gone unsaid, a block of a contact too. In the file
// the seal finds it.
Result<StoreContent> Store::Seal(SqliteTransaction& transaction) {
  GATEHOUSE_TRY(StoreContent content, SealContent(database_));
  GATEHOUSE_TRY_VOID(transaction.Commit());
  database_.EmptyLog();
  return content;
}

Result<StoreContent> Store::Read() {
  Result<StoreContent> content = ReadSealed(database_);
  if (content) return content;
  return Trouble(fmt::format("policy store '{}': {}; restore a copy", path_, content.error().text));
}

Result<StoreContent> Store::Write(AuditEntry change, std::span<const ContactEdit> edits,
                                  const ContactClock& clock) {
  return Write(std::move(change), [&](std::uint64_t) {
    return edits.empty() ? Result<void>() : MakeEdits(edits, clock);
  });
}

Result<StoreContent> Store::ForgetTls(const std::string& id, AuditEntry change) {
  return Write(std::move(change),
               [&](std::uint64_t) { return policy_engine::ForgetTls(database_, id); });
}

Result<StoreContent> Store::RememberTls(std::span<const std::string> ids, std::int64_t at_unix) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  for (const std::string& id : ids)
    GATEHOUSE_TRY_VOID(policy_engine::RememberTls(database_, id, at_unix));
  return Seal(transaction);
}

Result<std::vector<AuditEntry>> Store::Audit(const AuditQuery& query) {
  GATEHOUSE_TRY(AuditWalk walk, WalkAudit(query));
  std::vector<AuditEntry> entries;
  while (true) {
    GATEHOUSE_TRY(std::optional<AuditEntry> entry, walk.Next());
    if (!entry) return entries;
    entries.push_back(*std::move(entry));
  }
}

Result<void> Store::Note(const AuditEntry& entry) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  GATEHOUSE_TRY_VOID(AddAudit(database_, entry));
  return transaction.Commit();
}

Result<StoreCopy> Store::CopyTo(const std::string& path) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteDatabase target, SqliteDatabase::Open(path));
  GATEHOUSE_TRY(SqliteCopy copy, SqliteCopy::Begin(target, database_));
  return StoreCopy(std::move(target), std::move(copy));
}

Result<std::string> Store::KeepBeside(std::int64_t at_unix) {
  const std::string name =
      fmt::format("{}.before-restore-{:%Y%m%dT%H%M%SZ}", path_, fmt::gmtime(at_unix));
  std::string path = name;
  std::error_code ignored;
  for (int i = 2; std::filesystem::exists(path, ignored); ++i) path = fmt::format("{}-{}", name, i);
  GATEHOUSE_TRY_VOID(CreatePrivateFile(path));
  GATEHOUSE_TRY(StoreCopy copy, CopyTo(path));
  GATEHOUSE_TRY(const bool done, copy.All(still_busy_));
  if (!done) return Trouble("the store is locked by another program; end that one");
  return path;
}

Result<void> Store::Become(Store& other) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteCopy copy, SqliteCopy::Begin(database_, other.database_));
  GATEHOUSE_TRY(const bool done, copy.All(still_busy_));
  if (!done) return Trouble("the store is locked by another program; end that one");
  database_.EmptyLog();
  contacts_.BeginAnew();
  return {};
}

Result<std::uint64_t> Store::CountOnFrom(const StoreContent& other, AuditEntry entry) {
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  GATEHOUSE_TRY(SqliteStatement update,
                database_.Prepare("UPDATE store_state SET revision = max(revision, ?1) + 1,"
                                  " contacts_epoch = max(contacts_epoch, ?2) + 1"
                                  " RETURNING revision"));
  update.Bind(1, static_cast<std::int64_t>(other.revision));
  update.Bind(2, static_cast<std::int64_t>(other.contacts_epoch));
  GATEHOUSE_TRY(const bool row, update.Step());
  if (!row) return Trouble("the store has no revision");
  entry.revision = static_cast<std::uint64_t>(update.Integer(0));
  GATEHOUSE_TRY_VOID(update.Run());
  GATEHOUSE_TRY_VOID(AddAudit(database_, entry));
  GATEHOUSE_TRY_VOID(transaction.Commit());
  return entry.revision;
}

Result<std::optional<ContactRow>> Store::FindContact(const ContactPair& pair,
                                                     const ContactClock& clock) {
  return contacts_.Find(database_, pair, clock);
}

Result<std::vector<Store::Seen>> Store::SeeContacts(std::span<const ContactPair> pairs,
                                                    const ContactClock& clock) {
  return Settled(SeeIn(pairs, clock));
}

Result<std::vector<Store::Seen>> Store::SeeIn(std::span<const ContactPair> pairs,
                                              const ContactClock& clock) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  GATEHOUSE_TRY_VOID(CountContacts());
  std::vector<Seen> marks;
  marks.reserve(pairs.size());
  for (const ContactPair& pair : pairs) {
    GATEHOUSE_TRY(const Seen seen, contacts_.See(database_, pair, clock));
    marks.push_back(seen);
  }
  GATEHOUSE_TRY_VOID(transaction.Commit());
  return marks;
}

Result<StoreContent> Store::EditContacts(std::span<const ContactEdit> edits,
                                         const ContactClock& clock) {
  return Settled(EditIn(edits, clock));
}

Result<void> Store::NotEdited(NotNoted why, const ContactPair& pair, const ContactClock& clock) {
  if (why == NotNoted::kNoPartner)
    return Trouble(fmt::format("the domain of '{}' is no partner's", pair.contact));
  GATEHOUSE_TRY(const EndedContacts ended, contacts_.CountEnded(database_, pair.contact, clock));
  return BadConfig(fmt::format(
      "contact '{}' of '{}' would be one too many, its partner has as many as one may have{}; see "
      "gatehousectl contact list{}, and take out who is needed no more with: gatehousectl contact "
      "forget",
      pair.contact, pair.sip_user, EndedText(ended), ended.count > 0 ? " --ended" : ""));
}

Result<StoreContent> Store::EditIn(std::span<const ContactEdit> edits, const ContactClock& clock) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  GATEHOUSE_TRY_VOID(CountContacts());
  GATEHOUSE_TRY_VOID(MakeEdits(edits, clock));
  return Seal(transaction);
}

Result<void> Store::MakeEdits(std::span<const ContactEdit> edits, const ContactClock& clock) {
  GATEHOUSE_TRY_VOID(NextContactsEpoch(database_));
  for (const ContactEdit& edit : edits) {
    if (edit.mark) {
      GATEHOUSE_TRY(const auto refused,
                    contacts_.Put(database_, {edit.pair, *edit.mark, clock.now_unix}));
      if (refused) return NotEdited(*refused, edit.pair, clock);
    } else {
      GATEHOUSE_TRY_VOID(contacts_.Forget(database_, edit.pair));
    }
    GATEHOUSE_TRY_VOID(AddAudit(database_, edit.audit));
  }
  return {};
}

Result<ContactPage> Store::ListContacts(const ContactFilter& filter, const ContactClock& clock) {
  return contacts_.List(database_, filter, clock);
}

Result<void> Store::SweepContacts(const ContactClock& clock) {
  Result<void> swept = SweepIn(clock);
  if (swept) {
    contacts_.Keep();
  } else {
    contacts_.TakeBack();
    contacts_.SweepAnew();
  }
  return swept;
}

Result<void> Store::SweepIn(const ContactClock& clock) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  GATEHOUSE_TRY_VOID(contacts_.Sweep(database_, clock));
  return transaction.Commit();
}

Result<SweepClock::Readings> Store::ResumeSweep(const std::string& boot_id) {
  GATEHOUSE_TRY(const std::string place, ReadSweptTo(database_));
  contacts_.SweepFrom(place);
  return ReadSweepReadings(database_, boot_id);
}

Result<void> Store::KeepSweep(const std::string& boot_id, const SweepClock::Readings& readings) {
  GATEHOUSE_TRY_VOID(CheckFileIsThere());
  GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
  GATEHOUSE_TRY_VOID(policy_engine::KeepSweep(database_, boot_id, readings, contacts_.swept_to()));
  return transaction.Commit();
}

// `change` is of what has no revisions.
template <class Change>
Result<void> Store::Noted(const AuditEntry& audit, Change change) {
  const auto in_one = [&]() -> Result<void> {
    GATEHOUSE_TRY_VOID(CheckFileIsThere());
    GATEHOUSE_TRY(SqliteTransaction transaction, SqliteTransaction::Begin(database_));
    GATEHOUSE_TRY_VOID(change());
    GATEHOUSE_TRY_VOID(AddAudit(database_, audit));
    GATEHOUSE_TRY_VOID(transaction.Commit());
    database_.EmptyLog();
    return {};
  };
  return Told(in_one());
}

Result<void> Store::PutCertificate(const CertificateRow& row, const AuditEntry& audit) {
  return Noted(audit, [&] { return policy_engine::PutCertificate(database_, row); });
}

Result<void> Store::RemoveCertificate(const std::string& name, const AuditEntry& audit) {
  return Noted(audit, [&] { return policy_engine::RemoveCertificate(database_, name); });
}

Result<void> Store::AssignSlots(std::span<const Slot> slots, const std::string& name,
                                const AuditEntry& audit) {
  return Noted(audit, [&]() -> Result<void> {
    for (const Slot slot : slots) GATEHOUSE_TRY_VOID(AssignSlot(database_, slot, name));
    return {};
  });
}

Result<bool> Store::HasRevision(std::uint64_t revision) {
  // The oldest that is noted leads back to the one before it.
  GATEHOUSE_TRY(
      SqliteStatement select,
      database_.Prepare("SELECT EXISTS (SELECT 1 FROM audit WHERE revision = ?1 AND ?1 > 0)"
                        " OR ?1 = (SELECT min(revision) - 1 FROM audit"
                        " WHERE revision > 0)"));
  select.Bind(1, static_cast<std::int64_t>(revision));
  GATEHOUSE_TRY(const bool row, select.Step());
  return row && select.Integer(0) != 0;
}

}  // namespace gatehouse::policy_engine
