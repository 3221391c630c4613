#include "plugins/policy_engine/sqlite_database.h"

#include <sqlite3.h>

#include <utility>

namespace gatehouse::policy_engine {
namespace {

// Somebody reads the file with another program: wait this long for his lock.
constexpr int kBusyMs = 2000;
// Steps of SQLite's machine, counted anew for each statement: writing one record takes more.
constexpr int kStepsBetweenProgress = 25;

std::unexpected<Error> Failure(sqlite3* database) {
  return Trouble(sqlite3_errmsg(database));
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

SqliteStatement& SqliteStatement::Bind(int parameter, std::string_view text) {
  // A null pointer would bind NULL instead of the empty text.
  const char* data = text.empty() ? "" : text.data();
  const int code = sqlite3_bind_text64(statement_.get(), parameter, data, text.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  GATEHOUSE_CHECK(code == SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int parameter, std::int64_t number) {
  GATEHOUSE_CHECK(sqlite3_bind_int64(statement_.get(), parameter, number) == SQLITE_OK);
  return *this;
}

Result<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return Failure(sqlite3_db_handle(statement_.get()));
}

Result<void> SqliteStatement::Run() {
  GATEHOUSE_TRY([[maybe_unused]] const bool row, Step());
  return {};
}

void SqliteStatement::Reset() {
  // It gives the error of the last step once more, which Step has told.
  static_cast<void>(sqlite3_reset(statement_.get()));
}

std::string SqliteStatement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
}

std::int64_t SqliteStatement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

void SqliteDatabase::Close::operator()(sqlite3* database) const noexcept {
  sqlite3_close_v2(database);
}

Result<SqliteDatabase> SqliteDatabase::Open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteDatabase database(raw);
  if (code != SQLITE_OK) return raw ? Failure(raw) : Trouble("out of memory");
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyMs);
  return database;
}

void SqliteDatabase::OnProgress(std::function<void()> still_busy) {
  still_busy_ = std::make_unique<std::function<void()>>(std::move(still_busy));
  sqlite3_progress_handler(
      database_.get(), kStepsBetweenProgress,
      [](void* handler) noexcept {
        (*static_cast<std::function<void()>*>(handler))();
        return 0;
      },
      still_busy_.get());
}

Result<void> SqliteDatabase::Run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return Failure(database_.get());
  return {};
}

Result<SqliteStatement> SqliteDatabase::Prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  if (code != SQLITE_OK) return Failure(database_.get());
  return SqliteStatement(raw);
}

void SqliteDatabase::EmptyLog() {
  sqlite3_busy_timeout(database_.get(), 0);
  // Nothing is lost where it fails: the log is still there.
  static_cast<void>(sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                              nullptr, nullptr));
  sqlite3_busy_timeout(database_.get(), kBusyMs);
}

Result<std::string> SqliteDatabase::One(std::string_view sql) {
  GATEHOUSE_TRY(SqliteStatement statement, Prepare(sql));
  GATEHOUSE_TRY(const bool row, statement.Step());
  return row ? statement.Text(0) : std::string();
}

void SqliteCopy::Finish::operator()(sqlite3_backup* copy) const noexcept {
  sqlite3_backup_finish(copy);
}

Result<SqliteCopy> SqliteCopy::Begin(SqliteDatabase& target, SqliteDatabase& source) {
  sqlite3_backup* const raw =
      sqlite3_backup_init(target.database_.get(), "main", source.database_.get(), "main");
  if (raw == nullptr) return Failure(target.database_.get());
  return SqliteCopy(raw);
}

Result<bool> SqliteCopy::Step(int pages) {
  const int code = sqlite3_backup_step(copy_.get(), pages);
  if (code == SQLITE_DONE) return true;
  // Somebody holds a lock: the next step tries again.
  if (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED) return false;
  return Trouble(sqlite3_errstr(code));
}

Result<bool> SqliteCopy::All(const std::function<void()>& still_busy) {
  int code = SQLITE_OK;
  while ((code = sqlite3_backup_step(copy_.get(), kPagesAtOnce)) == SQLITE_OK) still_busy();
  if (code == SQLITE_DONE) return true;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) return false;
  return Trouble(sqlite3_errstr(code));
}

Result<SqliteTransaction> SqliteTransaction::Begin(SqliteDatabase& database) {
  GATEHOUSE_TRY_VOID(database.Run("BEGIN IMMEDIATE"));
  return SqliteTransaction(database);
}

SqliteTransaction::SqliteTransaction(SqliteTransaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

SqliteTransaction::~SqliteTransaction() {
  // What SQLite has rolled back by itself (disk full) needs no second one.
  if (database_ != nullptr) static_cast<void>(database_->Run("ROLLBACK"));
}

Result<void> SqliteTransaction::Commit() {
  GATEHOUSE_TRY_VOID(database_->Run("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace gatehouse::policy_engine
