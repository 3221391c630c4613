// The state store: the federation data, contacts and the audit of every change. Values in, values
// out; the rules of what may be written stand in data_rules.h and contact_commands.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/policy_engine/audit_log.h"
#include "plugins/policy_engine/certificate_table.h"
#include "plugins/policy_engine/contact_table.h"
#include "plugins/policy_engine/sqlite_database.h"
#include "plugins/policy_engine/store_content.h"
#include "plugins/policy_engine/sweep_clock.h"
#include "proto/federation_data.pb.h"

namespace gatehouse::policy_engine {

// What an administrator says of one contact.
struct ContactEdit {
  ContactPair pair;
  std::optional<ContactMark> mark;  // nothing: it is forgotten
  AuditEntry audit;
};

// What the audit has of a domain whose blocked contacts went with its partner; no rollback brings
// them back.
inline constexpr std::string_view kLiftedBlocks = R"({"blocked_contacts":"some"})";

// A copy that is being made.
class StoreCopy {
 public:
  StoreCopy(SqliteDatabase target, SqliteCopy copy)
      : target_(std::make_unique<SqliteDatabase>(std::move(target))), copy_(std::move(copy)) {}
  // As SqliteCopy::Step.
  Result<bool> Step(int pages) { return copy_.Step(pages); }
  Result<bool> All(const std::function<void()>& still_busy) { return copy_.All(still_busy); }

 private:
  std::unique_ptr<SqliteDatabase> target_;
  SqliteCopy copy_;  // goes first
};

// Each write is one transaction: the change, its audit entry and the new revision. It is on the
// disk when the call returns well; when it fails (kTrouble: disk full, file taken away) nothing of
// it is. A write of the federation data gives what the store holds from then on.
class Store {
 public:
  // Fails as OpenStoreFile does. `still_busy` is called every few steps of what takes long, from
  // now on.
  // `contacts_of_a_partner`: how many a partner may have.
  static Result<Store> Open(
      const std::string& path, std::function<void()> still_busy = [] {},
      std::int64_t contacts_of_a_partner = kMaxContactsOfAPartner);

  [[nodiscard]] const std::string& path() const { return path_; }
  void OnProgress(std::function<void()> still_busy);

  // Fails where what is in it is not what was written.
  Result<StoreContent> Read();
  Result<std::optional<ContactRow>> FindContact(const ContactPair& pair, const ContactClock& clock);
  // The same of one that has ended and is not swept yet, too.
  Result<std::optional<ContactRow>> ReadContact(const ContactPair& pair) {
    return contacts_.Row(database_, pair);
  }
  using Seen = ContactTable::Seen;
  // SUBSCRIBEs that came together, as ContactTable::See takes each. No audit, no revision.
  Result<std::vector<Seen>> SeeContacts(std::span<const ContactPair> pairs,
                                        const ContactClock& clock);
  // Counts the contacts of each partner, which the first of the calls above and below does else.
  Result<void> CountContacts() { return contacts_.Count(database_); }
  // All of them or none. Every contact's domain must be a partner's.
  //   fails  also kConfig, one sentence with the remedy: a partner has no room for another
  Result<StoreContent> EditContacts(std::span<const ContactEdit> edits, const ContactClock& clock);
  Result<ContactPage> ListContacts(const ContactFilter& filter, const ContactClock& clock);
  // A small portion of what has ended is taken out.
  Result<void> SweepContacts(const ContactClock& clock);
  // How many there are in each domain that has some, whoever has it.
  Result<std::vector<std::pair<std::string, std::int64_t>>> ContactsByDomain() {
    return contacts_.CountsByDomain(database_);
  }
  [[nodiscard]] std::int64_t most_contacts_of_a_partner() const {
    return contacts_.most_of_a_partner();
  }
  // What KeepSweep has kept in this start of this machine; the sweep goes on from where it was.
  Result<SweepClock::Readings> ResumeSweep(const std::string& boot_id);
  // Keeps these, and how far the sweep has come, for the next process.
  Result<void> KeepSweep(const std::string& boot_id, const SweepClock::Readings& readings);

