// One XMPP stream's bytes: TCP, then perhaps TLS, then XML. Used by inbound and outbound streams
// alike; knows no state of the negotiation.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/loop/tcp_stream.h"
#include "core/tls/tls_session.h"
#include "core/xmpp/xml_reader.h"

namespace gatehouse {

// After so much silence a stream keeps no memory for its next stanza: its owner calls Rest.
inline constexpr seconds kRestAfter{2};
// What may wait for a peer that asks and does not read; with what the reader may hold 2 MiB (12.5).
inline constexpr std::size_t kMaxUnwrittenBytes = 1536 * 1024;

class StreamTransport {
 public:
  struct Events {
    std::function<void(const StreamHeader&)> on_header;
    std::function<void(proto::Element&, std::size_t bytes)> on_element;
    std::function<void(const proto::Element& head)> on_oversized;
    std::function<void()> on_footer;
    std::function<void(StreamCondition)> on_bad_xml;  // the reader refused; nothing further is read
    std::function<void(Result<void>)> on_tls;         // handshake done, or why not
    std::function<void(std::string_view why)>
        on_closed;                      // once; the object may be destroyed inside
    std::function<void()> on_writable;  // the queue has drained after it was high
    std::function<void(std::size_t bytes)>
        on_whitespace;  // between top-level elements; may be empty
  };
  // Takes the connected stream and begins to read.
  static std::unique_ptr<StreamTransport> Create(Loop& loop, std::unique_ptr<TcpStream> tcp,
                                                 Events events);
  virtual ~StreamTransport() = default;

  // XML as text; goes out at the end of the turn, many writes in one TLS record and one system
  // call.
  virtual void Send(std::string_view xml) = 0;
  // A fresh parser for the next header; the old one is destroyed (2.4 no. 3, 2.2).
  virtual void RestartXml() = 0;
  // Flushes what was sent, then TLS. As server after <proceed/>: fails in on_tls when plaintext
  // followed <starttls/> (2.4 no. 2). `server_name` as TlsSession::Create.
  virtual void StartTls(std::shared_ptr<const TlsContext> context, TlsSession::Role role,
                        std::string_view server_name) = 0;
  virtual void LiftUnverifiedBudget() = 0;
  virtual void PauseReading() = 0;
  virtual void ResumeReading() = 0;
  // Nothing has come or gone for a while: gives back memory kept for the next stanzas.
  virtual void Rest() = 0;
  // Sends what is queued, TLS close_notify, FIN; on_closed follows.
  virtual void Close() = 0;
  virtual void Abort() = 0;  // at once, without a word; on_closed follows in a later turn

  [[nodiscard]] virtual const TlsSession* tls() const = 0;  // null while in clear
  virtual void JudgeBy(const std::shared_ptr<const TlsContext>& context) = 0;  // as of TlsSession
  virtual void ForgetTickets() = 0;  // of a client's session, if there is one
  [[nodiscard]] virtual const SocketAddress& peer() const = 0;
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  // How many times this transport has handed all its bytes to the kernel since Send was last
  // called: 0 or 1.
  [[nodiscard]] virtual bool flushed() const = 0;
  // Calls `done` once everything sent so far has been handed to the kernel; not called if the
  // stream closes first.
  virtual void WhenFlushed(std::function<void()> done) = 0;
};

}  // namespace gatehouse
