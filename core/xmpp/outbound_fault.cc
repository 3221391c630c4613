#include "core/xmpp/outbound_fault.h"

#include <array>
#include <utility>

namespace gatehouse {

OutboundFault StreamErrorFault(std::string_view condition) {
  struct Row {
    std::string_view condition;
    OutboundFailure failure;
    RetryClass retry;
    Reason reason;
  };
  static constexpr std::array kRows = {
      Row{"host-unknown", OutboundFailure::kNotFound, RetryClass::kDomainGone,
          Reason::kRefusedByPartner},
      Row{"host-gone", OutboundFailure::kNotFound, RetryClass::kDomainGone,
          Reason::kRefusedByPartner},
      Row{"policy-violation", OutboundFailure::kNegotiation, RetryClass::kConfigured,
          Reason::kRefusedByPartner},
      Row{"not-authorized", OutboundFailure::kNegotiation, RetryClass::kConfigured,
          Reason::kRefusedByPartner},
      Row{"system-shutdown", OutboundFailure::kClosed, RetryClass::kSoon, Reason::kNone},
      Row{"reset", OutboundFailure::kClosed, RetryClass::kSoon, Reason::kNone},
  };
  for (const Row& row : kRows) {
    if (row.condition == condition)
      return {.failure = row.failure,
              .retry = row.retry,
              .text = "stream error " + std::string(condition),
              .reason = row.reason};
  }
  return {OutboundFailure::kClosed, RetryClass::kOrdinary,
          "stream error " + std::string(condition.substr(0, 64))};
}

OutboundDemand DemandOf(std::string_view condition) {
  if (condition == "policy-violation") return OutboundDemand::kTls;
  if (condition == "not-authorized") return OutboundDemand::kCertificate;
  if (condition == "resource-constraint") return OutboundDemand::kNewConnection;
  return OutboundDemand::kNone;
}

proto::StanzaCondition ConditionOf(OutboundFailure failure) {
  switch (failure) {
    case OutboundFailure::kNotFound:
    case OutboundFailure::kNotPermitted:
      return proto::REMOTE_SERVER_NOT_FOUND;
    case OutboundFailure::kKeyRefused:
      return proto::INTERNAL_SERVER_ERROR;  // 3.6
    case OutboundFailure::kOverload:
      return proto::RESOURCE_CONSTRAINT;
    case OutboundFailure::kDnsTrouble:
    case OutboundFailure::kConnectFailed:
    case OutboundFailure::kTlsFailed:
    case OutboundFailure::kDaneMismatch:
    case OutboundFailure::kTimedOut:
    case OutboundFailure::kClosed:
    case OutboundFailure::kNegotiation:
    case OutboundFailure::kDialbackError:
      return proto::REMOTE_SERVER_TIMEOUT;
  }
  std::unreachable();
}

std::string_view FailureName(OutboundFailure failure) {
  switch (failure) {
    case OutboundFailure::kNotFound:
      return "not-found";
    case OutboundFailure::kDnsTrouble:
      return "dns-trouble";
    case OutboundFailure::kConnectFailed:
      return "connect-failed";
    case OutboundFailure::kTlsFailed:
      return "tls-failed";
    case OutboundFailure::kDaneMismatch:
      return "dane-mismatch";
    case OutboundFailure::kTimedOut:
      return "timed-out";
    case OutboundFailure::kClosed:
      return "closed";
    case OutboundFailure::kNegotiation:
      return "negotiation-failed";
    case OutboundFailure::kKeyRefused:
      return "key-refused";
    case OutboundFailure::kDialbackError:
      return "dialback-error";
    case OutboundFailure::kNotPermitted:
      return "not-permitted";
    case OutboundFailure::kOverload:
      return "overload";
  }
  std::unreachable();
}

}  // namespace gatehouse
