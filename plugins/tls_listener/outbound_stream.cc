#include "plugins/tls_listener/outbound_stream.h"

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/xmpp/ack_count.h"
#include "proto/link_listener_verifier.pb.h"

namespace gatehouse {
namespace {

constexpr milliseconds kKeyLimit = seconds{10};  // 1.1 no. 5

}  // namespace

void AskForKey(ipc::AskClient& verifier, std::string_view local, std::string_view remote,
               std::string_view stream_id, std::function<void(std::string key)> done) {
  proto::VerifierQuestion question;
  proto::MakeKey& make = *question.mutable_make_key();
  make.set_receiving_domain(std::string(remote));
  make.set_originating_domain(std::string(local));
  make.set_stream_id(std::string(stream_id));
  verifier.Ask<proto::VerifierAnswer>(
      question, kKeyLimit, [done = std::move(done)](Result<proto::VerifierAnswer> answer) {
        if (!answer)
          Log(LogLevel::kWarning, "dialback-key-missing", {{"why", answer.error().text}});
        done(answer ? answer->key() : std::string());
      });
}

bool OutboundStream::IsLentFor(std::string_view pair_key) const {
  return std::ranges::find(lent_for, pair_key) != lent_for.end();
}

bool OutboundStream::has_acks() const {
  if (is_lent()) return lent_ != nullptr && lent_->counts_ours();
  return connection_->machine().has_acks();
}

bool OutboundStream::HasRoomInQueue() const {
  if (is_lent()) return lent_ != nullptr && lent_->unwritten_bytes() < kMaxUnsentBytes;
  return connection_->queued_bytes() < kMaxUnsentBytes;
}

void OutboundStream::Say(std::string_view xml) {
  if (!is_lent()) return connection_->Send(xml);
  if (lent_ != nullptr) lent_->Write(xml);
}

void OutboundStream::Write(std::string_view xml, ipc::Ticket ticket, TimePoint now) {
  Say(xml);
  batch_.push_back(std::move(ticket));
  last_stanza = last_octet = now;
}

void OutboundStream::WriteCounted(OutboundQueue::Entry entry, OutboundPair& pair, TimePoint now) {
  Say(entry.xml);
  unacknowledged_.Add(std::move(entry), &pair, now);
  last_stanza = last_octet = now;
}

void OutboundStream::AskForAck(TimePoint now) {
  if (has_acks() && unacknowledged_.AskNow(now)) Say(kAckRequestXml);
}

void OutboundStream::StopCounting() {
  for (Unacknowledged::Sent& each : unacknowledged_.TakeAll())
    batch_.push_back(std::move(each.entry.ticket));
}

void OutboundStream::CloseBatch(std::function<void()> flushed) {
  if (batch_.empty()) return;
  batches_.push_back(std::exchange(batch_, {}));
  if (!is_lent()) return connection_->WhenFlushed(std::move(flushed));
  if (lent_ != nullptr) lent_->WhenWritten(std::move(flushed));
}

std::size_t OutboundStream::SettleOldestBatch() {
  if (batches_.empty()) return 0;
  std::vector<ipc::Ticket> done = std::move(batches_.front());
  batches_.pop_front();
  for (ipc::Ticket& ticket : done) ticket.Settle(ipc::Outcome::Delivered());
  return done.size();
}

void OutboundStream::FailUnsent(const ipc::Outcome& outcome) {
  auto batches = std::exchange(batches_, {});
  batches.push_back(std::exchange(batch_, {}));
  for (auto& batch : batches)
    for (ipc::Ticket& ticket : batch) ticket.Settle(outcome);
}

void OutboundStream::AbandonUnsent() {
  for (ipc::Ticket& ticket : batch_) ticket.Abandon();
  for (auto& batch : batches_)
    for (ipc::Ticket& ticket : batch) ticket.Abandon();
  for (Unacknowledged::Sent& each : unacknowledged_.TakeAll()) each.entry.ticket.Abandon();
  batch_.clear();
  batches_.clear();
}

std::size_t OutboundStream::unsent() const {
  std::size_t count = batch_.size() + unacknowledged_.size();
  for (const auto& batch : batches_) count += batch.size();
  return count;
}

}  // namespace gatehouse
