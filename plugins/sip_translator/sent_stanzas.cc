#include "plugins/sip_translator/sent_stanzas.h"

#include <utility>

namespace gatehouse::translator {

void SentStanzas::Add(const std::string& id, std::string sip_user, std::string contact) {
  Forget();
  sent_.insert_or_assign(id, Sent{std::move(sip_user), std::move(contact)});
  order_.emplace_back(clock_.Now(), id);
}

bool SentStanzas::Take(const std::string& id, const std::string& sip_user,
                       const std::string& contact) {
  Forget();
  const auto found = sent_.find(id);
  if (found == sent_.end()) return false;
  if (found->second.sip_user != sip_user || found->second.contact != contact) return false;
  sent_.erase(found);
  return true;
}

void SentStanzas::Forget() {
  const TimePoint oldest = clock_.Now() - kLife;
  while (!order_.empty() && (order_.front().first <= oldest || order_.size() > kMaxRemembered)) {
    sent_.erase(order_.front().second);
    order_.pop_front();
  }
}

}  // namespace gatehouse::translator
