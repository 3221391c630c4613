#include "core/ctl/config_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <limits>

#include "core/ctl/number_check.h"
#include "core/ctl/write_options.h"

namespace gatehouse::ctl {

ConfigCommands::ConfigCommands(CLI::App& app, Invocation& invocation)
    : file_("/etc/gatehouse/gatehouse.yaml") {
  CLI::App* config = app.add_subcommand(
      "config", "The file gatehouse.yaml, and the revisions of the federation data");
  config->require_subcommand(1);
  CLI::App* check = config->add_subcommand("check", "Validates gatehouse.yaml offline");
  check->add_option("FILE", file_, "The file")->capture_default_str();
  check->callback([this, &invocation] {
    invocation.action = Action::kCheckConfig;
    invocation.file = file_;
  });
  AddRevisions(*config, invocation);
}

void ConfigCommands::AddRevisions(CLI::App& config, Invocation& invocation) {
  CLI::App* history = config.add_subcommand(
      "history", "The revisions of partners and settings, one line each; the newest first");
  history->add_option("--last", last_, "At most so many")
      ->type_name("N")
      ->check(CLI::Range(std::uint32_t{1}, std::numeric_limits<std::uint32_t>::max()))
      ->capture_default_str();
  history->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_audit_get()->set_last(last_);
    invocation.request.mutable_audit_get()->set_revisions_only(true);
  });
  CLI::App* diff = config.add_subcommand(
      "diff", "What is different in revision B, or now, from what it was at revision A");
  const CLI::Validator is_revision = NumberCheck(std::numeric_limits<std::uint64_t>::max());
  diff->add_option("A", from_, "A revision")->required()->check(is_revision);
  diff->add_option("B", to_, "Another; what holds now when left out")->check(is_revision);
  diff->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_config_diff()->set_from(from_);
    invocation.request.mutable_config_diff()->set_to(to_);
  });
  CLI::App* rollback = config.add_subcommand(
      "rollback",
      "Makes partners and settings what they were at a revision, live; this is a new revision, so "
      "it can be taken back too");
  rollback->add_option("REVISION", from_, "See config history")->required()->check(is_revision);
  AddWriteOptions(*rollback, invocation);
  rollback->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_config_rollback()->set_revision(from_);
  });
}

}  // namespace gatehouse::ctl
