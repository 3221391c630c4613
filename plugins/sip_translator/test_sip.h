// gatehousectl test sip: the way to the next hop of one of our domains, each step told with its
// time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/loop/loop.h"
#include "core/loop/timer.h"
#include "core/tls/tls_context.h"
#include "plugins/sip_translator/sip_endpoint.h"
#include "plugins/sip_translator/sip_trust.h"
#include "proto/ctl.pb.h"

namespace gatehouse {
class DnsLookup;
}

namespace gatehouse::translator {

// The tests under way. A connection of its own goes as far as the certificates; the OPTIONS then
// takes the way every request takes.
class SipTests {
 public:
  // Shows the certificates that the endpoint shows, but lets every peer end its handshake, so that
  // it can be told what is wrong with it. Call it in Worker::Prepare.
  static Result<std::shared_ptr<const TlsContext>> ReadContext(const proto::Config& config);

  // `endpoint` outlives this.
  static Result<std::unique_ptr<SipTests>> Create(Loop& loop, SipEndpoint& endpoint,
                                                  std::shared_ptr<const TlsContext> tls,
                                                  const proto::WorkerConfig& config);
  ~SipTests();

  // In place of the files'; null: they hold again.
  void ShowCertificate(const OwnCertificate* certificate);
  // Domains, next hops and trusted peers of a reloaded configuration.
  void Reconfigure(const proto::Config& config);
  // `answer` is called once, in a later turn.
  void Start(const proto::TestSip& test, std::function<void(proto::CtlResponse)> answer);

 private:
  class Test;
  SipTests(Loop& loop, SipEndpoint& endpoint, std::shared_ptr<const TlsContext> tls);

  Loop& loop_;
  SipEndpoint& endpoint_;
  std::shared_ptr<const TlsContext> from_files_;
  std::shared_ptr<const TlsContext> tls_;
  std::unique_ptr<DnsLookup> dns_;
  std::unique_ptr<proto::Config> config_;
  bool udp_ = false;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Test>> tests_;
};

}  // namespace gatehouse::translator
