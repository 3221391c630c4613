// A data link: offers in both directions between two instances, at least once, settled with an
// outcome. Knows nothing of XMPP or SIP: a body is one serialised message of the link's own type.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/clock.h"

namespace gatehouse::ipc {

enum class OutcomeKind : std::uint8_t { kDelivered, kFailed, kExpired };
struct Outcome {
  OutcomeKind kind = OutcomeKind::kDelivered;
  std::uint32_t condition = 0;  // meaning belongs to the link
  std::string text;
  std::chrono::milliseconds retry_after{0};
  // The link gave the offer up, at either end: no receiver has judged it, nor told anybody of it.
  bool by_link = false;

  static Outcome Delivered() { return {}; }
  static Outcome Failed(std::uint32_t condition, std::string text = {},
                        std::chrono::milliseconds retry_after = {}) {
    return {OutcomeKind::kFailed, condition, std::move(text), retry_after, false};
  }
  static Outcome GivenUp(std::uint32_t condition, std::string text) {
    return {OutcomeKind::kFailed, condition, std::move(text), {}, true};
  }
  static Outcome Expired() { return {OutcomeKind::kExpired, 0, {}, {}, false}; }
  bool operator==(const Outcome&) const = default;
};

// What an offer fails with that its link gives up; the numbers' meaning belongs to the link.
struct LinkConditions {
  std::uint32_t lost = 0;  // its ticket was lost, or its receiver is gone
  std::uint32_t too_large = 0;
};

// The receiver's duty to settle one offer. Move-only. Destroyed unsettled it settles as a failure
// with the link's condition for it and counts a bug: no offer can be forgotten.
class Ticket {
 public:
  using Sink = std::function<void(const Outcome&)>;
  Ticket() = default;
  // `lost_count`, when given, counts tickets destroyed unsettled.
  Ticket(Sink sink, std::uint32_t lost_condition, double* lost_count = nullptr)
      : sink_(std::move(sink)), lost_(lost_condition), lost_count_(lost_count) {}
  Ticket(Ticket&& other) noexcept;
  Ticket& operator=(Ticket&& other) noexcept;
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket();
  void Settle(const Outcome& outcome);  // once; a second call is a bug
  [[nodiscard]] bool pending() const { return static_cast<bool>(sink_); }
  // Lets go without settling, for a receiver that ends: the offer stays the sender's and goes out
  // again to our next life.
  void Abandon() { sink_ = nullptr; }

 private:
  void SettleIfLost() noexcept;

  Sink sink_;
  std::uint32_t lost_ = 0;
  double* lost_count_ = nullptr;
};

// An offer as the receiver sees it. Views are valid only during the call.
struct Received {
  std::string_view instance;  // the sender's
  std::uint64_t sender_epoch = 0;
  std::uint64_t seq = 0;  // (sender_epoch, seq) names this offer for ever
  std::uint32_t attempt = 1;
  Deadline expires;
  std::string_view body;
};

// One direction out and one in, with one instance of the sibling plugin.
class DataLink {
 public:
  using OnSettled = std::function<void(const Outcome&)>;
  virtual ~DataLink() = default;
  [[nodiscard]] virtual const std::string& instance() const = 0;  // the other end's name
  // Keeps the offer until it is settled or expired: one that the other end has from its own life
  // is not expired while it may yet answer (Outbox::Expire). `share_key` (the domain pair) may hold
  // an eighth of the window. Sent at the end of the turn, many in one frame. Works whether the
  // other end lives or not.
  virtual void Offer(std::string_view share_key, std::string body, Deadline expires,
                     OnSettled settled) = 0;
  // Soft: Offer still works when false.
  [[nodiscard]] virtual bool HasRoom(std::string_view share_key) const = 0;
  // Calls `resume` once, when the window (and the key's share) is at most half full again.
  virtual void WhenRoom(std::string_view share_key, std::function<void()> resume) = 0;
  [[nodiscard]] virtual std::size_t unsettled() const = 0;
  // The other end was scaled or drained away: offers to it fail at once until it is announced
  // again.
  [[nodiscard]] virtual bool gone() const = 0;
};

class DataLinkSet {
 public:
  using OnOffer = std::function<void(const Received&, Ticket)>;
  virtual ~DataLinkSet() = default;
  virtual void OnOffers(OnOffer handler) = 0;  // set once in Start
  // Every configured instance of the sibling, alive or not, by index: [0] is "tls_listener/0".
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual DataLink& At(std::size_t index) = 0;
  [[nodiscard]] virtual std::size_t unsettled() const = 0;
};

}  // namespace gatehouse::ipc
