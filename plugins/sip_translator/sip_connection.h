// One TCP or TLS connection that carries SIP messages, whoever opened it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/loop/tcp_stream.h"
#include "core/sip/sip_framer.h"
#include "core/sip/sip_message.h"
#include "core/tls/tls_session.h"
#include "plugins/sip_translator/held_requests.h"
#include "plugins/sip_translator/sip_target.h"

namespace gatehouse {

enum class SipConnectionId : std::uint64_t {};

enum class SipClosed : std::uint8_t {
  kByPeer,
  kTransport,    // could not connect, reset, handshake failed
  kTlsIdentity,  // the certificate proves nobody we want
  kOwnRefused,   // ours is none the peer takes
  kProtocol,     // the peer broke framing or a time limit
};

class SipConnection {
 public:
  class User {
   public:
    // Judges the peer's certificate; gives the name it proved, or nullopt to close.
    virtual std::optional<std::string> JudgeCertificate(SipConnection& connection) = 0;
    virtual void OnOpen(SipConnection& connection) = 0;
    virtual void OnMessage(SipConnection& connection, SipMessage& message) = 0;
    virtual void OnRefused(SipConnection& connection, const SipRefusal& refusal) = 0;
    // A request is there: false lets it wait until Resume. Answers behind it do not wait.
    virtual bool MayTakeRequest(SipConnection& connection) = 0;
    // False while none may be taken, in whichever turn.
    [[nodiscard]] virtual bool TakesRequests() const = 0;
    // Something was written: Flush is due at the end of the turn.
    virtual void OnWritten(SipConnection& connection) = 0;
    // Closed; no further call. The user destroys it later, not inside this call.
    virtual void OnClosed(SipConnection& connection, SipClosed how, std::string_view why) = 0;

   protected:
    ~User() = default;
  };
  struct Setup {
    SipConnectionId id{};
    SipTransport transport = SipTransport::kTcp;
    std::shared_ptr<const TlsContext> tls;  // for kTls
    // Accepted from where we trust nobody: hears its 403 and has to go (11.8).
    bool stranger = false;
    std::size_t* held_bytes_of_all = nullptr;  // see HeldRequests
  };

  // Opens to `target`; what is sent before it is open waits.
  static std::unique_ptr<SipConnection> Open(Loop& loop, User& user, Setup setup,
                                             const SipTarget& target);
  // Takes over an accepted stream.
  static std::unique_ptr<SipConnection> Accept(Loop& loop, User& user, Setup setup,
                                               std::unique_ptr<TcpStream> stream);
  ~SipConnection();
  SipConnection(const SipConnection&) = delete;
  SipConnection& operator=(const SipConnection&) = delete;

  void Send(std::string_view message);
  void Flush();   // hands the turn's plaintext to TLS in one piece
  void Resume();  // after MayTakeRequest said false
  // Time limits; call it about once a second. Closes where one has passed.
  void CheckLimits(TimePoint now);
  // Sends CRLFCRLF where nothing moved for longer than `idle`.
  void PingWhenIdle(TimePoint now, milliseconds idle);
  void CloseAfterWrites();
  // The peer's certificate judged by `context` from now on, even where the handshake is under way.
  void JudgeBy(const std::shared_ptr<const TlsContext>& context);
  // The peer proves itself no more: the connection carries answers for what is under way, and
  // nothing new, until somebody closes it; by `until` at the latest.
  void Retire(TimePoint until);
  void GiveUp(std::string_view why) { Close(SipClosed::kProtocol, why); }

  [[nodiscard]] SipConnectionId id() const { return setup_.id; }
  [[nodiscard]] SipTransport transport() const { return setup_.transport; }
  [[nodiscard]] bool open() const { return phase_ == Phase::kOpen; }
  // Something came after the handshake.
  [[nodiscard]] bool heard() const { return heard_; }
  // Stands in the user's line of those whose requests wait.
  [[nodiscard]] bool in_line() const { return in_line_; }
  void StandInLine(bool in_line) { in_line_ = in_line; }
  [[nodiscard]] std::optional<TimePoint> retired_until() const { return retired_until_; }
  [[nodiscard]] bool closing() const { return phase_ == Phase::kClosing; }
  [[nodiscard]] bool opened_by_us() const { return opened_by_us_; }
  [[nodiscard]] const SocketAddress& peer() const { return peer_; }
  [[nodiscard]] const std::string& expected_name() const { return expected_name_; }
  [[nodiscard]] const std::string& proven_name() const { return proven_name_; }
  [[nodiscard]] const PeerCertificate& certificate() const { return tls_->peer(); }
  [[nodiscard]] TimePoint last_received() const { return last_received_; }
  // Nobody has vouched for the peer, or not yet.
  [[nodiscard]] bool stranger() const {
    return setup_.stranger ||
           (!opened_by_us_ && setup_.transport == SipTransport::kTls && !was_open_);
  }
  [[nodiscard]] bool closed() const { return phase_ == Phase::kClosed; }
  [[nodiscard]] bool was_open() const { return was_open_; }

 private:
  enum class Phase : std::uint8_t { kConnecting, kHandshake, kOpen, kClosing, kClosed };
  SipConnection(Loop& loop, User& user, Setup setup, const SocketAddress& peer);

  void TakeStream(std::unique_ptr<TcpStream> stream);
  void StartTls();
  void OnSocketBytes(std::string_view bytes);
  [[nodiscard]] bool ProvesNothing() const;
  void OnHandshakeDone();
  void BecomeOpen();
  void OnPlaintext(std::string_view bytes);
  void ReadFrames();
  void PauseReading();
  bool TakeFrame(const SipFramer::Frame& frame);
  void TakeMessage(std::string_view bytes);
  void TakeHeld();
  void TakeLastHeld();
  void OnPeerEnded();
  void TrackMessageLimit(bool progressed);
  void Break(const SipFramer::Broken& broken);
  void Close(SipClosed how, std::string_view why);

  Loop& loop_;
  User& user_;
  Setup setup_;
  SocketAddress peer_;
  bool opened_by_us_ = false;
  std::string expected_name_;
  std::string proven_name_;
  Phase phase_ = Phase::kConnecting;
  std::unique_ptr<TcpStream::Connecting> connecting_;
  std::unique_ptr<TcpStream> stream_;
  std::unique_ptr<TlsSession> tls_;
  SipFramer framer_;
  HeldRequests held_;
  std::optional<SipMessage> old_message_;  // its memory is used again
  std::string unsent_;  // plaintext of this turn, or of before the connection was open
  bool reading_paused_ = false;
  bool heard_ = false;
  bool in_line_ = false;
  TimePoint open_by_;                        // connecting and handshake together
  std::optional<TimePoint> message_due_by_;  // the message under way (12.3 S3)
  std::optional<TimePoint> unread_since_;    // the peer leaves in its queue what we wrote
  std::optional<TimePoint> retired_until_;
  TimePoint last_traffic_;  // either way
  TimePoint last_received_;
  bool was_open_ = false;
};

}  // namespace gatehouse
