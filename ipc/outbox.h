// The sender's half of a data link: keeps every offer until it is settled or expired, and says when
// there is room. Pure: no socket, no loop; the clock is a parameter. A callback may call back into
// the outbox.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/string_hash.h"
#include "ipc/data_link.h"
#include "ipc/offer_seq.h"

namespace gatehouse::ipc {

// How many offers may be unsettled before senders are asked to wait.
struct Window {
  std::uint32_t offers = 1;
  // What one share key may hold of it: an eighth, so that one slow destination does not stop the
  // others.
  [[nodiscard]] std::size_t share() const { return offers < 8 ? 1 : offers / 8; }
};

class Outbox {
 public:
  // Longer than a request to a next hop with four targets that do not answer (64 * T1 each).
  static constexpr std::chrono::seconds kAnswerGrace{150};
  using OnSettled = DataLink::OnSettled;
  // Valid until the outbox is changed.
  struct Sendable {
    OfferSeq seq;
    std::uint32_t attempt = 1;
    Deadline expires;
    std::string_view body;
  };
  enum class SettleResult : std::uint8_t {
    kSettled,
    kLate,         // settled or expired before: nothing to do
    kNeverOffered  // the other end breaks the protocol
  };

  Outbox(Window window, const Clock& clock) : window_(window), clock_(clock) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Never refuses. `settled` is called exactly once, by Settle, Expire or FailAll.
  OfferSeq Add(std::string_view share_key, std::string body, Deadline expires, OnSettled settled);

  // The next offer to send; nullopt when all are sent.
  [[nodiscard]] std::optional<Sendable> Next() const;
  // The offer Next gave was put into a frame.
  void MarkSent();
  // The other end was reborn, or words to it were lost: everything unsettled is to be sent again,
  // in order, each with its attempt one higher.
  void OfferAgain();

  SettleResult Settle(OfferSeq seq, const Outcome& outcome);
  // Settles as expired what is past its deadline. Returns how many. An offer that was sent is the
  // other end's to answer, which may have begun in time what takes long: it is given up
  // kAnswerGrace later, unless it has to be sent again.
  std::size_t Expire();
  // No deadline lies before this. Nullopt when nothing is unsettled.
  [[nodiscard]] std::optional<Deadline> NextExpiry() const;
  void FailAll(const Outcome& outcome);

  [[nodiscard]] bool HasRoom(std::string_view share_key) const;
  // `resume` waits for RunResumes to find the window and the key's share at most half full.
  void WhenRoom(std::string_view share_key, std::function<void()> resume);
  // Calls every waiter that may go on now, in the order they began to wait. True when it called
  // any.
  bool RunResumes();

  [[nodiscard]] std::size_t unsettled() const { return offers_.size(); }
  // Every offer below this is settled.
  [[nodiscard]] OfferSeq settled_below() const;
  // At most `most` offers above settled_below that were sent and are settled, told once.
  std::vector<OfferSeq> TakeSettled(std::size_t most);

 private:
  using Shares = StringMap<std::size_t>;
  struct Kept {
    Shares::value_type* share = nullptr;  // nodes of an unordered_map do not move
    std::string body;
    Deadline expires;
    OnSettled settled;
    std::uint32_t attempts = 0;
  };
  using Offers = std::map<OfferSeq, Kept>;
  struct Waiter {
    std::string share_key;
    std::function<void()> resume;
  };

  [[nodiscard]] std::size_t ShareOf(std::string_view share_key) const;
  [[nodiscard]] bool MayResume(std::string_view share_key) const;
  Offers::node_type Take(Offers::iterator offer);
  void Finish(Offers::node_type node, const Outcome& outcome);

  Window window_;
  const Clock& clock_;
  Offers offers_;
  Shares shares_;
  std::vector<Waiter> waiters_;
  std::vector<OfferSeq> settled_;
  OfferSeq last_{0};
  Offers::iterator next_to_send_ = offers_.end();
  // A lower bound; exact after Expire.
  Deadline next_expiry_ = Deadline::max();
};

}  // namespace gatehouse::ipc
