#include "plugins/sip_translator/hand_over.h"

#include <utility>

#include "core/xmpp/outbound_fault.h"
#include "plugins/sip_translator/sip_body.h"

namespace gatehouse::translator {
namespace {

constexpr std::chrono::seconds kOverloadRetry{10};  // 12.5

SipExtraHeader RetryAfter(std::chrono::milliseconds wait) {
  const auto whole = std::chrono::ceil<std::chrono::seconds>(wait);
  return {"Retry-After", std::to_string(std::max<std::int64_t>(whole.count(), 1))};
}

SipExtraHeader Warning(std::string_view host, std::string_view text) {
  std::string value = "399 ";
  value.append(host).append(" \"").append(text).append("\"");
  return {"Warning", std::move(value)};
}

}  // namespace

HandOverAnswer Accepted() {
  return {};
}

HandOverAnswer RefusedWith(const Refusal& refusal) {
  HandOverAnswer answer{.status = refusal.status, .why = std::string(refusal.why)};
  if (refusal.status == 415) answer.headers.push_back({"Accept", std::string(kAccept)});
  return answer;
}

HandOverAnswer Overloaded(std::string_view why) {
  return {.status = 500, .why = std::string(why), .headers = {RetryAfter(kOverloadRetry)}};
}

HandOverAnswer AnswerFor(const ipc::Outcome& outcome, bool to_full_jid, SipProfile profile,
                         std::string_view host) {
  if (outcome.kind == ipc::OutcomeKind::kDelivered) return Accepted();
  if (outcome.kind == ipc::OutcomeKind::kExpired)
    return {.status = 408, .why = "no stream in time"};
  if (outcome.text.starts_with(kNegotiationFailed))
    return {.status = 480, .why = outcome.text, .headers = {Warning(host, kNegotiationFailed)}};
  const auto condition = static_cast<proto::StanzaCondition>(outcome.condition);
  if (outcome.retry_after > std::chrono::milliseconds{0} &&
      condition != proto::REMOTE_SERVER_NOT_FOUND)
    return {.status = 480, .why = outcome.text, .headers = {RetryAfter(outcome.retry_after)}};
  const SipAnswer mapped = AnswerFor(
      StanzaFault{.condition = condition, .type = ErrorType::kWait, .to_full_jid = to_full_jid},
      profile);
  HandOverAnswer answer{.status = mapped.status, .why = outcome.text};
  if (mapped.retry_after) answer.headers.push_back(RetryAfter(kOverloadRetry));
  return answer;
}

}  // namespace gatehouse::translator
