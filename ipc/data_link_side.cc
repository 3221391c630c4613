#include "ipc/data_link_side.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "proto/link_control.pb.h"

namespace gatehouse::ipc {
namespace {

using std::chrono::duration_cast;

// Most octets of one offer, settle or acknowledgement beside its body or text.
constexpr std::size_t kOfferHeadBytes = 48;
constexpr std::size_t kSettleHeadBytes = 48;
constexpr std::size_t kAcknowledgedBytes = 10;
// A message that grew larger than this once is not kept.
constexpr std::size_t kKeptFrameBytes = 4 * kFrameTargetBytes;
// A sender may overrun its window by what one turn reads, never by this.
constexpr std::size_t kMostKnownPerWindow = 64;
constexpr std::size_t kMostKnownAtLeast = 4096;
// Expiries this close together are one wake.
constexpr milliseconds kExpiryGrain{10};

std::uint32_t MillisecondsUntil(Deadline deadline, TimePoint now) {
  const auto left = duration_cast<milliseconds>(deadline - now).count();
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 1, most));
}

void Write(const Outcome& outcome, proto::Outcome& to) {
  switch (outcome.kind) {
    case OutcomeKind::kDelivered:
      to.set_kind(proto::Outcome::DELIVERED);
      break;
    case OutcomeKind::kFailed:
      to.set_kind(proto::Outcome::FAILED);
      break;
    case OutcomeKind::kExpired:
      to.set_kind(proto::Outcome::EXPIRED);
      break;
  }
  if (outcome.condition != 0) to.set_condition(outcome.condition);
  if (!outcome.text.empty()) to.set_text(CleanText(outcome.text));
  const auto retry_ms = outcome.retry_after.count();
  if (retry_ms > 0)
    to.set_retry_after_ms(static_cast<std::uint32_t>(
        std::min<std::int64_t>(retry_ms, std::numeric_limits<std::uint32_t>::max())));
  if (outcome.by_link) to.set_by_link(true);
}

// False when the kind is none we know.
bool Read(const proto::Outcome& from, Outcome& outcome) {
  switch (from.kind()) {
    case proto::Outcome::DELIVERED:
      outcome.kind = OutcomeKind::kDelivered;
      break;
    case proto::Outcome::FAILED:
      outcome.kind = OutcomeKind::kFailed;
      break;
    case proto::Outcome::EXPIRED:
      outcome.kind = OutcomeKind::kExpired;
      break;
    default:  // UNSET and protobuf's sentinels
      return false;
  }
  outcome.condition = from.condition();
  outcome.text = from.text();
  outcome.retry_after = milliseconds{from.retry_after_ms()};
  outcome.by_link = from.by_link();
  return true;
}

}  // namespace

class DataLinkSide::Link final : public Other, public DataLink {
 public:
  Link(DataLinkSide& owner, std::string instance_name, Window window)
      : Other(std::move(instance_name), owner.self().epoch),
        outbox(window, owner.clock_),
        inbox(std::max<std::size_t>(kMostKnownPerWindow * window.offers, kMostKnownAtLeast)),
        side_(owner) {}

  [[nodiscard]] const std::string& instance() const override { return name; }
  [[nodiscard]] bool gone() const override { return Other::gone; }

  void Offer(std::string_view share_key, std::string body, Deadline expires,
             OnSettled settled) override {
    if (body.size() + kOfferHeadBytes + kFrameHeadBytes > side_.max_message_bytes()) {
      refused_.push_back(std::move(settled));
    } else {
      outbox.Add(share_key, std::move(body), expires, std::move(settled));
      side_.SetExpiryTimer(expires);
    }
    side_.FlushLater(*this);
  }
  [[nodiscard]] bool HasRoom(std::string_view share_key) const override {
    return outbox.HasRoom(share_key);
  }
  void WhenRoom(std::string_view share_key, std::function<void()> resume) override {
    outbox.WhenRoom(share_key, std::move(resume));
    side_.FlushLater(*this);  // it may have room already
  }
  [[nodiscard]] std::size_t unsettled() const override {
    return outbox.unsettled() + refused_.size();
  }

  void FailRefused() {
    if (refused_.empty()) return;
    const Outcome too_large = Outcome::GivenUp(
        side_.conditions_.too_large, fmt::format("more than {} octets", side_.max_message_bytes()));
    for (const OnSettled& settled : std::exchange(refused_, {}))
      if (settled) settled(too_large);
  }
  void FailAll() {
    outbox.FailAll(Outcome::GivenUp(side_.conditions_.lost, name + " was scaled away"));
  }
  void Settle(std::uint64_t sender_epoch, OfferSeq seq, const Outcome& outcome) {
    if (inbox.Settle(sender_epoch, seq, outcome)) side_.FlushLater(*this);
  }

