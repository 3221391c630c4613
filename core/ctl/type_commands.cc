#include "core/ctl/type_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/ctl/write_options.h"

namespace gatehouse::ctl {
namespace {

// A permission (5.1) as a flag, and the field of its name.
struct PermissionFlag {
  const char* flag;
  const char* field;
  void (proto::PartnerType::*set)(bool);
  const char* help;
};
constexpr std::array<PermissionFlag, 5> kFlags = {{
    {"--may-subscribe", "may_subscribe", &proto::PartnerType::set_may_subscribe,
     "Its contacts may watch users who have not added them"},
    {"--auto-approve", "auto_approve", &proto::PartnerType::set_auto_approve,
     "Who may watch is told so at once, without waiting for the SIP side"},
    {"--may-message-unlisted", "may_message_unlisted",
     &proto::PartnerType::set_may_message_unlisted,
     "Messages with contacts whom the user has not added, both ways"},
    {"--sees-note", "sees_note", &proto::PartnerType::set_sees_note,
     "Presence notes reach its contacts, and their headlines your users"},
    {"--sees-rich-activity", "sees_rich_activity", &proto::PartnerType::set_sees_rich_activity,
     "What a user is busy with reaches its contacts, beyond open and closed"},
}};

}  // namespace

void TypeCommands::AddName(CLI::App& command) {
  command.add_option("NAME", name_, "The type's name, such as supplier")->required();
}

void TypeCommands::AddValues(CLI::App& command) {
  for (std::size_t i = 0; i < kFlags.size(); ++i)
    command.add_option(kFlags.at(i).flag, may_.at(i), kFlags.at(i).help)
        ->check(CLI::IsMember({"true", "false"}))
        ->type_name("WORD");
  command.add_option("--description", description_, "For people")->type_name("TEXT");
}

std::vector<std::string> TypeCommands::Apply(const CLI::App& command,
                                             proto::PartnerType& type) const {
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < kFlags.size(); ++i) {
    if (command.count(kFlags.at(i).flag) == 0) continue;
    (type.*kFlags.at(i).set)(may_.at(i) == "true");
    fields.emplace_back(kFlags.at(i).field);
  }
  if (command.count("--description") > 0) {
    type.set_description(description_);
    fields.emplace_back("description");
  }
  return fields;
}

TypeCommands::TypeCommands(CLI::App& partner, Invocation& invocation) {
  CLI::App* type = partner.add_subcommand(
      "type", "What contacts of a partner may do: three types are there always, more are yours");
  type->require_subcommand(1);
  type->add_subcommand("list", "All types, what each allows, and how many partners have it")
      ->callback([&invocation] {
        invocation.action = Action::kAsk;
        invocation.request.mutable_partner_type_list();
      });
  CLI::App* create =
      type->add_subcommand("new", "Adds a type, which allows nothing where not said otherwise");
  AddName(*create);
  AddValues(*create);
  AddWriteOptions(*create, invocation);
  create->callback([this, create, &invocation] {
    invocation.action = Action::kAsk;
    proto::PartnerType& added = *invocation.request.mutable_partner_type_new()->mutable_type();
    added.set_name(name_);
    Apply(*create, added);
  });
  CLI::App* set = type->add_subcommand("set", "Changes what is given, live, for all its partners");
  AddName(*set);
  AddValues(*set);
  AddWriteOptions(*set, invocation);
  set->callback([this, set, &invocation] {
    invocation.action = Action::kAsk;
    proto::PartnerTypeSet& command = *invocation.request.mutable_partner_type_set();
    command.set_name(name_);
    for (std::string& field : Apply(*set, *command.mutable_type()))
      command.add_fields(std::move(field));
    if (command.fields().empty())
      invocation.misuse =
          "nothing to set is given; give at least one flag such as --sees-note true";
  });
  CLI::App* remove = type->add_subcommand("remove", "Takes out a type that no partner has");
  AddName(*remove);
  AddWriteOptions(*remove, invocation);
  remove->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_partner_type_remove()->set_name(name_);
  });
}

}  // namespace gatehouse::ctl
