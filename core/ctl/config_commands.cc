#include "core/ctl/config_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace gatehouse::ctl {

ConfigCommands::ConfigCommands(CLI::App& app, Invocation& invocation)
    : file_("/etc/gatehouse/gatehouse.yaml") {
  CLI::App* config = app.add_subcommand("config", "The file gatehouse.yaml");
  config->require_subcommand(1);
  CLI::App* check = config->add_subcommand("check", "Validates gatehouse.yaml offline");
  check->add_option("FILE", file_, "The file")->capture_default_str();
  check->callback([this, &invocation] {
    invocation.action = Action::kCheckConfig;
    invocation.file = file_;
  });
}

}  // namespace gatehouse::ctl
