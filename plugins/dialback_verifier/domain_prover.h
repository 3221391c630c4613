// Proves a peer's domain: asks the domain's authoritative server over a connection of our own
// (2.8.3).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/metrics.h"
#include "core/loop/timer.h"
#include "core/policy/policy_view.h"
#include "core/xmpp/outbound_connection.h"
#include "proto/link_listener_verifier.pb.h"

namespace gatehouse {

// The verdict of an answer, and of a connection that gave none: the table of 2.8.3.
[[nodiscard]] proto::DialbackVerdict VerdictOf(VerifyResult result);
[[nodiscard]] proto::DialbackVerdict VerdictOf(OutboundFailure failure);

class DomainProver {
 public:
  using Done = std::function<void(proto::DialbackVerdict verdict, std::string detail)>;
  struct Setup {
    Loop& loop;
    Metrics& metrics;
    DnsLookup& dns;
    TargetGuard guard;
  };

  explicit DomainProver(Setup setup);
  ~DomainProver();
  DomainProver(const DomainProver&) = delete;
  DomainProver& operator=(const DomainProver&) = delete;

  void SetPolicy(PolicyPointer policy) { policy_ = std::move(policy); }
  void SetDomains(std::vector<std::string> domains) { domains_ = std::move(domains); }
  void SetTls(std::shared_ptr<const TlsContext> starttls, std::shared_ptr<const TlsContext> direct);

  // Only for our domains and the domains of enabled partners whose row permits dialback. `done` is
  // called once, within 30 s; one question per pair is on the wire at a time, the others wait their
  // turn.
  void Prove(const proto::ProveDomain& question, Done done);

  [[nodiscard]] std::size_t pending() const;

 private:
  struct Waiting {
    VerifyRequest request;
    Deadline due;
    Done done;
    std::string peer_sha256;
  };
  struct Pair {
    std::uint64_t id = 0;  // of the connection; tells its events from those of an older one
    std::unique_ptr<OutboundConnection> connection;
    std::deque<Waiting> waiting;  // the first is being asked once `ready`
    bool ready = false;
  };
  using PairKey = std::pair<std::string, std::string>;  // our domain, theirs

  void Finish(Done& done, proto::DialbackVerdict verdict, std::string detail);
  const proto::Partner* PermittedPartner(const std::string& sender) const;
  void Connect(const PairKey& key, Pair& pair, const proto::Partner& partner);
  OutboundConnection::Events EventsFor(const PairKey& key, std::uint64_t id);
  Pair* FindPair(const PairKey& key, std::uint64_t id);
  void AskFirst(const PairKey& key, Pair& pair);
  bool ShowsTheSame(const PairKey& key, const Pair& pair) const;
  void FinishFirst(const PairKey& key, Pair& pair, VerifyResult result, std::string_view how);
  void OnVerified(const PairKey& key, std::uint64_t id, const VerifyRequest& request,
                  VerifyResult result);
  void OnFailed(const PairKey& key, std::uint64_t id, const OutboundFault& fault);
  void Retire(const PairKey& key, bool close);
  void OnTick();

  Setup setup_;
  OutboundDialer dialer_;
  PolicyPointer policy_;
  std::vector<std::string> domains_;
  std::shared_ptr<const TlsContext> starttls_, direct_;
  std::map<PairKey, Pair> pairs_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::unique_ptr<OutboundConnection>> closing_;
  std::vector<std::uint64_t> gone_;
  Timer tick_, sweep_;
};

}  // namespace gatehouse
