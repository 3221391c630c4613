// Our certificates in the store: their chains, sealed keys and open requests, and which slot shows
// which. Not part of the federation data: no revision, no export. Within the caller's transaction.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/certificate/slot_fitness.h"
#include "plugins/policy_engine/sqlite_database.h"

namespace gatehouse::policy_engine {

// "xmpp", "sip".
[[nodiscard]] std::string_view SlotWord(Slot slot);

struct CertificateRow {
  std::string name;
  std::string friendly_name;
  std::string
      source;  // "request", "import", "acme"; of the chain, or of the request while there is none
  bool exportable = false;
  std::string chain;        // PEM, leaf first, without the root; empty: requested only
  std::string sealed_key;   // of `chain`
  std::string request;      // PEM; waits for its certificate; empty: none does
  std::string pending_key;  // of `request`, sealed
  bool pending_exportable = false;
  std::int64_t created_unix = 0;
};

struct CertificateContent {
  std::vector<CertificateRow> rows;   // by name
  std::map<Slot, std::string> slots;  // what was assigned
};

inline constexpr const char* kCertificateSchema = R"(
CREATE TABLE certificate (
  name TEXT PRIMARY KEY,
  friendly_name TEXT NOT NULL,
  source TEXT NOT NULL,
  exportable INTEGER NOT NULL CHECK (exportable IN (0, 1)),
  chain TEXT NOT NULL,
  sealed_key TEXT NOT NULL,
  request TEXT NOT NULL,
  pending_key TEXT NOT NULL,
  pending_exportable INTEGER NOT NULL CHECK (pending_exportable IN (0, 1)),
  created_unix INTEGER NOT NULL
) STRICT;
CREATE TABLE certificate_slot (
  slot TEXT PRIMARY KEY CHECK (slot IN ('xmpp', 'sip')),
  name TEXT NOT NULL REFERENCES certificate (name)
) STRICT;
)";

// Each fails (kTrouble) with SQLite's reason.
Result<CertificateContent> ReadCertificates(SqliteDatabase& database);
Result<void> PutCertificate(SqliteDatabase& database, const CertificateRow& row);
Result<void> RemoveCertificate(SqliteDatabase& database, const std::string& name);
// Empty: nothing is assigned any more.
Result<void> AssignSlot(SqliteDatabase& database, Slot slot, const std::string& name);

}  // namespace gatehouse::policy_engine