  // --- our own certificates: audited, but of no revision
  Result<CertificateContent> Certificates() { return ReadCertificates(database_); }
  Result<void> PutCertificate(const CertificateRow& row, const AuditEntry& audit);
  Result<void> RemoveCertificate(const std::string& name, const AuditEntry& audit);
  // All of them or none; empty: nothing is assigned any more.
  Result<void> AssignSlots(std::span<const Slot> slots, const std::string& name,
                           const AuditEntry& audit);

  // Makes `change.changes` be so, as one revision, and notes `change`, whose `revision` is set
  // here, as is that of every record that is written. Records that only change places (a domain
  // that goes from one partner to another) may stand in any order.
  Result<StoreContent> Write(AuditEntry change) { return Write(std::move(change), {}, {}); }
  // The same, and then EditContacts, together.
  Result<StoreContent> Write(AuditEntry change, std::span<const ContactEdit> edits,
                             const ContactClock& clock);
  // Streams over TLS to these partners have succeeded (3.4.1). No operator did this: no audit, no
  // revision.
  Result<StoreContent> RememberTls(std::span<const std::string> ids, std::int64_t at_unix);
  Result<StoreContent> ForgetTls(const std::string& id, AuditEntry change);
  // Nothing may be written while one goes on.
  Result<AuditWalk> WalkAudit(const AuditQuery& query) {
    return AuditWalk::Begin(database_, query);
  }
  // All that WalkAudit gives.
  Result<std::vector<AuditEntry>> Audit(const AuditQuery& query);
  // An entry of something that changed no record.
  Result<void> Note(const AuditEntry& entry);
  // A copy of the whole store, to be made by Step; it owns the file at `path` meanwhile.
  Result<StoreCopy> CopyTo(const std::string& path);
  // A copy beside the store's own file, named after the time; another of that name stays. Gives
  // its path.
  Result<std::string> KeepBeside(std::int64_t at_unix);
  // Becomes what `other` is, in one transaction.
  Result<void> Become(Store& other);
  // Goes on counting where `other`, which it shall replace, or it itself is ahead, with `entry` as
  // what happened then: no number means two things. Gives the new revision.
  Result<std::uint64_t> CountOnFrom(const StoreContent& other, AuditEntry entry);
  // Whether the audit leads back to what the data was at that revision.
  Result<bool> HasRevision(std::uint64_t revision);

 private:
  Store(SqliteDatabase database, std::string path, std::uint64_t file_id,
        std::int64_t contacts_of_a_partner)
      : database_(std::move(database)),
        contacts_(contacts_of_a_partner),
        path_(std::move(path)),
        file_id_(file_id) {}
  Result<void> CheckFileIsThere() const;
  // What SQLite says of a write that failed, with the file and the remedy.
  template <class T>
  Result<T> Told(Result<T> result) const;
  // The same of what changes contacts, whose counts go with it.
  template <class T>
  Result<T> Settled(Result<T> result);
  Result<bool> MovesDomains(const AuditEntry& audit);
  Result<void> BecomeRecords(const AuditEntry& audit);
  // `blocked_before`: the domains of blocked contacts, in order.
  Result<void> NoteLiftedBlocks(std::span<const std::string> blocked_before, const AuditEntry& why);
  template <class Change>
  Result<StoreContent> Write(AuditEntry audit, Change change);
  template <class Change>
  Result<StoreContent> WriteIn(AuditEntry audit, Change change);
  Result<std::vector<Seen>> SeeIn(std::span<const ContactPair> pairs, const ContactClock& clock);
  Result<StoreContent> EditIn(std::span<const ContactEdit> edits, const ContactClock& clock);
  // Within the caller's transaction.
  Result<void> MakeEdits(std::span<const ContactEdit> edits, const ContactClock& clock);
  // Why it was refused.
  Result<void> NotEdited(NotNoted why, const ContactPair& pair, const ContactClock& clock);
  Result<void> SweepIn(const ContactClock& clock);
  template <class Change>
  Result<void> Noted(const AuditEntry& audit, Change change);
  Result<StoreContent> Seal(SqliteTransaction& transaction);

  SqliteDatabase database_;
  std::function<void()> still_busy_ = [] {};
  ContactTable contacts_;
  std::string path_;
  std::uint64_t file_id_;  // the inode that was opened
};

}  // namespace gatehouse::policy_engine
