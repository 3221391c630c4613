#include "core/ctl/instance_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/supervisor/command_route.h"

namespace gatehouse::ctl {

InstanceCommands::InstanceCommands(CLI::App& app, Invocation& invocation) {
  app.add_subcommand("status", "Domains, listeners, workers, streams and partners at a glance")
      ->callback([&invocation] {
        invocation.action = Action::kAsk;
        invocation.request.mutable_status();
      });
  CLI::App* stop = app.add_subcommand(
      "stop", "Has gatehoused end after what it holds is settled; returns at once");
  stop->add_option("--drain", drain_s_, "How long gatehoused waits for that; 0: not at all")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  stop->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_stop()->set_drain_s(drain_s_);
    invocation.limit = PatienceFor(proto::CtlRequest::kStop) + std::chrono::seconds(drain_s_);
  });
  app.add_subcommand("reload", "Reads gatehouse.yaml again")->callback([&invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_reload();
  });
}

}  // namespace gatehouse::ctl
