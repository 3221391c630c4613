#include "core/ctl/lync_mapping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

#include "core/address/ascii.h"
#include "core/base/one_line.h"
#include "core/base/utf8_check.h"
#include "core/policy/partner_type.h"
#include "core/policy/partner_words.h"

namespace gatehouse::ctl {
namespace {

using Names = std::span<const std::string_view>;

// What every object of the configuration store carries, and remoting adds.
constexpr std::array<std::string_view, 12> kPlumbing = {"Identity",
                                                        "Anchor",
                                                        "Key",
                                                        "ScopeClass",
                                                        "TypedIdentity",
                                                        "Element",
                                                        "XsAnyElements",
                                                        "XsAnyAttributes",
                                                        "Priority",
                                                        "PSComputerName",
                                                        "PSShowComputerName",
                                                        "RunspaceId"};
constexpr std::array<std::string_view, 10> kPartnerNames = {
    "Domain",          "AdditionalDomains", "PartnerType",
    "TlsNegotiation",  "SaslNegotiation",   "SupportDialbackNegotiation",
    "ConnectionLimit", "EnableKeepAlive",   "ProxyFqdn",
    "Description"};
constexpr std::array<std::string_view, 8> kGatewayNames = {"ConnectionLimit",
                                                           "PartnerConnectionLimit",
                                                           "KeepAliveInterval",
                                                           "StreamEstablishmentTimeout",
                                                           "StreamInactivityTimeout",
                                                           "SubscriptionRefreshInterval",
                                                           "EnableLoggingAllMessageBodies",
                                                           "DialbackPassphrase"};
constexpr std::array<std::string_view, 2> kPolicyNames = {"EnableXmppAccess", "Description"};
// Names a record may lack without a word: the domain stands in Identity too, and nobody asks to be
// told of a secret that is not taken.
constexpr std::array<std::string_view, 2> kMayLack = {"Domain", "DialbackPassphrase"};

constexpr std::array<std::string_view, 5> kOfPartnersOnly = {"TlsNegotiation", "SaslNegotiation",
                                                             "SupportDialbackNegotiation",
                                                             "PartnerType", "AdditionalDomains"};
constexpr std::array<std::string_view, 3> kOfGatewaysOnly = {
    "StreamEstablishmentTimeout", "StreamInactivityTimeout", "SubscriptionRefreshInterval"};

bool Contains(Names names, std::string_view name) {
  const NameLess less;
  return std::ranges::any_of(
      names, [&](std::string_view one) { return !less(one, name) && !less(name, one); });
}

// Reads one object's values; the first that cannot be read is why the record is refused.
class Values {
 public:
  Values(const LyncObject& object, proto::ImportRecord& record)
      : object_(object), record_(record) {}

  [[nodiscard]] bool Has(std::string_view name) const { return !object_.Text(name).empty(); }
  [[nodiscard]] std::string Text(std::string_view name) const { return object_.Text(name); }
  // Wrapped by the shell a name may have got blanks.
  [[nodiscard]] std::string Name(std::string_view name) const {
    std::string text = object_.Text(name);
    const LyncValue* value = object_.Find(name);
    if (value != nullptr && value->wrapped) std::erase(text, ' ');
    return text;
  }

  // As much of it as a description may be here.
  std::string Description() {
    const std::string text = Text("Description");
    std::string line = OneLine(text);
    if (line != text) Note("Description has line ends or other controls; blanks stand for them");
    if (line.size() <= kMaxDescriptionBytes) return line;
    Note(fmt::format("Description has {} octets; it is cut to the {} that are possible",
                     line.size(), kMaxDescriptionBytes));
    line.resize(BeginningOf(line, kMaxDescriptionBytes).size());
    return line;
  }

  std::optional<bool> Bool(std::string_view name) {
    const std::string word = ascii::Lower(Name(name));
    if (word.empty()) return std::nullopt;
    if (word == "true" || word == "1") return true;
    if (word == "false" || word == "0") return false;
    Refuse(fmt::format("{} '{}' is neither True nor False; write True or False", name, Text(name)));
    return std::nullopt;
  }

  std::optional<std::uint32_t> Number(std::string_view name) {
    const std::string text = Name(name);
    if (text.empty()) return std::nullopt;
    std::uint32_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code == std::errc() && end == text.data() + text.size()) return number;
    Refuse(fmt::format("{} '{}' is not a number from 0 to {}; write one, or leave it out", name,
                       text, std::numeric_limits<std::uint32_t>::max()));
    return std::nullopt;
  }

