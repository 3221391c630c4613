#include "core/ctl/dns_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/ctl/setup_facts.h"

namespace gatehouse::ctl {
namespace {

// What our addresses and our name are, where the configuration does not tell.
void AddOurs(CLI::App& command, SetupOptions& setup) {
  command.add_option("--address", setup.addresses, "A public address of the edge; again for more")
      ->type_name("IP")
      ->allow_extra_args(false);  // a domain may follow
  command.add_option("--host", setup.host, "The name of the edge for partners")->type_name("NAME");
}

}  // namespace

void AddConfigOption(CLI::App& command, Invocation& invocation) {
  command
      .add_option("--config", invocation.setup.config,
                  std::string("The configuration; when left out what the running supervisor tells, "
                              "or ") +
                      kDefaultConfig)
      ->type_name("FILE");
}

void AddDnsCommands(CLI::App& app, Invocation& invocation) {
  SetupOptions& setup = invocation.setup;
  CLI::App* dns = app.add_subcommand("dns", "What stands in DNS, and what should");
  dns->require_subcommand(1);
  CLI::App* check =
      dns->add_subcommand("check",
                          "Looks up what partners look up, or for a partner's domain what we do, "
                          "and tells every mistake "
                          "with the line of the zone file that is right; needs no supervisor");
  check->add_option("DOMAIN", setup.domains,
                    "One of ours or a partner's; all of ours when left out");
  check
      ->add_option("--resolver", setup.resolvers,
                   "Whom to ask, two for a comparison; dns.servers or the system's when left out")
      ->type_name("IP[:PORT]")
      ->allow_extra_args(false);
  AddOurs(*check, setup);
  AddConfigOption(*check, invocation);
  check->callback([&invocation] { invocation.action = Action::kCheckDns; });
  CLI::App* plan = dns->add_subcommand(
      "plan", "The lines our domains need in their zone files; needs no supervisor");
  plan->add_option("DOMAIN", setup.domains, "One of ours; all of them when left out");
  AddOurs(*plan, setup);
  plan->add_flag(
      "--tlsa", setup.tlsa,
      "With TLSA records for the certificate that the running supervisor has assigned, or "
      "that in tls.chain_file");
  AddConfigOption(*plan, invocation);
  plan->callback([&invocation] { invocation.action = Action::kPlanDns; });
}

}  // namespace gatehouse::ctl
