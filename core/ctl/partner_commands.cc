#include "core/ctl/partner_commands.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>

#include "core/base/text_encoding.h"
#include "core/base/time_word.h"
#include "core/ctl/comma_list.h"
#include "core/ctl/number_check.h"
#include "core/ctl/write_options.h"
#include "core/policy/partner_words.h"
#include "core/tls/trust_anchors.h"

namespace gatehouse::ctl {
namespace {

const std::vector<std::string> kLevelChoices = {"required", "optional", "not-supported"};
const std::vector<std::string> kBools = {"true", "false"};
const std::vector<std::string> kDane = {"off", "report", "enforce"};

void AddWord(CLI::App& command, const std::string& flag, std::string& into,
             const std::vector<std::string>& words, const std::string& help) {
  command.add_option(flag, into, help)->check(CLI::IsMember(words))->type_name("WORD");
}

void AddDomain(CLI::App& command, std::string& into) {
  command.add_option("DOMAIN", into, "The partner's domain")->required();
}

// For CLI11: puts the file's text in place of its name and gives what went wrong. An empty name
// stays.
std::string ReadInPlace(std::string& file) {
  if (file.empty()) return {};
  std::ifstream stream(file, std::ios::binary);
  std::string text(kMaxAnchorsBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.empty()) return "'" + file + "' is empty or cannot be read; name a file in PEM";
  if (text.size() > kMaxAnchorsBytes)
    return fmt::format("'{}' has more than {} octets; name one with what certifies this partner",
                       file, kMaxAnchorsBytes);
  Result<std::string, NoText> pem = DecodeText(text);
  if (!pem)
    return fmt::format("{}:{}: {}; name a file in PEM", file, pem.error().line, pem.error().what);
  file = *std::move(pem);
  return {};
}

// For CLI11: puts the Unix time in place of the word for it, and gives what went wrong.
std::string TimeInPlace(std::string& text) {
  const std::optional<std::uint64_t> unix_s = ParseTimeWord(text);
  if (!unix_s) return fmt::format("'{}' is no time; write {}", text, kTimeWords);
  text = std::to_string(*unix_s);
  return {};
}

// The check has let no other word pass.
proto::Negotiation Level(const std::string& word) {
  return ParseNegotiation(word).value_or(proto::REQUIRED);
}

}  // namespace

void PartnerCommands::AddRow(CLI::App& command) {
  AddWord(command, "--tls", values_.tls, kLevelChoices, "TLS on streams with the partner");
  AddWord(command, "--sasl", values_.sasl, kLevelChoices, "SASL EXTERNAL by certificate");
  AddWord(command, "--dialback", values_.dialback, kBools, "Server dialback");
  AddWord(command, "--strict-sasl", values_.strict_sasl, kBools,
          "true: dialback does not stand in for SASL where that is required");
}

void PartnerCommands::AddValues(CLI::App& command) {
  command
      .add_option("--additional-domains", values_.additional_domains,
                  "More domains of the same partner; subdomains are not implied: "
                  "'*.partner.example' is all of them")
      ->type_name("A,B");
  command
      .add_option("--type", values_.type,
                  "What its contacts may do: federated, public-verified, public-unverified, or one "
                  "of partner type list")
      ->type_name("TYPE");
  AddRow(command);
  AddWord(command, "--bidi", values_.bidi, kBools,
          "true: stanzas of both ends may share one stream, inside TLS");
  AddWord(command, "--same-certificate", values_.same_certificate, kBools,
          "true: no key is verified where its server shows the peer's own certificate");
  command
      .add_option("--connection-limit", values_.connection_limit,
                  "Most connections with it; 0: as gateway set says")
      ->type_name("N")
      ->check(NumberCheck());
  AddWord(command, "--keep-alive", values_.keep_alive, kBools, "Probe silent streams");
  command.add_option("--proxy", values_.proxy, "Fixed next hop instead of DNS; empty: by DNS")
      ->type_name("HOST[:PORT]");
  AddWord(command, "--dane", values_.dane, kDane,
          "TLSA records of its signed zone, on our streams: not asked, reported, or decisive");
  command.add_option("--description", values_.description, "For people")->type_name("TEXT");
  AddWord(command, "--enabled", values_.enabled, kBools, "false: listed, but not let in");
  command
      .add_option(
          "--expires", values_.expires,
          "From this time on as if not enabled, such as 2027-01-31 or 2027-01-31T18:00Z (UTC), "
          "or 2027-01-31T19:00+01:00; never")
      ->type_name("TIME")
      ->transform(CLI::Validator(&TimeInPlace, ""));
  command.add_flag("--allow-lookalike", allow_lookalike_,
                   "Its domain looks like another one here, or mixes scripts, and that is meant");
  command
      .add_option("--trust,--trust-anchors", values_.trust_anchors,
                  "PEM file: only what it certifies proves this partner; empty: as gatehouse.yaml "
                  "says")
      ->type_name("FILE")
      ->transform(CLI::Validator(&ReadInPlace, ""));
}

std::vector<std::string> PartnerCommands::Apply(const CLI::App& command,
                                                proto::Partner& partner) const {
  struct Row {
    const char* flag;
    const char* field;
    std::function<void()> set;
  };
  const std::array rows = {
      Row{"--additional-domains", "additional_domains",
          [&] {
            for (std::string& domain : SplitAtCommas(values_.additional_domains))
              partner.add_additional_domains(std::move(domain));
          }},
      Row{"--type", "type", [&] { partner.set_type(values_.type); }},
      Row{"--tls", "tls", [&] { partner.set_tls(Level(values_.tls)); }},
      Row{"--sasl", "sasl", [&] { partner.set_sasl(Level(values_.sasl)); }},
      Row{"--dialback", "dialback", [&] { partner.set_dialback(values_.dialback == "true"); }},
      Row{"--strict-sasl", "strict_sasl",
          [&] { partner.set_strict_sasl(values_.strict_sasl == "true"); }},
      Row{"--bidi", "bidi", [&] { partner.set_bidi(values_.bidi == "true"); }},
      Row{"--same-certificate", "same_certificate",
          [&] { partner.set_same_certificate(values_.same_certificate == "true"); }},
      Row{"--connection-limit", "connection_limit",
          [&] { partner.set_connection_limit(values_.connection_limit); }},
      Row{"--keep-alive", "keep_alive",
          [&] { partner.set_keep_alive(values_.keep_alive == "true"); }},
      Row{"--proxy", "proxy", [&] { partner.set_proxy(values_.proxy); }},
      Row{"--dane", "dane", [&] { partner.set_dane(*ParseDane(values_.dane)); }},
      Row{"--description", "description", [&] { partner.set_description(values_.description); }},
      Row{"--trust", "trust_anchors", [&] { partner.set_trust_anchors(values_.trust_anchors); }},
      Row{"--expires", "expires_unix",
          [&] { partner.set_expires_unix(std::strtoull(values_.expires.c_str(), nullptr, 10)); }},
      Row{"--enabled", "enabled", [&] { partner.set_enabled(values_.enabled == "true"); }},
  };
  std::vector<std::string> fields;
  for (const Row& row : rows) {
    const CLI::Option* option = command.get_option_no_throw(row.flag);
    if (option == nullptr || option->count() == 0) continue;
    row.set();
    fields.emplace_back(row.field);
  }
  return fields;
}

void PartnerCommands::AddNew(CLI::App& parent, Invocation& invocation) {
  CLI::App* command = parent.add_subcommand(
      "new",
      "Adds a partner (public-unverified, TLS and SASL required, dialback and keep-alive on, "
      "DANE reported, where not said otherwise)");
  AddDomain(*command, domain_);
  AddValues(*command);
  AddWriteOptions(*command, invocation);
  command->callback([this, command, &invocation] {
    invocation.action = Action::kAsk;
    FillNew(*command, *invocation.request.mutable_partner_new());
  });
}

void PartnerCommands::FillNew(const CLI::App& command, proto::PartnerNew& request) const {
  request.set_allow_lookalike(allow_lookalike_);
  proto::Partner& partner = *request.mutable_partner();
  partner = DefaultPartner();
  partner.set_domain(domain_);
  Apply(command, partner);
}

void PartnerCommands::AddSet(CLI::App& parent, Invocation& invocation) {
  CLI::App* command = parent.add_subcommand("set", "Changes what is given, live");
  AddDomain(*command, domain_);
  AddValues(*command);
  AddWriteOptions(*command, invocation);
  command->callback([this, command, &invocation] {
    invocation.action = Action::kAsk;
    proto::PartnerSet& set = *invocation.request.mutable_partner_set();
    set.set_domain(domain_);
    set.set_allow_lookalike(allow_lookalike_);
    for (std::string& field : Apply(*command, *set.mutable_partner()))
      set.add_fields(std::move(field));
    if (set.fields().empty())
      invocation.misuse = "nothing to set is given; give at least one flag such as --tls required";
  });
}

void PartnerCommands::AddReading(CLI::App& parent, Invocation& invocation) {
  CLI::App* get = parent.add_subcommand("get", "One partner with all its settings");
  AddDomain(*get, domain_);
  get->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_partner_get()->set_domain(domain_);
  });
  parent.add_subcommand("list", "All partners")->callback([&invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_partner_list();
  });
  CLI::App* forget = parent.add_subcommand(
      "forget-tls",
      "Forgets that TLS with a partner has succeeded: where TLS is optional, streams in clear are "
      "possible again");
  AddDomain(*forget, domain_);
  AddWriteOptions(*forget, invocation);
  forget->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_partner_forget_tls()->set_domain(domain_);
  });
  CLI::App* remove = parent.add_subcommand("remove", "Takes a partner out, live");
  AddDomain(*remove, domain_);
  AddWriteOptions(*remove, invocation);
  remove->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_partner_remove()->set_domain(domain_);
  });
}