  Outbox outbox;
  Inbox inbox;

 private:
  DataLinkSide& side_;
  std::vector<OnSettled> refused_;  // too large to be sent
};

DataLinkSide::DataLinkSide(const Setup& setup, const proto::LinkEnd& end, LinkConditions conditions)
    : LinkSide(setup, end),
      window_{std::max(end.window(), 1U)},
      conditions_(conditions),
      lost_tickets_(setup.metrics.Value("gatehouse_bugs_total", "{bug=\"ticket_lost\"}")),
      offers_sent_(setup.metrics.Value("gatehouse_link_offers_sent_total")),
      offers_again_(setup.metrics.Value("gatehouse_link_offers_again_total")),
      expiry_(setup.loop, [this] { ExpireAll(); }) {
  Meet(0);
}

DataLinkSide::~DataLinkSide() = default;

DataLink& DataLinkSide::At(std::size_t index) {
  GATEHOUSE_CHECK(index < links_.size());
  return *links_[index];
}

std::size_t DataLinkSide::unsettled() const {
  std::size_t sum = 0;
  for (const Link* link : links_) sum += link->unsettled();
  return sum;
}

LinkSide::Other* DataLinkSide::Meet(std::size_t index) {
  while (links_.size() <= index) {
    auto link =
        std::make_unique<Link>(*this, fmt::format("{}/{}", plugin(), links_.size()), window_);
    links_.push_back(link.get());
    Add(std::move(link));
  }
  return links_[index];
}

void DataLinkSide::OnInstanceCount(std::size_t configured) {
  Meet(configured - 1);
  configured_ = configured;
}

void DataLinkSide::OnReborn(Other& other) {
  auto& link = static_cast<Link&>(other);
  link.inbox.Reborn(other.greeting.epoch());
}

void DataLinkSide::OnOpened(Other& other) {
  static_cast<Link&>(other).outbox.OfferAgain();
}

void DataLinkSide::OnGone(Other& other) {
  auto& link = static_cast<Link&>(other);
  link.FailAll();
  link.inbox.Reborn(0);
  FlushLater(other);  // its waiters may go on, and fail
}

void DataLinkSide::WriteHello(Other& other) {
  StartFrame(static_cast<Link&>(other));
  out_.set_hello(other.greeting.hello());
  Send(other, out_);
}

void DataLinkSide::Flush(Other& other) {
  auto& link = static_cast<Link&>(other);
  link.FailRefused();
  if (link.gone()) link.FailAll();
  link.outbox.Expire();
  if (const auto next = link.outbox.NextExpiry()) SetExpiryTimer(*next);
  while (link.greeting.open() && FillFrame(link)) {
    if (!Send(link, out_)) break;
    link.answer_due = false;
  }
  if (out_.ByteSizeLong() > kKeptFrameBytes) out_ = proto::DataFrame{};
  link.outbox.RunResumes();
}

void DataLinkSide::StartFrame(Link& link) {
  out_.Clear();
  out_.set_sender_epoch(self().epoch);
  out_.set_receiver_epoch(link.greeting.epoch());
  out_.set_settled_below(link.outbox.settled_below().value);
}

// False when there is nothing to say.
bool DataLinkSide::FillFrame(Link& link) {
  StartFrame(link);
  const std::size_t bytes = FillOffers(link, FillSettles(link));
  if (bytes == 0 && !link.answer_due) return false;
  const std::size_t left =
      max_message_bytes() - std::min(max_message_bytes(), kFrameHeadBytes + bytes);
  for (const OfferSeq seq : link.outbox.TakeSettled(left / kAcknowledgedBytes))
    out_.add_settled(seq.value);
  return true;
}

std::size_t DataLinkSide::FillSettles(Link& link) {
  const std::size_t limit = std::min(kFrameTargetBytes, max_message_bytes() / 2);
  std::size_t bytes = 0;
  for (const Inbox::Settled* next = link.inbox.Next(); next != nullptr && bytes < limit;
       next = link.inbox.Next()) {
    bytes += kSettleHeadBytes + next->outcome.text.size();
    proto::Settle& settle = *out_.add_settles();
    settle.set_seq(next->seq.value);
    Write(next->outcome, *settle.mutable_outcome());
    link.inbox.MarkTold();
  }
  return bytes;
}

