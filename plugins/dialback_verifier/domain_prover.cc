#include "plugins/dialback_verifier/domain_prover.h"

#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/policy/downgrade_guard.h"
#include "core/policy/negotiation.h"
#include "plugins/dialback_verifier/dialback_key.h"

namespace gatehouse {
namespace {

constexpr milliseconds kVerifyLimit = seconds{30};         // 3.3
constexpr milliseconds kEstablishmentLimit = seconds{25};  // leaves time for the answer
constexpr milliseconds kTick = seconds{1};
constexpr std::size_t kMaxWaitingPerPair = 16;
constexpr std::size_t kMaxPairs = 1000;

std::string_view VerdictName(proto::DialbackVerdict verdict) {
  switch (verdict) {
    case proto::DIALBACK_VALID:
      return "valid";
    case proto::DIALBACK_INVALID:
      return "invalid";
    case proto::DIALBACK_NOT_FOUND:
      return "not-found";
    case proto::DIALBACK_CONNECTION_FAILED:
      return "connection-failed";
    case proto::DIALBACK_TIMEOUT:
      return "timeout";
    default:
      return "unknown";  // protobuf's sentinels
  }
}

}  // namespace

proto::DialbackVerdict VerdictOf(VerifyResult result) {
  switch (result) {
    case VerifyResult::kValid:
      return proto::DIALBACK_VALID;
    case VerifyResult::kInvalid:
      return proto::DIALBACK_INVALID;
    case VerifyResult::kNotFound:
      return proto::DIALBACK_NOT_FOUND;
    case VerifyResult::kError:
      return proto::DIALBACK_TIMEOUT;
  }
  std::unreachable();
}

proto::DialbackVerdict VerdictOf(OutboundFailure failure) {
  switch (failure) {
    case OutboundFailure::kNotFound:
    case OutboundFailure::kNotPermitted:
      return proto::DIALBACK_NOT_FOUND;
    case OutboundFailure::kConnectFailed:
      return proto::DIALBACK_CONNECTION_FAILED;
    case OutboundFailure::kDnsTrouble:
    case OutboundFailure::kTlsFailed:
    case OutboundFailure::kDaneMismatch:
    case OutboundFailure::kTimedOut:
    case OutboundFailure::kClosed:
    case OutboundFailure::kNegotiation:
    case OutboundFailure::kKeyRefused:
    case OutboundFailure::kDialbackError:
    case OutboundFailure::kOverload:
      return proto::DIALBACK_TIMEOUT;
  }
  std::unreachable();
}

DomainProver::DomainProver(Setup setup)
    : setup_(std::move(setup)),
      dialer_(setup_.loop, setup_.dns, setup_.guard, SystemRandom()),
      tick_(setup_.loop, [this] { OnTick(); }),
      sweep_(setup_.loop, [this] {
        for (const std::uint64_t id : std::exchange(gone_, {})) closing_.erase(id);
      }) {}

DomainProver::~DomainProver() = default;

void DomainProver::SetTls(std::shared_ptr<const TlsContext> starttls,
                          std::shared_ptr<const TlsContext> direct) {
  starttls_ = std::move(starttls);
  direct_ = std::move(direct);
}

void DomainProver::Finish(Done& done, proto::DialbackVerdict verdict, std::string detail) {
  const std::string labels = "{result=\"" + std::string(VerdictName(verdict)) + "\"}";
  ++setup_.metrics.Value("gatehouse_dialback_verifications_total", labels);
  done(verdict, std::move(detail));
}

const proto::Partner* DomainProver::PermittedPartner(const std::string& sender) const {
  const proto::Partner* partner = policy_ ? policy_->FindPartner(sender) : nullptr;
  if (partner == nullptr) return nullptr;
  const MethodSet methods = PermittedMethods(RowOf(*partner));
  return methods.tls_dialback || methods.tcp_dialback ? partner : nullptr;
}

void DomainProver::Prove(const proto::ProveDomain& question, Done done) {
  const std::string_view key = StripKey(question.key());
  if (!IsPlausibleKey(key) || !IsPlausibleStreamId(question.stream_id()))
    return Finish(done, proto::DIALBACK_INVALID, "no plausible key");
  if (std::ranges::find(domains_, question.target_domain()) == domains_.end())
    return Finish(done, proto::DIALBACK_NOT_FOUND, "target is no domain of ours");
  const proto::Partner* partner = PermittedPartner(question.sender_domain());
  if (partner == nullptr)
    return Finish(done, proto::DIALBACK_NOT_FOUND, "sender is no partner with dialback");
  const PairKey pair_key(question.target_domain(), question.sender_domain());
  if (pairs_.size() >= kMaxPairs && !pairs_.contains(pair_key))
    return Finish(done, proto::DIALBACK_TIMEOUT, "too many verifications at once");
  Pair& pair = pairs_[pair_key];
  if (pair.waiting.size() >= kMaxWaitingPerPair)
    return Finish(done, proto::DIALBACK_TIMEOUT, "too many verifications of this pair");
  pair.waiting.push_back(
      {{question.target_domain(), question.sender_domain(), question.stream_id(), std::string(key)},
       setup_.loop.Now() + kVerifyLimit,
       std::move(done),
       question.peer_sha256()});
  if (!tick_.active()) tick_.StartRepeating(kTick);
  if (pair.connection == nullptr) Connect(pair_key, pair, *partner);
}

void DomainProver::Connect(const PairKey& key, Pair& pair, const proto::Partner& partner) {
  OutboundConnection::Order order;
  order.terms = {.local = key.first,
                 .remote = key.second,
                 .row = RowOf(partner),
                 .purpose = OutboundPurpose::kVerifyKeys,
                 .may_go_clear = MayGoClear(partner, UnixNow())};
  order.proxy = partner.proxy();
  order.trust_anchors = partner.trust_anchors();
  order.dane = DaneModeOf(partner);
  order.starttls = starttls_;
  order.direct = direct_;
  order.establishment_limit = kEstablishmentLimit;
  pair.id = ++last_id_;
  pair.ready = false;
  pair.connection = std::make_unique<OutboundConnection>(setup_.loop, dialer_, std::move(order),
                                                         EventsFor(key, pair.id));
  pair.connection->Start();
}

OutboundConnection::Events DomainProver::EventsFor(const PairKey& key, std::uint64_t id) {
  OutboundConnection::Events events;
  events.on_ready_to_verify = [this, key, id] {
    Pair* pair = FindPair(key, id);
    if (pair == nullptr) return;
    pair->ready = true;
    AskFirst(key, *pair);
  };
  events.on_verified = [this, key, id](const VerifyRequest& request, VerifyResult result) {
    OnVerified(key, id, request, result);
  };
  events.on_failed = [this, key, id](const OutboundFault& fault) { OnFailed(key, id, fault); };
  events.on_gone = [this, id] {
    gone_.push_back(id);
    sweep_.Start(milliseconds{0});
  };
  events.on_dane = [this, sender = key.second](const DaneReport& report) {
    NoteDane(setup_.metrics, sender, report);
  };
  // The first of each connection: a peer may say as much of it as it likes.
  events.on_dropped = [sender = key.second, told = false](std::string_view what) mutable {
    if (std::exchange(told, true)) return;
    Log(LogLevel::kNotice, "verify-dropped", {{"peer", sender}, {"what", what}});
  };
  return events;
}

DomainProver::Pair* DomainProver::FindPair(const PairKey& key, std::uint64_t id) {
  const auto found = pairs_.find(key);
  return found == pairs_.end() || found->second.id != id ? nullptr : &found->second;
}

void DomainProver::AskFirst(const PairKey& key, Pair& pair) {
  if (ShowsTheSame(key, pair))
    return FinishFirst(key, pair, VerifyResult::kValid, "shown the same certificate");
  pair.connection->Verify(pair.waiting.front().request);
}

// The row as it is now: the switch may have been turned since the question was asked.
bool DomainProver::ShowsTheSame(const PairKey& key, const Pair& pair) const {
  const std::string& peer = pair.waiting.front().peer_sha256;
  const proto::Partner* partner = PermittedPartner(key.second);
  if (peer.empty() || partner == nullptr || !partner->same_certificate()) return false;
  return PermittedMethods(RowOf(*partner)).tls_dialback && pair.connection->peer_sha256() == peer;
}

// The machine has matched from, to and id of an answer on this very connection.
void DomainProver::OnVerified(const PairKey& key, std::uint64_t id, const VerifyRequest& request,
                              VerifyResult result) {
  Pair* pair = FindPair(key, id);
  if (pair == nullptr || pair->waiting.empty() || pair->waiting.front().request.id != request.id)
    return;
  if (result == VerifyResult::kInvalid)
    Log(LogLevel::kWarning, "dialback-invalid",
        {{"sender", key.second},
         {"target", key.first},
         {"asked", pair->connection->peer_address()}});
  FinishFirst(key, *pair, result, "answered");
}

void DomainProver::FinishFirst(const PairKey& key, Pair& pair, VerifyResult result,
                               std::string_view how) {
  Waiting first = std::move(pair.waiting.front());
  pair.waiting.pop_front();
  Finish(first.done, VerdictOf(result),
         std::string(how) + " by " + pair.connection->peer_address());
  if (pair.waiting.empty()) return Retire(key, true);
  AskFirst(key, pair);
}

void DomainProver::OnFailed(const PairKey& key, std::uint64_t id, const OutboundFault& fault) {
  Pair* pair = FindPair(key, id);
  if (pair == nullptr) return;
  Log(LogLevel::kNotice, "verify-failed",
      {{"sender", key.second}, {"failure", FailureName(fault.failure)}, {"why", fault.text}});
  auto waiting = std::move(pair->waiting);
  Retire(key, false);
  for (Waiting& each : waiting) Finish(each.done, VerdictOf(fault.failure), fault.text);
}

// The connection lives on until its last octet is gone.
void DomainProver::Retire(const PairKey& key, bool close) {
  auto found = pairs_.extract(key);
  Pair& pair = found.mapped();
  OutboundConnection& connection = *pair.connection;
  closing_[pair.id] = std::move(pair.connection);
  if (close) connection.Close();
}

void DomainProver::OnTick() {
  const TimePoint now = setup_.loop.Now();
  std::vector<PairKey> late;
  for (const auto& [key, pair] : pairs_)
    if (!pair.waiting.empty() && now >= pair.waiting.front().due) late.push_back(key);
  // The front is the oldest. Without its answer the connection is of no use to those behind it
  // either.
  for (const PairKey& key : late) {
    auto waiting = std::move(pairs_.at(key).waiting);
    Retire(key, true);
    for (Waiting& each : waiting)
      Finish(each.done, proto::DIALBACK_TIMEOUT, "no answer within 30 s");
  }
  if (pairs_.empty()) tick_.Stop();
}

std::size_t DomainProver::pending() const {
  std::size_t count = 0;
  for (const auto& [key, pair] : pairs_) count += pair.waiting.size();
  return count;
}

}  // namespace gatehouse
