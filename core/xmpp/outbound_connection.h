// One outbound stream from DNS to its close: does what OutboundMachine says, on real sockets with
// real timers (3.3).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/loop/loop.h"
#include "core/loop/timer.h"
#include "core/tls/tls_session.h"
#include "core/xmpp/outbound_dialer.h"
#include "core/xmpp/outbound_machine.h"
#include "core/xmpp/stream_transport.h"

namespace gatehouse {

class OutboundConnection {
 public:
  struct Order {
    OutboundTerms terms;
    std::string proxy;               // the partner's, or empty
    std::string other_host;          // redirected there by the peer (3.7), or empty
    std::string trust_anchors;       // PEM, the partner's own; empty: those of the contexts (2.5)
    DaneMode dane = DaneMode::kOff;  // not asked where `proxy` or `other_host` leads
    std::shared_ptr<const TlsContext> starttls;
    std::shared_ptr<const TlsContext> direct;  // ALPN "xmpp-server"
    milliseconds establishment_limit =
        seconds{60};  // to the first open pair, or until ready to verify
  };
  // Called in later turns than Start; none of them may destroy the connection. All but on_gone may
  // be empty.
  struct Events {
    std::function<void(std::string_view local, std::string_view stream_id)> on_make_key;
    std::function<void(std::string_view local, proto::AuthMethod)> on_pair_open;
    std::function<void(std::string_view local, const OutboundFault&)> on_pair_failed;
    std::function<void()> on_ready_to_verify;
    std::function<void(const VerifyRequest&, VerifyResult)> on_verified;
    std::function<void(std::uint32_t h)> on_acknowledged;  // machine().has_acks()
    std::function<void()> on_acks_refused;
    // A stanza of the peer's for an open pair, where terms.takes_theirs (2.14).
    std::function<void(const outbound::Deliver&, proto::Element&)> on_stanza;
    std::function<void(const outbound::AnswerStanza&)> on_answer;
    // An element, or white space between two, was read from an open stream, and has been acted on.
    // Not for <a/>, which on_acknowledged tells.
    std::function<void()> on_read;
    std::function<void()> on_writable;  // queued_bytes has fallen to zero after it was high
    // The stream is over, with every pair on it. Once; not called after Close.
    std::function<void(const OutboundFault&)> on_failed;
    // The last octet is gone: destroy the connection, in a later turn. Once, after on_failed or
    // Close.
    std::function<void()> on_gone;
    // What happened, for `test stream`: dns, dane, tcp, tls, certificate, features, sasl, dialback.
    std::function<void(std::string_view step, bool ok, std::string detail)> on_step;
    std::function<void(const DaneReport&)> on_dane;  // once a target, unless kNotAsked
    std::function<void(std::string_view what)>
        on_dropped;  // what the peer sent without being asked
  };

  OutboundConnection(Loop& loop, OutboundDialer& dialer, Order order, Events events);
  ~OutboundConnection();  // at once, without a word
  OutboundConnection(const OutboundConnection&) = delete;
  OutboundConnection& operator=(const OutboundConnection&) = delete;

  void Start();
  void GiveKey(std::string_view local,
               std::string_view key);       // the answer to on_make_key; empty: none
  void AddPair(std::string_view local);     // where machine().MayAddPair()
  void GiveUpPair(std::string_view local);  // no result came in time
  void Verify(VerifyRequest request);       // after on_ready_to_verify

  // Stanzas as XML, on an open pair; goes out at the end of the turn.
  void Send(std::string_view xml) { transport_->Send(xml); }
  void WhenFlushed(std::function<void()> done) { transport_->WhenFlushed(std::move(done)); }
  void Rest() {
    if (transport_) transport_->Rest();
  }
  [[nodiscard]] std::size_t queued_bytes() const {
    return transport_ ? transport_->queued_bytes() : 0;
  }

  // --- the peer's stanzas
  // One of this number is settled. True: OnAcksDue is to be called in a later turn.
  bool CountHandled(std::uint64_t number) { return machine_.CountHandled(number); }
  void OnAcksDue() { Do(machine_.OnAcksDue()); }
  void ReadOrNot(bool read);

