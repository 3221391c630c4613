#include "core/ctl/data_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/ctl/write_options.h"

namespace gatehouse::ctl {

DataCommands::DataCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* exported = app.add_subcommand(
      "export", "Partners and settings as YAML, as apply takes it; there are no secrets in it");
  exported
      ->add_option("-o,--output", file_,
                   "Into this file, which is new, empty or an export; printed when left out")
      ->type_name("FILE");
  exported->add_flag("--contacts", contacts_,
                     "With what operators said of contacts (contact allow and block); what only "
                     "SIP users added is in a backup only");
  exported->callback([this, &invocation] {
    invocation.action = Action::kExport;
    invocation.file = file_;
    invocation.contacts = contacts_;
    invocation.request.mutable_export_data();
  });
  CLI::App* apply = app.add_subcommand(
      "apply",
      "Makes the store equal to a file, live, in one step: all of it is found good, or nothing is "
      "made. A partner, partner type, access policy, grant or denied domain that is not in the "
      "file is removed; a section that is not in it ('gateway:', 'partner_types:', 'partners:', "
      "'policies:', "
      "'denied:', 'contacts:') stays as it is; a setting that is left out has its default. A "
      "contact that is allowed or blocked here and not in the file is forgotten, also where the "
      "SIP user had added it himself before, until his next subscription; what users added and no "
      "operator allowed or blocked stays");
  apply->add_option("-f,--file", file_, "YAML as export gives it")->type_name("FILE")->required();
  apply->add_flag("--dry-run", dry_run_, "Only says what would change");
  apply->add_flag("--allow-lookalike", allow_lookalike_,
                  "New domains that look like another one, or mix scripts, are meant so");
  AddWriteOptions(*apply, invocation);
  apply->callback([this, &invocation] {
    invocation.action = Action::kApply;
    invocation.file = file_;
    invocation.request.mutable_apply()->set_dry_run(dry_run_);
    invocation.changes = !dry_run_;
    invocation.request.mutable_apply()->set_allow_lookalike(allow_lookalike_);
  });
  AddStoreCommands(app, invocation);
}

void DataCommands::AddStoreCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* backup = app.add_subcommand(
      "backup", "A copy of the whole store, with contacts and audit, made while it is in use");
  backup
      ->add_option(
          "FILE", file_,
          "New, or replaced when all of the copy is there if it is empty or a backup; mode 0600")
      ->required();
  backup->callback([this, &invocation] {
    invocation.action = Action::kBackup;
    invocation.file = file_;
    invocation.request.mutable_backup_read();
  });
  CLI::App* restore = app.add_subcommand(
      "restore",
      "Puts a backup in place of the whole store, live, once all of it is found sound; the store "
      "before is kept beside it");
  restore->add_option("FILE", file_, "A backup")->required();
  AddWriteOptions(*restore, invocation);
  restore->callback([this, &invocation] {
    invocation.action = Action::kRestore;
    invocation.file = file_;
    invocation.request.mutable_restore_write();
  });
}

}  // namespace gatehouse::ctl
