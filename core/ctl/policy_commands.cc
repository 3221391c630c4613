#include "core/ctl/policy_commands.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "core/ctl/write_options.h"
#include "core/policy/traffic_kind.h"

namespace gatehouse::ctl {
namespace {

constexpr const char* kNameHelp =
    "global, site:NAME, or NAME (in full tag:NAME) for one that is granted to users";

void AddName(CLI::App& command, std::string& into) {
  command.add_option("NAME", into, kNameHelp)->required();
}

std::string Words(Direction direction) {
  std::string words;
  for (const TrafficKindWord& row : KindWords())
    if (DirectionOf(row.kind) == direction)
      words.append(words.empty() ? "" : ", ").append(row.word);
  return words;
}

// Which way it goes only the engine knows: it has our domains.
std::string WrongKind(const std::string& word) {
  if (std::ranges::find(KindWords(), word, &TrafficKindWord::word) != KindWords().end()) return {};
  return fmt::format("'{}' is no kind of traffic; use one of {} from a partner, or of {} from us",
                     word, Words(Direction::kXmppToSip), Words(Direction::kSipToXmpp));
}

}  // namespace

void PolicyCommands::AddValues(CLI::App& command) {
  command
      .add_option("--enable-xmpp-access,--xmpp-access", xmpp_access_,
                  "true: its users and partners' users may talk; false: they do not see each other")
      ->check(CLI::IsMember({"true", "false"}))
      ->type_name("WORD");
  command.add_option("--description", description_, "For people")->type_name("TEXT");
}

void PolicyCommands::AddGrantees(CLI::App& command) {
  command.add_option("--users", users_, "Single users, such as ann@contoso.example")
      ->type_name("A,B")
      ->delimiter(',');
  command
      .add_option("--pattern,--patterns", patterns_,
                  "Users whose name fits, such as 'sales-*@contoso.example'; again for more")
      ->type_name("PATTERN");
  command
      .add_option("--domain,--domains", domains_, "All users of a domain of ours; again for more")
      ->type_name("DOMAIN");
}

std::vector<std::string> PolicyCommands::Apply(const CLI::App& command,
                                               proto::AccessPolicy& policy) const {
  std::vector<std::string> fields;
  if (command.count("--enable-xmpp-access") > 0) {
    policy.set_xmpp_access(xmpp_access_ == "true");
    fields.emplace_back("xmpp_access");
  }
  if (command.count("--description") > 0) {
    policy.set_description(description_);
    fields.emplace_back("description");
  }
  return fields;
}

void PolicyCommands::FillGrantees(proto::Grantees& grantees, Invocation& invocation) const {
  for (const std::string& user : users_) grantees.add_users(user);
  for (const std::string& pattern : patterns_) grantees.add_patterns(pattern);
  for (const std::string& domain : domains_) grantees.add_domains(domain);
  if (users_.empty() && patterns_.empty() && domains_.empty())
    invocation.misuse = "nobody is named; give --users, --pattern or --domain";
}

void PolicyCommands::AddReading(CLI::App& parent, Invocation& invocation) {
  CLI::App* list = parent.add_subcommand("list", "All policies, or one with all its grants");
  list->add_option("NAME", name_, kNameHelp);
  list->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_policy_list()->set_name(name_);
  });
}

void PolicyCommands::AddChanging(CLI::App& parent, Invocation& invocation) {
  CLI::App* create =
      parent.add_subcommand("new", "Adds a policy, without XMPP access where not said otherwise");
  AddName(*create, name_);
  AddValues(*create);
  AddWriteOptions(*create, invocation);
  create->callback([this, create, &invocation] {
    invocation.action = Action::kAsk;
    proto::AccessPolicy& policy = *invocation.request.mutable_policy_new()->mutable_policy();
    policy.set_name(name_);
    Apply(*create, policy);
  });
  CLI::App* set = parent.add_subcommand("set", "Changes what is given, live");
  AddName(*set, name_);
  AddValues(*set);
  AddWriteOptions(*set, invocation);
  set->callback([this, set, &invocation] {
    invocation.action = Action::kAsk;
    proto::PolicySet& command = *invocation.request.mutable_policy_set();
    command.set_name(name_);
    for (std::string& field : Apply(*set, *command.mutable_policy()))
      command.add_fields(std::move(field));
    if (command.fields().empty())
      invocation.misuse = "nothing to set is given; give --enable-xmpp-access or --description";
  });
  CLI::App* remove = parent.add_subcommand(
      "remove", "Takes a policy out, with its grants; the next wider one holds");
  AddName(*remove, name_);
  AddWriteOptions(*remove, invocation);
  remove->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_policy_remove()->set_name(name_);
  });
}

void PolicyCommands::AddGranting(CLI::App& parent, Invocation& invocation) {
  CLI::App* grant = parent.add_subcommand(
      "grant",
      "Grants a policy to users, patterns or domains, in place of the one they had. A user's "
      "narrowest grant holds: his own, else the pattern with the most characters besides '*', else "
      "his domain's, else the policy global; of two such patterns the policy without access");
  AddName(*grant, name_);
  AddGrantees(*grant);
  AddWriteOptions(*grant, invocation);
  grant->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    proto::PolicyGrant& command = *invocation.request.mutable_policy_grant();
    command.set_name(name_);
    FillGrantees(*command.mutable_to(), invocation);
  });
  CLI::App* revoke = parent.add_subcommand("revoke", "Takes grants back; the next wider one holds");
  AddGrantees(*revoke);
  AddWriteOptions(*revoke, invocation);
  revoke->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    FillGrantees(*invocation.request.mutable_policy_revoke()->mutable_from(), invocation);
  });
}

void PolicyCommands::AddTest(CLI::App& parent, Invocation& invocation) {
  CLI::App* test = parent.add_subcommand(
      "test",
      "What would become of a stanza or a SIP request, and by which rule; exit code 1 where it\n"
      "would be refused. Nothing is sent. A presence counts as awaited.");
  test->add_option("FROM", from_, "Who sends it: a JID or a SIP URI")->required();
  test->add_option("TO", to_, "Whom to; one of the two is ours")->required();
  test->add_option("KIND", kind_,
                   "From a partner: " + Words(Direction::kXmppToSip) +
                       ". From us: " + Words(Direction::kSipToXmpp))
      ->required();
  test->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    proto::PolicyTest& question = *invocation.request.mutable_policy_test();
    question.set_from(from_);
    question.set_to(to_);
    question.set_kind(kind_);
    invocation.misuse = WrongKind(kind_);
  });
}

PolicyCommands::PolicyCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* policy =
      app.add_subcommand("policy", "Who may speak to whom, and which of our users may use XMPP");
  policy->require_subcommand(1);
  AddReading(*policy, invocation);
  AddChanging(*policy, invocation);
  AddGranting(*policy, invocation);
  AddTest(*policy, invocation);
}

}  // namespace gatehouse::ctl
