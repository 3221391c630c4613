#include "core/policy/access.h"

#include <algorithm>
#include <array>

namespace gatehouse {
namespace {

constexpr std::size_t kMaxBareBytes = 2 * 1023 + 1;  // RFC 7622 §3.1

// "LOCAL@DOMAIN" in `bytes`; empty where it is longer than any address.
std::string_view BareOf(const LocalUser& user, std::array<char, kMaxBareBytes>& bytes) {
  const std::size_t size = user.local.size() + 1 + user.domain.size();
  if (size > bytes.size()) return {};
  char* end = std::ranges::copy(user.local, bytes.data()).out;
  *end++ = '@';
  std::ranges::copy(user.domain, end);
  return {bytes.data(), size};
}

struct Grant {
  const proto::AccessPolicy* policy = nullptr;
  std::string_view rule;
};

Grant GrantOf(const PolicyView& view, std::string_view bare, const LocalUser& user) {
  if (const proto::AccessPolicy* policy = view.PolicyOfUser(bare)) return {policy, "access-user"};
  if (const proto::AccessPolicy* policy = view.PolicyByPattern(user.local, user.domain))
    return {policy, "access-pattern"};
  if (const proto::AccessPolicy* policy = view.PolicyOfDomain(user.domain))
    return {policy, "access-domain"};
  return {view.GlobalPolicy(), "access-global"};
}

}  // namespace

bool FederationGoes(const PolicyView& view, Direction direction) {
  switch (view.gateway().federation()) {
    case proto::GatewaySettings::ON:
      return true;
    case proto::GatewaySettings::INBOUND_ONLY:
      return direction == Direction::kXmppToSip;
    case proto::GatewaySettings::OUTBOUND_ONLY:
      return direction == Direction::kSipToXmpp;
    default:
      return false;
  }
}

AccessVerdict MayUseXmpp(const PolicyView& view, const LocalUser& user, Direction direction) {
  if (!FederationGoes(view, direction)) return {false, Reason::kFederationOff, "federation", {}};
  if (user.local.empty()) return {true, Reason::kNone, "access-domain", {}};
  std::array<char, kMaxBareBytes> bytes;
  const std::string_view bare = BareOf(user, bytes);
  if (bare.empty()) return {false, Reason::kNoXmppAccess, "access-global", {}};
  const auto [policy, rule] = GrantOf(view, bare, user);
  if (policy == nullptr) return {false, Reason::kNoXmppAccess, rule, {}};
  const bool may = policy->xmpp_access();
  return {may, may ? Reason::kNone : Reason::kNoXmppAccess, rule, policy->name()};
}

// At a mismatch only the last "*" can give: it takes one character more.
bool MatchesPattern(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = kNone;
  std::size_t taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != kNone) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == kNone;
}

}  // namespace gatehouse
