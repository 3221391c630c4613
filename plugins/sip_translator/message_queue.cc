#include "plugins/sip_translator/message_queue.h"

#include <utility>

#include "core/address/sip_address.h"
#include "plugins/sip_translator/text.h"

namespace gatehouse::translator {
namespace {

constexpr std::size_t kMaxLoggedOctets = 256;

SipResult NotSent(SipSendRefusal refusal) {
  switch (refusal) {
    case SipSendRefusal::kTooLarge:
      return {.answer = {proto::POLICY_VIOLATION, ErrorType::kModify},
              .log = "larger than page mode allows",
              .reason = Reason::kTooLarge};
    case SipSendRefusal::kInjection:
      return {.answer = ErrorFor(500),
              .log = "line end in a header value",
              .reason = Reason::kInternal};
    case SipSendRefusal::kTooMany:
      return {.answer = {proto::RESOURCE_CONSTRAINT, ErrorType::kWait},
              .log = "too many transactions",
              .reason = Reason::kOverloaded};
    case SipSendRefusal::kBadNextHop:
      return {.answer = ErrorForNoAnswer(),
              .log = "next hop is no SIP URI",
              .reason = Reason::kNoSipRoute};
  }
  std::unreachable();
}

// The URI in "<sip:x@y>;q=1" or "sip:x@y".
std::string_view UriOfContact(std::string_view value) {
  const auto open = value.find('<');
  if (open == std::string_view::npos) return value.substr(0, value.find_first_of(";,"));
  const auto close = value.find('>', open);
  return close == std::string_view::npos ? std::string_view()
                                         : value.substr(open + 1, close - open - 1);
}

// 7.2, row 301.
std::string NewAddress(const SipMessage& response) {
  const auto contact = response.Header("Contact");
  const auto jid = SipUriToJid(contact ? UriOfContact(*contact) : std::string_view());
  return jid ? "xmpp:" + jid->Bare() : std::string();
}

// Warning and ms-diagnostics hold host names: for the log, never for the partner. 7.2
std::string Diagnostics(const SipMessage& response) {
  std::string log;
  for (const std::string_view name : {"Warning", "ms-diagnostics"})
    if (const auto value = response.Header(name)) log += OneLine(*value, kMaxLoggedOctets) + " ";
  return log;
}

SipResult ResultOf(const SipFinal& final) {
  if (final.failure != SipFailure::kNone || final.response == nullptr)
    return NoAnswer(final.failure);
  SipResult result{.status = final.status};
  if (final.status / 100 == 2) return result.delivered = true, result;
  result.answer = ErrorFor(final.status);
  result.reason = Reason::kNextHopRefused;
  result.text = CleanReason(final.response->reason());
  if (final.status == 301) result.address = NewAddress(*final.response);
  result.log = Diagnostics(*final.response);
  return result;
}

}  // namespace

SipResult NoAnswer(SipFailure failure) {
  switch (failure) {
    case SipFailure::kNone:
      return {.answer = ErrorFor(500),
              .log = "final answer without a response",
              .reason = Reason::kInternal};
    case SipFailure::kTimeout:
      return {
          .answer = ErrorForNoAnswer(), .log = "no final answer", .reason = Reason::kNextHopSilent};
    case SipFailure::kTransport:
      return {.answer = ErrorForNoAnswer(),
              .log = "no connection to the next hop",
              .reason = Reason::kNextHopUnreachable};
    case SipFailure::kClosed:
      return {.answer = ErrorForNoAnswer(),
              .log = "the next hop closed the connection without an answer",
              .reason = Reason::kNextHopClosed};
    case SipFailure::kTlsIdentity:
      return {.answer = ErrorForNoAnswer(),
              .log = "certificate of the next hop",
              .reason = Reason::kNextHopUntrusted};
    case SipFailure::kOwnRefused:
      return {.answer = ErrorForNoAnswer(),
              .log = "the next hop refused our certificate",
              .reason = Reason::kOwnCertificateRefused};
    case SipFailure::kNoRoute:
      return {.answer = {proto::REMOTE_SERVER_NOT_FOUND, ErrorType::kCancel},
              .log = "no SIP route",
              .reason = Reason::kNoSipRoute};
  }
  std::unreachable();
}

void MessageQueue::Add(std::string pair, QueuedMessage message) {
  Pair& queue = *queues_.try_emplace(std::move(pair)).first;
  queue.second.push_back(std::move(message));
  ++size_;
  if (queue.second.size() == 1) SendFront(queue);
}

void MessageQueue::SendFront(Pair& pair) {
  for (bool more = true; more;) {
    const auto sent = endpoint_.SendRequest(
        std::move(pair.second.front().request),
        [this, flight = &pair](const SipFinal& final) { OnFinal(*flight, final); });
    if (sent) return;
    more = Finish(pair, NotSent(sent.error()));
  }
}

void MessageQueue::OnFinal(Pair& pair, const SipFinal& final) {
  if (!abandoned_ && Finish(pair, ResultOf(final))) SendFront(pair);
}

bool MessageQueue::Finish(Pair& pair, const SipResult& result) {
  Queue done;
  done.splice(done.begin(), pair.second, pair.second.begin());
  --size_;
  const bool more = !pair.second.empty();
  if (!more) queues_.erase(queues_.find(pair.first));
  done_(done.front(), result);
  return more;
}

void MessageQueue::ExpireWaiting() {
  const TimePoint now = clock_.Now();
  Queue late;
  for (auto& [pair, queue] : queues_)
    for (auto waiting = std::next(queue.begin()); waiting != queue.end();) {
      if (waiting->expires > now) {
        ++waiting;
        continue;
      }
      const auto expired = waiting++;
      late.splice(late.end(), queue, expired);
    }
  size_ -= late.size();
  for (QueuedMessage& message : late)
    done_(message, {.expired = true,
                    .answer = ErrorForNoAnswer(),
                    .log = "waited too long for its turn",
                    .reason = Reason::kExpired});
}

void MessageQueue::AbandonAll() {
  abandoned_ = true;
  for (auto& [pair, queue] : queues_)
    for (QueuedMessage& message : queue) message.ticket.Abandon();
  queues_.clear();
  size_ = 0;
}

}  // namespace gatehouse::translator
