#include "core/tls/tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <utility>

#include "core/tls/anchor_store.h"
#include "core/tls/boring_context.h"
#include "core/tls/certificate_verdict.h"
#include "core/tls/dane_judge.h"
#include "core/tls/tls_probe.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxRecordBytes = 16384;

class BoringSession final : public TlsSession {
 public:
  BoringSession(std::shared_ptr<const BoringContext> context, Role role,
                std::string_view server_name, Events events)
      : context_(std::move(context)),
        judged_by_(context_),
        role_(role),
        server_name_(server_name),
        events_(std::make_unique<Events>(std::move(events))) {}
  ~BoringSession() override;
  BoringSession(const BoringSession&) = delete;
  BoringSession& operator=(const BoringSession&) = delete;

  Result<void> Open();
  Result<void> Start() override;
  Result<void> Feed(std::span<const std::byte> ciphertext) override;
  Result<void> Write(std::string_view plaintext) override;
  void Shutdown() override;

  [[nodiscard]] bool handshake_done() const override { return handshake_done_; }
  [[nodiscard]] const PeerCertificate& peer() const override { return peer_; }
  [[nodiscard]] PeerCertificate JudgeAgainst(std::string_view anchors_pem) const override;
  void JudgeBy(const std::shared_ptr<const TlsContext>& context) override;
  [[nodiscard]] DaneVerdict JudgeByDane(const DaneQuestion& question) const override;
  void ForgetTickets() override;
  [[nodiscard]] bool keeps_tickets() const { return keeps_tickets_; }
  [[nodiscard]] bool offered_ticket() const override { return offered_ticket_; }
  [[nodiscard]] bool resumed() const override { return SSL_session_reused(ssl_.get()) == 1; }
  [[nodiscard]] std::string own_certificate_refusal() const override {
    return own_certificate_refusal_;
  }
  [[nodiscard]] bool missed_certificate() const override { return missed_certificate_; }
  [[nodiscard]] std::string version() const override { return SSL_get_version(ssl_.get()); }
  [[nodiscard]] std::string cipher() const override;
  [[nodiscard]] std::string alpn() const override;
  [[nodiscard]] std::string server_name() const override;

  [[nodiscard]] STACK_OF(X509) * shown_chain() const {
    return SSL_get_peer_full_cert_chain(ssl_.get());
  }
  [[nodiscard]] bool asked_for_certificate() const { return asked_for_certificate_; }
  void NoteAskedForCertificate() { asked_for_certificate_ = true; }

  int TakeInput(char* to, int room);
  void AddOutput(std::string_view bytes) { output_ += bytes; }
  bool AcceptsPeer(X509_STORE_CTX* store);
  bool AcceptsServerName(const char* sent) const;

 private:
  // One call from outside. A callback may destroy the session: the frame then keeps the callbacks
  // alive until the call has returned, and says that nothing else is left.
  struct Frame {
    explicit Frame(BoringSession& session) : session_(session), outer(session.frame_) {
      session.frame_ = this;
    }
    ~Frame() {
      if (!gone) session_.frame_ = outer;
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

    BoringSession& session_;
    Frame* outer;
    bool gone = false;
    std::unique_ptr<Events> kept;
  };

  void SendOutput();
  Result<void> Fail(Frame& frame);
  Result<void> Advance(Frame& frame);
  void JudgeAgain();
  [[nodiscard]] CertificateUse use() const {
    return context_->options.require_peer_certificate ? CertificateUse::kSip
                                                      : CertificateUse::kXmpp;
  }
  [[nodiscard]] CertificateRules rules() const { return {use(), judged_by_->revoked.get()}; }
  Result<void> ReadAll(Frame& frame);

  std::shared_ptr<const BoringContext> context_;
  std::shared_ptr<const BoringContext> judged_by_;  // the same, until JudgeBy
  Role role_;
  std::string server_name_;
  std::unique_ptr<Events> events_;
  bssl::UniquePtr<SSL> ssl_;
  PeerCertificate peer_;
  std::span<const std::byte> input_;  // of the Feed under way
  std::string output_;
  std::string own_certificate_refusal_;
  Frame* frame_ = nullptr;
  bool offered_ticket_ = false;
  bool keeps_tickets_ = true;
  bool handshake_done_ = false;
  bool asked_for_certificate_ = false;
  bool peer_closed_ = false;
  bool failed_ = false;
  bool missed_certificate_ = false;
};

// What the oldest reason BoringSSL noted says of our certificate, if it is an alert of the peer's.
std::string CertificateAlert() {
  const std::uint32_t code = ERR_peek_error();
  if (ERR_GET_LIB(code) != ERR_LIB_SSL || ERR_GET_REASON(code) < SSL_AD_REASON_OFFSET) return {};
  const int alert = ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET;
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_DECRYPT_ERROR:  // by an authority of the same name with another key
    case SSL_AD_CERTIFICATE_REQUIRED:
      return SSL_alert_desc_string_long(alert);
    default:
      return {};
  }
}

BoringSession& SessionOf(const SSL* ssl) {
  return *static_cast<BoringSession*>(SSL_get_app_data(ssl));
}

