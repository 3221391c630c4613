#include "core/xmpp/stream_transport.h"

#include <optional>
#include <utility>
#include <vector>

#include "core/base/life_guard.h"

namespace gatehouse {
namespace {

using Bytes = std::span<const std::byte>;

bool IsAllWhitespace(Bytes bytes) {
  for (const std::byte b : bytes) {
    const auto c = std::to_integer<char>(b);
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return false;
  }
  return true;
}

class TcpTransport final : public StreamTransport {
 public:
  TcpTransport(Loop& loop, std::unique_ptr<TcpStream> tcp, Events events)
      : events_(std::move(events)),
        tcp_(std::move(tcp)),
        turn_end_(loop, [this] { OnEndOfTurn(); }) {}

  void Begin() {
    RestartXml();
    tcp_->Start({.on_bytes = [this](Bytes bytes) { OnBytes(bytes); },
                 .on_closed = [this](std::string_view why) { OnClosed(why); },
                 .on_drained = {},
                 .on_flushed = [this] { OnFlushed(); }});
  }

  void Send(std::string_view xml) override {
    if (closing_ || tls_failure_) return;
    out_ += xml;
    turn_end_.Arm();
  }
  void RestartXml() override;
  void StartTls(std::shared_ptr<const TlsContext> context, TlsSession::Role role,
                std::string_view server_name) override;
  void LiftUnverifiedBudget() override {
    if (reader_) reader_->LiftUnverifiedBudget();
  }
  void PauseReading() override { tcp_->PauseReading(); }
  void ResumeReading() override { tcp_->ResumeReading(); }
  void Rest() override;
  void Close() override;
  void Abort() override;

  [[nodiscard]] const TlsSession* tls() const override { return tls_.get(); }
  void JudgeBy(const std::shared_ptr<const TlsContext>& context) override {
    if (tls_) tls_->JudgeBy(context);
  }
  void ForgetTickets() override {
    if (tls_) tls_->ForgetTickets();
  }
  [[nodiscard]] const SocketAddress& peer() const override { return tcp_->peer(); }
  [[nodiscard]] std::size_t queued_bytes() const override {
    return out_.size() + tcp_->queued_bytes();
  }
  [[nodiscard]] bool flushed() const override { return queued_bytes() == 0; }
  void WhenFlushed(std::function<void()> done) override;

 private:
  void OnBytes(Bytes bytes);
  void OnPlaintext(Bytes bytes);
  void OnHandshakeDone();
  void OnTlsClosed();
  void OnClosed(std::string_view why);
  void OnFlushed();
  void OnEndOfTurn();
  void FailTls(Error error);
  void Flush();
  [[nodiscard]] bool InHandshake() const { return tls_ && !tls_->handshake_done(); }

