#include "plugins/policy_engine/access_rows.h"

#include <array>
#include <map>
#include <string_view>
#include <utility>

namespace gatehouse::policy_engine {
namespace {

constexpr std::string_view kUser = "user";
constexpr std::string_view kPattern = "pattern";
constexpr std::string_view kDomain = "domain";

std::string* AddSubject(proto::AccessPolicy& policy, std::string_view kind) {
  if (kind == kUser) return policy.add_users();
  return kind == kPattern ? policy.add_patterns() : policy.add_domains();
}

// `sql` of each grant: its kind, its subject, its policy.
Result<void> RunOnGrants(SqliteDatabase& database, std::string_view sql,
                         const proto::AccessPolicy& policy) {
  const std::array grants = {std::pair{kUser, &policy.users()},
                             std::pair{kPattern, &policy.patterns()},
                             std::pair{kDomain, &policy.domains()}};
  GATEHOUSE_TRY(SqliteStatement statement, database.Prepare(sql));
  for (const auto& [kind, subjects] : grants)
    for (const std::string& subject : *subjects) {
      statement.Bind(1, kind).Bind(2, subject).Bind(3, policy.name());
      GATEHOUSE_TRY_VOID(statement.Run());
      statement.Reset();
    }
  return {};
}

}  // namespace

Result<void> ReadAccessPolicies(SqliteDatabase& database,
                                google::protobuf::RepeatedPtrField<proto::AccessPolicy>& policies) {
  std::map<std::string, proto::AccessPolicy*> by_name;
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT name, xmpp_access, description FROM access_policy"
                                 " ORDER BY name"));
  while (true) {
    GATEHOUSE_TRY(const bool row, select.Step());
    if (!row) break;
    proto::AccessPolicy& policy = *policies.Add();
    policy.set_name(select.Text(0));
    policy.set_xmpp_access(select.Integer(1) != 0);
    policy.set_description(select.Text(2));
    by_name.emplace(policy.name(), &policy);
  }
  GATEHOUSE_TRY(SqliteStatement grants, database.Prepare("SELECT policy, kind, subject FROM"
                                                         " access_grant ORDER BY kind, subject"));
  while (true) {
    GATEHOUSE_TRY(const bool row, grants.Step());
    if (!row) return {};
    const auto found = by_name.find(grants.Text(0));
    if (found == by_name.end()) return Trouble("a grant in the store is of no policy");
    *AddSubject(*found->second, grants.Text(1)) = grants.Text(2);
  }
}

Result<void> InsertGrants(SqliteDatabase& database, const proto::AccessPolicy& policy) {
  return RunOnGrants(database, "INSERT INTO access_grant (kind, subject, policy) VALUES (?, ?, ?)",
                     policy);
}

Result<void> DeleteGrants(SqliteDatabase& database, const proto::AccessPolicy& policy) {
  return RunOnGrants(
      database, "DELETE FROM access_grant WHERE kind = ? AND subject = ? AND policy = ?", policy);
}

Result<void> InsertAccessPolicy(SqliteDatabase& database, const proto::AccessPolicy& policy) {
  GATEHOUSE_TRY(SqliteStatement insert,
                database.Prepare("INSERT INTO access_policy (name, xmpp_access, description)"
                                 " VALUES (?, ?, ?)"));
  insert.Bind(1, policy.name()).Bind(2, std::int64_t{policy.xmpp_access()});
  GATEHOUSE_TRY_VOID(insert.Bind(3, policy.description()).Run());
  return InsertGrants(database, policy);
}

Result<void> UpdateAccessPolicy(SqliteDatabase& database, const proto::AccessPolicy& policy) {
  GATEHOUSE_TRY(SqliteStatement update,
                database.Prepare("UPDATE access_policy SET xmpp_access = ?, description = ?"
                                 " WHERE name = ?"));
  update.Bind(1, std::int64_t{policy.xmpp_access()}).Bind(2, policy.description());
  return update.Bind(3, policy.name()).Run();
}

Result<void> DeleteAccessPolicy(SqliteDatabase& database, const std::string& name) {
  GATEHOUSE_TRY(SqliteStatement remove,
                database.Prepare("DELETE FROM access_policy WHERE name = ?"));
  return remove.Bind(1, name).Run();
}

}  // namespace gatehouse::policy_engine
