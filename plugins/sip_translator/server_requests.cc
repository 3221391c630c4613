#include "plugins/sip_translator/server_requests.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/log.h"
#include "core/sip/sip_builder.h"
#include "plugins/sip_translator/client_requests.h"
#include "plugins/sip_translator/reply_head.h"

namespace gatehouse {
namespace {

constexpr milliseconds kAnswerLimit{20000};  // below the peer's Timer F (11.2)
// Answered ones that linger for retransmissions over UDP count too.
constexpr std::size_t kMaxKeptTransactions = 6 * kMaxPendingTransactions;

// Branch, sent-by and method name a transaction (RFC 3261 §17.2.3).
std::string KeyOf(const SipMessage& request) {
  const SipVia& via = request.vias().front();
  std::string key;
  key.reserve(via.branch.size() + via.host.size() + request.method().size() + 8);
  key += via.branch;
  key += ' ';
  for (const char c : via.host)
    key += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  key += ':';
  key += std::to_string(via.port);
  key += ' ';
  key += request.method();
  return key;
}

std::string WriteResponse(std::string_view head, int status, std::string_view reason,
                          std::span<const SipExtraHeader> headers) {
  auto builder = SipBuilder::Response(status, reason.empty() ? ReasonPhrase(status) : reason);
  builder.Lines(head);
  for (const SipExtraHeader& header : headers) builder.Header(header.name, header.value);
  if (auto text = builder.Finish()) return *std::move(text);
  // A header of ours would have broken its line (12.3 S1): the status alone has to do.
  auto plain = SipBuilder::Response(status, ReasonPhrase(status));
  return plain.Lines(head).Finish().value_or(std::string{});
}

}  // namespace

class ServerRequests::Incoming final : public WheelTimer {
 public:
  Incoming(ServerRequests& home, TransactionTimes times, TimePoint now)
      : owner(home),
        machine(TransactionKind::kNonInvite, times, now),
        answer_by(now + kAnswerLimit) {}
  void OnDue(TimePoint now) override { owner.OnDue(*this, now); }

  ServerRequests& owner;
  ServerTransaction machine;
  TimePoint answer_by;
  std::uint64_t id = 0;
  std::string key;
  std::string head;  // of every response
  std::string last_response;
  SipReturnPath path;
};

ServerRequests::ServerRequests(Loop& loop, Metrics& metrics, SipTransportLayer& transport,
                               TimerWheel& wheel, TransactionTimes times)
    : loop_(loop),
      metrics_(metrics),
      transport_(transport),
      wheel_(wheel),
      times_(times),
      received_total_(metrics.Value("gatehouse_sip_requests_received_total")),
      retransmissions_total_(metrics.Value("gatehouse_sip_requests_repeated_total")) {}

ServerRequests::~ServerRequests() = default;

void ServerRequests::CountRefusal(int status, Reason why) {
  metrics_.Value("gatehouse_sip_requests_refused_total",
                 "{reason=\"" + std::string(ReasonCode(why)) + "\",status=\"" +
                     std::to_string(status) + "\"}") += 1;
}

void ServerRequests::LogRefusal(std::string_view event, const RefusedRequest& request,
                                const RequestAnswer& answer, const Whence& whence) {
  const auto left_out =
      whence.trusted ? log_sampler_.Admit("request") : strangers_log_.Admit("stranger");
  if (!left_out) return;
  Log(LogLevel::kInfo, event,
      {{"method", request.method},
       {"from", request.from},
       {"peer", whence.peer.ToText()},
       {"status", answer.status},
       {"reason", ReasonCode(answer.why)},
       {"why", answer.reason},
       {"remedy", answer.why == Reason::kUntrustedPeer ? RemedyForPeer(whence.peer)
                                                       : std::string(EntryOf(answer.why).remedy)},
       {"id", answer.id},
       {"left_out", *left_out}});
}

void ServerRequests::NoteRefusal(const RefusedRequest& request, RequestAnswer& answer,
                                 const Whence& whence) {
  CountRefusal(answer.status, answer.why);
  if (whence.trusted) refusals_(request, answer);
  if (answer.why == Reason::kUntrustedPeer) CountUntrustedPeer(metrics_);
  LogRefusal("request-refused", request, answer, whence);
}

void ServerRequests::AnswerStateless(const SipReturnPath& path, std::string_view head, int status,
                                     std::string_view reason,
                                     std::span<const SipExtraHeader> headers) {
  transport_.SendResponse(path, WriteResponse(head, status, reason, headers));
}

void ServerRequests::OnRefused(const SipRefusal& refusal, const SipSource& source) {
  const std::string peer = source.address.Ip();
  RequestAnswer answer = AnswerTo(refusal);
  const RefusalReply reply = ReplyHead(refusal, source);
  // A response, or one that nobody could answer.
  if (reply.head.empty()) {
    CountRefusal(answer.status, answer.why);
    return LogRefusal("sip-message-dropped", {.from = peer}, answer,
                      {source.address, source.trusted});
  }
  NoteRefusal({.from = peer}, answer, {source.address, source.trusted});
  AnswerStateless(reply.path, reply.head, answer.status, answer.reason, answer.headers);
}

void ServerRequests::OnMessage(const SipMessage& request, const SipSource& source) {
  received_total_ += 1;
  if (request.method() == "ACK") return;  // for a refusal of ours, or for nobody
  std::string key = KeyOf(request);
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    retransmissions_total_ += 1;
    return Act(*known->second, known->second->machine.On(ServerEvent::kRequest, loop_.Now()));
  }
  auto answer = AnswerWithoutTranslation(request, source.trusted, transport_.sent_bys());
  if (!answer && (owed_ >= kMaxPendingTransactions || by_key_.size() >= kMaxKeptTransactions))
    answer =
        RequestAnswer{500, "Too Many Transactions", {{"Retry-After", "10"}}, Reason::kOverloaded};
  if (!answer) return Begin(request, source, std::move(key));
  if (answer->status >= 300)
    NoteRefusal(RefusedRequest::Of(request), *answer, {source.address, source.trusted});
  const SipVia& via = request.vias().front();
  AnswerStateless(SipTransportLayer::ReturnPath(source, via.port, via.rport),
                  ReplyHead(request, source), answer->status, answer->reason, answer->headers);
  if (!source.trusted) transport_.CloseAfterWrites(source.connection);
}

