// Who changed what, when and why: the tables audit and record_change. Each change of the federation
// data is one revision with one entry; what is in the store but outside of revisions has entries
// too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "plugins/policy_engine/sqlite_database.h"
#include "proto/federation_data.pb.h"

namespace gatehouse::policy_engine {

struct AuditEntry {
  std::uint64_t revision = 0;  // of the store after it; 0: nothing that has revisions was changed
  std::int64_t at_unix_ms = 0;
  std::string actor;      // user name
  std::int64_t uid = -1;  // of that user; -1: not known
  std::string action;     // "partner new"
  std::string subject;    // the partner's domain, "gateway", a file
  std::string reason;     // why, in the operator's words; may be empty
  std::vector<proto::RecordChange> changes;
  // What `subject` was and became where that is no record of the federation data, such as a
  // contact: JSON objects, empty where there was or is nothing.
  std::string before;
  std::string after;
};

struct AuditQuery {
  std::int64_t last = -1;  // at most so many; -1: all
  std::string subject{};   // only what is about it, or changed a record of this key; empty: all
  bool revisions_only = false;
  std::uint64_t after_revision = 0;  // not 0: only later revisions
};

// Within the caller's transaction. The records are kept as JSON. Fails with SQLite's reason.
Result<void> AddAudit(SqliteDatabase& database, const AuditEntry& entry);
// The newest first. A field that a record did not have when it was noted has its default.
//   fails  kTrouble: SQLite's reason, or a record that cannot be read
Result<std::vector<AuditEntry>> ReadAudit(SqliteDatabase& database, const AuditQuery& query);

}  // namespace gatehouse::policy_engine
