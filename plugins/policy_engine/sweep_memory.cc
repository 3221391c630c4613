#include "plugins/policy_engine/sweep_memory.h"

namespace gatehouse::policy_engine {

Result<SweepClock::Readings> ReadSweepReadings(SqliteDatabase& database,
                                               const std::string& boot_id) {
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT since_boot_s, wall_unix FROM sweep_reading"
                                 " WHERE boot_id = ? ORDER BY since_boot_s"));
  select.Bind(1, boot_id);
  SweepClock::Readings readings;
  for (;;) {
    GATEHOUSE_TRY(const bool row, select.Step());
    if (!row) return readings;
    readings.push_back({select.Integer(1), std::chrono::seconds(select.Integer(0))});
  }
}

Result<std::string> ReadSweptTo(SqliteDatabase& database) {
  return database.One("SELECT swept_to FROM store_state");
}

Result<void> KeepSweep(SqliteDatabase& database, const std::string& boot_id,
                       const SweepClock::Readings& readings, const std::string& swept_to) {
  GATEHOUSE_TRY_VOID(database.Run("DELETE FROM sweep_reading"));
  GATEHOUSE_TRY(SqliteStatement insert,
                database.Prepare("INSERT INTO sweep_reading VALUES (?, ?, ?)"));
  for (const SweepClock::Reading& reading : readings) {
    insert.Reset();
    insert.Bind(1, boot_id).Bind(2, std::int64_t{reading.since_boot.count()});
    GATEHOUSE_TRY_VOID(insert.Bind(3, reading.wall_unix).Run());
  }
  GATEHOUSE_TRY(SqliteStatement update, database.Prepare("UPDATE store_state SET swept_to = ?"));
  return update.Bind(1, swept_to).Run();
}

}  // namespace gatehouse::policy_engine
