#include "plugins/policy_engine/access_rows.h"

#include <map>
#include <string>
#include <string_view>

namespace gatehouse::policy_engine {
namespace {

constexpr std::string_view kUser = "user";
constexpr std::string_view kPattern = "pattern";
constexpr std::string_view kDomain = "domain";

std::string* AddSubject(proto::AccessPolicy& policy, std::string_view kind) {
  if (kind == kUser) return policy.add_users();
  return kind == kPattern ? policy.add_patterns() : policy.add_domains();
}

Result<void> InsertGrants(SqliteDatabase& database, std::string_view kind,
                          const google::protobuf::RepeatedPtrField<std::string>& subjects,
                          const std::string& policy) {
  for (const std::string& subject : subjects) {
    GATEHOUSE_TRY(SqliteStatement insert,
                  database.Prepare("INSERT INTO access_grant (kind, subject, policy)"
                                   " VALUES (?, ?, ?)"));
    GATEHOUSE_TRY_VOID(insert.Bind(1, kind).Bind(2, subject).Bind(3, policy).Run());
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
                                                         " access_grant ORDER BY subject"));
  while (true) {
    GATEHOUSE_TRY(const bool row, grants.Step());
    if (!row) return {};
    const auto found = by_name.find(grants.Text(0));
    if (found == by_name.end()) return Trouble("a grant in the store is of no policy");
    *AddSubject(*found->second, grants.Text(1)) = grants.Text(2);
  }
}

Result<void> InsertAccessPolicy(SqliteDatabase& database, const proto::AccessPolicy& policy) {
  GATEHOUSE_TRY(SqliteStatement insert,
                database.Prepare("INSERT INTO access_policy (name, xmpp_access, description)"
                                 " VALUES (?, ?, ?)"));
  insert.Bind(1, policy.name()).Bind(2, std::int64_t{policy.xmpp_access()});
  GATEHOUSE_TRY_VOID(insert.Bind(3, policy.description()).Run());
  GATEHOUSE_TRY_VOID(InsertGrants(database, kUser, policy.users(), policy.name()));
  GATEHOUSE_TRY_VOID(InsertGrants(database, kPattern, policy.patterns(), policy.name()));
  return InsertGrants(database, kDomain, policy.domains(), policy.name());
}

}  // namespace gatehouse::policy_engine
