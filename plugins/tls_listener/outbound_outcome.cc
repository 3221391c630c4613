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

}  // namespace gatehouse
