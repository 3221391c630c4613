// External access policies in the store's file.
#pragma once

#include "core/base/result.h"
#include "plugins/policy_engine/sqlite_database.h"
#include "proto/policy_snapshot.pb.h"

namespace gatehouse::policy_engine {

// To be called inside a transaction; each fails (kTrouble) with SQLite's reason.
// By name, each with its grants in order.
Result<void> ReadAccessPolicies(SqliteDatabase& database,
                                google::protobuf::RepeatedPtrField<proto::AccessPolicy>& policies);
// A new one, with its grants: nobody else may have them.
Result<void> InsertAccessPolicy(SqliteDatabase& database, const proto::AccessPolicy& policy);

}  // namespace gatehouse::policy_engine
