// The records of the federation data in the store's file, and what is remembered of partners.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "plugins/policy_engine/sqlite_database.h"
#include "proto/federation_data.pb.h"

namespace gatehouse::policy_engine {

// To be called inside a transaction; each fails (kTrouble) with SQLite's reason, or, reading, for
// words nobody knows.
Result<proto::FederationData> ReadData(SqliteDatabase& database);
// The two halves of a change. Of changes that belong together all are taken out before one is put
// in, so that what is unique may go from one record to another.
Result<void> TakeOut(SqliteDatabase& database, const proto::RecordChange& change);
// `revision` is what a partner's row says of it.
Result<void> PutIn(SqliteDatabase& database, const proto::RecordChange& change,
                   std::uint64_t revision);

// When a stream over TLS to a partner last succeeded (3.4.1), by the partner's id.
Result<void> RememberTls(SqliteDatabase& database, const std::string& id, std::int64_t at_unix);
Result<void> ForgetTls(SqliteDatabase& database, const std::string& id);

}  // namespace gatehouse::policy_engine
