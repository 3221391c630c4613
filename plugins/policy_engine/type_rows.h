// The operator's own partner types in the store's file.
#pragma once

#include "core/base/result.h"
#include "plugins/policy_engine/sqlite_database.h"
#include "proto/federation_data.pb.h"

namespace gatehouse::policy_engine {

// To be called inside a transaction; each fails (kTrouble) with SQLite's reason.
Result<void> ReadPartnerTypes(SqliteDatabase& database,
                              google::protobuf::RepeatedPtrField<proto::PartnerType>& types);
Result<void> InsertPartnerType(SqliteDatabase& database, const proto::PartnerType& type);
Result<void> DeletePartnerType(SqliteDatabase& database, const std::string& name);

}  // namespace gatehouse::policy_engine
