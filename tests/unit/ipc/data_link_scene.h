// Data links over real sockets, both ends in one process.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/ipc/link_scene.h"

namespace gatehouse::ipc {

using namespace std::chrono_literals;

struct Held {
  std::string body;
  std::uint32_t attempt = 0;
  std::uint64_t seq = 0;
  Ticket ticket;
};

// A worker with one data link: keeps the tickets of what it receives and the outcomes of what it
// offers.
struct Talker {
  Talker(LinkScene& a_scene, const std::string& instance, std::uint64_t epoch,
         const std::string& sibling, const std::string& binds_at, std::uint32_t window = 64,
         std::uint32_t max_message_bytes = 65536)
      : scene(a_scene), life(a_scene, instance, epoch), sibling_plugin(sibling) {
    proto::LinkEnd end;
    end.set_kind(proto::DATA);
    end.set_sibling_plugin(sibling);
    end.set_binds(!binds_at.empty());
    end.set_address(binds_at);
    end.set_window(window);
    end.set_max_message_bytes(max_message_bytes);
    EXPECT_TRUE(life.links().Open(end));
    set().OnOffers([this](const Received& received, Ticket ticket) {
      held.push_back(
          Held{std::string(received.body), received.attempt, received.seq, std::move(ticket)});
      if (settles_at_once) held.back().ticket.Settle(Outcome::Delivered());
    });
  }
  ~Talker() { Settle(Outcome::Delivered()); }

  DataLinkSet& set() { return *life.links().DataLinksWith(sibling_plugin); }
  void Offer(const std::string& body, milliseconds expires = 30s, std::size_t index = 0,
             const std::string& key = "pair") {
    set().At(index).Offer(
        key, body, scene.loop->Now() + expires,
        [this, body](const Outcome& outcome) { outcomes.emplace_back(body, outcome); });
  }
  void Settle(const Outcome& outcome) {
    for (Held& offer : held)
      if (offer.ticket.pending()) offer.ticket.Settle(outcome);
  }
  [[nodiscard]] std::vector<std::string> bodies() const {
    std::vector<std::string> all;
    for (const Held& offer : held) all.push_back(offer.body);
    return all;
  }

  LinkScene& scene;
  Life life;
  std::string sibling_plugin;
  bool settles_at_once = false;
  std::deque<Held> held;
  std::vector<std::pair<std::string, Outcome>> outcomes;
};

struct DataLinkTest : LinkScene {
  std::string address = folder.Address("data.sock");

  std::unique_ptr<Talker> Translator(std::uint64_t epoch, std::uint32_t window = 64,
                                     std::uint32_t max_message_bytes = 65536) {
    return std::make_unique<Talker>(*this, "translator/0", epoch, "listener", address, window,
                                    max_message_bytes);
  }
  std::unique_ptr<Talker> Listener(std::uint64_t epoch, std::uint32_t window = 64,
                                   std::uint32_t max_message_bytes = 65536, int index = 0) {
    return std::make_unique<Talker>(*this, "listener/" + std::to_string(index), epoch, "translator",
                                    "", window, max_message_bytes);
  }
  void Introduce(Talker& listener, Talker& translator, std::uint32_t listeners = 1) const {
    listener.life.HearOf(translator.life, address);
    translator.life.HearOf(listener.life, "", listeners);
  }
};

}  // namespace gatehouse::ipc
