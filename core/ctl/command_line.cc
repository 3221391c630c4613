#include "core/ctl/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <sstream>
#include <vector>

#include "core/base/utf8_check.h"
#include "core/config/yaml_config.h"
#include "core/ctl/audit_commands.h"
#include "core/ctl/certificate_commands.h"
#include "core/ctl/config_commands.h"
#include "core/ctl/contact_commands.h"
#include "core/ctl/data_commands.h"
#include "core/ctl/dns_commands.h"
#include "core/ctl/gateway_commands.h"
#include "core/ctl/import_commands.h"
#include "core/ctl/instance_commands.h"
#include "core/ctl/partner_commands.h"
#include "core/ctl/policy_commands.h"
#include "core/ctl/selftest_commands.h"
#include "core/ctl/sip_commands.h"
#include "core/ctl/test_commands.h"
#include "core/ctl/why_command.h"
#include "core/ctl/worker_commands.h"

namespace gatehouse::ctl {
namespace {

constexpr const char* kDefaultRuntimeDir = "/run/gatehouse";

// The deepest command that was named.
const CLI::App& Deepest(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

// "partner new " of that command.
std::string Path(const CLI::App& app) {
  std::string path;
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    path += at->get_name() + ' ';
  }
  return path;
}

std::string ChoiceText(const CLI::App& group) {
  std::string names;
  for (const CLI::App* command : group.get_subcommands({})) {
    if (!names.empty()) names += ", ";
    names += command->get_name();
  }
  return names;
}

// A flag that is none, and the one that is near; empty where what is left over is no flag. With
// one dash, as "-tls", it is a letter to CLI11.
std::string WhichFlag(const CLI::App& command, const std::string& left) {
  const std::size_t dashes = left.starts_with("--") ? 2 : 1;
  if (!left.starts_with('-') || left.size() < dashes + 2) return {};
  std::string flags;
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent())
    for (const CLI::Option* option : at->get_options())
      for (const std::string& name : option->get_lnames()) flags += ' ' + name;
  const std::string flag = left.substr(0, left.find('='));
  const std::string_view nearest = NearestWord(flag.substr(dashes), flags);
  if (nearest.empty()) return {};
  return fmt::format("'{}' is no flag here; did you mean --{}?", flag, nearest);
}

// "no command" and "unknown command" are one mistake to CLI11; the operator wants to know which
// words there are.
std::string WhatIsWrong(const CLI::App& app, const CLI::ParseError& wrong) {
  const CLI::App& deepest = Deepest(app);
  const std::string choice = ChoiceText(deepest);
  const std::vector<std::string> left = app.remaining(true);
  if (wrong.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError))
    for (const std::string& word : left)
      if (std::string which = WhichFlag(deepest, word); !which.empty()) return which;
  if (choice.empty() && wrong.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError))
    return fmt::format("nothing here takes '{}'", fmt::join(left, " "));
  if (choice.empty() || wrong.get_exit_code() != static_cast<int>(CLI::ExitCodes::RequiredError))
    return wrong.what();
  if (left.empty()) return "a command is missing; use one of " + choice;
  return "'" + left.front() + "' is no command here; use one of " + choice;
}

// CLI11 throws for help, version and wrong usage alike; nothing else of ours is in the try block.
Result<Invocation> Parse(CLI::App& app, std::vector<std::string> arguments,
                         Invocation& invocation) {
  std::ranges::reverse(arguments);  // as CLI11 wants them
  try {
    app.parse(arguments);
  } catch (const CLI::Success& wanted) {
    std::ostringstream text;
    app.exit(wanted, text, text);
    invocation.action = Action::kPrint;
    invocation.text = text.str();
    return invocation;
  } catch (const CLI::ParseError& wrong) {
    return BadConfig(WhatIsWrong(app, wrong) + "; see gatehousectl " + Path(app) + "--help");
  }
  if (!invocation.misuse.empty())
    return BadConfig(invocation.misuse + "; see gatehousectl " + Path(app) + "--help");
  invocation.request.set_reason(invocation.reason);
  if (invocation.if_revision) invocation.request.set_if_revision(*invocation.if_revision);
  return invocation;
}

}  // namespace

Result<Invocation> ParseCommandLine(std::span<const std::string> arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (!IsUtf8(arguments[i]))
      return BadConfig("word " + std::to_string(i + 1) +
                       " is not in UTF-8; write it in UTF-8, in a terminal that is set to it");
  Invocation invocation;
  invocation.runtime_dir = kDefaultRuntimeDir;
  CLI::App app(
      "The operator's command line of Gatehouse.\n"
      "Exit codes: 0 done, 1 refused or a check failed, 2 wrong usage, 3 the supervisor "
      "cannot be reached.",
      "gatehousectl");
  app.require_subcommand(1);
  app.fallthrough();  // the two flags below may stand behind any command
  app.set_version_flag("--version", std::string("gatehousectl ") + GATEHOUSE_VERSION);
  app.add_option("--runtime-dir", invocation.runtime_dir, "Folder of the running gatehoused")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_flag("--json", invocation.json, "Print JSON");
  // Each keeps what its options are read into, so it lives as long as the parsing.
  InstanceCommands instance(app, invocation);
  WorkerCommands worker(app, invocation);
  PartnerCommands partner(app, invocation);
  ContactCommands contact(app, invocation);
  GatewayCommands gateway(app, invocation);
  AuditCommands audit(app, invocation);
  DataCommands data(app, invocation);
  PolicyCommands policy(app, invocation);
  CertificateCommands certificate(app, invocation);
  WhyCommand why(app, invocation);
  ImportCommands imports(app, invocation);
  TestCommands test(app, invocation);
  ConfigCommands config(app, invocation);
  SelftestCommands selftest(app, invocation);
  AddDnsCommands(app, invocation);
  AddSipCommands(app, invocation);
  return Parse(app, {arguments.begin(), arguments.end()}, invocation);
}

}  // namespace gatehouse::ctl