void PartnerCommands::AddStrangers(CLI::App& parent, Invocation& invocation) {
  const auto add = [&](const char* name, const char* help, auto fill) {
    CLI::App* command = parent.add_subcommand(name, help);
    command->add_option("DOMAIN", domain_, "A domain, or '*.bad.example' for all below one")
        ->required();
    AddWriteOptions(*command, invocation);
    command->callback([this, fill, &invocation] {
      invocation.action = Action::kAsk;
      fill(invocation.request, domain_);
    });
  };
  add("deny", "Puts a domain on the deny list: it is refused before any partner is looked for",
      [](proto::CtlRequest& r, const std::string& d) { r.mutable_partner_deny()->set_domain(d); });
  add("undeny", "Takes a domain off the deny list", [](proto::CtlRequest& r, const std::string& d) {
    r.mutable_partner_undeny()->set_domain(d);
  });
  add("refuse", "Puts a domain that was discovered on the deny list",
      [](proto::CtlRequest& r, const std::string& d) {
        r.mutable_partner_refuse()->set_domain(d);
      });
  parent.add_subcommand("denied", "The deny list")->callback([&invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_partner_denied();
  });
  parent
      .add_subcommand("discovered",
                      "Unlisted domains that knocked since gateway set --discover true, the last "
                      "first, with their DNS records and certificate")
      ->callback([&invocation] {
        invocation.action = Action::kAsk;
        invocation.request.mutable_partner_discovered();
      });
  CLI::App* accept = parent.add_subcommand(
      "accept", "Adds a domain that was discovered as a partner, with the flags of new");
  AddDomain(*accept, domain_);
  AddValues(*accept);
  AddWriteOptions(*accept, invocation);
  accept->callback([this, accept, &invocation] {
    invocation.action = Action::kAsk;
    FillNew(*accept, *invocation.request.mutable_partner_accept()->mutable_accepted());
  });
}

void PartnerCommands::AddExplain(CLI::App& parent, Invocation& invocation) {
  CLI::App* command = parent.add_subcommand(
      "explain",
      "The methods a partner, or a combination of settings, allows; works offline for "
      "the latter");
  command->add_option("DOMAIN", domain_, "A partner's domain");
  AddRow(*command);
  command->callback([this, command, &invocation] {
    invocation.partner = DefaultPartner();
    const bool by_values = !Apply(*command, invocation.partner).empty();
    if (by_values == !domain_.empty())
      invocation.misuse = "give either a DOMAIN or --tls, --sasl, --dialback and --strict-sasl";
    invocation.action = by_values ? Action::kExplainRow : Action::kAsk;
    if (!by_values) invocation.request.mutable_partner_explain()->set_domain(domain_);
  });
}

PartnerCommands::PartnerCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* partner = app.add_subcommand("partner", "The XMPP domains we federate with");
  partner->require_subcommand(1);
  AddNew(*partner, invocation);
  AddSet(*partner, invocation);
  AddReading(*partner, invocation);
  AddStrangers(*partner, invocation);
  AddExplain(*partner, invocation);
  types_.emplace(*partner, invocation);
}

}  // namespace gatehouse::ctl