void ServerRequests::Begin(const SipMessage& request, const SipSource& source, std::string key) {
  TransactionTimes times = times_;
  times.reliable = source.transport != SipTransport::kUdp;
  auto placed = std::make_unique<Incoming>(*this, times, loop_.Now());
  Incoming& incoming = *placed;
  const SipVia& via = request.vias().front();
  incoming.id = ++last_id_;
  incoming.head = ReplyHead(request, source);
  incoming.path = SipTransportLayer::ReturnPath(source, via.port, via.rport);
  incoming.key = std::move(key);
  by_key_.emplace(incoming.key, std::move(placed));
  unanswered_.emplace(incoming.id, &incoming);
  ++owed_;
  ArmNext(incoming);
  const SipPeer peer{.transport = source.transport, .address = source.address, .name = source.name};
  handler_(request, peer,
           SipReply(*this, incoming.id));  // may answer at once: `incoming` may be gone
}

void ServerRequests::Answer(std::uint64_t transaction, int status, Reason why,
                            std::span<const SipExtraHeader> headers) {
  const auto found = unanswered_.find(transaction);
  if (found == unanswered_.end() || status < 200) return;
  Incoming& incoming = *found->second;
  unanswered_.erase(found);
  --owed_;
  incoming.last_response = WriteResponse(incoming.head, status, {}, headers);
  std::string().swap(incoming.head);
  incoming.answer_by = kNever;
  if (status >= 300) CountRefusal(status, why);
  Act(incoming, incoming.machine.On(status < 300 ? ServerEvent::kSuccess : ServerEvent::kFailure,
                                    loop_.Now()));
}

bool ServerRequests::OwesAnswerOn(SipConnectionId connection) const {
  return std::ranges::any_of(unanswered_, [connection](const auto& entry) {
    return entry.second->path.connection == connection;
  });
}

void ServerRequests::Act(Incoming& incoming, std::uint8_t actions) {
  if ((actions & kSendTrying) != 0)
    incoming.last_response = WriteResponse(incoming.head, 100, {}, {});
  if ((actions & (kSendResponse | kResend | kSendTrying)) != 0 && !incoming.last_response.empty())
    transport_.SendResponse(incoming.path, incoming.last_response);
  if (incoming.machine.state() == ServerState::kTerminated) {
    by_key_.erase(by_key_.find(incoming.key));
  } else {
    ArmNext(incoming);
  }
}

void ServerRequests::OnDue(Incoming& incoming, TimePoint now) {
  if (now >= incoming.answer_by) return AnswerLate(incoming);
  Act(incoming, incoming.machine.OnTime(now));
}

// What came is gone; its answer still says who sent it, and to whom.
void ServerRequests::AnswerLate(Incoming& incoming) {
  RequestAnswer answer{504, ReasonPhrase(504), {}, Reason::kExpired};
  const auto plain = SipMessage::Parse(WriteResponse(incoming.head, 504, {}, {}), true);
  if (plain) {
    const RefusedRequest request{plain->method(), plain->from().uri, plain->to().uri};
    refusals_(request, answer);
    LogRefusal("request-refused", request, answer, {incoming.path.address, true});
  }
  Answer(incoming.id, answer.status, answer.why, answer.headers);
}

void ServerRequests::ArmNext(Incoming& incoming) {
  wheel_.Arm(incoming, std::min(incoming.machine.NextDeadline(), incoming.answer_by));
}

}  // namespace gatehouse
