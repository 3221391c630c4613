#include "plugins/sip_translator/hand_over.h"

#include <utility>

#include "core/xmpp/outbound_fault.h"
#include "plugins/sip_translator/sip_body.h"
#include "plugins/sip_translator/sip_warning.h"

namespace gatehouse::translator {
namespace {

constexpr std::chrono::seconds kOverloadRetry{10};  // 12.5

SipExtraHeader RetryAfter(std::chrono::milliseconds wait) {
  const auto whole = std::chrono::ceil<std::chrono::seconds>(wait);
  return {"Retry-After", std::to_string(std::max<std::int64_t>(whole.count(), 1))};
}

// What was refused before any offer, by what it is answered with.
Reason ReasonOf(int status) {
  if (status == 403) return Reason::kNotOurUser;
  if (status == 404 || status == 416) return Reason::kNoAddress;
  if (status == 408) return Reason::kExpired;
  if (status == 513) return Reason::kTooLarge;
  return Reason::kUnreadableContent;
}

}  // namespace

HandOverAnswer Accepted() {
  return {};
}

HandOverAnswer RefusedWith(const Refusal& refusal) {
  HandOverAnswer answer{.status = refusal.status,
                        .why = std::string(refusal.why),
                        .reason = ReasonOf(refusal.status)};
  if (refusal.status == 415) answer.headers.push_back({"Accept", std::string(kAccept)});
  return answer;
}

HandOverAnswer NoCounterpart(const Refusal& refusal) {
  return {.status = refusal.status, .why = std::string(refusal.why), .reason = Reason::kNoAddress};
}

HandOverAnswer DeniedBy(const Verdict& verdict, std::string_view host, std::string id) {
  SipExtraHeader warning = Warning(host, ToldText(verdict.reason, id));
  return {.status = verdict.answer == DenialAnswer::kSipNotFound ? 404 : 403,
          .why = std::string(EntryOf(verdict.reason).sentence),
          .headers = {std::move(warning)},
          .reason = verdict.reason,
          .id = std::move(id)};
}

HandOverAnswer PolicyUnavailable() {
  return {.status = 500,
          .why = std::string(EntryOf(Reason::kPolicyUnavailable).sentence),
          .headers = {RetryAfter(kOverloadRetry)},
          .reason = Reason::kPolicyUnavailable};
}

HandOverAnswer Overloaded(std::string_view why) {
  return {.status = 500,
          .why = std::string(why),
          .headers = {RetryAfter(kOverloadRetry)},
          .reason = Reason::kOverloaded};
}

HandOverAnswer TooManySubscriptions(std::string_view host, std::string_view words) {
  return {.status = 500,
          .why = std::string(words),
          .headers = {RetryAfter(kOverloadRetry), Warning(host, words)},
          .reason = Reason::kSubscriptionLimit};
}

HandOverAnswer TooManyContacts(std::string_view host) {
  const ReasonEntry& entry = EntryOf(Reason::kContactLimit);
  return {.status = 500,
          .why = std::string(entry.sentence),
          .headers = {RetryAfter(kOverloadRetry), Warning(host, entry.told)},
          .reason = entry.reason};
}

HandOverAnswer AnswerFor(const ipc::Outcome& outcome, bool to_full_jid, SipProfile profile,
                         std::string_view host) {
  if (outcome.kind == ipc::OutcomeKind::kDelivered) return Accepted();
  if (outcome.kind == ipc::OutcomeKind::kExpired)
    return {.status = 408, .why = "no stream in time", .reason = Reason::kExpired};
  if (outcome.text.starts_with(kNegotiationFailed))
    return {.status = 480,
            .why = outcome.text,
            .headers = {Warning(host, kNegotiationFailed)},
            .reason = Reason::kNotHandedOver};
  const auto condition = static_cast<proto::StanzaCondition>(outcome.condition);
  if (outcome.retry_after > std::chrono::milliseconds{0} &&
      condition != proto::REMOTE_SERVER_NOT_FOUND)
    return {.status = 480,
            .why = outcome.text,
            .headers = {RetryAfter(outcome.retry_after)},
            .reason = Reason::kNotHandedOver};
  const SipAnswer mapped = AnswerFor(
      StanzaFault{.condition = condition, .type = ErrorType::kWait, .to_full_jid = to_full_jid},
      profile);
  HandOverAnswer answer{
      .status = mapped.status, .why = outcome.text, .reason = Reason::kNotHandedOver};
  if (mapped.retry_after) answer.headers.push_back(RetryAfter(kOverloadRetry));
  return answer;
}

}  // namespace gatehouse::translator
