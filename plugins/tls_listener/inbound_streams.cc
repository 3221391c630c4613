#include "plugins/tls_listener/inbound_streams.h"

#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/policy/negotiation.h"
#include "core/xmpp/element.h"

namespace gatehouse {
namespace {

// The verifier's own limit for one proof is 30 s (2.8.3).
constexpr milliseconds kProveLimit{35000};
constexpr milliseconds kJudgeLimit{10000};
constexpr milliseconds kTick{1000};
// What takes every stanza, and what judges every key.
constexpr std::string_view kTranslator = "sip_translator";
constexpr std::string_view kVerifier = "dialback_verifier";

double& Refused(Metrics& metrics, std::string_view reason) {
  return metrics.Value("gatehouse_connections_refused_total",
                       "{direction=\"in\",reason=\"" + std::string(reason) + "\"}");
}

}  // namespace

InboundStreams::Counters::Counters(Metrics& metrics)
    : open(metrics.Value("gatehouse_streams", "{direction=\"in\"}")),
      accepted(
          metrics.Value("gatehouse_connections_total", "{direction=\"in\",result=\"accepted\"}")),
      turned_away(metrics.Value("gatehouse_connections_total",
                                "{direction=\"in\",result=\"turned_away\"}")),
      handshakes_done(
          metrics.Value("gatehouse_handshakes_total", "{direction=\"in\",result=\"ok\"}")),
      handshakes_failed(
          metrics.Value("gatehouse_handshakes_total", "{direction=\"in\",result=\"failed\"}")),
      rate_of_address(Refused(metrics, "rate_of_address")),
      unauthenticated_of_address(Refused(metrics, "unauthenticated_of_address")),
      connection_limit(Refused(metrics, "connection_limit")),
      evicted(Refused(metrics, "evicted")),
      partner_limit(Refused(metrics, "partner_limit")),
      memory(Refused(metrics, "memory")) {}

InboundStreams::InboundStreams(Setup setup)
    : setup_(std::move(setup)),
      counters_(setup_.metrics),
      admission_([this](const std::string& address) {
        return setup_.others ? setup_.others().At(address) : AddressCounts{};
      }),
      end_of_turn_(setup_.loop, [this] { SendAcks(); }),
      tick_(setup_.loop, [this] { CheckClocks(setup_.loop.Now()); }) {
  rules_.partner_has_room = [this](const proto::Partner& partner) { return HasRoomFor(partner); };
  tick_.StartRepeating(kTick);
}

InboundStreams::~InboundStreams() = default;

void InboundStreams::SetPolicy(PolicyPointer policy) {
  rules_.policy = std::move(policy);
  setup_.intake.SetPolicy(rules_.policy);
  SetTimes(rules_.policy->gateway());
  ForEach([](InboundStream& stream) { stream.OnRulesChanged(); });
  KeepToLimits();
}

void InboundStreams::SetDomains(std::vector<std::string> domains) {
  for (const std::string& old : rules_.domains)
    if (std::ranges::find(domains, old) == domains.end()) rules_.removed_domains.push_back(old);
  std::erase_if(rules_.removed_domains, [&](const std::string& removed) {
    return std::ranges::find(domains, removed) != domains.end();
  });
  rules_.domains = std::move(domains);
  ForEach([](InboundStream& stream) { stream.OnRulesChanged(); });
}

void InboundStreams::JudgeAnew() {
  ForEach([this](InboundStream& stream) { stream.JudgeBy(contexts_.starttls); });
}

void InboundStreams::SetLimits(const proto::Limits& limits) {
  limits_ = limits;
  AdmissionLimits admission;
  admission.connections_per_minute =
      OrDefault(limits.connections_per_minute(), admission.connections_per_minute);
  admission.unauthenticated_per_address =
      OrDefault(limits.unauthenticated_per_address(), admission.unauthenticated_per_address);
  admission_.SetLimits(admission);
}

void InboundStreams::Accept(std::unique_ptr<TcpStream> tcp, bool direct_tls) {
  if (!Admits(*tcp)) {
    ++counters_.turned_away;
    return;  // `tcp` closes without a word
  }
  ++counters_.accepted;
  InboundStream& added = Add(std::move(tcp), direct_tls);
  // Not in clear instead, where the row permits that too: whoever comes again finds a certificate.
  const bool can_serve = contexts_.starttls && contexts_.starttls->has_certificate();
  if (IsAway(kTranslator) || !can_serve)
    return added.CloseWith(StreamCondition::kInternalServerError);
  if (ConnectionsOfEdge() <= ConnectionLimit() || EvictOldest(added.number())) return;
  ++counters_.connection_limit;
  added.CloseWith(StreamCondition::kResourceConstraint, Reason::kConnectionLimit);
}

InboundStream& InboundStreams::Add(std::unique_ptr<TcpStream> tcp, bool direct_tls) {
  const StreamNumber number{next_number_++};
  const InboundStream::Setup setup{.number = number,
                                   .loop = setup_.loop,
                                   .host = *this,
                                   .rules = rules_,
                                   .rate = RateOf(limits_),
                                   .times = times_,
                                   .direct_tls = direct_tls};
  auto stream = std::make_unique<InboundStream>(setup, std::move(tcp));
  InboundStream& added = *streams_.emplace(number, std::move(stream)).first->second;
  counters_.open = static_cast<double>(streams_.size());
  return added;
}

void InboundStreams::Shutdown() {
  ForEach([](InboundStream& stream) { stream.Shutdown(); });
}

// --- dialback

void InboundStreams::Ask(const proto::VerifierQuestion& question, milliseconds limit,
                         std::function<void(proto::DialbackVerdict)> done) {
  setup_.verifier.Ask<proto::VerifierAnswer>(
      question, limit, [done = std::move(done)](const Result<proto::VerifierAnswer>& answer) {
        if (!answer) Log(LogLevel::kWarning, "verifier-silent", {{"why", answer.error().text}});
        done(answer ? answer->verdict() : proto::DIALBACK_UNKNOWN);
      });
}

void InboundStreams::Prove(const AskProof& asked, InboundStream& stream) {
  if (IsAway(kVerifier)) return CloseLater(stream.number(), StreamCondition::kInternalServerError);
  proto::VerifierQuestion question;
  proto::ProveDomain& prove = *question.mutable_prove();
  prove.set_sender_domain(asked.sender);
  prove.set_target_domain(asked.target);
  prove.set_stream_id(asked.stream_id);
  prove.set_key(asked.key);
  prove.set_peer_sha256(asked.peer_sha256);
  Ask(question, kProveLimit,
      [this, number = stream.number(), id = asked.id, sender = asked.sender,
       ip = stream.ip()](proto::DialbackVerdict verdict) {
        if (verdict != proto::DIALBACK_VALID)
          Log(LogLevel::kNotice, "dialback-refused",
              {{"peer", sender}, {"from", ip}, {"verdict", proto::DialbackVerdict_Name(verdict)}});
        if (InboundStream* alive = Find(number)) alive->OnProof(id, verdict);
      });
}

void InboundStreams::Judge(const AskJudgement& asked, InboundStream& stream) {
  const StreamNumber number = stream.number();
  if (!admission_.AdmitVerify(stream.ip(), asked.weight, setup_.loop.Now()))
    return CloseLater(number, StreamCondition::kPolicyViolation);
  if (IsAway(kVerifier)) return CloseLater(number, StreamCondition::kInternalServerError);
  proto::VerifierQuestion question;
  proto::JudgeKey& judge = *question.mutable_judge();
  judge.set_receiving_domain(asked.receiving);
  judge.set_originating_domain(asked.originating);
  judge.set_stream_id(asked.stream_id);
  judge.set_key(asked.key);
  Ask(question, kJudgeLimit, [this, number, id = asked.id](proto::DialbackVerdict verdict) {
    if (InboundStream* alive = Find(number)) alive->OnJudged(id, verdict);
  });
}

// In a later turn: the stream's machine is on the stack.
void InboundStreams::CloseLater(StreamNumber number, StreamCondition condition) {
  setup_.loop.Post([this, number, condition] {
    if (InboundStream* alive = Find(number)) alive->CloseWith(condition);
  });
}

// --- stanzas

void InboundStreams::Deliver(const DeliverStanza& stanza, proto::Element& element,
                             InboundStream& stream) {
  std::function<void()> handled;
  if (stanza.number != 0)
    handled = [this, from = stream.number(), number = stanza.number] { OnCounted(from, number); };
  setup_.intake.Deliver({.stream_id = stream.machine().stream_id(),
                         .from = stanza.from,
                         .to = stanza.to,
                         .method = stanza.method},
                        element, std::move(handled));
  KeepToRoom(stream);
}

void InboundStreams::KeepToRoom(InboundStream& stream) {
  if (setup_.intake.HasRoom() || !stream.StopForRoom()) return;
  setup_.intake.WhenRoom([this, number = stream.number()] {
    if (InboundStream* alive = Find(number)) alive->ResumeForRoom();
  });
}

// Only now may the peer forget it: until it is settled it lives with us alone (2.13).
void InboundStreams::OnCounted(StreamNumber stream, std::uint64_t number) {
  InboundStream* alive = Find(stream);
  if (alive == nullptr || !alive->CountHandled(number)) return;
  acks_due_.push_back(stream);
  end_of_turn_.Arm();
}

void InboundStreams::SendAcks() {
  for (const StreamNumber number : std::exchange(acks_due_, {}))
    if (InboundStream* stream = Find(number)) stream->OnAcksDue();
}

void InboundStreams::Answer(const AnswerStanza& answer) {
  setup_.intake.Answer(answer.from_domain, answer.to_domain, answer.reply);
}

void InboundStreams::Ping(const std::string& local, const std::string& remote,
                          const proto::Element& ping, InboundStream& stream) {
  const std::string id(Attribute(ping, "id"));
  if (stream.loan() != LoanId{}) {
    setup_.intake.SendOwn(local, remote, ping);
    return stream.OnPinged(id, true);
  }
  setup_.intake.Ping(local, remote, ping, [this, number = stream.number(), id](bool sent) {
    if (InboundStream* alive = Find(number)) alive->OnPinged(id, sent);
  });
}

// --- streams lent to the outbound half (2.14)

void InboundStreams::OnAcknowledged(std::uint32_t h, InboundStream& stream) {
  if (setup_.borrower == nullptr) return;
  const auto sent = setup_.borrower->OnAcknowledged(stream.loan(), h);
  if (!sent) return;
  // In a later turn: the stream's machine is on the stack.
  setup_.loop.Post([this, number = stream.number(), h, count = *sent] {
    if (InboundStream* alive = Find(number)) alive->OnFalseAck(h, count);
  });
}

void InboundStreams::OnWritable(InboundStream& stream) {
  if (stream.loan() != LoanId{}) setup_.borrower->OnWritable(stream.loan());
}

bool InboundStreams::HasUnsent(const InboundStream& stream) const {
  return stream.loan() != LoanId{} && setup_.borrower->HasUnsent(stream.loan());
}

void InboundStreams::EndLoan(InboundStream& stream) {
  const LoanId loan = stream.loan();
  stream.SetLoan({});
  if (loan != LoanId{}) setup_.borrower->EndLoan(loan);
}

bool InboundStreams::KeepsAlive(std::string_view remote) const {
  const proto::Partner* partner = rules_.FindPartner(remote);
  return partner != nullptr && partner->keep_alive();
}

// --- life of the streams

// Of this listener's streams: each of its siblings may have one more.
bool InboundStreams::IsTaken(const PairVerified& pair, const InboundStream& stream) const {
  if (!rules_.policy->gateway().one_stream_per_pair()) return false;
  return std::ranges::any_of(streams_, [&](const auto& each) {
    const InboundStream& other = *each.second;
    return &other != &stream && !other.ended() && !other.machine().is_leaving() &&
           other.ip() == stream.ip() && other.machine().HasVerified(pair.from, pair.to);
  });
}

void InboundStreams::OnPairVerified(const PairVerified& pair, InboundStream& stream) {
  if (stream.counts_as_unauthenticated()) {
    admission_.Settled(stream.ip());
    CountAsProven(stream);
  }
  stream.SetAuthenticated();
  const LogLevel level =
      pair.method == proto::TCP_DIALBACK ? LogLevel::kNotice : LogLevel::kInfo;  // 4.5, last line
  Log(level, "stream-open",
      {{"direction", "in"},
       {"peer", pair.from},
       {"for", pair.to},
       {"from", stream.ip()},
       {"method", MethodName(pair.method)}});
  NoteStream(pair, stream);
  if (pair.takes_ours && setup_.borrower != nullptr)
    stream.SetLoan(
        setup_.borrower->Lend(stream, stream.loan(), std::string(pair.to), std::string(pair.from)));
}

void InboundStreams::OnHandshake(bool done, InboundStream& /*stream*/) {
  ++(done ? counters_.handshakes_done : counters_.handshakes_failed);
}

void InboundStreams::OnDialback(std::string_view result) {
  ++setup_.metrics.Value("gatehouse_dialbacks_total",
                         "{direction=\"in\",result=\"" + std::string(result) + "\"}");
}

void InboundStreams::OnEnd(std::string_view why, InboundStream& stream) {
  ++ended_;
  if (why == StreamConditionName(StreamCondition::kPolicyViolation) ||
      stream.machine().stranger() != nullptr)
    NoteStranger(stream);
  EndLoan(stream);
  if (stream.counts_as_unauthenticated()) admission_.Settled(stream.ip());
  CountNoMore(stream);
  ++setup_.metrics.Value("gatehouse_streams_ended_total",
                         "{direction=\"in\",reason=\"" + std::string(why) + "\"}");
}

void InboundStreams::OnGone(std::string_view why, InboundStream& stream) {
  EndLoan(stream);
  if (stream.ended())
    --ended_;
  else
    NoteLost(why, stream);
  CountNoMore(stream);
  streams_.erase(stream.number());
  counters_.open = static_cast<double>(streams_.size());
}

// The connection ended under it. Strangers could fill the log.
void InboundStreams::NoteLost(std::string_view why, InboundStream& stream) {
  ++setup_.metrics.Value("gatehouse_streams_ended_total",
                         "{direction=\"in\",reason=\"connection-lost\"}");
  if (stream.machine().stranger() != nullptr) NoteStranger(stream);
  if (stream.counts_as_unauthenticated()) return admission_.Settled(stream.ip());
  Log(LogLevel::kInfo, "stream-closed",
      {{"direction", "in"},
       {"peer", stream.machine().from()},
       {"from", stream.ip()},
       {"why", "connection-lost"},
       {"detail", why}});
}

std::shared_ptr<const TlsContext> InboundStreams::Tls(bool direct) const {
  return direct ? contexts_.direct : contexts_.starttls;
}

InboundStream* InboundStreams::Find(StreamNumber number) {
  const auto found = streams_.find(number);
  return found == streams_.end() ? nullptr : found->second.get();
}

// An action may end streams, this one or others.
void InboundStreams::ForEach(const std::function<void(InboundStream&)>& action) {
  std::vector<StreamNumber> numbers;
  numbers.reserve(streams_.size());
  for (const auto& [number, stream] : streams_) numbers.push_back(number);
  for (const StreamNumber number : numbers)
    if (InboundStream* stream = Find(number)) action(*stream);
}

void InboundStreams::CheckClocks(TimePoint now) {
  const std::int64_t unix_now = UnixNowMs() / 1000;
  ForEach([&](InboundStream& stream) { stream.Tick(now, unix_now); });
  EndWhatNeedsTheAway();
  admission_.Sweep(now);
}

// What was taken for the translator stays ours until it is settled; who is told that nothing more
// is taken can tell his users.
void InboundStreams::EndWhatNeedsTheAway() {
  const bool all = IsAway(kTranslator);
  if (!all && !IsAway(kVerifier)) return;
  ForEach([all](InboundStream& stream) {
    if (stream.ended() || !(all || stream.machine().has_pending_pair())) return;
    stream.CloseWith(StreamCondition::kInternalServerError);
  });
}

}  // namespace gatehouse
