#include "core/xmpp/inbound_features.h"

namespace gatehouse {
namespace {

using Level = NegotiationLevel;

constexpr NegotiationRow kStrictest{Level::kRequired, Level::kRequired, false};

InboundFeatures ClearFeatures(const NegotiationRow& row) {
  const bool clear_dialback = PermittedMethods(row).tcp_dialback;
  const bool starttls = row.tls != Level::kNotSupported;
  return {.starttls = starttls,
          .starttls_required = starttls && !clear_dialback,
          .external = false,
          .dialback = clear_dialback,
          .acks = clear_dialback,
          .hopeless = false};
}

InboundFeatures TlsFeatures(const NegotiationRow& row, bool certificate_ok) {
  const MethodSet methods = PermittedMethods(row);
  InboundFeatures features;
  features.external = methods.sasl_tls && certificate_ok;
  // Row 3: a peer with a valid certificate is only offered EXTERNAL (4.3 no. 4).
  features.dialback = methods.tls_dialback && !(features.external && row.sasl == Level::kRequired);
  features.acks = features.dialback;
  features.hopeless = !features.external && !features.dialback;
  features.bidi = row.bidi;
  return features;
}

}  // namespace

InboundFeatures FeaturesFor(StreamPhase phase, const std::optional<NegotiationRow>& row,
                            bool certificate_ok) {
  switch (phase) {
    case StreamPhase::kClear:
      return ClearFeatures(row.value_or(kStrictest));
    case StreamPhase::kTls:
      if (row) return TlsFeatures(*row, certificate_ok);
      return {.starttls = false,
              .starttls_required = false,
              .external = false,
              .dialback = true,
              .acks = true,
              .hopeless = false};
    case StreamPhase::kAuthenticated:
      break;
  }
  return {.starttls = false,
          .starttls_required = false,
          .external = false,
          .dialback = row && row->dialback,
          .acks = true,
          .hopeless = false};
}

std::string FeaturesXml(const InboundFeatures& features) {
  std::string xml = "<stream:features>";
  if (features.starttls && features.starttls_required)
    xml += "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";
  if (features.starttls && !features.starttls_required)
    xml += "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
  if (features.external)
    xml +=
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism>"
        "</mechanisms>";
  if (features.dialback) xml += "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";
  if (features.bidi) xml += "<bidi xmlns='urn:xmpp:features:bidi'/>";
  if (features.acks) xml += "<sm xmlns='urn:xmpp:sm:3'/>";
  return xml + "</stream:features>";
}

DialbackAnswer AnswerToKey(StreamPhase phase, const NegotiationRow& row, bool certificate_ok) {
  if (!row.dialback) return DialbackAnswer::kSwitchedOff;
  const MethodSet methods = PermittedMethods(row);
  if (phase == StreamPhase::kClear)
    return methods.tcp_dialback ? DialbackAnswer::kVerify : DialbackAnswer::kNeedsTls;
  // The shortcut needs a row with SASL: without one the operator excluded certificates (2.8.6). Row
  // 1, and row 3 with strict SASL, permit it only behind EXTERNAL, and nothing else there.
  if (!methods.tls_dialback && phase != StreamPhase::kAuthenticated)
    return DialbackAnswer::kNeedsCertificate;
  if (methods.sasl_tls && certificate_ok) return DialbackAnswer::kAccept;
  return methods.tls_dialback ? DialbackAnswer::kVerify : DialbackAnswer::kNeedsCertificate;
}

}  // namespace gatehouse
