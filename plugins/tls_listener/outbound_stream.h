// One stream that takes stanzas of ours, with what was written to it and is not the kernel's yet,
// or, where the peer acknowledges, not acknowledged. We opened it, or its peer lends it (2.14).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/policy/policy_view.h"
#include "core/xmpp/outbound_connection.h"
#include "ipc/ask_link.h"
#include "ipc/data_link.h"
#include "plugins/tls_listener/lent_stream.h"
#include "plugins/tls_listener/reading_brake.h"
#include "plugins/tls_listener/unacknowledged.h"

namespace gatehouse {

// Asks the dialback verifier for the key of a stream we opened; `done` gets "" when none could be
// made (2.8.2).
void AskForKey(ipc::AskClient& verifier, std::string_view local, std::string_view remote,
               std::string_view stream_id, std::function<void(std::string key)> done);

// Domain pairs of one remote domain on one connection.
class OutboundStream {
 public:
  // Octets a stream may hold for the kernel before its pairs queue.
  static constexpr std::size_t kMaxUnsentBytes = 1048576;

  OutboundStream(std::uint64_t id, std::string remote, std::string partner_id)
      : id_(id), remote_(std::move(remote)), partner_id_(std::move(partner_id)) {}

  void Attach(std::unique_ptr<OutboundConnection> connection) {
    connection_ = std::move(connection);
  }
  void Attach(LentStream& lent) { lent_ = &lent; }
  // Lent, or was: there is no connection of ours.
  [[nodiscard]] bool is_lent() const { return connection_ == nullptr; }
  [[nodiscard]] LentStream* lent() { return lent_; }
  [[nodiscard]] bool IsLentFor(std::string_view pair_key) const;
  void EndLoan() { lent_ = nullptr; }
  // Not of a lent stream.
  [[nodiscard]] OutboundConnection& connection() { return *connection_; }
  [[nodiscard]] const OutboundConnection& connection() const { return *connection_; }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const std::string& remote() const { return remote_; }
  [[nodiscard]] const std::string& partner_id() const { return partner_id_; }

  [[nodiscard]] bool HasRoom() const { return HasRoomInQueue() && unacknowledged_.HasRoom(); }
  // The peer acknowledges what is written: WriteCounted rather than Write (2.13).
  [[nodiscard]] bool has_acks() const;
  void WriteCounted(OutboundQueue::Entry entry, OutboundPair& pair, TimePoint now);
  // Asks for an acknowledgement where one is due.
  void AskForAck(TimePoint now);
  [[nodiscard]] Unacknowledged& unacknowledged() { return unacknowledged_; }
  [[nodiscard]] const Unacknowledged& unacknowledged() const { return unacknowledged_; }
  // It will acknowledge nothing: what is written is settled as on any other stream.
  void StopCounting();
  void Write(std::string_view xml, ipc::Ticket ticket, TimePoint now);
  // At the end of a turn: `flushed` is called when what was written until now is the kernel's.
  void CloseBatch(std::function<void()> flushed);
  std::size_t SettleOldestBatch();  // gives how many
  // The stream is over: what it could not hand over.
  void FailUnsent(const ipc::Outcome& outcome);
  // The worker ends: the offers go to its next life.
  void AbandonUnsent();
  [[nodiscard]] std::size_t unsent() const;

  TimePoint last_stanza{};
  TimePoint last_octet{};
  bool closing = false;  // takes no stanzas any more
  // Proven or being proven here; of a lent one: that use it.
  std::vector<std::string> pair_keys;
  std::vector<std::string> lent_for;  // pairs that may use it
  std::optional<ReadingBrake> brake;  // for what the peer sends, once it has

 private:
  [[nodiscard]] bool HasRoomInQueue() const;
  void Say(std::string_view xml);

  std::uint64_t id_;
  std::string remote_;
  std::string partner_id_;
  std::unique_ptr<OutboundConnection> connection_;
  LentStream* lent_ = nullptr;
  std::vector<ipc::Ticket> batch_;  // of this turn
  std::deque<std::vector<ipc::Ticket>> batches_;
  Unacknowledged unacknowledged_;
};

}  // namespace gatehouse
