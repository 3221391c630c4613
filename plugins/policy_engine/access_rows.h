// External access policies in the store's file.
#pragma once

#include <string>

#include "core/base/result.h"
#include "plugins/policy_engine/sqlite_database.h"
#include "proto/policy_snapshot.pb.h"

namespace gatehouse::policy_engine {

// To be called inside a transaction; each fails (kTrouble) with SQLite's reason.
// By name, each with its grants in order.
Result<void> ReadAccessPolicies(SqliteDatabase& database,
                                google::protobuf::RepeatedPtrField<proto::AccessPolicy>& policies);
// The grants of a policy that stays: nobody else may have what is put in.
Result<void> InsertGrants(SqliteDatabase& database, const proto::AccessPolicy& policy);
Result<void> DeleteGrants(SqliteDatabase& database, const proto::AccessPolicy& policy);
// A new one, with its grants.
Result<void> InsertAccessPolicy(SqliteDatabase& database, const proto::AccessPolicy& policy);
// All it says but its grants.
Result<void> UpdateAccessPolicy(SqliteDatabase& database, const proto::AccessPolicy& policy);
// With its grants.
Result<void> DeleteAccessPolicy(SqliteDatabase& database, const std::string& name);

}  // namespace gatehouse::policy_engine
