#include "core/ctl/why_command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/ctl/domain_check.h"
#include "core/ctl/refusal_text.h"

namespace gatehouse::ctl {

WhyCommand::WhyCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* why = app.add_subcommand("why", "Why something was refused");
  why->add_option("ID", id_, "As the log line or the answer gave it, e.g. 7f3kq2mx");
  why->add_option("--partner", partner_,
                  "The last refusals of this partner, or of a domain that is none, newest first")
      ->type_name("DOMAIN")
      ->transform(DomainCheck());
  why->add_flag("--list", list_, "The last refusals of everybody, newest first");
  why->add_flag("--reasons", reasons_, "All reasons there are, offline");
  why->callback([this, &invocation] {
    const int given =
        (id_.empty() ? 0 : 1) + (partner_.empty() ? 0 : 1) + (list_ ? 1 : 0) + (reasons_ ? 1 : 0);
    if (given != 1) {
      invocation.misuse = "give an ID, --partner DOMAIN, --list or --reasons";
      return;
    }
    if (reasons_) {
      invocation.action = Action::kPrint;
      invocation.text = invocation.json ? ReasonsJson() : ReasonsText();
      return;
    }
    invocation.action = Action::kAsk;
    invocation.request.mutable_why()->set_id(id_);
    invocation.request.mutable_why()->set_partner(partner_);
  });
}

}  // namespace gatehouse::ctl
