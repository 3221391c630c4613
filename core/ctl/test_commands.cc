#include "core/ctl/test_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/ctl/domain_check.h"

namespace gatehouse::ctl {

TestCommands::TestCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* test = app.add_subcommand("test", "Tries the real thing and tells each step");
  test->require_subcommand(1);
  CLI::App* im = test->add_subcommand("im", "Sends one message from a SIP user to an XMPP user");
  im->add_option("--from", from_, "One of our users")->type_name("SIP-URI")->required();
  im->add_option("--to", to_, "A partner's user")->type_name("JID")->required();
  im->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    const bool has_scheme = from_.find(':') != std::string::npos;
    invocation.request.mutable_test_im()->set_from_sip_uri(has_scheme ? from_ : "sip:" + from_);
    invocation.request.mutable_test_im()->set_to_jid(to_);
  });
  CLI::App* sip = test->add_subcommand(
      "sip", "Goes to the next hop of one of our domains: DNS, TCP, TLS, certificates, OPTIONS");
  sip->add_option("--domain", domain_, "Which of ours; the first when left out")
      ->type_name("DOMAIN")
      ->transform(DomainCheck());
  sip->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_test_sip()->set_domain(domain_);
  });
  CLI::App* stream = test->add_subcommand("stream", "Opens a stream to a partner");
  stream->add_option("DOMAIN", domain_, "The partner's domain")
      ->required()
      ->transform(DomainCheck());
  stream->add_option("--local-domain", local_domain_, "Which of ours; the first when left out")
      ->type_name("DOMAIN")
      ->transform(DomainCheck());
  stream->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_test_stream()->set_domain(domain_);
    invocation.request.mutable_test_stream()->set_local_domain(local_domain_);
  });
}

}  // namespace gatehouse::ctl
