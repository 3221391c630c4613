#include "plugins/tls_listener/outbound_outcome.h"

#include <utility>

namespace gatehouse {
namespace {

constexpr std::size_t kMaxTextBytes = 256;  // proto/data_link.proto
constexpr milliseconds kOverloadPause = seconds{10};

}  // namespace

ipc::Outcome OutcomeOf(const OutboundFault& fault, milliseconds retry_after) {
  std::string text(fault.failure == OutboundFailure::kNegotiation ? kNegotiationFailed : "");
  if (!text.empty() && !fault.text.empty()) text += ": ";
  text += fault.text;
  if (text.size() > kMaxTextBytes) text.resize(kMaxTextBytes);
  if (fault.failure == OutboundFailure::kOverload && retry_after == milliseconds{0})
    retry_after = kOverloadPause;
  return ipc::Outcome::Failed(static_cast<std::uint32_t>(ConditionOf(fault.failure)),
                              std::move(text), retry_after);
}

std::string_view RemedyOf(OutboundFailure failure) {
  switch (failure) {
    case OutboundFailure::kNotFound:
      return "check the domain's SRV and address records, or set the partner's --proxy";
    case OutboundFailure::kDnsTrouble:
      return "check that the DNS servers of gatehouse.yaml answer";
    case OutboundFailure::kConnectFailed:
      return "check that the partner's server runs and that no firewall stands between";
    case OutboundFailure::kTlsFailed:
      return "check the partner's TLS set-up, or lower --tls for this partner";
    case OutboundFailure::kDaneMismatch:
      return "ask the partner's operator which is wrong, the TLSA records or the certificate";
    case OutboundFailure::kTimedOut:
      return "ask the partner's operator why the server does not answer";
    case OutboundFailure::kClosed:
      return "ask the partner's operator why the server closed the stream";
    case OutboundFailure::kNegotiation:
      return "compare `gatehousectl partner explain` with what the partner's server offers";
    case OutboundFailure::kKeyRefused:
      return "check that the partner finds this edge by DNS, and that all nodes share one dialback "
             "secret";
    case OutboundFailure::kDialbackError:
      return "check that the partner can connect to this edge: its dialback comes to our SRV "
             "target";
    case OutboundFailure::kNotPermitted:
      return "add the domain with `gatehousectl partner new`";
    case OutboundFailure::kOverload:
      return "try again later, or raise the partner's connection limit";
  }
  std::unreachable();
}

}  // namespace gatehouse
