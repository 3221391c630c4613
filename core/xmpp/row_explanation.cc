#include "core/xmpp/row_explanation.h"

#include "core/xmpp/inbound_features.h"

namespace gatehouse {
namespace {

std::string OfferText(const InboundFeatures& features) {
  if (features.hopeless) return "the stream ends with not-authorized";
  std::string text;
  const auto add = [&text](std::string_view what) {
    text += text.empty() ? "we offer " : " and ";
    text += what;
  };
  if (features.starttls) add(features.starttls_required ? "STARTTLS as required" : "STARTTLS");
  if (features.external) add("SASL EXTERNAL");
  if (features.dialback) add("dialback");
  return text.empty() ? "we offer nothing" : text;
}

std::string_view KeyText(DialbackAnswer answer) {
  switch (answer) {
    case DialbackAnswer::kVerify:
      return "is checked with the partner's authoritative server";
    case DialbackAnswer::kAccept:
      return "is accepted at once, because the certificate proves the domain";
    case DialbackAnswer::kNeedsTls:
      return "is refused with policy-violation: TLS is needed";
    case DialbackAnswer::kNeedsCertificate:
      return "is refused with not-authorized: a certificate is needed";
    case DialbackAnswer::kSwitchedOff:
      return "is refused with not-authorized and not looked at: dialback is off";
  }
  return {};
}

std::string KeyLine(std::string_view where, DialbackAnswer answer) {
  return std::string(where) + " a dialback key " + std::string(KeyText(answer));
}

void AddTlsLines(const NegotiationRow& row, std::vector<std::string>& lines) {
  for (const bool ok : {true, false}) {
    const std::string where =
        ok ? "in TLS, with a valid certificate," : "in TLS, without a valid certificate,";
    const InboundFeatures features = FeaturesFor(StreamPhase::kTls, row, ok);
    lines.push_back(where + ' ' + OfferText(features));
    if (!features.hopeless)
      lines.push_back(KeyLine(where, AnswerToKey(StreamPhase::kTls, row, ok)));
  }
  const DialbackAnswer after = AnswerToKey(StreamPhase::kAuthenticated, row, true);
  if (after == DialbackAnswer::kAccept)
    lines.emplace_back(
        "after EXTERNAL a key for a further domain pair counts where the certificate "
        "proves its domain too");
}

std::string TlsStep(const NegotiationRow& row, const MethodSet& methods) {
  if (row.tls == NegotiationLevel::kNotSupported) return "TLS is never tried";
  if (!methods.tcp_dialback) return "TLS is always tried, offered or not, and must succeed";
  return "TLS is tried where the partner's server offers it";
}

std::string ProofInTls(const MethodSet& methods) {
  const std::string external =
      "SASL EXTERNAL where it is offered and the server's certificate is valid";
  if (methods.sasl_tls && methods.tls_dialback)
    return "inside TLS: " + external + ", else dialback";
  if (methods.sasl_tls) return "inside TLS: " + external + ", else the stream is given up";
  return "inside TLS: dialback; the server's certificate is not looked at";
}

}  // namespace

std::vector<std::string> ExplainInbound(const NegotiationRow& row) {
  std::vector<std::string> lines;
  if (PermittedMethods(row).empty()) return lines;
  const InboundFeatures clear = FeaturesFor(StreamPhase::kClear, row, false);
  lines.push_back("in clear " + OfferText(clear));
  lines.push_back(KeyLine("in clear", AnswerToKey(StreamPhase::kClear, row, false)));
  if (clear.starttls)
    AddTlsLines(row, lines);
  else
    lines.emplace_back("STARTTLS and direct TLS are refused");
  return lines;
}

std::vector<std::string> ExplainOutbound(const NegotiationRow& row) {
  std::vector<std::string> lines;
  const MethodSet methods = PermittedMethods(row);
  if (methods.empty()) return lines;
  lines.push_back(TlsStep(row, methods));
  if (row.tls != NegotiationLevel::kNotSupported) lines.push_back(ProofInTls(methods));
  if (methods.tcp_dialback && row.tls == NegotiationLevel::kNotSupported)
    lines.emplace_back("in clear: dialback");
  if (methods.tcp_dialback && row.tls != NegotiationLevel::kNotSupported)
    lines.emplace_back(
        "without TLS: dialback in clear, unless a stream over TLS succeeded in the "
        "last 30 days");
  return lines;
}

}  // namespace gatehouse
