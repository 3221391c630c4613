#include "core/ctl/worker_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

namespace gatehouse::ctl {
namespace {

// A worker has a minute to settle what it holds.
constexpr std::chrono::seconds kDrainLimit{75};

bool IsDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The answer of a CLI11 check: what is wrong, or nothing.
std::string CheckInstanceName(const std::string& name) {
  const std::size_t slash = name.find('/');
  if (slash != std::string::npos && slash > 0 && IsDigits(std::string_view(name).substr(slash + 1)))
    return {};
  return "'" + name + "' is no worker; write PLUGIN/INDEX like tls_listener/0";
}

const char* VerbName(proto::WorkerCommand::Verb verb) {
  return verb == proto::WorkerCommand::DRAIN ? "drain" : "restart";
}

const char* VerbHelp(proto::WorkerCommand::Verb verb) {
  return verb == proto::WorkerCommand::DRAIN
             ? "Lets one worker settle what it holds, then stops it, until worker "
               "restart"
             : "Ends one worker and starts it anew";
}

}  // namespace

void WorkerCommands::AddNamed(CLI::App& parent, Invocation& invocation,
                              proto::WorkerCommand::Verb verb) {
  CLI::App* command = parent.add_subcommand(VerbName(verb), VerbHelp(verb));
  command->add_option("NAME", name_, "PLUGIN/INDEX, for example tls_listener/0")
      ->required()
      ->check(CheckInstanceName);
  command->callback([this, &invocation, verb] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_worker()->set_verb(verb);
    invocation.request.mutable_worker()->set_name(name_);
    if (verb == proto::WorkerCommand::DRAIN) invocation.limit = kDrainLimit;
  });
}

WorkerCommands::WorkerCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* worker = app.add_subcommand("worker", "The processes Gatehouse consists of");
  worker->require_subcommand(1);
  worker->add_subcommand("list", "All workers with their state")->callback([&invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_worker()->set_verb(proto::WorkerCommand::LIST);
  });
  AddNamed(*worker, invocation, proto::WorkerCommand::RESTART);
  AddNamed(*worker, invocation, proto::WorkerCommand::DRAIN);
  CLI::App* scale = worker->add_subcommand("scale", "Runs N workers of a plugin");
  scale->add_option("PLUGIN", plugin_, "For example tls_listener")->required();
  scale->add_option("N", count_, "How many")->required()->check(CLI::Range(1, 64));
  scale->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_scale()->set_plugin(plugin_);
    invocation.request.mutable_scale()->set_count(count_);
  });
}

}  // namespace gatehouse::ctl
