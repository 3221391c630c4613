// All that a snapshot is made of, as the store's file holds it, and the seal on it: SQLite finds a
// page that cannot be, not a bit that makes "false" a "true".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "plugins/policy_engine/sqlite_database.h"
#include "proto/federation_data.pb.h"

namespace gatehouse::policy_engine {

struct StoreContent {
  std::uint64_t revision = 0;  // one more with each change of an operator's
  proto::FederationData data;
  std::uint64_t contacts_epoch = 0;          // one more with each change of contacts by an operator
  std::vector<std::string> blocked_domains;  // of contacts that are blocked for somebody
};

// Of contacts that are blocked for somebody, in order.
Result<std::vector<std::string>> ReadBlockedDomains(SqliteDatabase& database);
// What was sealed last. Fails (kTrouble) with SQLite's reason, or where the seal does not fit.
Result<StoreContent> ReadSealed(SqliteDatabase& database);
// To be called inside the transaction that has changed it. Gives what is sealed now.
Result<StoreContent> SealContent(SqliteDatabase& database);
// After an upgrade, inside its transaction: a seal that was there must fit, one that was taken away
// is made anew.
Result<void> SealUpgraded(SqliteDatabase& database);

}  // namespace gatehouse::policy_engine
