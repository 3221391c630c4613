#include "plugins/policy_engine/stranger_memory.h"

#include <algorithm>
#include <utility>

#include "core/base/utf8_check.h"

namespace gatehouse::policy_engine {
namespace {

// A line from a sibling that has parsed hostile bytes: kept, but not at any length.
constexpr std::size_t kMaxLineBytes = 512;
constexpr int kMaxDnsLines = 32;

void Cut(std::string& line) {
  line.resize(BeginningOf(line, kMaxLineBytes).size());
}

}  // namespace

void StrangerMemory::Add(proto::Stranger stranger) {
  if (stranger.domain().empty() || stranger.domain().size() > kMaxLineBytes) return;
  Cut(*stranger.mutable_peer());
  Cut(*stranger.mutable_certificate());
  for (std::string& line : *stranger.mutable_dns()) Cut(line);
  if (stranger.dns_size() > kMaxDnsLines)
    stranger.mutable_dns()->DeleteSubrange(kMaxDnsLines, stranger.dns_size() - kMaxDnsLines);
  const std::string domain = stranger.domain();
  if (const auto known = by_domain_.find(domain); known != by_domain_.end()) {
    proto::Stranger& before = known->second;
    stranger.set_first_unix(before.first_unix());
    stranger.set_knocks(before.knocks() + stranger.knocks());
    if (stranger.certificate().empty()) stranger.set_certificate(before.certificate());
    if (stranger.dns().empty()) *stranger.mutable_dns() = before.dns();
  }
  by_domain_[domain] = std::move(stranger);
  if (by_domain_.size() <= kKept) return;
  by_domain_.erase(std::ranges::min_element(
      by_domain_, {}, [](const auto& each) { return each.second.last_unix(); }));
}

bool StrangerMemory::Forget(std::string_view domain) {
  const auto found = by_domain_.find(domain);
  if (found == by_domain_.end()) return false;
  by_domain_.erase(found);
  return true;
}

const proto::Stranger* StrangerMemory::Find(std::string_view domain) const {
  const auto found = by_domain_.find(domain);
  return found == by_domain_.end() ? nullptr : &found->second;
}

std::vector<proto::Stranger> StrangerMemory::All() const {
  std::vector<proto::Stranger> all;
  all.reserve(by_domain_.size());
  for (const auto& [domain, stranger] : by_domain_) all.push_back(stranger);
  std::ranges::stable_sort(all, std::ranges::greater{}, &proto::Stranger::last_unix);
  return all;
}

}  // namespace gatehouse::policy_engine