  // A number is none of `words`: which one it stands for would be a guess about trust.
  std::optional<std::size_t> Word(std::string_view name, Names words) {
    const std::string text = Name(name);
    if (text.empty()) return std::nullopt;
    for (std::size_t i = 0; i < words.size(); ++i)
      if (ascii::Lower(text) == ascii::Lower(words[i])) return i;
    if (text.find_first_not_of("0123456789") == std::string::npos)
      Refuse(
          fmt::format("{} is the number {}, and no word; write it with Export-Clixml, which has "
                      "the word (ConvertTo-Json of PowerShell 5.1 cannot write it; that of 7 can, "
                      "with -EnumsAsStrings)",
                      name, text));
    Refuse(fmt::format("{} '{}' is none of {}; write one of these", name, text,
                       fmt::join(words, ", ")));
    return std::nullopt;
  }

  // Domains: none has a blank, so where the shell has wrapped or joined them, these part them.
  std::vector<std::string> Domains(std::string_view name) {
    const LyncValue* value = object_.Find(name);
    if (value == nullptr) return {};
    if (value->cut)
      Refuse(
          fmt::format("{} ends in '...': the shell has left out the rest; set "
                      "$FormatEnumerationLimit = -1 and write it again, or use Export-Clixml",
                      name));
    std::vector<std::string> domains;
    for (const std::string& item : value->items) {
      if (item.starts_with("System.Collections.") || item.starts_with("Microsoft.")) {
        Refuse(fmt::format("{} is not in this export, only its type; use Export-Clixml", name));
        return {};
      }
      std::size_t at = 0;
      while ((at = item.find_first_not_of(" ,;", at)) != std::string::npos) {
        const std::size_t end = std::min(item.find_first_of(" ,;", at), item.size());
        domains.push_back(item.substr(at, end - at));
        at = end;
      }
    }
    return domains;
  }

  // Lync writes every property, if with nothing behind it: one that is not there was lost on the
  // way. `then`: what holds here in its place.
  void NoteTheMissing(Names known, std::string_view then, std::string_view cmdlet) {
    std::vector<std::string_view> missing;
    for (const std::string_view name : known)
      if (object_.Find(name) == nullptr && !Contains(kMayLack, name)) missing.push_back(name);
    if (!missing.empty())
      Note(
          fmt::format("warning: {} {} not in this record, so {}; write it whole, with {} | "
                      "Export-Clixml FILE",
                      fmt::join(missing, ", "), missing.size() == 1 ? "is" : "are", then, cmdlet));
  }

  void NoteTheRest(Names known) {
    std::vector<std::string> rest;
    for (const auto& [name, value] : object_.values) {
      const std::string text = ascii::Lower(value.Text());
      const bool says_something = !text.empty() && text != "false";
      if (says_something && !Contains(known, name) && !Contains(kPlumbing, name))
        rest.push_back(name);
    }
    if (!rest.empty())
      Note(fmt::format("Lync's {} {} no counterpart here and {} left out", fmt::join(rest, ", "),
                       rest.size() == 1 ? "has" : "have", rest.size() == 1 ? "is" : "are"));
  }

  void Note(std::string note) { record_.add_notes(std::move(note)); }
  void Refuse(std::string why) {
    if (record_.refused().empty()) record_.set_refused(std::move(why));
  }

