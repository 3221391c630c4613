// Opens the store's file: its folder, rights, schema version and soundness.
#pragma once

#include <functional>
#include <string>

#include "plugins/policy_engine/sqlite_database.h"

namespace gatehouse::policy_engine {

inline constexpr int kSchemaVersion = 16;

// Removes a database, its logs and its mark, whatever of them is there: SQLite would play an old
// log into a new file.
void RemoveStoreFile(const std::string& path);
// Creates `path`, empty and with mode 0600, in place of what is there.
Result<void> CreatePrivateFile(const std::string& path);

// Opens `path`, or creates it with mode 0600 and an empty schema (no partners: a closed door). A
// creation that is killed leaves nothing that the next call does not clear away.
//   gives   a sound database in WAL mode with synchronous=FULL: what was committed survives kill -9
//   and power loss
//   fails   kTrouble, one line with the remedy: folder missing or not writable, not a Gatehouse
//           store, written by a newer version, damaged, gone though it was made once, or only its
//           write-ahead log left. Never falls back to an empty store.
// `still_busy` is called as SqliteDatabase::OnProgress says: the check of a large store takes long.
Result<SqliteDatabase> OpenStoreFile(const std::string& path, std::function<void()> still_busy);

}  // namespace gatehouse::policy_engine
