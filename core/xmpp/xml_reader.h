// Incremental reader of one XMPP stream's plaintext: expat with our limits.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/xmpp/stream_errors.h"
#include "proto/stanza.pb.h"

namespace gatehouse {

// The stream's start tag, as checks 4 to 13 of 2.2 need it.
struct StreamHeader {
  std::string prefix, name, ns;    // "stream", "stream", ns::kStream
  std::string default_ns;          // value of xmlns=, empty if none
  bool declares_dialback = false;  // any prefix bound to jabber:server:dialback
  std::string from, to, id, version, lang;
  bool has_from = false, has_to = false, has_version = false;
};

class XmlReader {
 public:
  struct Events {
    std::function<void(const StreamHeader&)> on_header;
    // A complete top-level element; valid only during the call (it lives on the reader's arena).
    // Swap it out to keep it. `bytes` is its size on the wire.
    std::function<void(proto::Element&, std::size_t bytes)> on_element;
    std::function<void()> on_footer;  // </stream:stream>; what follows is discarded
    // A top-level element larger than the stanza limit but below twice that has ended: its start
    // tag only (2.11).
    std::function<void(const proto::Element& head)> on_oversized;
    // White space between top-level elements: a keepalive, or a flood of them (12.1 X14). May be
    // empty.
    std::function<void(std::size_t bytes)> on_whitespace;
  };
  static std::unique_ptr<XmlReader> Create(Events events);
  virtual ~XmlReader() = default;

  // Takes any split of the bytes. Fails with the stream error of 12.1; the reader is then dead.
  // A callback may call Stop(), or destroy the reader (Feed then returns success at once).
  virtual Result<void, StreamCondition> Feed(std::span<const std::byte> bytes) = 0;
  // No further callbacks; bytes of the current Feed behind the element being delivered are counted
  // in `unread()`: for <starttls/>, where anything but white space behind it is an attack (2.4 no.
  // 2).
  virtual void Stop() = 0;
  [[nodiscard]] virtual std::span<const std::byte> unread() const = 0;
  // Before the first verified pair the budget is kMaxUnverifiedBytes in all (2.11); after it, the
  // stanza limit counts.
  virtual void LiftUnverifiedBudget() = 0;
  // Nothing has come for a while: gives back what is kept for the next stanza.
  virtual void Rest() = 0;
};

}  // namespace gatehouse
