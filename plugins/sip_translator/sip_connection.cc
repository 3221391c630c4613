#include "plugins/sip_translator/sip_connection.h"

#include <utility>

#include "core/sip/sip_refusal.h"

namespace gatehouse {
namespace {

constexpr milliseconds kConnectLimit{5000};
constexpr milliseconds kOpenLimit{10000};     // TCP and TLS handshake together
constexpr milliseconds kMessageLimit{20000};  // one whole message (12.3 S3)
constexpr milliseconds kStrangerLimit{20000};
// Below the 32 s of Timer F, so that a dead peer is noticed first.
constexpr milliseconds kUnreadLimit{30000};

std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

SipConnection::SipConnection(Loop& loop, User& user, Setup setup, const SocketAddress& peer)
    : loop_(loop),
      user_(user),
      setup_(std::move(setup)),
      peer_(peer),
      held_(*setup_.held_bytes_of_all),
      open_by_(loop.Now() + kOpenLimit),
      last_traffic_(loop.Now()),
      last_received_(last_traffic_) {}

SipConnection::~SipConnection() = default;

std::unique_ptr<SipConnection> SipConnection::Open(Loop& loop, User& user, Setup setup,
                                                   const SipTarget& target) {
  std::unique_ptr<SipConnection> connection(
      new SipConnection(loop, user, std::move(setup), target.address));
  SipConnection* self = connection.get();
  self->opened_by_us_ = true;
  self->expected_name_ = target.tls_name;
  self->connecting_ = TcpStream::Connect(
      loop, target.address, kConnectLimit, [self](Result<std::unique_ptr<TcpStream>> stream) {
        if (!stream) return self->Close(SipClosed::kTransport, stream.error().text);
        self->TakeStream(*std::move(stream));
      });
  return connection;
}

std::unique_ptr<SipConnection> SipConnection::Accept(Loop& loop, User& user, Setup setup,
                                                     std::unique_ptr<TcpStream> stream) {
  std::unique_ptr<SipConnection> connection(
      new SipConnection(loop, user, std::move(setup), stream->peer()));
  connection->TakeStream(std::move(stream));
  return connection;
}

void SipConnection::TakeStream(std::unique_ptr<TcpStream> stream) {
  stream_ = std::move(stream);
  if (setup_.transport == SipTransport::kTls) {
    phase_ = Phase::kHandshake;
    StartTls();
  } else {
    BecomeOpen();
  }
  if (phase_ == Phase::kClosed) return;
  stream_->Start(
      {.on_bytes = [this](std::span<const std::byte> bytes) { OnSocketBytes(AsText(bytes)); },
       .on_closed =
           [this](std::string_view why) {
             Close(why.empty() ? SipClosed::kByPeer : SipClosed::kTransport, why);
           },
       .on_drained = [this] { Resume(); },
       .on_flushed = [this] { unread_since_.reset(); },
       .on_peer_ended = [this] { TakeLastHeld(); }});
}

void SipConnection::StartTls() {
  auto session = TlsSession::Create(
      setup_.tls, opened_by_us_ ? TlsSession::Role::kClient : TlsSession::Role::kServer,
      opened_by_us_ ? std::string_view(expected_name_) : std::string_view{},
      {.on_ciphertext = [this](std::string_view bytes) { stream_->Write(bytes); },
       .on_plaintext = [this](std::span<const std::byte> bytes) { OnPlaintext(AsText(bytes)); },
       .on_handshake_done = [this] { OnHandshakeDone(); },
       .on_peer_closed = [this] { OnPeerEnded(); }});
  if (!session) return Close(SipClosed::kTransport, session.error().text);
  tls_ = *std::move(session);
  if (!opened_by_us_) return;
  if (auto started = tls_->Start(); !started) Close(SipClosed::kTransport, started.error().text);
}

void SipConnection::OnSocketBytes(std::string_view bytes) {
  if (phase_ == Phase::kClosing || phase_ == Phase::kClosed) return;
  last_traffic_ = last_received_ = loop_.Now();
  if (tls_ == nullptr) return OnPlaintext(bytes);
  const auto fed = tls_->Feed(std::as_bytes(std::span(bytes)));
  if (fed) return;
  if (phase_ == Phase::kHandshake && !opened_by_us_ && ProvesNothing())
    return Close(SipClosed::kTlsIdentity, fed.error().text);
  const std::string refusal = tls_->own_certificate_refusal();
  if (refusal.empty()) return Close(SipClosed::kTransport, fed.error().text);
  Close(SipClosed::kOwnRefused, "the peer refused our certificate: " + refusal);
}

bool SipConnection::ProvesNothing() const {
  const PeerCertificate& peer = tls_->peer();
  return tls_->missed_certificate() || (peer.presented && !peer.chain_valid);
}

void SipConnection::OnHandshakeDone() {
  auto name = user_.JudgeCertificate(*this);
  if (!name) return Close(SipClosed::kTlsIdentity, "the certificate names no trusted peer");
  proven_name_ = *std::move(name);
  BecomeOpen();
}

void SipConnection::JudgeBy(const std::shared_ptr<const TlsContext>& context) {
  if (tls_ != nullptr) tls_->JudgeBy(context);
}

void SipConnection::BecomeOpen() {
  phase_ = Phase::kOpen;
  was_open_ = true;
  user_.OnOpen(*this);
  if (!unsent_.empty()) user_.OnWritten(*this);
}

void SipConnection::Send(std::string_view message) {
  if (phase_ == Phase::kClosing || phase_ == Phase::kClosed) return;
  last_traffic_ = loop_.Now();
  if (phase_ == Phase::kOpen && tls_ == nullptr) return stream_->Write(message);
  unsent_ += message;
  if (phase_ == Phase::kOpen) user_.OnWritten(*this);
}

void SipConnection::Flush() {
  if (phase_ != Phase::kOpen || unsent_.empty()) return;
  if (tls_ == nullptr) {
    stream_->Write(unsent_);
  } else if (const auto written = tls_->Write(unsent_); !written) {
    return Close(SipClosed::kTransport, written.error().text);
  }
  unsent_.clear();
}

void SipConnection::OnPlaintext(std::string_view bytes) {
  if (phase_ != Phase::kOpen) return;
  heard_ = true;
  framer_.Add(bytes);
  ReadFrames();
}

void SipConnection::PauseReading() {
  reading_paused_ = true;
  stream_->PauseReading();
}

void SipConnection::ReadFrames() {
  bool progressed = false;
  while (phase_ == Phase::kOpen) {
    // Who does not read our answers need not ask more (the queue would grow without end).
    if (stream_->queued_bytes() > TcpStream::kHighWater) {
      PauseReading();
      break;
    }
    const auto frame = framer_.Next();
    if (!frame) return Break(frame.error());
    if (!*frame) break;
    if (!TakeFrame(**frame)) break;
    progressed = true;
  }
  framer_.Keep();
  TrackMessageLimit(progressed);
}

// False: no further frame for now.
bool SipConnection::TakeFrame(const SipFramer::Frame& frame) {
  if (frame.kind == SipFramer::Kind::kPing) Send("\r\n");
  if (frame.kind != SipFramer::Kind::kMessage) return true;
  const bool answer = frame.bytes.starts_with("SIP/");
  if (answer || (held_.empty() && user_.MayTakeRequest(*this))) {
    TakeMessage(frame.bytes);
    return true;
  }
  // What is not held stays in the socket, and so does what is behind it.
  if (stranger() || held_.full()) {
    framer_.PutBack();
    PauseReading();
    return false;
  }
  held_.Add(frame.bytes);
  return true;
}

void SipConnection::TakeMessage(std::string_view bytes) {
  auto message = SipMessage::Parse(bytes, true, std::exchange(old_message_, std::nullopt));
  if (message) {
    user_.OnMessage(*this, *message);
    old_message_ = *std::move(message);
  } else {
    user_.OnRefused(*this, message.error());
  }
}

void SipConnection::TakeHeld() {
  while (phase_ == Phase::kOpen && !held_.empty() &&
         stream_->queued_bytes() <= TcpStream::kHighWater && user_.MayTakeRequest(*this))
    TakeMessage(held_.Take());
}

// What is held has no other turn. Where none may be taken, its sender finds the connection closed
// and no answer (RFC 3261 §17.1.4).
void SipConnection::TakeLastHeld() {
  while (phase_ == Phase::kOpen && !held_.empty() && user_.TakesRequests())
    TakeMessage(held_.Take());
  Flush();
}

void SipConnection::TrackMessageLimit(bool progressed) {
  if (!framer_.inside_message() || reading_paused_) {
    message_due_by_.reset();
  } else if (!message_due_by_ || progressed) {
    message_due_by_ = loop_.Now() + kMessageLimit;
  }
}

void SipConnection::Resume() {
  if (phase_ != Phase::kOpen) return;
  TakeHeld();
  if (phase_ != Phase::kOpen || !reading_paused_ || !held_.empty()) return;
  reading_paused_ = false;
  stream_->ResumeReading();
  framer_.Add({});
  ReadFrames();
}

// By TLS; the stream below is there yet.
void SipConnection::OnPeerEnded() {
  TakeLastHeld();
  CloseAfterWrites();
}

// What is held is refused, as all that comes.
void SipConnection::Retire(TimePoint until) {
  retired_until_ = until;
  TakeLastHeld();
}

void SipConnection::Break(const SipFramer::Broken& broken) {
  TakeLastHeld();
  user_.OnRefused(*this, Refuse(broken.head, broken.fault));
  CloseAfterWrites();
}

void SipConnection::CheckLimits(TimePoint now) {
  if ((phase_ == Phase::kConnecting || phase_ == Phase::kHandshake) && now >= open_by_)
    return Close(SipClosed::kTransport, "not open within 10 s");
  if (phase_ != Phase::kOpen) return;
  if (message_due_by_ && now >= *message_due_by_)
    return Close(SipClosed::kProtocol, "a message took longer than 20 s");
  if (setup_.stranger && now >= open_by_ - kOpenLimit + kStrangerLimit)
    return Close(SipClosed::kProtocol, "no trusted peer");
  if (stream_->queued_bytes() == 0) {
    unread_since_.reset();
  } else if (!unread_since_) {
    unread_since_ = now;
  } else if (now - *unread_since_ >= kUnreadLimit) {
    Close(SipClosed::kTransport, "the peer does not read");
  }
}

void SipConnection::PingWhenIdle(TimePoint now, milliseconds idle) {
  if (phase_ == Phase::kOpen && now - last_traffic_ >= idle) Send("\r\n\r\n");
}

void SipConnection::CloseAfterWrites() {
  if (phase_ != Phase::kOpen) return;
  Flush();
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kClosing;
  if (tls_ != nullptr) tls_->Shutdown();
  stream_->CloseAfterWrites();
}

void SipConnection::Close(SipClosed how, std::string_view why) {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  user_.OnClosed(*this, how, why);
}

}  // namespace gatehouse
