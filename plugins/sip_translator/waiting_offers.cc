#include "plugins/sip_translator/waiting_offers.h"

#include <utility>

namespace gatehouse::translator {

bool WaitingOffers::HasRoom(std::string_view share_key) const {
  const auto pair = pairs_.find(share_key);
  return pair == pairs_.end() || pair->second.size() < kMaxPerPair;
}

void WaitingOffers::Offer(ipc::DataLink& link, const std::string& share_key, std::string body,
                          Deadline expires, ipc::DataLink::OnSettled settled) {
  const bool first = !pairs_.contains(share_key);
  if (first && link.HasRoom(share_key))
    return link.Offer(share_key, std::move(body), expires, std::move(settled));
  pairs_[share_key].push_back({std::move(body), expires, std::move(settled)});
  if (first) AwaitRoom(link, share_key);
}

void WaitingOffers::AwaitRoom(ipc::DataLink& link, const std::string& share_key) {
  link.WhenRoom(share_key, [this, &link, share_key] { OfferSome(link, share_key); });
}

void WaitingOffers::OfferSome(ipc::DataLink& link, const std::string& share_key) {
  std::deque<Waiting>& waiting = pairs_[share_key];
  while (!waiting.empty() && link.HasRoom(share_key)) {
    Waiting next = std::move(waiting.front());
    waiting.pop_front();
    if (next.expires <= clock_.Now())
      next.settled(ipc::Outcome::Expired());
    else
      link.Offer(share_key, std::move(next.body), next.expires, std::move(next.settled));
  }
  if (waiting.empty())
    pairs_.erase(share_key);
  else
    AwaitRoom(link, share_key);
}

}  // namespace gatehouse::translator
