// Every socket of the SIP side: listeners, UDP, connections to next hops and from peers. It knows
// messages, not transactions. 11.1, 11.4, 11.6
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/log_sampler.h"
#include "core/base/metrics.h"
#include "core/loop/loop.h"
#include "core/loop/tcp_stream.h"
#include "core/loop/udp_socket.h"
#include "core/tls/tls_context.h"
#include "plugins/sip_translator/sip_connection.h"
#include "plugins/sip_translator/sip_endpoint.h"
#include "plugins/sip_translator/sip_target.h"
#include "plugins/sip_translator/sip_trust.h"
#include "plugins/sip_translator/turn_budget.h"

namespace gatehouse {

// Where a message came from.
struct SipSource {
  SipTransport transport = SipTransport::kUdp;
  SocketAddress address;
  SipConnectionId connection{};  // 0 for UDP
  bool trusted = false;          // 11.8
  std::string_view name;         // the trusted name a certificate proved
};

// Where a response goes. RFC 3261 §18.2.2, RFC 3581 §4
struct SipReturnPath {
  SipTransport transport = SipTransport::kUdp;
  SipConnectionId connection{};
  SocketAddress address;  // UDP: where to; stream: where to connect when the connection has gone
  std::string tls_name;
};

class SipTransportLayer final : private SipConnection::User {
 public:
  class User {
   public:
    virtual void OnMessage(SipMessage& message, const SipSource& source) = 0;
    virtual void OnRefused(const SipRefusal& refusal, const SipSource& source) = 0;
    // False: none, until ResumeReading.
    [[nodiscard]] virtual bool TakesRequests() const = 0;
    // A request of ours waits for its answer on it, or an answer of ours is owed there.
    virtual bool IsInUse(SipConnectionId connection) = 0;
    // Requests that went to `connection` get no answer there. `never_sent`: it was never open, or
    // refused us before it read any. `last_received`: when something last came from the peer.
    virtual void OnConnectionGone(SipConnectionId connection, SipFailure failure, bool never_sent,
                                  TimePoint last_received) = 0;

   protected:
    ~User() = default;
  };
  struct Setup {
    std::shared_ptr<const TlsContext> tls;  // null: no TLS. Without a certificate: outwards only
    std::string host;                       // in our Vias
  };
  // Takes the sockets of `config.listeners` of kind SIP. The references outlive the layer.
  static Result<std::unique_ptr<SipTransportLayer>> Create(Loop& loop, Metrics& metrics, User& user,
                                                           const SipTrust& trust,
                                                           const proto::WorkerConfig& config,
                                                           Setup setup);
  ~SipTransportLayer();

  // Sends a request, opening a connection where none is there; gives the connection it went to (0
  // for UDP). Fails at once while a target is backing off, or with no socket for its transport.
  Result<SipConnectionId, SipFailure> SendRequest(const SipTarget& target, std::string_view bytes);
  void SendResponse(const SipReturnPath& path, std::string_view bytes);
  // Where responses to a message from `source` with this top Via go.
  [[nodiscard]] static SipReturnPath ReturnPath(const SipSource& source, std::uint16_t via_port,
                                                bool rport);

  // For connections from now on; where TLS is spoken at all. Before the first call there are none
  // over TLS: peers wait to be accepted.
  void SetTls(std::shared_ptr<const TlsContext> tls);
  // Who is connected by TLS is judged anew by the anchors and revocation lists of `tls`, and by the
  // trusted peers there are now; whose proof is none any more is retired (2.5, 11.8).
  void JudgeAnew(const std::shared_ptr<const TlsContext>& tls);
  void CloseAfterWrites(SipConnectionId connection);
  void ResumeReading();  // after TakesRequests was false
  // Once a second: time limits, pings, the end of certificates.
  void Tick(TimePoint now);