std::size_t DataLinkSide::FillOffers(Link& link, std::size_t bytes) {
  const TimePoint now = clock_.Now();
  const std::size_t limit = std::min(kFrameTargetBytes, max_message_bytes() / 2);
  for (auto next = link.outbox.Next(); next; next = link.outbox.Next()) {
    const std::size_t size = kOfferHeadBytes + next->body.size();
    // One that is larger than the target goes alone.
    if (bytes > 0 && bytes + size > limit) break;
    bytes += size;
    proto::Offer& offer = *out_.add_offers();
    offer.set_seq(next->seq.value);
    offer.set_attempt(next->attempt);
    offer.set_expires_in_ms(MillisecondsUntil(next->expires, now));
    offer.set_body(next->body.data(), next->body.size());
    ++(next->attempt == 1 ? offers_sent_ : offers_again_);
    link.outbox.MarkSent();
  }
  return bytes;
}

std::string_view DataLinkSide::Read(Other& other, std::string_view bytes) {
  auto& link = static_cast<Link&>(other);
  if (!in_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return "not a data frame";
  if (!Hear(other, in_.sender_epoch(), in_.receiver_epoch(), in_.hello())) return {};
  link.inbox.ForgetBelow(OfferSeq{in_.settled_below()});
  for (const std::uint64_t seq : in_.settled()) link.inbox.Forget(OfferSeq{seq});
  if (const std::string_view wrong = ReadSettles(link); !wrong.empty()) return wrong;
  if (const std::string_view wrong = ReadOffers(link); !wrong.empty()) return wrong;
  if (bytes.size() > kKeptFrameBytes) in_ = proto::DataFrame{};
  link.outbox.RunResumes();
  return {};
}

std::string_view DataLinkSide::ReadSettles(Link& link) {
  Outcome outcome;
  for (const proto::Settle& settle : in_.settles()) {
    if (!ipc::Read(settle.outcome(), outcome)) return "a settle without an outcome";
    const auto result = link.outbox.Settle(OfferSeq{settle.seq()}, outcome);
    if (result == Outbox::SettleResult::kNeverOffered) return "a settle of what was never offered";
  }
  return {};
}

std::string_view DataLinkSide::ReadOffers(Link& link) {
  const TimePoint now = clock_.Now();
  for (const proto::Offer& offer : in_.offers()) {
    if (!link.greeting.open()) return {};  // the receiver has just closed it
    if (offer.seq() == 0) return "an offer without a number";
    switch (link.inbox.Arrive(OfferSeq{offer.seq()})) {
      case Inbox::Arrival::kNew:
        HandOver(link, offer, now);
        break;
      case Inbox::Arrival::kSettled:
        FlushLater(link);
        break;
      case Inbox::Arrival::kInProgress:
      case Inbox::Arrival::kForgotten:
        break;
      case Inbox::Arrival::kTooMany:
        return "more offers than any window holds";
    }
  }
  return {};
}

void DataLinkSide::HandOver(Link& link, const proto::Offer& offer, TimePoint now) {
  const std::uint64_t epoch = link.inbox.sender_epoch();
  const OfferSeq seq{offer.seq()};
  Ticket ticket([&link, epoch, seq](const Outcome& outcome) { link.Settle(epoch, seq, outcome); },
                conditions_.lost, &lost_tickets_);
  if (!on_offer_) return;  // the ticket settles itself, as lost
  on_offer_(Received{link.name, epoch, seq.value, offer.attempt(),
                     now + milliseconds{offer.expires_in_ms()}, offer.body()},
            std::move(ticket));
}

void DataLinkSide::ExpireAll() {
  expiry_at_ = Deadline::max();
  for (std::size_t index = 0; index < links_.size(); ++index) {
    Link& link = *links_[index];
    if (link.outbox.Expire() > 0) FlushLater(link);  // tells settled_below, wakes waiters
    if (const auto next = link.outbox.NextExpiry()) SetExpiryTimer(*next);
  }
}

void DataLinkSide::SetExpiryTimer(Deadline earliest) {
  if (earliest >= expiry_at_) return;
  expiry_at_ = earliest;
  const auto left = duration_cast<milliseconds>(earliest - clock_.Now()) + milliseconds{1};
  expiry_.Start(std::max(left, kExpiryGrain));
}

}  // namespace gatehouse::ipc
