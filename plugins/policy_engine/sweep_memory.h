// What outlives a process of the sweep of contacts: what the clocks showed, and how far it has
// come.
#pragma once

#include <string>
#include <vector>

#include "plugins/policy_engine/sqlite_database.h"
#include "plugins/policy_engine/sweep_clock.h"

namespace gatehouse::policy_engine {

// Readings are of one start of one machine: of another they say nothing.
inline constexpr const char* kSweepSchema =
    "CREATE TABLE sweep_reading ("
    " boot_id TEXT NOT NULL,"
    " since_boot_s INTEGER NOT NULL,"
    " wall_unix INTEGER NOT NULL,"
    " PRIMARY KEY (boot_id, since_boot_s)"
    ") STRICT, WITHOUT ROWID;"
    "ALTER TABLE store_state ADD COLUMN swept_to TEXT NOT NULL DEFAULT ''";

// By their time; none where the store was in use elsewhere, or before the machine was started anew.
Result<SweepClock::Readings> ReadSweepReadings(SqliteDatabase& database,
                                               const std::string& boot_id);
// ContactTable::swept_to of the process before.
Result<std::string> ReadSweptTo(SqliteDatabase& database);
// These take the place of all. Within the caller's transaction.
Result<void> KeepSweep(SqliteDatabase& database, const std::string& boot_id,
                       const SweepClock::Readings& readings, const std::string& swept_to);

}  // namespace gatehouse::policy_engine
