#include "core/ctl/partner_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/ctl/text_table.h"
#include "core/ctl/time_text.h"
#include "core/policy/negotiation.h"
#include "core/policy/partner_words.h"
#include "core/tls/trust_anchors.h"

namespace gatehouse::ctl {
namespace {

const char* TrueFalse(bool value) {
  return value ? "true" : "false";
}

std::string OrDash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string MethodText(std::string_view method) {
  if (method == MethodName(proto::SASL_TLS)) return "SASL EXTERNAL over TLS";
  if (method == MethodName(proto::TLS_DIALBACK)) return "dialback over TLS";
  if (method == MethodName(proto::TCP_DIALBACK)) return "dialback over clear TCP";
  return std::string(method);
}

std::string MethodTexts(const proto::PartnerView& view) {
  std::vector<std::string> texts;
  for (const std::string& method : view.methods()) texts.push_back(MethodText(method));
  return texts.empty() ? "none" : fmt::format("{}", fmt::join(texts, ", "));
}

// "W1 W4" of "W1: ..." and "W4: ...".
std::string Codes(const proto::PartnerView& view) {
  std::vector<std::string> codes;
  for (const std::string& warning : view.warnings())
    codes.push_back(warning.substr(0, warning.find(':')));
  return fmt::format("{}", fmt::join(codes, " "));
}

std::string TrustText(const proto::Partner& partner) {
  if (partner.trust_anchors().empty()) return "as gatehouse.yaml says";
  const auto count = CountAnchors(partner.trust_anchors());
  return count ? fmt::format("own anchors, {}", *count) : count.error().text;
}

std::string Line(std::string_view name, const std::string& value) {
  return fmt::format("{:<19} {}\n", name, Printable(value));
}

// "true", "false", "until 2027-01-31 00:00:00 UTC", "expired".
std::string EnabledText(const proto::PartnerView& view) {
  const proto::Partner& partner = view.partner();
  if (!partner.enabled() || partner.expires_unix() == 0) return TrueFalse(partner.enabled());
  return view.expired() ? "expired" : "until " + SecondText(partner.expires_unix());
}

std::string ExpiryText(const proto::PartnerView& view) {
  if (view.partner().expires_unix() == 0) return "never";
  return SecondText(view.partner().expires_unix()) + (view.expired() ? ", which is past" : "");
}

std::string Sentences(std::string_view title,
                      const google::protobuf::RepeatedPtrField<std::string>& all) {
  std::string text;
  for (const std::string& sentence : all) text += fmt::format("  {}\n", Printable(sentence));
  return text.empty() ? text : fmt::format("{}:\n{}", title, text);
}

std::string StreamsText(const proto::PartnerView& view) {
  if (view.last_streams().empty()) return "last streams:\n  none is known\n";
  TextTable table({"WHEN", "WAY", "DOMAIN", "METHOD", "TLS", "PEER", "WHY NOT"});
  for (const proto::StreamRecord& stream : view.last_streams())
    table.Add({SecondText(stream.at_unix()), stream.outbound() ? "out" : "in",
               stream.remote_domain(), OrDash(stream.method()), OrDash(stream.tls()),
               OrDash(stream.peer()), OrDash(stream.why())});
  return "last streams:\n" + table.ToText();
}

std::string GuardText(const proto::PartnerView& view) {
  if (view.clear_refused_until_unix() == 0) return {};
  return fmt::format(
      "TLS has succeeded: streams of ours in clear are refused until {}; if its server has given "
      "up "
      "TLS, use: gatehousectl partner forget-tls {}\n",
      SecondText(view.clear_refused_until_unix()), Printable(view.partner().domain()));
}

}  // namespace

std::string PartnerListText(const proto::PartnerViews& partners) {
  if (partners.partners().empty())
    return "no partners; add one with: gatehousectl partner new DOMAIN\n";
  TextTable table({"DOMAIN", "TYPE", "TLS", "SASL", "DIALBACK", "ENABLED", "METHODS", "NOTES"});
  for (const proto::PartnerView& view : partners.partners()) {
    const proto::Partner& partner = view.partner();
    table.Add({partner.domain(), partner.type(), std::string(NegotiationWord(partner.tls())),
               std::string(NegotiationWord(partner.sasl())), TrueFalse(partner.dialback()),
               EnabledText(view), fmt::format("{}", fmt::join(view.methods(), ",")), Codes(view)});
  }
  return table.ToText();
}

std::string RowText(const proto::PartnerView& view) {
  const NegotiationRow row = RowOf(view.partner());
  std::string text = Line("row", fmt::format("{} of 18", RowNumber(row))) +
                     Line("tls", std::string(NegotiationWord(view.partner().tls()))) +
                     Line("sasl", std::string(NegotiationWord(view.partner().sasl()))) +
                     Line("dialback", TrueFalse(row.dialback)) +
                     Line("strict sasl", TrueFalse(row.strict_sasl)) +
                     Line("inbound", MethodTexts(view)) + Line("outbound", MethodTexts(view));
  for (const std::string& warning : view.warnings()) text += Printable(warning) + '\n';
  return text;
}

std::string ExplanationText(const proto::PartnerView& view) {
  const bool stored = !view.partner().domain().empty();
  return (stored ? Line("enabled", EnabledText(view)) : std::string()) + RowText(view) +
         Sentences("a stream of theirs", view.inbound()) +
         Sentences("a stream of ours", view.outbound()) + GuardText(view) +
         (stored ? StreamsText(view) : std::string());
}

std::string PartnerText(const proto::PartnerView& view) {
  const proto::Partner& partner = view.partner();
  const std::string limit = partner.connection_limit() == 0
                                ? "as for all partners"
                                : std::to_string(partner.connection_limit());
  return Line("domain", partner.domain()) +
         Line("additional domains",
              OrDash(fmt::format("{}", fmt::join(partner.additional_domains(), ", ")))) +
         Line("type", partner.type()) + RowText(view) +
         Line("one stream both ways", TrueFalse(partner.bidi())) +
         Line("same certificate", TrueFalse(partner.same_certificate())) +
         Line("connection limit", limit) + Line("keep-alive", TrueFalse(partner.keep_alive())) +
         Line("proxy", OrDash(partner.proxy())) +
         Line("dane", std::string(DaneWord(partner.dane()))) +
         Line("description", OrDash(partner.description())) +
         Line("enabled", TrueFalse(partner.enabled())) + Line("expires", ExpiryText(view)) +
         Line("trust", TrustText(partner)) + Line("revision", std::to_string(partner.revision()));
}

std::string StrangersText(const proto::Strangers& strangers) {
  const std::string_view off =
      strangers.off() ? "nobody is discovered, for that is off; switch it on with: gatehousectl "
                        "gateway set --discover true\n"
                      : "";
  if (strangers.strangers().empty()) return off.empty() ? "nobody has knocked\n" : std::string(off);
  std::string text;
  for (const proto::Stranger& stranger : strangers.strangers()) {
    text += Line("domain", stranger.domain()) +
            Line("knocked",
                 fmt::format("{} times, {} to {}", stranger.knocks(),
                             SecondText(stranger.first_unix()), SecondText(stranger.last_unix()))) +
            Line("from", stranger.peer()) + Line("for", stranger.local_domain()) +
            Line("certificate", stranger.certificate().empty() ? "none seen: the knock was in clear"
                                                               : stranger.certificate());
    for (const std::string& record : stranger.dns()) text += Line("dns", record);
    if (stranger.dns().empty()) text += Line("dns", "nothing found");
    text += '\n';
  }
  return text +
         "take one in with: gatehousectl partner accept DOMAIN; deny it with: gatehousectl "
         "partner refuse DOMAIN\n";
}

std::string GatewayText(const proto::GatewaySettings& settings) {
  const auto line = [](std::string_view name, std::uint32_t value, std::string_view unit) {
    return fmt::format("{:<31}{}{}\n", name, value, unit);
  };
  return line("connection limit", settings.connection_limit(), "") +
         line("partner connection limit", settings.partner_connection_limit(), "") +
         line("keep-alive interval", settings.keep_alive_interval_s(), " s") +
         line("stream establishment timeout", settings.stream_establishment_timeout_s(), " s") +
         line("stream inactivity timeout", settings.stream_inactivity_timeout_s(), " s") +
         line("subscription refresh interval", settings.subscription_refresh_interval_s(), " s") +
         line("authorisation time to live", settings.authorisation_ttl_s(), " s") +
         line("synthetic interval", settings.synthetic_interval_s(),
              settings.synthetic_interval_s() == 0 ? " (off)" : " s") +
         fmt::format("{:<31}{}\n", "log message bodies", settings.log_message_bodies()) +
         fmt::format(
             "{:<31}{}\n", "dialback disabled reply",
             settings.dialback_disabled_reply() == proto::SILENT ? "silent" : "error-once") +
         fmt::format("{:<31}{}\n", "one stream per pair", settings.one_stream_per_pair()) +
         fmt::format("{:<31}{}\n", "unverified outbound IM",
                     settings.unverified_outbound_im() ? "allow" : "deny") +
         fmt::format("{:<31}{}\n", "federation", FederationWord(settings.federation())) +
         fmt::format("{:<31}{}\n", "discover", settings.discover());
}

}  // namespace gatehouse::ctl