  Events events_;
  std::unique_ptr<TcpStream> tcp_;
  std::unique_ptr<TlsSession> tls_;
  std::unique_ptr<XmlReader> reader_;  // null once dead: what still comes is discarded
  std::string out_;                    // plaintext of this turn, or waiting for the handshake
  std::vector<std::function<void()>> when_flushed_;
  EndOfTurn turn_end_;
  LifeGuard life_;
  std::string abort_reason_;
  std::optional<Error> tls_failure_;
  bool tls_failure_told_ = false;
  bool closing_ = false;
  bool aborted_ = false;
  bool was_high_ = false;
};

void TcpTransport::RestartXml() {
  reader_ = XmlReader::Create(
      {.on_header = [this](const StreamHeader& header) { events_.on_header(header); },
       .on_element = [this](proto::Element& e, std::size_t bytes) { events_.on_element(e, bytes); },
       .on_footer = [this] { events_.on_footer(); },
       .on_oversized =
           [this](const proto::Element& head) {
             if (events_.on_oversized) events_.on_oversized(head);
           },
       .on_whitespace =
           [this](std::size_t bytes) {
             if (events_.on_whitespace) events_.on_whitespace(bytes);
           }});
}

void TcpTransport::OnBytes(Bytes bytes) {
  if (closing_ || aborted_ || tls_failure_) return;
  if (!tls_) return OnPlaintext(bytes);
  LifeGuard::Watch watch(life_);
  const bool in_handshake = InHandshake();
  auto fed = tls_->Feed(bytes);
  if (watch.gone() || fed) return;
  if (in_handshake) return FailTls(std::move(fed).error());
  abort_reason_ = std::move(fed.error().text);
  Abort();
}

void TcpTransport::OnPlaintext(Bytes bytes) {
  if (!reader_ || closing_ || aborted_) return;
  XmlReader* reader = reader_.get();
  LifeGuard::Watch watch(life_);
  const auto fed = reader->Feed(bytes);
  if (watch.gone() || fed) return;
  reader_.reset();
  events_.on_bad_xml(fed.error());
}

// The alert, if any, is in the socket's queue; nothing of what was meant for the peer follows. Told
// at the end of the turn, because StartTls may be on the stack.
void TcpTransport::FailTls(Error error) {
  out_.clear();
  reader_.reset();
  tls_failure_ = std::move(error);
  turn_end_.Arm();
}

void TcpTransport::StartTls(std::shared_ptr<const TlsContext> context, TlsSession::Role role,
                            std::string_view server_name) {
  if (reader_) reader_->Stop();
  if (reader_ && !IsAllWhitespace(reader_->unread())) {
    // What waits to be sent, <proceed/> among it, is dropped (2.4 no. 2).
    return FailTls({Fault::kPeer, "plaintext behind starttls"});
  }
  Flush();
  auto session =
      TlsSession::Create(std::move(context), role, server_name,
                         {.on_ciphertext = [this](std::string_view bytes) { tcp_->Write(bytes); },
                          .on_plaintext = [this](Bytes bytes) { OnPlaintext(bytes); },
                          .on_handshake_done = [this] { OnHandshakeDone(); },
                          .on_peer_closed = [this] { OnTlsClosed(); }});
  if (!session) return FailTls(std::move(session).error());
  tls_ = *std::move(session);
  RestartXml();
  if (auto started = tls_->Start(); !started) FailTls(std::move(started).error());
}

void TcpTransport::OnHandshakeDone() {
  if (!out_.empty()) turn_end_.Arm();
  events_.on_tls({});
}

// Without a footer before it this is the end of the stream all the same, and said at once: what is
// sent from here on would be read by nobody.
void TcpTransport::OnTlsClosed() {
  if (closing_ || aborted_) return;
  if (events_.on_footer) events_.on_footer();
}

void TcpTransport::Flush() {
  if (out_.empty() || InHandshake()) return;
  was_high_ = was_high_ || queued_bytes() > TcpStream::kHighWater;
  if (!tls_) {
    tcp_->Write(out_);
  } else if (auto written = tls_->Write(out_); !written) {
    abort_reason_ = std::move(written).error().text;
    Abort();
  }
  out_.clear();
  constexpr std::size_t kKeptCapacity = 4096;  // an idle stream holds no burst's buffer
  if (out_.capacity() > kKeptCapacity) out_.shrink_to_fit();
}

void TcpTransport::Rest() {
  if (reader_) reader_->Rest();
  if (out_.empty()) out_.shrink_to_fit();
  tcp_->Rest();
}

void TcpTransport::OnEndOfTurn() {
  if (aborted_) return OnClosed(abort_reason_);
  if (tls_failure_ && !std::exchange(tls_failure_told_, true))
    return events_.on_tls(std::unexpected(*tls_failure_));
  Flush();
  if (!when_flushed_.empty() && queued_bytes() == 0) OnFlushed();
}

void TcpTransport::OnFlushed() {
  if (!out_.empty()) return;
  for (const auto& done : std::exchange(when_flushed_, {})) done();
  if (std::exchange(was_high_, false) && events_.on_writable) events_.on_writable();
}

void TcpTransport::WhenFlushed(std::function<void()> done) {
  if (closing_) return;  // what was sent since has been dropped
  when_flushed_.push_back(std::move(done));
  turn_end_.Arm();
}

void TcpTransport::Close() {
  if (closing_ || aborted_) return;
  Flush();
  closing_ = true;
  if (reader_) reader_->Stop();
  if (tls_ && tls_->handshake_done()) tls_->Shutdown();
  tcp_->CloseAfterWrites();
}

void TcpTransport::Abort() {
  if (std::exchange(aborted_, true)) return;
  closing_ = true;
  if (reader_) reader_->Stop();
  out_.clear();
  turn_end_.Arm();
}

void TcpTransport::OnClosed(std::string_view why) {
  const auto on_closed = std::exchange(events_.on_closed, {});
  closing_ = true;
  if (on_closed) on_closed(why);
}

}  // namespace

std::unique_ptr<StreamTransport> StreamTransport::Create(Loop& loop, std::unique_ptr<TcpStream> tcp,
                                                         Events events) {
  auto transport = std::make_unique<TcpTransport>(loop, std::move(tcp), std::move(events));
  transport->Begin();
  return transport;
}

}  // namespace gatehouse
