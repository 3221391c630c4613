#include "plugins/tls_listener/outbound_stream.h"

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

void OutboundStream::Write(std::string_view xml, ipc::Ticket ticket, TimePoint now) {
  connection_->Send(xml);
  batch_.push_back(std::move(ticket));
  last_stanza = last_octet = now;
}

void OutboundStream::WriteCounted(OutboundQueue::Entry entry, OutboundPair& pair, TimePoint now) {
  connection_->Send(entry.xml);
  unacknowledged_.Add(std::move(entry), &pair, now);
  last_stanza = last_octet = now;
}

void OutboundStream::AskForAck(TimePoint now) {
  if (has_acks() && unacknowledged_.AskNow(now)) connection_->Send(kAckRequestXml);
}

void OutboundStream::StopCounting() {
  for (Unacknowledged::Sent& each : unacknowledged_.TakeAll())
    batch_.push_back(std::move(each.entry.ticket));
}

void OutboundStream::CloseBatch(std::function<void()> flushed) {
  if (batch_.empty()) return;
  batches_.push_back(std::exchange(batch_, {}));
  connection_->WhenFlushed(std::move(flushed));
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
