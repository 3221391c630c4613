#include "core/xmpp/header_check.h"

#include <algorithm>
#include <charconv>

#include "core/xmpp/element.h"
#include "core/xmpp/jid.h"
#include "core/xmpp/stream_refusal.h"

namespace gatehouse {
namespace {

using Check = Result<void, HeaderRefusal>;
Check Refuse(StreamCondition condition, Reason reason) {
  return std::unexpected(HeaderRefusal{condition, reason});
}
Check Refuse(StreamCondition condition) {
  return Refuse(condition, ReasonOf(condition));
}

// "1.0" and later; leading zeros do not matter. RFC 6120 §4.7.5
bool IsSupportedVersion(std::string_view version) {
  const std::size_t dot = version.find('.');
  if (dot == 0 || dot == std::string_view::npos || dot + 1 == version.size()) return false;
  unsigned major = 0;
  unsigned minor = 0;
  const char* const begin = version.data();
  const char* const end = begin + version.size();
  const auto first = std::from_chars(begin, begin + dot, major);
  const auto second = std::from_chars(begin + dot + 1, end, minor);
  return first.ec == std::errc{} && first.ptr == begin + dot && second.ec == std::errc{} &&
         second.ptr == end && major >= 1;
}

Check CheckNames(const StreamHeader& header) {
  if (header.ns != ns::kStream) return Refuse(StreamCondition::kInvalidNamespace);
  if (header.prefix != "stream") return Refuse(StreamCondition::kBadNamespacePrefix);
  if (header.name != "stream") return Refuse(StreamCondition::kBadFormat);
  if (header.default_ns != ns::kServer) return Refuse(StreamCondition::kInvalidNamespace);
  return {};
}

Check CheckTo(const StreamHeader& header, const InboundRules& rules, HeaderFacts& facts) {
  auto to = PrepareDomain(header.to);
  if (!to) return Refuse(StreamCondition::kHostUnknown);
  facts.asks_for = *std::move(to);
  if (rules.Serves(facts.asks_for)) {
    facts.to = facts.asks_for;
    return {};
  }
  const bool gone =
      std::ranges::find(rules.removed_domains, facts.asks_for) != rules.removed_domains.end();
  return Refuse(gone ? StreamCondition::kHostGone : StreamCondition::kHostUnknown);
}

Check CheckFrom(const StreamHeader& header, const InboundRules& rules, HeaderFacts& facts) {
  if (!header.has_from) return {};
  if (facts.claims.empty()) return Refuse(StreamCondition::kImproperAddressing);
  facts.from = facts.claims;
  const proto::Partner* partner = rules.FindPartner(facts.from);
  if (partner == nullptr)
    return Refuse(StreamCondition::kPolicyViolation, rules.policy->WhyNoPartner(facts.from));
  if (rules.partner_has_room && !rules.partner_has_room(*partner))
    return Refuse(StreamCondition::kResourceConstraint, Reason::kPartnerConnectionLimit);
  return {};
}

// Only dialback on clear TCP is possible with a peer older than 1.0 (2.2.1).
Check CheckOldPeer(StreamPhase phase, const InboundRules& rules, const HeaderFacts& facts) {
  if (facts.has_version) return {};
  const proto::Partner* partner = facts.from.empty() ? nullptr : rules.FindPartner(facts.from);
  const bool possible = phase == StreamPhase::kClear && partner != nullptr &&
                        PermittedMethods(RowOf(*partner)).tcp_dialback;
  return possible ? Check{} : Refuse(StreamCondition::kUnsupportedVersion);
}

}  // namespace

bool InboundRules::Serves(std::string_view domain) const {
  return std::ranges::find(domains, domain) != domains.end();
}

Result<void, HeaderRefusal> CheckHeader(const StreamHeader& header, StreamPhase phase,
                                        const InboundRules& rules, HeaderFacts& facts) {
  if (header.has_from) facts.claims = PrepareDomain(header.from).value_or("");
  GATEHOUSE_TRY_VOID(CheckNames(header));
  facts.has_version = header.has_version;
  if (header.has_version && !IsSupportedVersion(header.version))
    return Refuse(StreamCondition::kUnsupportedVersion);
  GATEHOUSE_TRY_VOID(CheckTo(header, rules, facts));
  GATEHOUSE_TRY_VOID(CheckFrom(header, rules, facts));
  return CheckOldPeer(phase, rules, facts);
}

}  // namespace gatehouse
