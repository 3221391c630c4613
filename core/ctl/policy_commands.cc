#include "core/ctl/policy_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/policy/traffic_kind.h"

namespace gatehouse::ctl {
namespace {

std::string Words(Direction direction) {
  std::string words;
  for (const KindWord& row : KindWords()) {
    // What goes to the domain is told by its address.
    if (DirectionOf(row.kind) != direction || row.word.starts_with("domain-")) continue;
    words.append(words.empty() ? "" : ", ").append(row.word);
  }
  return words;
}

}  // namespace

PolicyCommands::PolicyCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* policy = app.add_subcommand("policy", "Who may speak to whom");
  policy->require_subcommand(1);
  AddTest(*policy, invocation);
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
  });
}

}  // namespace gatehouse::ctl