BoringSession::~BoringSession() {
  for (Frame* frame = frame_; frame != nullptr; frame = frame->outer) {
    frame->gone = true;
    if (frame->outer == nullptr) frame->kept = std::move(events_);
  }
}

Result<void> BoringSession::Open() {
  ssl_.reset(SSL_new(context_->ctx.get()));
  BIO* bio = BIO_new(context_->memory_bio.get());
  if (!ssl_ || bio == nullptr) {
    BIO_free(bio);
    return Trouble("tls: no session: " + TakeTlsReason());
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // takes it
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_shed_handshake_config(ssl_.get(), 1);  // an idle stream holds a KiB less
  if (role_ == Role::kServer) {
    SSL_set_accept_state(ssl_.get());
    return {};
  }
  SSL_set_connect_state(ssl_.get());
  SSL_set_cert_cb(
      ssl_.get(),
      [](SSL* /*ssl*/, void* session) {
        static_cast<BoringSession*>(session)->NoteAskedForCertificate();
        return 1;
      },
      this);
  if (!server_name_.empty() && SSL_set_tlsext_host_name(ssl_.get(), server_name_.c_str()) != 1)
    return Trouble("tls: '" + server_name_ + "' cannot be sent as server name");
  if (context_->vault)
    if (const auto session = context_->vault->TakeForClient(server_name_))
      offered_ticket_ = SSL_set_session(ssl_.get(), session.get()) == 1;
  return {};
}

void BoringSession::SendOutput() {
  if (output_.empty()) return;
  const std::string ciphertext = std::exchange(output_, {});
  events_->on_ciphertext(ciphertext);
}

// The alert, if there is one, has been written by BoringSSL.
Result<void> BoringSession::Fail(Frame& frame) {
  failed_ = true;
  own_certificate_refusal_ = CertificateAlert();
  missed_certificate_ = ERR_GET_REASON(ERR_peek_error()) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
  std::string text = "tls: " + TakeTlsReason();
  if (!handshake_done_ && offered_ticket_) context_->vault->ForgetForClient(server_name_);
  if (!handshake_done_ && !peer_.chain_error.empty()) text += ": " + peer_.chain_error;
  if (!frame.gone) SendOutput();
  return BadPeer(std::move(text));
}

Result<void> BoringSession::Advance(Frame& frame) {
  ERR_clear_error();
  const int code = SSL_do_handshake(ssl_.get());
  if (code != 1 && SSL_get_error(ssl_.get(), code) != SSL_ERROR_WANT_READ) return Fail(frame);
  handshake_done_ = code == 1;
  if (handshake_done_ && (resumed() || judged_by_ != context_)) JudgeAgain();
  SendOutput();
  if (!frame.gone && handshake_done_ && events_->on_handshake_done) events_->on_handshake_done();
  return {};
}

Result<void> BoringSession::ReadAll(Frame& frame) {
  std::array<std::byte, kMaxRecordBytes> record;
  while (true) {
    ERR_clear_error();
    const int count = SSL_read(ssl_.get(), record.data(), static_cast<int>(record.size()));
    if (count > 0) {
      events_->on_plaintext({record.data(), static_cast<std::size_t>(count)});
      if (frame.gone) return {};
      continue;
    }
    const int why = SSL_get_error(ssl_.get(), count);
    if (why == SSL_ERROR_WANT_READ) break;
    if (why != SSL_ERROR_ZERO_RETURN) return Fail(frame);
    input_ = {};  // nothing counts after close_notify
    if (!std::exchange(peer_closed_, true) && events_->on_peer_closed) events_->on_peer_closed();
    return {};
  }
  SendOutput();  // an answer to a key update
  return {};
}

Result<void> BoringSession::Start() {
  Frame frame(*this);
  if (role_ == Role::kServer) return {};
  return Advance(frame);
}

Result<void> BoringSession::Feed(std::span<const std::byte> ciphertext) {
  if (failed_) return BadPeer("tls: the session has failed");
  Frame frame(*this);
  input_ = ciphertext;
  if (!handshake_done_) {
    GATEHOUSE_TRY_VOID(Advance(frame));
    if (frame.gone || !handshake_done_) return {};
  }
  return ReadAll(frame);
}

Result<void> BoringSession::Write(std::string_view plaintext) {
  if (failed_ || !handshake_done_) return Trouble("tls: nothing can be sent now");
  if (plaintext.empty()) return {};
  Frame frame(*this);
  ERR_clear_error();
  const int code = SSL_write(ssl_.get(), plaintext.data(), static_cast<int>(plaintext.size()));
  if (code <= 0) return Fail(frame);
  SendOutput();
  return {};
}

void BoringSession::Shutdown() {
  if (failed_ || !handshake_done_) return;
  Frame frame(*this);
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  SendOutput();
}

std::string BoringSession::cipher() const {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_.get());
  return cipher == nullptr ? std::string() : SSL_CIPHER_standard_name(cipher);
}

