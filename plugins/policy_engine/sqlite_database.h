// Owners of a SQLite connection and its statements. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

struct sqlite3;
struct sqlite3_backup;
struct sqlite3_stmt;

namespace gatehouse::policy_engine {

// One prepared statement; must not outlive its database.
class SqliteStatement {
 public:
  // Parameters count from 1. Text is copied.
  SqliteStatement& Bind(int parameter, std::string_view text);
  SqliteStatement& Bind(int parameter, std::int64_t number);
  // True: a row is there to be read. False: done. Fails (kTrouble) with SQLite's reason.
  Result<bool> Step();
  // For statements that give no row.
  Result<void> Run();
  // Back to before the first row, to be bound and stepped again.
  void Reset();
  // Columns of the row Step stopped at, from 0.
  [[nodiscard]] std::string Text(int column) const;
  [[nodiscard]] std::int64_t Integer(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqliteDatabase {
 public:
  // Opens an existing file (an empty one is an empty database). Fails (kTrouble) with SQLite's
  // reason.
  static Result<SqliteDatabase> Open(const std::string& path);
  // `still_busy` is called every few steps of every statement from now on. It must not use this
  // database.
  void OnProgress(std::function<void()> still_busy);
  // Runs any number of statements that give no row worth reading.
  Result<void> Run(const char* sql);
  Result<SqliteStatement> Prepare(std::string_view sql);
  // Brings what is in the write-ahead log into the file and empties the log. Where another program
  // reads just now, the next call does it.
  void EmptyLog();
  // The first column of the first row, for PRAGMAs and counts; empty when there is no row.
  Result<std::string> One(std::string_view sql);

 private:
  friend class SqliteCopy;
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  explicit SqliteDatabase(sqlite3* database) : database_(database) {}
  std::unique_ptr<std::function<void()>> still_busy_;  // SQLite knows its address
  std::unique_ptr<sqlite3, Close> database_;
};

// Makes one database equal to another, in portions, while both stay open. What is written to the
// source through its own connection meanwhile is in the copy. The target changes in one
// transaction, when all is there; given up before, it stays what it was. Must not outlive the two.
class SqliteCopy {
 public:
  static constexpr int kPagesAtOnce = 512;  // 2 MiB: a few milliseconds
  static Result<SqliteCopy> Begin(SqliteDatabase& target, SqliteDatabase& source);
  // As many pages more. True: done.
  Result<bool> Step(int pages);
  // All of them; `still_busy` is called every few. False: somebody holds a lock.
  Result<bool> All(const std::function<void()>& still_busy);

 private:
  struct Finish {
    void operator()(sqlite3_backup* copy) const noexcept;
  };
  explicit SqliteCopy(sqlite3_backup* copy) : copy_(copy) {}
  std::unique_ptr<sqlite3_backup, Finish> copy_;
};

// BEGIN IMMEDIATE now; rolls back when destroyed before Commit.
class SqliteTransaction {
 public:
  static Result<SqliteTransaction> Begin(SqliteDatabase& database);
  SqliteTransaction(SqliteTransaction&& other) noexcept;
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;
  ~SqliteTransaction();
  Result<void> Commit();

 private:
  explicit SqliteTransaction(SqliteDatabase& database) : database_(&database) {}
  SqliteDatabase* database_;
};

}  // namespace gatehouse::policy_engine
