// From a domain to a TCP connection: DNS, targets in order, addresses raced with a stagger (3.1
// to 3.3), and what DNSSEC says of them on the way (3.5).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/loop/dns_lookup.h"
#include "core/loop/loop.h"
#include "core/loop/tcp_stream.h"
#include "core/xmpp/outbound_dane.h"
#include "core/xmpp/outbound_fault.h"
#include "core/xmpp/outbound_targets.h"

namespace gatehouse {

// Starts dials. Outlives them; `dns` makes no callback after this object is gone.
class OutboundDialer {
 public:
  struct Order {
    std::string domain;      // A-label form
    std::string proxy;       // the partner's, or empty: by DNS
    bool direct_tls = true;  // false: _xmpps-server is not asked (row without TLS)
    DaneMode dane = DaneMode::kOff;
  };
  struct Events {
    // A connection to a target; the next one only after Dial::Next or Dial::Again.
    std::function<void(std::unique_ptr<TcpStream>, const OutboundTarget&)> on_connected;
    // No target is left. Nothing follows.
    std::function<void(OutboundFault)> on_failed;
    // What happened, for `test stream`: "dns", "dane" or "tcp". May be empty.
    std::function<void(std::string_view step, bool ok, std::string detail)> on_step;
    // What was learnt of a target before TLS; not where there are records to ask TLS about.
    std::function<void(const DaneReport&)> on_dane = {};
  };
  class Dial;

  OutboundDialer(Loop& loop, DnsLookup& dns, TargetGuard guard, RandomBelow random);
  ~OutboundDialer();
  OutboundDialer(const OutboundDialer&) = delete;
  OutboundDialer& operator=(const OutboundDialer&) = delete;

  // Begins at once. Events come in later turns; none of them may destroy the dial.
  std::unique_ptr<Dial> Start(Order order, Events events);

 private:
  friend class Dial;
  Dial* Find(std::uint64_t id) const;

  Loop& loop_;
  DnsLookup& dns_;
  TargetGuard guard_;
  RandomBelow random_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, Dial*> dials_;  // late answers of DNS find their dial here
};

// One search for a connection. Destroying it ends the search.
class OutboundDialer::Dial {
 public:
  ~Dial();
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  // The target connected to did not serve, for `why`: on with the next; on_failed(why) when there
  // is none.
  void Next(OutboundFault why);
  // Connects to the same address once more (3.4.1).
  void Again();
  // Of the target connected to.
  [[nodiscard]] const TargetDane& dane() const;

 private:
  friend class OutboundDialer;
  struct State;
  explicit Dial(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse
