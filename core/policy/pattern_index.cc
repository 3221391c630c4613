#include "core/policy/pattern_index.h"

#include <algorithm>

#include "core/address/percent_encoding.h"
#include "core/policy/access.h"

namespace gatehouse {
namespace {

// Characters, not octets; a "\\27" of XEP-0106 stands for one.
std::size_t LiteralsOf(std::string_view local) {
  std::size_t literals = 0;
  for (std::size_t i = 0; i < local.size(); ++i) {
    const auto octet = static_cast<unsigned char>(local[i]);
    if (octet == '*' || (octet & 0xC0U) == 0x80U) continue;
    ++literals;
    if (octet == '\\' && i + 2 < local.size() && HexValue(local[i + 1]) >= 0 &&
        HexValue(local[i + 2]) >= 0)
      i += 2;
  }
  return literals;
}

}  // namespace

bool PatternIndex::Row::IsBefore(const Row& other) const {
  if (literals != other.literals) return literals > other.literals;
  return !policy->xmpp_access() && other.policy->xmpp_access();
}

void PatternIndex::Add(std::string_view pattern, const proto::AccessPolicy& policy) {
  const std::size_t at = pattern.rfind('@');
  if (at == std::string_view::npos) return;
  Domain& domain = domains_[pattern.substr(at + 1)];
  const std::string_view local = pattern.substr(0, at);
  const std::string_view start = local.substr(0, local.find('*'));
  const std::string_view rest = local.substr(local.rfind('*') + 1);
  Rows& rows = start.empty() ? domain.by_rest.rows[rest] : domain.by_start.rows[start];
  rows.push_back({local, LiteralsOf(local), &policy});
}

void PatternIndex::ByEnd::Seal() {
  lengths.clear();
  for (auto& [end, narrowest_first] : rows) {
    // Of those that nothing tells apart the first that was added stays the first.
    std::ranges::stable_sort(narrowest_first,
                             [](const Row& a, const Row& b) { return a.IsBefore(b); });
    lengths.push_back(end.size());
  }
  std::ranges::sort(lengths);
  const auto repeats = std::ranges::unique(lengths);
  lengths.erase(repeats.begin(), repeats.end());
}

void PatternIndex::Seal() {
  for (auto& [name, domain] : domains_) {
    domain.by_start.Seal();
    domain.by_rest.Seal();
  }
}

void PatternIndex::Look(const ByEnd& by_end, std::string_view local, bool at_start,
                        const Row*& best) {
  for (const std::size_t length : by_end.lengths) {
    if (length > local.size()) return;
    const auto found =
        by_end.rows.find(at_start ? local.substr(0, length) : local.substr(local.size() - length));
    if (found == by_end.rows.end()) continue;
    for (const Row& row : found->second) {
      if (best != nullptr && !row.IsBefore(*best)) break;
      if (!MatchesPattern(row.pattern, local)) continue;
      best = &row;
      break;
    }
  }
}

const proto::AccessPolicy* PatternIndex::Find(std::string_view local,
                                              std::string_view domain) const {
  const auto found = domains_.find(domain);
  if (found == domains_.end()) return nullptr;
  const Row* best = nullptr;
  Look(found->second.by_start, local, true, best);
  Look(found->second.by_rest, local, false, best);
  return best == nullptr ? nullptr : best->policy;
}

}  // namespace gatehouse
