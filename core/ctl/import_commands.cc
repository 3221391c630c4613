#include "core/ctl/import_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/ctl/write_options.h"

namespace gatehouse::ctl {

ImportCommands::ImportCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* group = app.add_subcommand("import", "Takes over what another system was set to");
  group->require_subcommand(1);
  CLI::App* lync = group->add_subcommand(
      "lync",
      "Partners, gateway settings and access policies of Lync or Skype for Business: what "
      "Get-CsXmppAllowedPartner, Get-CsXmppGatewayConfiguration and Get-CsExternalAccessPolicy "
      "gave, written by Export-Clixml, ConvertTo-Json, Export-Csv or Format-List. All of it is "
      "taken, or nothing");
  lync->add_option("FILE", files_, "The exports")->required();
  lync->add_flag("--dry-run", dry_run_, "Says what would come of it, and changes nothing");
  lync->add_flag("--replace", replace_,
                 "Partners and policies that are there already are set as in the export; what Lync "
                 "does not know of them stays");
  lync->add_flag("--allow-lookalike", allow_lookalike_,
                 "Domains that look like another one, or mix scripts, are meant so");
  AddWriteOptions(*lync, invocation);
  lync->callback([this, &invocation] {
    invocation.action = Action::kImportLync;
    invocation.files = files_;
    proto::Import& request = *invocation.request.mutable_import();
    request.set_dry_run(dry_run_);
    invocation.changes = !dry_run_;
    request.set_replace(replace_);
    request.set_allow_lookalike(allow_lookalike_);
  });
}

}  // namespace gatehouse::ctl
