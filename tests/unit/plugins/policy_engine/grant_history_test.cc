#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

#include "tests/unit/plugins/policy_engine/commanded_engine.h"

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;
using testing::Lt;

// A policy as this test keeps it by itself.
struct Known {
  bool access = false;
  std::string description;
  std::map<std::string, std::set<std::string>> lists = {
      {"users", {}}, {"patterns", {}}, {"domains", {}}};
  bool operator==(const Known&) const = default;
};
using Policies = std::map<std::string, Known>;  // by stored name

Policies PoliciesOf(const google::protobuf::RepeatedPtrField<proto::AccessPolicy>& policies) {
  Policies known;
  for (const proto::AccessPolicy& policy : policies) {
    Known& one = known[policy.name()];
    one.access = policy.xmpp_access();
    one.description = policy.description();
    one.lists["users"] = {policy.users().begin(), policy.users().end()};
    one.lists["patterns"] = {policy.patterns().begin(), policy.patterns().end()};
    one.lists["domains"] = {policy.domains().begin(), policy.domains().end()};
  }
  return known;
}

std::string Whole(const std::set<std::string>& items) {
  return fmt::format("{}", fmt::join(items, ", "));
}

std::string Signed(const std::set<std::string>& was, const std::set<std::string>& is) {
  std::vector<std::string> said;
  for (const std::string& item : is)
    if (!was.contains(item)) said.push_back('+' + item);
  for (const std::string& item : was)
    if (!is.contains(item)) said.push_back('-' + item);
  return fmt::format("{}", fmt::join(said, ", "));
}

using Said = std::map<std::string, std::string>;  // "tag:p1 changed users": "|+a@contoso.example"

void SayDifference(const std::string& name, const Known* was, const Known* is, Said& said) {
  const Known none;
  const char* verb = was == nullptr ? "added" : is == nullptr ? "removed" : "changed";
  const auto say = [&](const std::string& field, const std::string& before,
                       const std::string& after) {
    if (before != after) said[name + ' ' + verb + ' ' + field] = before + '|' + after;
  };
  if (was != nullptr && is != nullptr && *was == *is) return;
  said[name + ' ' + verb];
  const auto word = [](const Known* one) {
    return one == nullptr ? "" : one->access ? "true" : "false";
  };
  say("xmpp_access", word(was), word(is));
  const Known& before = was == nullptr ? none : *was;
  const Known& after = is == nullptr ? none : *is;
  say("description", before.description, after.description);
  for (const auto& [list, items] : before.lists)
    if (was != nullptr && is != nullptr)
      say(list, "", Signed(items, after.lists.at(list)));
    else
      say(list, Whole(items), Whole(after.lists.at(list)));
}

Said DifferenceOf(const Policies& before, const Policies& after) {
  Said said;
  for (const auto& [name, was] : before)
    SayDifference(name, &was, after.contains(name) ? &after.at(name) : nullptr, said);
  for (const auto& [name, is] : after)
    if (!before.contains(name)) SayDifference(name, nullptr, &is, said);
  return said;
}

Said SaidBy(const google::protobuf::RepeatedPtrField<proto::ChangeView>& changes) {
  constexpr std::array kVerbs = {"changed", "added", "removed"};
  Said said;
  for (const proto::ChangeView& change : changes) {
    EXPECT_EQ(change.kind(), "policy");
    const std::string head = change.key() + ' ' + kVerbs.at(change.verb());
    said[head];
    for (const proto::FieldChange& field : change.fields())
      said[head + ' ' + field.field()] = field.before() + '|' + field.after();
  }
  return said;
}

std::string JsonList(const std::set<std::string>& items) {
  return items.empty() ? "[]" : fmt::format("[\"{}\"]", fmt::join(items, "\",\""));
}

// As versions before differences wrote it.
std::string JsonOf(const std::string& name, const Known& policy) {
  return fmt::format(
      R"({{"name":"{}","xmpp_access":{},"description":"{}","users":{},"patterns":{},"domains":{}}})",
      name, policy.access, policy.description, JsonList(policy.lists.at("users")),
      JsonList(policy.lists.at("patterns")), JsonList(policy.lists.at("domains")));
}

