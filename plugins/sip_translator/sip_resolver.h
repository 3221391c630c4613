// From a next hop to an ordered list of targets. RFC 3263 §4; 11.3
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/loop/dns_lookup.h"
#include "plugins/sip_translator/sip_endpoint.h"
#include "plugins/sip_translator/sip_target.h"

namespace gatehouse {

// Orders SRV records: by priority, within one by weight at random. `pick(n)` gives 0..n-1. RFC 2782
void OrderSrv(std::vector<SrvRecord>& records,
              const std::function<std::uint32_t(std::uint32_t)>& pick);

class SipResolver {
 public:
  struct Options {
    bool udp = false;  // we can send UDP: a socket is bound
    bool tls = false;  // we have certificates
    bool allow_loopback_targets =
        false;  // for what DNS says; a numeric next hop is the operator's word
  };
  // `dns` outlives the resolver.
  SipResolver(DnsLookup& dns, Options options, std::uint32_t seed);
  ~SipResolver();

  // `targets` in the order to try, never empty. Otherwise kNoRoute (a fact), kTransport (DNS is in
  // trouble).
  using Done = std::function<void(Result<std::vector<SipTarget>, SipFailure>)>;
  // `uri` is a SIP URI: a fixed next hop, or "sip:" and a domain. Its host is what a certificate
  // must prove. False where it is none or names a transport we do not speak. `done` may be called
  // at once for a numeric host, otherwise later; not after destruction.
  [[nodiscard]] bool Resolve(std::string_view uri, Done done);

 private:
  // One host to look up addresses for.
  struct Step {
    SipTransport transport;
    std::string host;
    std::uint16_t port;
  };
  struct Service {
    SipTransport transport;
    std::string name;  // "_sip._tcp.example.com"
  };
  struct Query {
    std::string domain;
    bool secure = false;
    SipTransport fallback = SipTransport::kTcp;  // where there is no SRV record
    std::vector<Service> services;               // SRV lookups still to do, next first
    std::vector<Step> steps;                     // address lookups still to do
    std::vector<SipTarget> targets;
    bool trouble = false;
    Done done;
  };
  using QueryRef = std::list<Query>::iterator;

  void AskNaptr(QueryRef query);
  void AskNextService(QueryRef query);
  void AskNextHost(QueryRef query);
  void Finish(QueryRef query);
  [[nodiscard]] std::vector<Service> ServicesWithoutNaptr(const Query& query) const;
  [[nodiscard]] SipTransport DefaultTransport(bool secure) const;
  [[nodiscard]] bool Enabled(SipTransport transport) const;
  void TakeNaptr(Query& query, std::vector<NaptrRecord> records) const;

  DnsLookup& dns_;
  Options options_;
  std::minstd_rand random_;
  std::list<Query> queries_;
};

}  // namespace gatehouse
