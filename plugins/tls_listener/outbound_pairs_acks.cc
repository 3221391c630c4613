// Acknowledgements of OutboundPairs: what they settle, and what becomes of stanzas without one
// (2.13).
#include <chrono>
#include <ranges>
#include <utility>

#include "core/base/log.h"
#include "core/xmpp/ack_count.h"
#include "plugins/tls_listener/outbound_outcome.h"
#include "plugins/tls_listener/outbound_pairs_state.h"

namespace gatehouse {
namespace {

// When `then` was on the clock of the wall.
std::int64_t UnixOf(TimePoint then, TimePoint now) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<seconds>(wall - (now - then)).count();
}

}  // namespace

void OutboundPairs::State::OnAcknowledged(std::uint64_t id, std::uint32_t h) {
  OutboundStream* stream = FindStream(id);
  if (stream == nullptr || stream->closing) return;
  const bool had_room = stream->HasRoom();
  const std::uint64_t count = stream->unacknowledged().count_sent();
  auto done = stream->unacknowledged().Acknowledge(h);
  if (!done) {
    stream->closing = true;
    stream->connection().CloseSaying(HandledTooHighXml(h, count));
    return Abandon(*stream, {OutboundFailure::kClosed, RetryClass::kOrdinary,
                             "peer acknowledged stanzas that were never sent"});
  }
  if (done->empty()) return CountRead(id);  // one for each batch we asked for is no flood
  Acknowledged(*stream, *done, had_room);
}

void OutboundPairs::State::Acknowledged(OutboundStream& stream,
                                        std::vector<Unacknowledged::Sent>& done, bool had_room) {
  sent += static_cast<double>(done.size());
  for (Unacknowledged::Sent& each : done) each.entry.ticket.Settle(ipc::Outcome::Delivered());
  stream.AskForAck(setup.loop.Now());
  if (!had_room) OnWritable(stream.id());
  if (draining) sweep.Start(milliseconds{0});
}

void OutboundPairs::State::OnAcksRefused(std::uint64_t id) {
  OutboundStream* stream = FindStream(id);
  if (stream == nullptr) return;
  stream->StopCounting();
  written.push_back(id);
  end_of_turn.Arm();
}

// Newest first, so that each goes before those behind it in its pair's queue.
void OutboundPairs::State::TakeBack(OutboundStream& stream) {
  std::set<std::string> newer;
  auto lost = stream.unacknowledged().TakeAll();
  for (Unacknowledged::Sent& each : std::views::reverse(lost)) TakeBack(std::move(each), newer);
}

void OutboundPairs::State::TakeBack(Unacknowledged::Sent lost, std::set<std::string>& newer) {
  OutboundQueue::Entry& entry = lost.entry;
  const bool replaced =
      entry.on_loss == StanzaReturn::kIfNewest && !newer.insert(entry.subject).second;
  if (replaced) return entry.ticket.Settle(ipc::Outcome::Delivered());
  if (entry.is_again || entry.on_loss == StanzaReturn::kNever) {
    return Refuse(entry.ticket, {OutboundFailure::kTimedOut, RetryClass::kOrdinary,
                                 "the stream ended before its acknowledgement"});
  }
  const TimePoint now = setup.loop.Now();
  if (entry.on_loss == StanzaReturn::kAgainDated)
    entry.xml = WithDelay(std::move(entry.xml), lost.pair->local, UnixOf(lost.at, now));
  entry.is_again = true;
  entry.expires = std::min(entry.expires, lost.at + kLongestInQueue);
  lost.pair->queue.PutBack(std::move(entry));
  if (!tick.active()) tick.StartRepeating(seconds{1});
}

// What a stream that ended has left, once its pair may try again (3.8).
void OutboundPairs::State::OpenWaiting(TimePoint now) {
  for (auto& [key, pair] : pairs) {
    const bool may = pair->stream == 0 && pair->back_off.Remaining(now) == milliseconds{0};
    if (may && !pair->queue.empty()) Open(*pair);
  }
}

}  // namespace gatehouse