class GrantHistory : public CommandedEngine {
 protected:
  static constexpr int kSteps = 300;

  unsigned Any(unsigned below) { return static_cast<unsigned>(random_()) % below; }
  std::string AnyPolicy() { return fmt::format("p{}", Any(4)); }
  std::string AnyGrantees() {
    std::string text;
    for (unsigned i = 0; i < 1 + Any(6); ++i)
      text += fmt::format(" users: 'u{}@contoso.example'", Any(60));
    if (Any(4) == 0) text += fmt::format(" patterns: 'x{}*@contoso.example'", Any(5));
    if (Any(8) == 0) text += " domains: 'contoso.example'";
    return text;
  }
  std::string AnyCommand() {
    const std::string policy = AnyPolicy();
    switch (Any(12)) {
      case 0:
        return fmt::format("policy_remove {{ name: '{}' }}", policy);
      case 1:
        return fmt::format(
            "policy_set {{ name: '{}' policy {{ xmpp_access: {} }} fields: "
            "'xmpp_access' }}",
            policy, Any(2) == 0);
      case 2:
        return fmt::format(
            "policy_set {{ name: '{}' policy {{ description: 'd{}' }} fields: "
            "'description' }}",
            policy, Any(5));
      case 3:
      case 4:
        return fmt::format("policy_new {{ policy {{ name: '{}' xmpp_access: {} }} }}", policy,
                           Any(2) == 0);
      case 5:
        return fmt::format("policy_revoke {{ from {{ users: 'u{}@contoso.example' }} }}", Any(60));
      case 6:
        return "policy_revoke { from { domains: 'contoso.example' } }";
      case 7:
        return fmt::format("policy_revoke {{ from {{ patterns: 'x{}*@contoso.example' }} }}",
                           Any(5));
      default:
        return fmt::format("policy_grant {{ name: '{}' to {{{} }} }}", policy, AnyGrantees());
    }
  }
  Policies Now() { return PoliciesOf(Answer("export_data {}").federation_data().policies()); }

  // Commands one after the other, of which some are refused; what holds after each revision.
  std::map<std::uint64_t, Policies> Live() {
    std::map<std::uint64_t, Policies> history = {{1, Now()}};
    for (int i = 0; i < kSteps; ++i) {
      const proto::CtlResponse response = Answer(AnyCommand());
      history.try_emplace(response.revision(), Now());
    }
    return history;
  }

  // The rows of revisions below `end` as if an earlier version had written them.
  void MakeWhole(const std::map<std::uint64_t, Policies>& history, std::uint64_t end) {
    Result<SqliteDatabase> database = SqliteDatabase::Open(folder_.File("policy.db"));
    for (auto now = std::next(history.begin()); now->first < end; ++now)
      for (const auto& [name, was] : std::prev(now)->second) {
        if (!now->second.contains(name)) continue;
        Result<SqliteStatement> update = database->Prepare(
            "UPDATE record_change SET before = ?, after = ?, sets = 'whole' WHERE key = ? AND"
            " audit_seq = (SELECT seq FROM audit WHERE revision = ?)");
        update->Bind(1, JsonOf(name, was)).Bind(2, JsonOf(name, now->second.at(name)));
        update->Bind(3, name).Bind(4, static_cast<std::int64_t>(now->first));
        ASSERT_TRUE(update->Run().has_value());
      }
  }

  void CheckDifferences(const std::map<std::uint64_t, Policies>& history) {
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t from = 1 + Any(static_cast<unsigned>(history.size()));
      const std::uint64_t to = 1 + Any(static_cast<unsigned>(history.size()));
      const proto::CtlResponse report =
          Done(fmt::format("config_diff {{ from: {} to: {} }}", from, to));
      EXPECT_EQ(SaidBy(report.changes().changes()), DifferenceOf(history.at(from), history.at(to)))
          << from << " to " << to;
    }
  }

  std::mt19937 random_{7};
};

