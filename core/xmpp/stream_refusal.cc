#include "core/xmpp/stream_refusal.h"

#include <utility>

namespace gatehouse {

Reason ReasonOf(StreamCondition condition) {
  switch (condition) {
    case StreamCondition::kConflict:
      return Reason::kSecondStream;
    case StreamCondition::kConnectionTimeout:
      return Reason::kPeerSilent;
    case StreamCondition::kHostGone:
    case StreamCondition::kHostUnknown:
      return Reason::kNotOurDomain;
    case StreamCondition::kInternalServerError:
      return Reason::kWorkerAway;
    case StreamCondition::kInvalidFrom:
    case StreamCondition::kNotAuthorized:
      return Reason::kNotProven;
    case StreamCondition::kPolicyViolation:
      return Reason::kStreamLimit;
    case StreamCondition::kResourceConstraint:
      return Reason::kOverloaded;
    case StreamCondition::kReset:
    case StreamCondition::kSystemShutdown:
    case StreamCondition::kSeeOtherHost:
    case StreamCondition::kRemoteConnectionFailed:
      return Reason::kNone;
    case StreamCondition::kBadFormat:
    case StreamCondition::kBadNamespacePrefix:
    case StreamCondition::kImproperAddressing:
    case StreamCondition::kInvalidNamespace:
    case StreamCondition::kInvalidXml:
    case StreamCondition::kNotWellFormed:
    case StreamCondition::kRestrictedXml:
    case StreamCondition::kUndefinedCondition:
    case StreamCondition::kUnsupportedEncoding:
    case StreamCondition::kUnsupportedFeature:
    case StreamCondition::kUnsupportedStanzaType:
    case StreamCondition::kUnsupportedVersion:
      return Reason::kProtocolError;
  }
  std::unreachable();
}

Reason ReasonOf(const OutboundFault& fault) {
  if (fault.reason != Reason::kNone) return fault.reason;
  switch (fault.failure) {
    case OutboundFailure::kNotFound:
      return Reason::kNoServerFound;
    case OutboundFailure::kDnsTrouble:
      return Reason::kDnsTrouble;
    case OutboundFailure::kConnectFailed:
      return Reason::kPartnerUnreachable;
    case OutboundFailure::kTlsFailed:
      return Reason::kTlsFailed;
    case OutboundFailure::kDaneMismatch:
      return Reason::kDaneMismatch;
    case OutboundFailure::kTimedOut:
      return Reason::kPeerSilent;
    case OutboundFailure::kClosed:
      return Reason::kClosedByPartner;
    case OutboundFailure::kNegotiation:
      return Reason::kNegotiationFailed;
    case OutboundFailure::kKeyRefused:
      return Reason::kOurKeyRefused;
    case OutboundFailure::kDialbackError:
      return Reason::kDialbackError;
    case OutboundFailure::kNotPermitted:
      return Reason::kUnknownPartner;
    case OutboundFailure::kOverload:
      return Reason::kOverloaded;
  }
  std::unreachable();
}

std::string CertificateTrouble(const PeerCertificate& judged, std::string_view domain) {
  if (!judged.presented) return "none was shown";
  if (!judged.chain_valid) return "not trusted: " + judged.chain_error;
  return "none of its names is " + std::string(domain);
}

}  // namespace gatehouse
