#include "plugins/policy_engine/store_content.h"

#include "core/tls/crypto.h"
#include "plugins/policy_engine/record_rows.h"

namespace gatehouse::policy_engine {

Result<std::vector<std::string>> ReadBlockedDomains(SqliteDatabase& database) {
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT domain FROM contact_domain WHERE id IN"
                                 " (SELECT domain_id FROM contact WHERE mark = 2)"
                                 " ORDER BY domain"));
  std::vector<std::string> domains;
  for (;;) {
    GATEHOUSE_TRY(const bool row, select.Step());
    if (!row) return domains;
    domains.push_back(select.Text(0));
  }
}

namespace {

// Without one of the blocked domains nobody would be looked for in it.
std::string SealOf(const StoreContent& content) {
  std::string all = content.data.SerializeAsString();
  for (const std::string& domain : content.blocked_domains) all += '\n' + domain;
  return Hex(Sha256(all));
}

Result<StoreContent> ReadContent(SqliteDatabase& database) {
  StoreContent content;
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT revision, contacts_epoch FROM store_state"));
  GATEHOUSE_TRY(const bool row, select.Step());
  if (!row) return Trouble("the store has no revision");
  content.revision = static_cast<std::uint64_t>(select.Integer(0));
  content.contacts_epoch = static_cast<std::uint64_t>(select.Integer(1));
  GATEHOUSE_TRY(content.data, ReadData(database));
  GATEHOUSE_TRY(content.blocked_domains, ReadBlockedDomains(database));
  return content;
}

Result<std::string> ReadSeal(SqliteDatabase& database) {
  return database.One("SELECT checksum FROM store_state");
}

}  // namespace

Result<StoreContent> ReadSealed(SqliteDatabase& database) {
  GATEHOUSE_TRY(StoreContent content, ReadContent(database));
  GATEHOUSE_TRY(const std::string seal, ReadSeal(database));
  if (seal == SealOf(content)) return content;
  return Trouble(
      "what is in it is not what was written (its checksum differs): it is damaged, or was edited "
      "without gatehousectl");
}

Result<StoreContent> SealContent(SqliteDatabase& database) {
  GATEHOUSE_TRY(StoreContent content, ReadContent(database));
  GATEHOUSE_TRY(SqliteStatement update, database.Prepare("UPDATE store_state SET checksum = ?"));
  GATEHOUSE_TRY_VOID(update.Bind(1, SealOf(content)).Run());
  return content;
}

Result<void> SealUpgraded(SqliteDatabase& database) {
  GATEHOUSE_TRY(const std::string seal, ReadSeal(database));
  GATEHOUSE_TRY_VOID(seal.empty() ? SealContent(database) : ReadSealed(database));
  return {};
}

}  // namespace gatehouse::policy_engine
