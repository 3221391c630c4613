#include "plugins/tls_listener/outbound_back_off.h"

#include <algorithm>

namespace gatehouse {
namespace {

constexpr milliseconds kFirst = seconds{10};  // a random part of it
constexpr milliseconds kBase = seconds{10};
constexpr milliseconds kConfigured = seconds{60};
constexpr milliseconds kDomainGone = seconds{300};
constexpr milliseconds kLongest = seconds{600};
static_assert(kLongest + kLongest / 2 == OutboundBackOff::kLongestWait);
constexpr milliseconds kGoodLife = seconds{60};

}  // namespace

milliseconds OutboundBackOff::Random(milliseconds below) const {
  return milliseconds{random_(static_cast<std::uint32_t>(below.count()) + 1)};
}

// base, doubled for each failure after the second, times 0.5 to 1.5.
milliseconds OutboundBackOff::Grown(milliseconds base) const {
  const int doublings = std::clamp(failures_ - 2, 0, 16);
  const milliseconds wait = std::min(base * (1 << doublings), kLongest);
  return wait / 2 + Random(wait);
}

void OutboundBackOff::OnFailed(const OutboundFault& fault, TimePoint now) {
  last_ = fault;
  switch (fault.retry) {
    case RetryClass::kAtOnce:
      not_before_ = now;
      return;
    case RetryClass::kSoon:
      not_before_ = now + Random(kFirst);
      return;
    case RetryClass::kDomainGone:
      ++failures_;
      not_before_ = now + kDomainGone;
      return;
    case RetryClass::kConfigured:
      ++failures_;
      not_before_ = now + Grown(kConfigured);
      return;
    case RetryClass::kOrdinary:
      ++failures_;
      not_before_ = now + (failures_ == 1 ? Random(kFirst) : Grown(kBase));
      return;
  }
}

void OutboundBackOff::OnOpened(TimePoint now) {
  opened_ = now;
  not_before_ = now;
}

void OutboundBackOff::OnLost(const OutboundFault& fault, TimePoint now) {
  const bool good_life = opened_ && now - *opened_ >= kGoodLife;
  opened_.reset();
  if (good_life) failures_ = 0;
  if (good_life && fault.retry == RetryClass::kOrdinary) return;
  OnFailed(fault, now);
}

milliseconds OutboundBackOff::Remaining(TimePoint now) const {
  if (now >= not_before_) return milliseconds{0};
  return std::chrono::ceil<milliseconds>(not_before_ - now);
}

}  // namespace gatehouse