  // "edge.corp.example:5061", what our Vias carry on this transport.
  [[nodiscard]] const std::string& SentBy(SipTransport transport) const {
    return sent_by_[static_cast<std::size_t>(transport)];
  }
  [[nodiscard]] const std::array<std::string, 3>& sent_bys() const { return sent_by_; }
  [[nodiscard]] bool HasUdp() const { return !udp_.empty(); }

 private:
  struct NextHop {
    SipConnectionId connection{};
    milliseconds back_off{0};
    TimePoint retry_at;
  };
  SipTransportLayer(Loop& loop, Metrics& metrics, User& user, const SipTrust& trust, Setup setup);

  Result<void> TakeListener(SipTransport transport, std::string_view address, int fd);
  void SetSentBy(SipTransport transport, std::uint16_t port);
  void OnAccepted(SipTransport transport, std::unique_ptr<TcpStream> stream);
  [[nodiscard]] std::size_t AcceptedFrom(const TcpStream& stream) const;
  void ServeLine();
  void OnTooMany(const SocketAddress& peer, Reason why);
  void OnUntrusted(const SipConnection& connection, std::string_view why);
  void LogConnection(std::string_view event, const SocketAddress& peer, std::string_view why,
                     Reason reason);
  void OnDatagram(std::string_view bytes, const SocketAddress& from);
  bool SendDatagram(const SocketAddress& to, std::string_view bytes);
  SipConnection* ConnectionTo(const SipTarget& target);
  void MakeRoomForAStranger();
  SipConnection* ProvenInbound(const std::string& name);
  SipConnection* Find(SipConnectionId id);
  SipConnection* OpenTo(const SipTarget& target);
  void Retire(SipConnection& connection, std::string_view why);
  void LookAtProof(SipConnection& connection, TimePoint now);
  [[nodiscard]] std::vector<SipConnectionId> AllConnections() const;
  void FlushWritten();
  [[nodiscard]] SipSource SourceOf(const SipConnection& connection) const;

  std::optional<std::string> JudgeCertificate(SipConnection& connection) override;
  void OnOpen(SipConnection& connection) override;
  void OnMessage(SipConnection& connection, SipMessage& message) override;
  void OnRefused(SipConnection& connection, const SipRefusal& refusal) override;
  bool MayTakeRequest(SipConnection& connection) override;
  [[nodiscard]] bool TakesRequests() const override { return user_.TakesRequests(); }
  void OnWritten(SipConnection& connection) override;
  void OnClosed(SipConnection& connection, SipClosed how, std::string_view why) override;

  Loop& loop_;
  Metrics& metrics_;
  User& user_;
  const SipTrust& trust_;
  Setup setup_;
  std::array<std::string, 3> sent_by_;
  struct BoundUdp {
    int family;
    std::unique_ptr<UdpSocket> socket;
  };
  std::vector<BoundUdp> udp_;
  std::vector<std::unique_ptr<TcpAcceptor>> acceptors_;
  std::vector<TcpAcceptor*> waiting_for_tls_;  // of them, paused until SetTls
  bool may_speak_tls_ = false;
  std::size_t held_bytes_ = 0;  // of all connections
  std::unordered_map<SipConnectionId, std::unique_ptr<SipConnection>> connections_;
  std::unordered_map<std::string, NextHop> next_hops_;
  std::uint64_t last_id_ = 0;
  std::vector<SipConnectionId> written_;
  std::vector<std::unique_ptr<SipConnection>> closed_;  // destroyed at the end of the turn
  EndOfTurn flush_;
  TurnBudget budget_;
  std::deque<SipConnectionId> line_;  // whose requests wait, first come first served
  SipConnectionId served_{};          // of them, now
  int share_left_ = 0;                // of who is served
  EndOfTurn turn_over_;
  NextTurn go_on_;  // with what was left unread in this one
  double& connections_gauge_;
  double& untrusted_total_;
  double& refused_total_;
  SteadyClock clock_;
  LogSampler log_sampler_{clock_};
  LogSampler untrusted_log_{clock_, seconds{60}};
};

}  // namespace gatehouse
