#include "core/ctl/audit_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <limits>

namespace gatehouse::ctl {

AuditCommands::AuditCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* audit = app.add_subcommand(
      "audit", "Who changed what, when and why, field by field; the newest first");
  audit->add_option("--last", last_, "At most so many changes")
      ->type_name("N")
      ->check(CLI::Range(std::uint32_t{1}, std::numeric_limits<std::uint32_t>::max()))
      ->capture_default_str();
  audit->add_option("--subject", subject_, "Only what is about it: a partner's domain, gateway")
      ->type_name("SUBJECT");
  audit->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_audit_get()->set_last(last_);
    invocation.request.mutable_audit_get()->set_subject(subject_);
  });
}

}  // namespace gatehouse::ctl
