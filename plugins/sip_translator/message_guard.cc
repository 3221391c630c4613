#include "plugins/sip_translator/message_guard.h"

#include "core/tls/crypto.h"

namespace gatehouse::translator {

std::string ContentKey(std::string_view from, std::string_view to, std::string_view body) {
  std::string whole;
  whole.reserve(from.size() + to.size() + body.size() + 2);
  whole.append(from).append(1, '\0').append(to).append(1, '\0').append(
      body);  // no address holds a NUL
  std::string key = Sha256(whole);
  key.resize(16);
  return key;
}

bool RecentSet::Add(const std::string& key) {
  Forget();
  if (!seen_.try_emplace(key, clock_.Now()).second) return false;
  order_.emplace_back(clock_.Now(), key);
  return true;
}

void RecentSet::Remove(const std::string& key) {
  seen_.erase(key);
}

void RecentSet::Forget() {
  const TimePoint oldest = clock_.Now() - life_;
  while (!order_.empty() && (order_.front().first <= oldest || order_.size() > kMaxRemembered)) {
    const auto& [since, key] = order_.front();
    const auto found = seen_.find(key);
    if (found != seen_.end() && found->second == since) seen_.erase(found);
    order_.pop_front();
  }
}

bool FloodGuard::Admit(const std::string& key) {
  Forget();
  const auto [run, is_new] = runs_.try_emplace(key, Run{clock_.Now(), 0});
  if (is_new) order_.emplace_back(clock_.Now(), key);
  return ++run->second.count <= kMaxIdentical;
}

void FloodGuard::Forget() {
  const TimePoint oldest = clock_.Now() - kIdenticalSpan;
  while (!order_.empty() && (order_.front().first <= oldest || order_.size() > kMaxRemembered)) {
    runs_.erase(order_.front().second);
    order_.pop_front();
  }
}

}  // namespace gatehouse::translator
