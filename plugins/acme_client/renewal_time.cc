#include "plugins/acme_client/renewal_time.h"

#include <algorithm>
#include <vector>

namespace gatehouse::acme {
namespace {

constexpr std::int64_t kLouderFromDays = 7;

// 0 to 1, by the first digits of a hex text.
double FractionOf(std::string_view hex) {
  unsigned value = 0;
  for (const char c : hex.substr(0, 4))
    value = value * 16 + static_cast<unsigned>(c >= 'a' ? c - 'a' + 10 : c - '0') % 16;
  return static_cast<double>(value) / 65536.0;
}

bool IsAsWanted(const proto::CertificateView& held, const AcmeSettings& wanted) {
  if (held.key_type() != WordOf(wanted.key)) return false;
  std::vector<std::string> has(held.names().begin(), held.names().end());
  std::vector<std::string> wants = wanted.names;
  std::ranges::sort(has);
  std::ranges::sort(wants);
  return has == wants;
}

}  // namespace

std::int64_t RenewalTime(std::int64_t not_before, std::int64_t not_after, std::string_view sha256) {
  const std::int64_t third = std::max<std::int64_t>(not_after - not_before, 0) / 3;
  return not_after - third +
         static_cast<std::int64_t>(static_cast<double>(third) * 0.1 * FractionOf(sha256));
}

std::int64_t DueAt(const proto::CertificateView* held, const AcmeSettings& wanted,
                   const proto::AcmeMemory& memory) {
  if (held == nullptr || !held->issued()) return 0;
  const bool ours = !memory.issued_sha256().empty() && memory.issued_sha256() == held->sha256();
  const bool as_wanted = ours ? memory.issued_for() == wanted.WhatIsWanted()
                              : !memory.directory_changed() && IsAsWanted(*held, wanted);
  if (!as_wanted) return 0;
  return RenewalTime(held->not_before_unix(), held->not_after_unix(), held->sha256());
}

bool IsTooShort(const proto::CertificateView& held, std::int64_t now) {
  return RenewalTime(held.not_before_unix(), held.not_after_unix(), held.sha256()) <
         now + kRestAfterSuccess;
}

std::int64_t WithinAWeek(std::int64_t time, std::int64_t now) {
  return std::min(time, now + 7 * kDay);
}

bool IsUrgent(const proto::CertificateView* held, const proto::AcmeMemory& memory,
              std::int64_t now) {
  if (held != nullptr) return (held->not_after_unix() - now) / kDay < kLouderFromDays;
  return memory.failing_since_unix() != 0 && now - memory.failing_since_unix() >= kDay;
}

}  // namespace gatehouse::acme