std::string BoringSession::alpn() const {
  const std::uint8_t* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string BoringSession::server_name() const {
  if (role_ == Role::kClient) return server_name_;
  const char* sent = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return sent == nullptr ? std::string() : sent;
}

int BoringSession::TakeInput(char* to, int room) {
  const std::size_t count = std::min(input_.size(), static_cast<std::size_t>(room));
  if (count == 0) return 0;
  std::memcpy(to, input_.data(), count);
  input_ = input_.subspan(count);
  return static_cast<int>(count);
}

bool BoringSession::AcceptsPeer(X509_STORE_CTX* store) {
  const std::string sent = DigestOfSent(store);
  if (const PeerCertificate* known = context_->verdicts->Find(sent, std::time(nullptr))) {
    peer_ = *known;
    return true;
  }
  peer_ = JudgeCertificate(store, {use(), context_->revoked.get()});
  context_->verdicts->Keep(sent, peer_);
  return peer_.chain_valid || use() == CertificateUse::kXmpp;
}

// BoringSSL verifies nobody anew when it resumes.
void BoringSession::JudgeAgain() {
  STACK_OF(X509)* chain = SSL_get_peer_full_cert_chain(ssl_.get());
  if (chain == nullptr || sk_X509_num(chain) == 0) return;
  peer_ = JudgeChain(chain, SSL_CTX_get_cert_store(judged_by_->ctx.get()), rules());
}

void BoringSession::JudgeBy(const std::shared_ptr<const TlsContext>& context) {
  judged_by_ = std::static_pointer_cast<const BoringContext>(context);
  if (handshake_done_) JudgeAgain();
}

PeerCertificate BoringSession::JudgeAgainst(std::string_view anchors_pem) const {
  STACK_OF(X509)* chain = SSL_get_peer_full_cert_chain(ssl_.get());
  if (chain == nullptr || sk_X509_num(chain) == 0) return {};
  const auto store = AnchorStore(anchors_pem);
  if (store) return JudgeChain(chain, store->get(), rules());
  PeerCertificate unjudged = peer_;
  unjudged.chain_valid = false;
  unjudged.chain_error = store.error().text;
  return unjudged;
}

DaneVerdict BoringSession::JudgeByDane(const DaneQuestion& question) const {
  STACK_OF(X509)* chain = SSL_get_peer_full_cert_chain(ssl_.get());
  if (chain == nullptr || sk_X509_num(chain) == 0) return {false, "the server showed none", 0};
  if (question.anchors_pem.empty())
    return JudgeByTlsa(chain, SSL_CTX_get_cert_store(judged_by_->ctx.get()), question, rules());
  const auto store = AnchorStore(question.anchors_pem);
  if (!store) return {false, store.error().text, 0};
  return JudgeByTlsa(chain, store->get(), question, rules());
}

void BoringSession::ForgetTickets() {
  keeps_tickets_ = false;
  if (context_->vault) context_->vault->ForgetForClient(server_name_);
}

bool BoringSession::AcceptsServerName(const char* sent) const {
  const auto is_sent = [sent](const std::string& name) {
    return strcasecmp(name.c_str(), sent) == 0;
  };
  const auto& required = context_->options.required_server_names;
  if (sent == nullptr) return required.empty();
  if (!required.empty() && std::none_of(required.begin(), required.end(), is_sent)) return false;
  return server_name_.empty() || is_sent(server_name_);
}

}  // namespace

int VerifyPeer(X509_STORE_CTX* store, void* /*argument*/) noexcept {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  if (SessionOf(ssl).AcceptsPeer(store)) return 1;
  if (X509_STORE_CTX_get_error(store) == X509_V_OK)  // one of our own rules
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

bool KeepsTickets(const SSL* ssl) noexcept {
  return SessionOf(ssl).keeps_tickets();
}

int JudgeServerName(SSL* ssl, int* alert, void* /*argument*/) noexcept {
  const char* sent = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (SessionOf(ssl).AcceptsServerName(sent))
    return sent == nullptr ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int BioRead(BIO* bio, char* to, int room) noexcept {
  BIO_clear_retry_flags(bio);
  const int count = static_cast<BoringSession*>(BIO_get_data(bio))->TakeInput(to, room);
  if (count > 0) return count;
  BIO_set_retry_read(bio);
  return -1;
}

int BioWrite(BIO* bio, const char* from, int size) noexcept {
  static_cast<BoringSession*>(BIO_get_data(bio))->AddOutput({from, static_cast<std::size_t>(size)});
  return size;
}

long BioControl(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) noexcept {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

Result<std::unique_ptr<TlsSession>> TlsSession::Create(std::shared_ptr<const TlsContext> context,
                                                       Role role, std::string_view server_name,
                                                       Events events) {
  auto session = std::make_unique<BoringSession>(
      std::static_pointer_cast<const BoringContext>(std::move(context)), role, server_name,
      std::move(events));
  GATEHOUSE_TRY_VOID(session->Open());
  return session;
}

STACK_OF(X509) * ShownCertificates(const TlsSession& session) {
  return static_cast<const BoringSession&>(session).shown_chain();
}

bool AskedForCertificate(const TlsSession& session) {
  return static_cast<const BoringSession&>(session).asked_for_certificate();
}

}  // namespace gatehouse
