#include "core/ctl/sip_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/ctl/dns_commands.h"

namespace gatehouse::ctl {

void AddSipCommands(CLI::App& app, Invocation& invocation) {
  SetupOptions& setup = invocation.setup;
  CLI::App* sip = app.add_subcommand("sip", "The SIP side");
  sip->require_subcommand(1);
  CLI::App* plan =
      sip->add_subcommand("plan",
                          "What Lync (or Skype for Business) and Kamailio have to be told so that "
                          "they send the partners' "
                          "messages to us; the partners are those of the running store");
  CLI::Option* lync = plan->add_flag("--lync", setup.lync, "Only the lines for Lync");
  plan->add_flag("--kamailio", setup.kamailio, "Only the block for Kamailio")->excludes(lync);
  plan->add_option("--site", setup.site, "The site of the pool in Lync's topology")
      ->type_name("ID");
  plan->add_option("--registrar", setup.registrar, "The pool; the host of next_hop when left out")
      ->type_name("FQDN");
  plan->add_option("--host", setup.host, "The name of the edge for SIP")->type_name("NAME");
  AddConfigOption(*plan, invocation);
  plan->callback([&invocation] { invocation.action = Action::kPlanSip; });
}

}  // namespace gatehouse::ctl
