// The state store: partners, gateway settings, contacts and the audit of every change. Values in,
// values out; the rules of what may be written stand in partner_rules.h, gateway_rules.h and
// contact_commands.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/policy_engine/contact_table.h"
#include "plugins/policy_engine/sqlite_database.h"
#include "proto/policy_snapshot.pb.h"

namespace gatehouse::policy_engine {

// One change: who, when, before, after. The texts are JSON, empty where there was or is nothing.
struct AuditEntry {
  std::int64_t at_unix_ms = 0;
  std::string actor;
  std::string action;   // "partner new"
  std::string subject;  // the partner's domain, or "gateway"
  std::string before;
  std::string after;
  bool operator==(const AuditEntry&) const = default;
};

struct StoreContent {
  std::uint64_t revision = 0;  // one more with each write
  proto::GatewaySettings gateway;
  std::vector<proto::Partner> partners;  // by primary domain
  std::uint64_t contacts_epoch = 0;      // one more with each change of contacts by an operator
};

// What an administrator says of one contact.
struct ContactEdit {
  ContactPair pair;
  std::optional<ContactMark> mark;  // nothing: it is forgotten
  AuditEntry audit;
};

// Each write is one transaction: the change, its audit row and the new revision. It is on the disk
// when the call returns well; when it fails (kTrouble: disk full, file taken away) nothing of it
// is.
class Store {
 public:
  // Fails as OpenStoreFile does.
  static Result<Store> Open(const std::string& path);

  Result<StoreContent> Read();
  // Adds, or replaces the one with the same id. Its `revision` is set by the store.
  Result<void> PutPartner(const proto::Partner& partner, const AuditEntry& audit);
  // Its contacts go with it.
  Result<void> RemovePartner(const std::string& id, const AuditEntry& audit);
  // Streams over TLS to these partners have succeeded (3.4.1). No operator did this: no audit.
  Result<void> RememberTls(std::span<const std::string> ids, std::int64_t at_unix);
  Result<void> ForgetTls(const std::string& id, const AuditEntry& audit);
  Result<void> PutGateway(const proto::GatewaySettings& settings, const AuditEntry& audit);

  Result<std::optional<ContactRow>> FindContact(const ContactPair& pair, const ContactClock& clock);
  // SUBSCRIBEs that came together, as ContactTable::See takes each. No audit, no revision.
  Result<std::vector<std::optional<ContactMark>>> SeeContacts(std::span<const ContactPair> pairs,
                                                              const ContactClock& clock);
  // All of them or none. Every contact's domain must be a partner's.
  Result<void> EditContacts(std::span<const ContactEdit> edits, std::int64_t now_unix);
  Result<ContactPage> ListContacts(const ContactFilter& filter, const ContactClock& clock);
  // A small portion of what has ended is taken out.
  Result<void> SweepContacts(const ContactClock& clock);

  // The newest `count` entries, newest first.
  Result<std::vector<AuditEntry>> Audit(int count);

 private:
  Store(SqliteDatabase database, std::string path, std::uint64_t file_id)
      : database_(std::move(database)), path_(std::move(path)), file_id_(file_id) {}
  Result<void> CheckFileIsThere() const;
  template <class Change>
  Result<void> Write(const AuditEntry& audit, Change change);

  SqliteDatabase database_;
  ContactTable contacts_;
  std::string path_;
  std::uint64_t file_id_;  // the inode that was opened
};

}  // namespace gatehouse::policy_engine
