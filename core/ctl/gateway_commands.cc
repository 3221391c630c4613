#include "core/ctl/gateway_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>

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
// clang-format off
constexpr std::array kNumbers = {
    NumberFlag{"--connection-limit", "connection_limit", "N", "Most XMPP connections of all partners"},
    NumberFlag{"--partner-connection-limit", "partner_connection_limit", "N", "Most of one partner that has no limit of its own"},
    NumberFlag{"--keep-alive-interval", "keep_alive_interval_s", "S", "Seconds of silence before a stream is probed"},
    NumberFlag{"--stream-establishment-timeout", "stream_establishment_timeout_s", "S", "Seconds from connection to verified domain"},
    NumberFlag{"--stream-inactivity-timeout", "stream_inactivity_timeout_s", "S", "Seconds without a stanza before a stream is closed"},
    NumberFlag{"--subscription-refresh-interval", "subscription_refresh_interval_s", "S", "Seconds between SIP subscription refreshes"},
    NumberFlag{"--authorisation-ttl", "authorisation_ttl_s", "S", "Seconds without a SUBSCRIBE after which a SIP user's contact is forgotten"},
};
// clang-format on

void SetNumber(proto::GatewaySettings& settings, const char* field, std::uint32_t value) {
  settings.GetReflection()->SetUInt32(&settings, settings.GetDescriptor()->FindFieldByName(field),
                                      value);
}

}  // namespace

void GatewayCommands::AddSet(CLI::App& parent, Invocation& invocation) {
  CLI::App* command = parent.add_subcommand("set", "Changes what is given, live");
  proto::GatewaySet& set = *set_.mutable_gateway_set();
  for (const NumberFlag& row : kNumbers)
    command
        ->add_option_function<std::uint32_t>(
            row.flag,
            [&set, row](const std::uint32_t& value) {
              SetNumber(*set.mutable_settings(), row.field, value);
              set.add_fields(row.field);
            },
            row.help)
        ->type_name(row.unit)
        ->check(NumberCheck());
  command
      ->add_option_function<std::string>(
          "--log-message-bodies",
          [&set](const std::string& value) {
            set.mutable_settings()->set_log_message_bodies(value == "true");
            set.add_fields("log_message_bodies");
          },
          "false: message texts reach no log; true is refused, nothing here logs them")
      ->check(CLI::IsMember({"true", "false"}))
      ->type_name("WORD");
  command
      ->add_option_function<std::string>(
          "--dialback-disabled-reply",
          [&set](const std::string& value) {
            set.mutable_settings()->set_dialback_disabled_reply(
                value == "silent" ? proto::SILENT : proto::ERROR_ONCE);
            set.add_fields("dialback_disabled_reply");
          },
          "To a partner's key where dialback is off: an error, or nothing at all")
      ->check(CLI::IsMember({"error-once", "silent"}))
      ->type_name("WORD");
  command
      ->add_option_function<std::string>(
          "--one-stream-per-pair",
          [&set](const std::string& value) {
            set.mutable_settings()->set_one_stream_per_pair(value == "true");
            set.add_fields("one_stream_per_pair");
          },
          "true: a second stream of the same two domains is ended with a conflict")
      ->check(CLI::IsMember({"true", "false"}))
      ->type_name("WORD");
  command
      ->add_option_function<std::string>(
          "--unverified-outbound-im",
          [&set](const std::string& value) {
            set.mutable_settings()->set_unverified_outbound_im(value == "allow");
            set.add_fields("unverified_outbound_im");
          },
          "allow: users may write to contacts of public-unverified partners whom they have not "
          "added; the replies stay refused")
      ->check(CLI::IsMember({"deny", "allow"}))
      ->type_name("WORD");
  command
      ->add_option_function<std::string>(
          "--federation",
          [&set](const std::string& value) {
            set.mutable_settings()->set_federation(
                ParseFederation(value).value_or(proto::GatewaySettings::OFF));
            set.add_fields("federation");
          },
          "Whether XMPP goes both ways, not at all (every stream ends), or one way only: what "
          "partners' users send, or what ours do; with outbound-only the answers to our subscribes "
          "and messages do not come in")
      ->check(CLI::IsMember({"on", "off", "inbound-only", "outbound-only"}))
      ->type_name("WORD");
  command
      ->add_option_function<std::string>(
          "--discover",
          [&set](const std::string& value) {
            set.mutable_settings()->set_discover(value == "true");
            set.add_fields("discover");
          },
          "true: unlisted domains that knock are kept for partner discovered; they are refused all "
          "the same")
      ->check(CLI::IsMember({"true", "false"}))
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
