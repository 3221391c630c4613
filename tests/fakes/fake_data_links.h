// Data links whose other ends the test plays: offers are kept until it settles them.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ipc/data_link.h"

namespace gatehouse {

class FakeDataLink final : public ipc::DataLink {
 public:
  struct Offered {
    std::string share_key;
    std::string body;
    Deadline expires;
    OnSettled settled;
  };
  explicit FakeDataLink(std::string instance, std::size_t window)
      : instance_(std::move(instance)), window_(window) {}

  const std::string& instance() const override { return instance_; }
  void Offer(std::string_view share_key, std::string body, Deadline expires,
             OnSettled settled) override {
    offers.push_back({std::string(share_key), std::move(body), expires, std::move(settled)});
  }
  bool HasRoom(std::string_view share_key) const override {
    return offers.size() < window_ && Held(share_key) < window_ / 2;
  }
  void WhenRoom(std::string_view, std::function<void()> resume) override {
    waiting_.push_back(std::move(resume));
  }
  std::size_t unsettled() const override { return offers.size(); }
  bool gone() const override { return is_gone; }

  // Settles the oldest offer, and lets those who wait go on when half the window is free.
  void SettleFirst(const ipc::Outcome& outcome) {
    const Offered first = std::move(offers.front());
    offers.pop_front();
    first.settled(outcome);
    if (offers.size() > window_ / 2) return;
    for (const auto& resume : std::exchange(waiting_, {})) resume();
  }

  std::deque<Offered> offers;
  bool is_gone = false;

 private:
  std::size_t Held(std::string_view share_key) const {
    std::size_t held = 0;
    for (const Offered& offer : offers) held += offer.share_key == share_key ? 1 : 0;
    return held;
  }
  std::string instance_;
  std::size_t window_;
  std::vector<std::function<void()>> waiting_;
};

class FakeDataLinks final : public ipc::DataLinkSet {
 public:
  explicit FakeDataLinks(std::size_t instances, std::size_t window = 8) {
    for (std::size_t i = 0; i < instances; ++i)
      links_.push_back(std::make_unique<FakeDataLink>("tls_listener/" + std::to_string(i), window));
  }
  void OnOffers(OnOffer handler) override { on_offer = std::move(handler); }
  std::size_t size() const override { return links_.size(); }
  FakeDataLink& At(std::size_t index) override { return *links_.at(index); }
  std::size_t unsettled() const override {
    std::size_t all = 0;
    for (const auto& link : links_) all += link->unsettled();
    return all;
  }

  OnOffer on_offer;

 private:
  std::vector<std::unique_ptr<FakeDataLink>> links_;
};

}  // namespace gatehouse