 private:
  const LyncObject& object_;
  proto::ImportRecord& record_;
};

constexpr std::array<std::string_view, 3> kTypeWords = {"Federated", "PublicVerified",
                                                        "PublicUnverified"};
constexpr std::array kTypes = {kFederated, kPublicVerified, kPublicUnverified};
constexpr std::array<std::string_view, 3> kLevelWords = {"Required", "Optional", "NotSupported"};
constexpr std::array kLevels = {proto::REQUIRED, proto::OPTIONAL, proto::NOT_SUPPORTED};

void ReadPartner(Values& values, proto::Partner& partner) {
  partner = DefaultPartner();
  partner.set_domain(values.Has("Domain") ? values.Name("Domain") : values.Name("Identity"));
  if (partner.domain().empty())
    values.Refuse("it has neither Domain nor Identity; name its domain in one of them");
  for (std::string& domain : values.Domains("AdditionalDomains"))
    if (domain != partner.domain()) partner.add_additional_domains(std::move(domain));
  if (const auto word = values.Word("PartnerType", kTypeWords)) partner.set_type(kTypes[*word]);
  if (const auto word = values.Word("TlsNegotiation", kLevelWords)) partner.set_tls(kLevels[*word]);
  if (const auto word = values.Word("SaslNegotiation", kLevelWords))
    partner.set_sasl(kLevels[*word]);
  if (const auto on = values.Bool("SupportDialbackNegotiation")) partner.set_dialback(*on);
  if (const auto on = values.Bool("EnableKeepAlive")) partner.set_keep_alive(*on);
  if (const auto limit = values.Number("ConnectionLimit")) partner.set_connection_limit(*limit);
  partner.set_proxy(values.Name("ProxyFqdn"));
  partner.set_description(values.Description());
  values.NoteTheMissing(kPartnerNames, "what a new partner has holds here",
                        "Get-CsXmppAllowedPartner");
  values.NoteTheRest(kPartnerNames);
}

void ReadGateway(Values& values, proto::GatewaySet& gateway) {
  struct Row {
    std::string_view name;
    const char* field;
  };
  constexpr std::array kRows = {
      Row{"ConnectionLimit", "connection_limit"},
      Row{"PartnerConnectionLimit", "partner_connection_limit"},
      Row{"KeepAliveInterval", "keep_alive_interval_s"},
      Row{"StreamEstablishmentTimeout", "stream_establishment_timeout_s"},
      Row{"StreamInactivityTimeout", "stream_inactivity_timeout_s"},
      Row{"SubscriptionRefreshInterval", "subscription_refresh_interval_s"}};
  proto::GatewaySettings& settings = *gateway.mutable_settings();
  for (const Row& row : kRows) {
    const auto number = values.Number(row.name);
    if (!number) continue;
    const auto* field = settings.GetDescriptor()->FindFieldByName(row.field);
    settings.GetReflection()->SetUInt32(&settings, field, *number);
    gateway.add_fields(row.field);
  }
  if (values.Bool("EnableLoggingAllMessageBodies").value_or(false))
    values.Note("EnableLoggingAllMessageBodies is left out: message texts reach no log here");
  if (values.Has("DialbackPassphrase"))
    values.Note(
        "DialbackPassphrase is left out: give it with gatehousectl gateway set "
        "--dialback-passphrase-file");
  values.NoteTheMissing(kGatewayNames, "what was set here stays", "Get-CsXmppGatewayConfiguration");
  values.NoteTheRest(kGatewayNames);
}

void ReadPolicy(Values& values, proto::AccessPolicy& policy) {
  policy.set_name(values.Text("Identity"));
  if (policy.name().empty()) values.Refuse("it has no Identity; name the policy there");
  policy.set_xmpp_access(values.Bool("EnableXmppAccess").value_or(false));
  policy.set_description(values.Description());
  if (ascii::Lower(policy.name()) != "global")
    values.Note("whom it is granted to is not in Lync's export; see gatehousectl policy grant");
  values.NoteTheMissing(Names(kPolicyNames).first(1), "the policy gives no XMPP access here",
                        "Get-CsExternalAccessPolicy");
  values.NoteTheRest(kPolicyNames);
}

}  // namespace

proto::ImportRecord RecordOfLync(const LyncObject& object, const std::string& from) {
  proto::ImportRecord record;
  record.set_from(from);
  Values values(object, record);
  // By the type where the format tells, else by a property that no other kind has.
  const auto is = [&](std::string_view type, Names properties) {
    return object.type.find(type) != std::string::npos ||
           std::ranges::any_of(properties, [&object](std::string_view name) {
             return object.Find(name) != nullptr;
           });
  };
  if (is("XmppAllowedPartner", kOfPartnersOnly))
    ReadPartner(values, *record.mutable_partner());
  else if (is("XmppGateway", kOfGatewaysOnly))
    ReadGateway(values, *record.mutable_gateway());
  else if (is("ExternalAccessPolicy", Names(kPolicyNames).first(1)))
    ReadPolicy(values, *record.mutable_policy());
  else
    values.Refuse(
        "it is of none of Get-CsXmppAllowedPartner, Get-CsXmppGatewayConfiguration and "
        "Get-CsExternalAccessPolicy; leave it out of the file");
  return record;
}

}  // namespace gatehouse::ctl
