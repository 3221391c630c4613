// Keeps one standing question open at the policy engine: the certificate that is assigned to the
// slot of this worker's plugin.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/tls/own_certificate.h"

namespace gatehouse {

class WorkerContext;

class CertificateClient {
 public:
  struct Given {
    std::string name;                                   // in the store; empty: none is assigned
    std::shared_ptr<const OwnCertificate> certificate;  // null: none is assigned
  };
  // Asks from now on until destroyed; the topology must give this worker an ask link to
  // policy_engine. `on_given` is called for the first answer and every other one. A dead engine
  // changes nothing: the last stays. So does one that cannot be read; as the first it counts as
  // none. No private key is kept as text.
  CertificateClient(WorkerContext& context, std::function<void(const Given&)> on_given);
  ~CertificateClient();
  CertificateClient(const CertificateClient&) = delete;
  CertificateClient& operator=(const CertificateClient&) = delete;
  // False before the first answer: nobody knows yet what to show.
  [[nodiscard]] bool has_answer() const;
  [[nodiscard]] const Given& current() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // answers under way hold it weakly
};

}  // namespace gatehouse
