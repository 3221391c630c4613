#include "core/ctl/gateway_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <vector>

#include "core/ctl/number_check.h"
#include "core/ctl/write_options.h"
#include "core/policy/partner_words.h"

namespace gatehouse::ctl {
namespace {

struct NumberFlag {
  const char* flag;
  const char* field;
  const char* unit;
  const char* help;
};
// `words` are all that `set` is given.
struct WordFlag {
  const char* flag;
  const char* field;
  std::vector<std::string> words;
  void (*set)(proto::GatewaySettings& settings, const std::string& word);
  const char* help;
};

// clang-format off
constexpr std::array kNumbers = {
    NumberFlag{"--connection-limit", "connection_limit", "N", "Most XMPP connections of all partners"},
    NumberFlag{"--partner-connection-limit", "partner_connection_limit", "N", "Most of one partner that has no limit of its own"},
    NumberFlag{"--keep-alive-interval", "keep_alive_interval_s", "S", "Seconds of silence before a stream is probed"},
    NumberFlag{"--stream-establishment-timeout", "stream_establishment_timeout_s", "S", "Seconds from connection to verified domain"},
    NumberFlag{"--stream-inactivity-timeout", "stream_inactivity_timeout_s", "S", "Seconds without a stanza before a stream is closed"},
    NumberFlag{"--subscription-refresh-interval", "subscription_refresh_interval_s", "S", "Seconds between SIP subscription refreshes, 60 or more"},
    NumberFlag{"--authorisation-ttl", "authorisation_ttl_s", "S", "Seconds without a SUBSCRIBE after which a SIP user's contact is forgotten"},
    NumberFlag{"--synthetic-interval", "synthetic_interval_s", "S", "Seconds after which each partner is tried with a stream of its own, unless one is open; 0: never"},
};
// clang-format on

std::vector<WordFlag> WordFlags() {
  return {
      WordFlag{"--log-message-bodies",
               "log_message_bodies",
               {"true", "false"},
               [](proto::GatewaySettings& settings, const std::string& word) {
                 settings.set_log_message_bodies(word == "true");
               },
               "false: message texts reach no log; true is refused, nothing here logs them"},
      WordFlag{"--dialback-disabled-reply",
               "dialback_disabled_reply",
               {"error-once", "silent"},
               [](proto::GatewaySettings& settings, const std::string& word) {
                 settings.set_dialback_disabled_reply(word == "silent" ? proto::SILENT
                                                                       : proto::ERROR_ONCE);
               },
               "To a partner's key where dialback is off: an error, or nothing at all"},
      WordFlag{"--one-stream-per-pair",
               "one_stream_per_pair",
               {"true", "false"},
               [](proto::GatewaySettings& settings, const std::string& word) {
                 settings.set_one_stream_per_pair(word == "true");
               },
               "true: a second stream of the same two domains is ended with a conflict"},
      WordFlag{
          "--unverified-outbound-im",
          "unverified_outbound_im",
          {"deny", "allow", "false", "true"},
          [](proto::GatewaySettings& settings, const std::string& word) {
            settings.set_unverified_outbound_im(word == "allow" || word == "true");
          },
          "allow: users may write to contacts of public-unverified partners whom they have not "
          "added; the replies stay refused"},
      WordFlag{"--federation",
               "federation",
               {"on", "off", "inbound-only", "outbound-only"},
               [](proto::GatewaySettings& settings, const std::string& word) {
                 settings.set_federation(
                     ParseFederation(word).value_or(proto::GatewaySettings::OFF));
               },
               "Whether XMPP goes both ways, not at all (every stream ends), or one way only: what "
               "partners' users send, or what ours do; with outbound-only the answers to our "
               "subscribes and messages do not come in"},
      WordFlag{
          "--discover",
          "discover",
          {"true", "false"},
          [](proto::GatewaySettings& settings, const std::string& word) {
            settings.set_discover(word == "true");
          },
          "true: unlisted domains that knock are kept for partner discovered; they are refused "
          "all the same"},
  };
}

void SetNumber(proto::GatewaySettings& settings, const char* field, std::uint32_t value) {
  settings.GetReflection()->SetUInt32(&settings, settings.GetDescriptor()->FindFieldByName(field),
                                      value);
}

// The flag, and the field's name in a file as another one where that differs: it has the unit.
std::string WithKey(const std::string& flag, std::string field) {
  std::ranges::replace(field, '_', '-');
  return flag.ends_with(field) ? flag : flag + ",--" + field;
}

}  // namespace

void GatewayCommands::AddSet(CLI::App& parent, Invocation& invocation) {
  CLI::App* command = parent.add_subcommand("set", "Changes what is given, live");
  proto::GatewaySet& set = *set_.mutable_gateway_set();
  for (const NumberFlag& row : kNumbers)
    command
        ->add_option_function<std::uint32_t>(
            WithKey(row.flag, row.field),
            [&set, row](const std::uint32_t& value) {
              SetNumber(*set.mutable_settings(), row.field, value);
              set.add_fields(row.field);
            },
            row.help)
        ->type_name(row.unit)
        ->check(NumberCheck());
  for (const WordFlag& row : WordFlags())
    command
        ->add_option_function<std::string>(
            row.flag,
            [&set, row](const std::string& word) {
              row.set(*set.mutable_settings(), word);
              set.add_fields(row.field);
            },
            row.help)
        ->check(CLI::IsMember(row.words))
        ->type_name("WORD");
  command
      ->add_option("--dialback-passphrase-file", passphrase_file_,
                   "File with the new dialback secret; its last line end does not count")
      ->type_name("FILE");
  AddWriteOptions(*command, invocation);
  command->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.passphrase_file = passphrase_file_;
    if (!set_.gateway_set().fields().empty())
      invocation.request = set_;
    else if (passphrase_file_.empty())
      invocation.misuse = "nothing to set is given; give at least one flag";
  });
}

GatewayCommands::GatewayCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* gateway = app.add_subcommand("gateway", "Settings that hold for all partners");
  gateway->require_subcommand(1);
  gateway->add_subcommand("get", "All settings")->callback([&invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_gateway_get();
  });
  AddSet(*gateway, invocation);
}

}  // namespace gatehouse::ctl
