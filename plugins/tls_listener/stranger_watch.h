// What is known of unlisted domains that want a stream, told to the policy engine while the gateway
// discovers. The peer learns nothing of it. Bounded: a flood of names costs a few DNS questions a
// minute and is cut off there, and earlier where it comes from one address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/loop/dns_lookup.h"
#include "core/tls/tls_session.h"
#include "ipc/ask_link.h"
#include "proto/stream_record.pb.h"

namespace gatehouse {

// One line: names, issuer, validity, whether the chain is good, fingerprint. Empty: none was shown.
[[nodiscard]] std::string CertificateLine(const PeerCertificate& certificate);

class StrangerWatch {
 public:
  // Looked up and told in a minute; further domains knock unheard.
  static constexpr std::size_t kMaxAMinute = 20;
  // Of those, from one address (InboundAdmission::AddressOf): one host does not silence the others.
  static constexpr std::size_t kMaxOfAnAddress = 5;
  // Knocks of one domain are told once in so long, together.
  static constexpr seconds kAgain{60};

  StrangerWatch(const Clock& clock, DnsLookup& dns, ipc::AskClient& engine);
  StrangerWatch(const StrangerWatch&) = delete;
  StrangerWatch& operator=(const StrangerWatch&) = delete;
  ~StrangerWatch();

  // `knock`: with domain, local_domain, peer and certificate set. `now_unix`: by the wall clock.
  void OnKnock(proto::Stranger knock, std::uint64_t now_unix);

 private:
  struct State;
  std::shared_ptr<State> state_;  // lookups under way hold it weakly
};

}  // namespace gatehouse