TEST_F(GrantHistory, EveryDifferenceIsThatOfAHistoryKeptApart) {
  const std::map<std::uint64_t, Policies> history = Live();
  ASSERT_GT(history.size(), kSteps / 3);
  ASSERT_EQ(history.rbegin()->first, history.size()) << "no revision is missing";
  CheckDifferences(history);
  const proto::AuditRecords audit = Done("audit_get { last: 1000 }").audit();
  ASSERT_EQ(audit.records_size() + 1, history.size());
  for (const proto::AuditRecord& record : audit.records())
    EXPECT_EQ(SaidBy(record.changes()),
              DifferenceOf(history.at(record.revision() - 1), history.at(record.revision())))
        << record.revision();
}

TEST_F(GrantHistory, EveryRevisionComesBack) {
  const std::map<std::uint64_t, Policies> history = Live();
  for (std::uint64_t revision = 1; revision <= history.size(); revision += 1 + Any(20)) {
    Done(fmt::format("config_rollback {{ revision: {} }}", revision));
    EXPECT_EQ(Now(), history.at(revision)) << revision;
  }
  EXPECT_EQ(Open().policy().snapshot.hash(), engine_.policy().snapshot.hash());
}

TEST_F(GrantHistory, RowsOfAnEarlierVersionAreReadAsTheyWereMeant) {
  const std::map<std::uint64_t, Policies> history = Live();
  const std::string audit = Done("audit_get { last: 1000 }").audit().DebugString();
  MakeWhole(history, history.size() / 2);
  EXPECT_EQ(Done("audit_get { last: 1000 }").audit().DebugString(), audit);
  CheckDifferences(history);
  for (const std::uint64_t revision : {history.size() / 4, std::size_t{1}, history.size() / 3}) {
    Done(fmt::format("config_rollback {{ revision: {} }}", revision));
    EXPECT_EQ(Now(), history.at(revision)) << revision;
  }
}

std::string OfThousand(const std::string& command) {
  std::string users;
  for (int i = 0; i < 1000; ++i) users += fmt::format(" users: 'n{}@contoso.example'", i);
  return fmt::format("{} {{{} }} }}", command, users);
}

TEST_F(GrantHistory, AGrantAmongManyIsAShortEntryThatNamesWhomItAdds) {
  Done("policy_new { policy { name: 'many' } }");
  Done(OfThousand("policy_grant { name: 'many' to"));
  Done("policy_grant { name: 'many' to { users: 'ann@contoso.example' } }");
  Result<SqliteDatabase> database = SqliteDatabase::Open(folder_.File("policy.db"));
  EXPECT_THAT(std::stoi(*database->One("SELECT length(before) + length(after) FROM record_change"
                                       " ORDER BY audit_seq DESC LIMIT 1")),
              Lt(400));
  EXPECT_EQ(*database->One("SELECT sets FROM record_change ORDER BY audit_seq DESC LIMIT 1"),
            "difference");
  const proto::ChangeView view = Done("audit_get { last: 1 }").audit().records(0).changes(0);
  ASSERT_EQ(view.fields_size(), 1);
  EXPECT_EQ(view.fields(0).after(), "+ann@contoso.example");
}

TEST_F(GrantHistory, AnAuditThatDoesNotLeadToWhatIsThereTakesNothingBack) {
  Done("policy_new { policy { name: 'many' } }");
  Done("policy_grant { name: 'many' to { users: 'ann@contoso.example' } }");
  ASSERT_TRUE(SqliteDatabase::Open(folder_.File("policy.db"))
                  ->Run("UPDATE record_change SET after = replace(after, 'ann', 'bob')")
                  .has_value());
  const std::string hash = engine_.policy().snapshot.hash();
  EXPECT_THAT(Refused("config_rollback { revision: 2 }"),
              HasSubstr("the audit does not lead to what is in the store: policy 'tag:many'"));
  EXPECT_EQ(engine_.policy().snapshot.hash(), hash);
}

}  // namespace
}  // namespace gatehouse::policy_engine
