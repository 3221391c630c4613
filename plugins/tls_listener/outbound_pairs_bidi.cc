// Streams of OutboundPairs that carry the stanzas of both ends (2.14): those a peer lends us, and
// what peers send on ours.
#include <ranges>
#include <utility>

#include "core/base/log.h"
#include "plugins/tls_listener/outbound_pairs_state.h"

namespace gatehouse {
namespace {

constexpr const char* kLoanEnded = "the peer's stream has ended";

}  // namespace

// --- lent to us

std::uint64_t OutboundPairs::State::Lend(LentStream& lent, std::uint64_t so_far, Pair& pair) {
  OutboundStream* stream = so_far == 0 ? nullptr : FindStream(so_far);
  if (stream == nullptr) {
    const proto::Partner* partner = PartnerOf(pair.remote);
    const std::uint64_t id = ++last_id;
    stream = &streams.Add(OutboundStreamTable::Kind::kLent, id, pair.remote,
                          partner ? partner->id() : std::string());
    stream->Attach(lent);
    stream->last_stanza = stream->last_octet = setup.loop.Now();
  }
  streams.Serve(*stream, pair.remote);
  stream->lent_for.push_back(pair.key);
  if (!tick.active()) tick.StartRepeating(seconds{1});
  if (!pair.open) Use(pair, *stream);
  return stream->id();
}

// The newest: an older one may be dead without our knowing.
bool OutboundPairs::State::UseLent(Pair& pair) {
  for (OutboundStream* stream : std::views::reverse(streams.To(pair.remote))) {
    if (stream->lent() == nullptr || !stream->IsLentFor(pair.key)) continue;
    Use(pair, *stream);
    return true;
  }
  return false;
}

void OutboundPairs::State::Use(Pair& pair, OutboundStream& lent) {
  LeaveAttempt(pair);
  pair.stream = lent.id();
  pair.open = true;
  pair.added = false;
  lent.pair_keys.push_back(pair.key);
  pair.back_off.OnOpened(setup.loop.Now());
  Log(LogLevel::kInfo, "stream-out-lent", {{"local", pair.local}, {"remote", pair.remote}});
  FlushQueue(pair);
}

// A stream of ours that is still being opened is no longer needed.
void OutboundPairs::State::LeaveAttempt(Pair& pair) {
  OutboundStream* attempt = FindStream(pair.stream);
  Detach(pair);
  if (attempt != nullptr && !attempt->is_lent() && attempt->pair_keys.empty())
    CloseStream(*attempt, {});
}

void OutboundPairs::State::EndLoan(std::uint64_t id) {
  OutboundStream* stream = FindStream(id);
  if (stream == nullptr || stream->lent() == nullptr) return;
  stream->EndLoan();
  Abandon(*stream, {OutboundFailure::kClosed, RetryClass::kAtOnce, kLoanEnded});
  OnGone(id);
}

// --- what peers send on our streams

void OutboundPairs::State::OnStanza(std::uint64_t id, const outbound::Deliver& stanza,
                                    proto::Element& element) {
  OutboundStream* stream = FindStream(id);
  if (stream == nullptr || stream->closing) return;
  stream->last_stanza = setup.loop.Now();
  std::function<void()> handled;
  if (stanza.number != 0) handled = [this, id, number = stanza.number] { OnHandled(id, number); };
  setup.intake->Deliver({.stream_id = stream->connection().machine().stream_id(),
                         .from = stream->remote(),
                         .to = stanza.local,
                         .method = stanza.method},
                        element, std::move(handled));
  KeepToRoom(*stream);
}

ReadingBrake& OutboundPairs::State::BrakeOf(OutboundStream& stream) {
  if (!stream.brake)
    stream.brake.emplace(setup.loop, their_rate, [this, id = stream.id()](bool read) {
      OutboundStream* braked = FindStream(id);
      if (braked != nullptr && !braked->closing) braked->connection().ReadOrNot(read);
    });
  return *stream.brake;
}

// Whatever a peer says on a stream of ours costs us time that is the others' too.
void OutboundPairs::State::CountRead(std::uint64_t id) {
  OutboundStream* stream = FindStream(id);
  if (stream == nullptr || stream->closing) return;
  if (BrakeOf(*stream).OnStanza(setup.loop.Now()))
    CloseStream(*stream, StreamCondition::kPolicyViolation);
}

void OutboundPairs::State::KeepToRoom(OutboundStream& stream) {
  if (setup.intake->HasRoom() || !BrakeOf(stream).StopForRoom()) return;
  setup.intake->WhenRoom([this, id = stream.id()] {
    OutboundStream* braked = FindStream(id);
    if (braked != nullptr && !braked->closing) braked->brake->ResumeForRoom();
  });
}

// Only now may the peer forget it (2.13).
void OutboundPairs::State::OnHandled(std::uint64_t id, std::uint64_t number) {
  OutboundStream* stream = FindStream(id);
  if (stream == nullptr || !stream->connection().CountHandled(number)) return;
  acks_due.push_back(id);
  acks_turn.Arm();
}

void OutboundPairs::State::SendAcks() {
  for (const std::uint64_t id : std::exchange(acks_due, {}))
    if (OutboundStream* stream = FindStream(id); stream != nullptr && !stream->closing)
      stream->connection().OnAcksDue();
}

// --- the public face

LoanId OutboundPairs::Lend(LentStream& stream, LoanId so_far, const std::string& local,
                           const std::string& remote) {
  return LoanId{
      state_->Lend(stream, static_cast<std::uint64_t>(so_far), state_->FindPair(local, remote))};
}

void OutboundPairs::OnWritable(LoanId loan) {
  state_->OnWritable(static_cast<std::uint64_t>(loan));
}

std::optional<std::uint64_t> OutboundPairs::OnAcknowledged(LoanId loan, std::uint32_t h) {
  OutboundStream* stream = state_->FindStream(static_cast<std::uint64_t>(loan));
  if (stream == nullptr || stream->closing) return std::nullopt;
  const bool had_room = stream->HasRoom();
  const std::uint64_t count = stream->unacknowledged().count_sent();
  auto done = stream->unacknowledged().Acknowledge(h);
  if (!done) return count;
  state_->Acknowledged(*stream, *done, had_room);
  return std::nullopt;
}

bool OutboundPairs::HasUnsent(LoanId loan) const {
  const OutboundStream* stream = state_->FindStream(static_cast<std::uint64_t>(loan));
  return stream != nullptr && stream->unsent() > 0;
}

void OutboundPairs::EndLoan(LoanId loan) {
  state_->EndLoan(static_cast<std::uint64_t>(loan));
}

}  // namespace gatehouse
