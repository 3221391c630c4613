// The data links with every instance of one sibling plugin, over one LinkSide. What is kept and
// what is repeated is outbox.h's and inbox.h's; here frames are filled and read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "ipc/data_link.h"
#include "ipc/inbox.h"
#include "ipc/link_side.h"
#include "ipc/outbox.h"
#include "proto/data_link.pb.h"

namespace gatehouse::ipc {

class DataLinkSide final : public LinkSide, public DataLinkSet {
 public:
  DataLinkSide(const Setup& setup, const proto::LinkEnd& end, LinkConditions conditions);
  ~DataLinkSide() override;

  void OnOffers(OnOffer handler) override { on_offer_ = std::move(handler); }
  [[nodiscard]] std::size_t size() const override { return configured_; }
  [[nodiscard]] DataLink& At(std::size_t index) override;
  [[nodiscard]] std::size_t unsettled() const override;

 private:
  class Link;

  Other* Meet(std::size_t index) override;
  void OnInstanceCount(std::size_t configured) override;
  void OnReborn(Other& other) override;
  void OnOpened(Other& other) override;
  void OnGone(Other& other) override;
  std::string_view Read(Other& other, std::string_view bytes) override;
  void WriteHello(Other& other) override;
  void Flush(Other& other) override;

  void StartFrame(Link& link);
  bool FillFrame(Link& link);
  std::size_t FillSettles(Link& link);
  std::size_t FillOffers(Link& link, std::size_t bytes);
  std::string_view ReadSettles(Link& link);
  std::string_view ReadOffers(Link& link);
  void HandOver(Link& link, const proto::Offer& offer, TimePoint now);
  void ExpireAll();
  void SetExpiryTimer(Deadline earliest);

  Window window_;
  LinkConditions conditions_;
  double& lost_tickets_;
  double& offers_sent_;
  double& offers_again_;
  SteadyClock clock_;
  OnOffer on_offer_;
  std::vector<Link*> links_;  // by index; LinkSide owns them
  std::size_t configured_ = 1;
  // Reused, so that a frame costs no allocation.
  proto::DataFrame out_;
  proto::DataFrame in_;
  Timer expiry_;
  Deadline expiry_at_ = Deadline::max();
};

}  // namespace gatehouse::ipc