  // Says </stream:stream>, after `say` as a stream error if given, waits 5 s for the peer's; then
  // on_gone (2.16).
  void Close();
  void Close(StreamCondition say);
  // The same with a whole stream error and </stream:stream> of ours.
  void CloseSaying(std::string_view end);

  // Whether the certificate that has proven the peer is in the revocation lists of `context`, which
  // hold from then on.
  [[nodiscard]] bool IsRevokedBy(const std::shared_ptr<const TlsContext>& context);

  [[nodiscard]] const OutboundMachine& machine() const { return machine_; }
  [[nodiscard]] std::string peer_address() const;
  // Of the peer's leaf certificate, as PeerCertificate's; empty: it showed none, or no TLS.
  [[nodiscard]] std::string peer_sha256() const;
  [[nodiscard]] std::string tls_version() const;  // "TLSv1.3"; empty in clear
  [[nodiscard]] const std::string& trust_anchors() const { return order_.trust_anchors; }
  [[nodiscard]] DaneMode dane_mode() const { return order_.dane; }

 private:
  void OnConnected(std::unique_ptr<TcpStream> tcp, const OutboundTarget& target);
  StreamTransport::Events TransportEvents();
  void Do(const OutboundActions& actions);
  void DoOne(const outbound::SendXml& action);
  void DoOne(const outbound::OpenXml& action);
  void DoOne(const outbound::BeginTls& action);
  void DoOne(const outbound::ReconnectInClear& action);
  void DoOne(const outbound::MakeKey& action);
  void DoOne(const outbound::PairOpen& action);
  void DoOne(const outbound::PairFailed& action);
  void DoOne(const outbound::ReadyToVerify& action);
  void DoOne(const outbound::Verified& action);
  void DoOne(const outbound::Acknowledged& action);
  void DoOne(const outbound::AcksRefused& action);
  void DoOne(const outbound::Deliver& action);
  void DoOne(const outbound::AnswerStanza& action);
  void DoOne(const outbound::Dropped& action);
  void DoOne(const outbound::Fail& action);
  void WatchState();
  void OnTls(const Result<void>& done);
  [[nodiscard]] PeerCertificate JudgedPeer() const;
  void JudgePeer();
  void JudgePeerByDane(bool pkix_ok, Reason why_not);
  void ProveByDane(const DaneVerdict& verdict);
  void TellCertificate(const PeerCertificate& peer, bool ok);
  void TellElement(const proto::Element& element);
  void WatchCertificate();
  void OnFooter();
  void OnTransportClosed(std::string_view why);
  void OnEstablishmentLimit();
  void SetAsideTransport();
  void Established();
  void Failed(const OutboundFault& fault, std::optional<StreamCondition> say);
  void SayGoodbye(std::string_view end);
  void Tell(std::string_view step, bool ok, std::string detail) const;

  enum class Life : std::uint8_t { kEstablishing, kOpen, kClosing, kGone };

  Loop& loop_;
  OutboundDialer& dialer_;
  Order order_;
  Events events_;
  std::string remote_ascii_;
  OutboundMachine machine_;
  std::unique_ptr<OutboundDialer::Dial> dial_;
  std::unique_ptr<StreamTransport> transport_;
  std::vector<std::unique_ptr<StreamTransport>>
      set_aside_;                 // of targets given up; die in the next turn
  std::uint64_t generation_ = 0;  // of transport_: events of older ones are void
  Life life_ = Life::kEstablishing;
  proto::Element* element_ = nullptr;   // of the event in hand
  std::int64_t proven_until_unix_ = 0;  // end of the certificate that proved the peer; 0: none did
  OutboundTarget target_;               // of transport_
  bool in_clear_next_ = false;          // at the same target
  bool tls_pending_ = false;            // nothing can be said now
  bool peer_is_done_ = false;           // its footer came, or its XML was bad: nothing to wait for
  OutboundState timed_state_ = OutboundState::kIdle;
  Timer establishment_, state_limit_, close_limit_, certificate_end_, sweep_;
};

}  // namespace gatehouse
