// Offers of domain pairs that have used up their share of the window, in order, until it has room
// again.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "ipc/data_link.h"

namespace gatehouse::translator {

class WaitingOffers {
 public:
  // More than that and the pair is told to come back later: the other end does not keep up.
  static constexpr std::size_t kMaxPerPair = 512;

  explicit WaitingOffers(const Clock& clock) : clock_(clock) {}
  WaitingOffers(const WaitingOffers&) = delete;
  WaitingOffers& operator=(const WaitingOffers&) = delete;

  // Soft: Offer still works when false.
  [[nodiscard]] bool HasRoom(std::string_view share_key) const;
  // Offers on `link`, which outlives this object, now or when the pair's turn has come. One that
  // expires while it waits is settled so.
  void Offer(ipc::DataLink& link, const std::string& share_key, std::string body, Deadline expires,
             ipc::DataLink::OnSettled settled);

 private:
  struct Waiting {
    std::string body;
    Deadline expires;
    ipc::DataLink::OnSettled settled;
  };
  void AwaitRoom(ipc::DataLink& link, const std::string& share_key);
  void OfferSome(ipc::DataLink& link, const std::string& share_key);

  const Clock& clock_;
  std::map<std::string, std::deque<Waiting>, std::less<>> pairs_;  // none of them empty
};

}  // namespace gatehouse::translator
