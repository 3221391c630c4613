#include "core/ctl/contact_commands.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <limits>
#include <sstream>

#include "core/config/yaml_reader.h"
#include "core/ctl/apply_data.h"
#include "core/ctl/write_options.h"

namespace gatehouse::ctl {

std::string ReadContacts(const std::string& file, proto::ContactChange& change) {
  const Result<std::string> text = ReadTextFile(file, kMaxDataFileBytes);
  if (!text) return text.error().text;
  std::istringstream stream(*text);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    std::istringstream words(line);
    std::string user;
    std::string contact;
    std::string more;
    words >> user >> contact >> more;
    if (user.empty() || user.starts_with('#')) continue;
    if (contact.empty() || !more.empty())
      return fmt::format(
          "{}:{}: write a user and a contact, such as sip:ann@contoso.example "
          "romeo@partner.example",
          file, number);
    proto::ContactName& name = *change.add_contacts();
    name.set_sip_user(user);
    name.set_contact(contact);
  }
  if (change.contacts().empty())
    return fmt::format("{}: names no contact; write a line \"USER JID\" for each", file);
  return {};
}

void ContactCommands::AddList(CLI::App& parent, Invocation& invocation) {
  CLI::App* command = parent.add_subcommand("list", "Who has authorised whom, and until when");
  command->add_option("USER", user_, "One of our users, such as sip:ann@contoso.example");
  command->add_option("--contact", contact_, "Only this XMPP contact")->type_name("JID");
  command->add_flag("--ended", ended_,
                    "Also those that have ended: they authorise nobody, but count among those a "
                    "partner may have until they are taken away");
  command->add_option("--limit", limit_, "Most contacts to show")
      ->type_name("N")
      ->check(CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()))
      ->capture_default_str();
  command->add_option("--after", after_, "Goes on where the last list said so")->type_name("PLACE");
  command->callback([this, &invocation] {
    invocation.action = Action::kListContacts;
    proto::ContactList& list = *invocation.request.mutable_contact_list();
    list.set_sip_user(user_);
    list.set_contact(contact_);
    list.set_after(after_);
    list.set_limit(limit_);
    list.set_ended(ended_);
  });
}

void ContactCommands::AddChange(CLI::App& parent, Invocation& invocation,
                                proto::ContactChange::Verb verb, const std::string& help) {
  std::string word = proto::ContactChange::Verb_Name(verb);
  for (char& c : word) c = static_cast<char>(c - 'A' + 'a');
  CLI::App* command = parent.add_subcommand(word, help);
  command->add_option("USER", user_, "One of our users, such as sip:ann@contoso.example");
  command->add_option("JID", contact_, "An XMPP contact, such as romeo@partner.example");
  command
      ->add_option("--file", file_,
                   "Many at once, a line \"USER JID\" each: all of them, or none if one is refused")
      ->type_name("FILE");
  AddWriteOptions(*command, invocation);
  command->callback([this, &invocation, verb] {
    invocation.action = Action::kAsk;
    proto::ContactChange& change = *invocation.request.mutable_contact_change();
    change.set_verb(verb);
    if (file_.empty() == contact_.empty() || user_.empty() == file_.empty()) {
      invocation.misuse = "give either USER and JID or --file FILE";
    } else if (!file_.empty()) {
      invocation.misuse = ReadContacts(file_, change);
    } else {
      proto::ContactName& name = *change.add_contacts();
      name.set_sip_user(user_);
      name.set_contact(contact_);
    }
  });
}

ContactCommands::ContactCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* contact =
      app.add_subcommand("contact", "The XMPP contacts that SIP users have authorised");
  contact->require_subcommand(1);
  AddList(*contact, invocation);
  AddChange(*contact, invocation, proto::ContactChange::ALLOW,
            "Authorises a contact as a SUBSCRIBE of the user would, live");
  AddChange(*contact, invocation, proto::ContactChange::BLOCK,
            "Refuses a contact whatever the user does, live");
  AddChange(*contact, invocation, proto::ContactChange::FORGET,
            "Takes a contact or its block away, live");
}

}  // namespace gatehouse::ctl
