// Who changed what, when and why: the tables audit and record_change. Each change of the federation
// data is one revision with one entry; what is in the store but outside of revisions has entries
// too.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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

// Within the caller's transaction. The records are kept as JSON; of a record whose kind has sets
// the entry must hold what KeepDifference leaves. Fails with SQLite's reason.
Result<void> AddAudit(SqliteDatabase& database, const AuditEntry& entry);

class RecordReader;
// Goes through the entries, the newest first, with one of them in memory. A field that a record did
// not have when it was noted has its default. The sets of a record that was changed hold what
// KeepDifference leaves; in entries of older versions all of what was in them. Must not outlive the
// database, in which nothing may be written meanwhile.
class AuditWalk {
 public:
  static Result<AuditWalk> Begin(SqliteDatabase& database, const AuditQuery& query);
  AuditWalk(AuditWalk&&) noexcept;
  AuditWalk& operator=(AuditWalk&&) = delete;
  ~AuditWalk();
  // Nothing: there are no more.
  //   fails  kTrouble: SQLite's reason, or a record that cannot be read
  Result<std::optional<AuditEntry>> Next();

 private:
  AuditWalk(SqliteStatement entries, SqliteStatement changes);
  SqliteStatement entries_;
  SqliteStatement changes_;
  std::unique_ptr<RecordReader> reader_;
};

}  // namespace gatehouse::policy_engine
