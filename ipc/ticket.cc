#include <utility>

#include "core/base/log.h"
#include "core/base/result.h"
#include "ipc/data_link.h"

namespace gatehouse::ipc {

Ticket::Ticket(Ticket&& other) noexcept
    : sink_(std::exchange(other.sink_, nullptr)),
      lost_(other.lost_),
      lost_count_(other.lost_count_) {}

Ticket& Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  SettleIfLost();
  sink_ = std::exchange(other.sink_, nullptr);
  lost_ = other.lost_;
  lost_count_ = other.lost_count_;
  return *this;
}

Ticket::~Ticket() {
  SettleIfLost();
}

void Ticket::Settle(const Outcome& outcome) {
  GATEHOUSE_CHECK(pending());
  const Sink sink = std::exchange(sink_, nullptr);
  sink(outcome);
}

void Ticket::SettleIfLost() noexcept {
  if (!pending()) return;
  if (lost_count_ != nullptr) ++*lost_count_;
  Log(LogLevel::kError, "ticket-lost", {{"condition", static_cast<std::int64_t>(lost_)}});
  Settle(Outcome::GivenUp(lost_, "the receiver lost its ticket"));
}

}  // namespace gatehouse::ipc
