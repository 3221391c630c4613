// The gateway's SIP side as the translator sees it: requests out with one final answer each,
// requests in with one reply each. Transports, transactions, routing, trust and OPTIONS are its own
// business (chapter 11).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/loop/socket_address.h"
#include "core/policy/reasons.h"
#include "core/sip/sip_message.h"
#include "plugins/sip_translator/sip_outgoing.h"

namespace gatehouse {

class WorkerContext;
class OwnCertificate;
class TlsContext;
namespace proto {
class Config;
class WorkerConfig;
}  // namespace proto

struct RequestAnswer;
struct RefusedRequest;
struct SipExtraHeader {
  std::string_view name;
  std::string value;
};

enum class SipFailure : std::uint8_t {
  kNone,         // a final response came
  kTimeout,      // Timer B or F (after every target was tried)
  kTransport,    // no target could be connected or written to
  kClosed,       // the connection ended with the request on it, before an answer came
  kTlsIdentity,  // the next hop's certificate is not the one it must have (11.8)
  kOwnRefused,   // the next hop refused our certificate
  kNoRoute,      // DNS: no such domain, or it offers no transport of ours
};

struct SipFinal {
  SipFailure failure = SipFailure::kNone;
  int status = 0;                        // 200..699 where failure is kNone
  const SipMessage* response = nullptr;  // valid only during the call; null where it failed
};

// Why a request was not even begun.
enum class SipSendRefusal : std::uint8_t {
  kTooLarge,    // above max_bytes
  kInjection,   // a header value held CR, LF or NUL: our own fault, counted (12.3 S1)
  kTooMany,     // 10000 transactions are pending (12.5)
  kBadNextHop,  // next_hop is no SIP URI, or there is none and request_uri names no host
};

// Who sent a request.
struct SipPeer {
  SipTransport transport = SipTransport::kUdp;
  SocketAddress address;
  std::string_view name;  // the trusted peer's name its certificate proved; empty for udp and tcp
};

// Answers one server transaction, once; a second answer is ignored. Copies freely. Where nobody
// answers within 20 s the endpoint says 504 itself (11.2). Must not be used after its endpoint has
// gone.
class SipReply {
 public:
  class Sink {
   public:
    virtual void Answer(std::uint64_t transaction, int status, Reason why,
                        std::span<const SipExtraHeader> headers) = 0;

   protected:
    ~Sink() = default;
  };
  SipReply(Sink& sink, std::uint64_t transaction) : sink_(&sink), transaction_(transaction) {}
  // With the standard phrase of the status; `why` is of a refusal.
  void operator()(int status, Reason why = Reason::kNone,
                  std::span<const SipExtraHeader> headers = {}) const {
    sink_->Answer(transaction_, status, why, headers);
  }

 private:
  Sink* sink_;
  std::uint64_t transaction_;
};

class SipEndpoint {
 public:
  // Certificates, read while the process still may read files: call it in Worker::Prepare.
  struct Keys {
    std::shared_ptr<const TlsContext> tls;  // null where nothing speaks TLS
  };
  static Result<Keys> ReadKeys(const proto::WorkerConfig& config);

  // Takes over the SIP sockets of the worker's configuration. Reads nothing before ResumeRequests
  // was called once: closed until the first snapshot. `context` outlives the endpoint.
  static Result<std::unique_ptr<SipEndpoint>> Create(WorkerContext& context, Keys keys);
  virtual ~SipEndpoint() = default;

  using OnFinal = std::function<void(const SipFinal&)>;
  // Sends a request; `done` is called once, never inside this call. Non-INVITE only.
  virtual Result<void, SipSendRefusal> SendRequest(SipOutgoing request, OnFinal done) = 0;

  // What stands for us in URIs of ours that a peer reaches by `transport`:
  // "edge.corp.example:5061".
  [[nodiscard]] virtual std::string SentBy(SipTransport transport) const = 0;

  // `message` and `peer` are valid only during the call. Called for MESSAGEs, SUBSCRIBEs
  // and INVITEs that came from a trusted peer; everything else has been answered.
  using OnRequest =
      std::function<void(const SipMessage& message, const SipPeer& peer, SipReply reply)>;
  virtual void OnRequests(OnRequest handler) = 0;  // set once, before ResumeRequests

  // Called for each request of a trusted peer that is refused here, just ahead of the answer; it
  // may remember the refusal, and say its id there.
  using OnRefusal = std::function<void(const RefusedRequest& request, RequestAnswer& answer)>;
  virtual void OnRefusals(OnRefusal handler) = 0;  // set once, before ResumeRequests

  // Back-pressure: while paused no new request is delivered; streams stop being read where a
  // request waits, and datagrams with requests are dropped (the peer retransmits). Responses still
  // come where they can.
  virtual void PauseRequests() = 0;
  virtual void ResumeRequests() = 0;

  // Connections from now on show this one; null: that of the files in gatehouse.yaml, which may be
  // none. Those that are open stay as they are. Gives whether there is one where one is needed.
  virtual bool ShowCertificate(const OwnCertificate* certificate) = 0;

  // All of it or nothing: new domains and trusted peers after a reload, and the files of tls anew,
  // for the next ShowCertificate; where they cannot be read, the old ones stay. Connections whose
  // peer proves itself no more end, once what is under way on them is answered, 20 s later at the
  // latest.
  virtual Result<void> Reconfigure(const proto::Config& config) = 0;

  [[nodiscard]] virtual std::size_t requests_in_flight() const = 0;  // ours, without a final answer
  [[nodiscard]] virtual std::size_t replies_owed() const = 0;        // theirs, not yet answered
};

}  // namespace gatehouse
