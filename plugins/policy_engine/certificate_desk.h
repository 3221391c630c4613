// Hands each worker the certificate of its slot, and keeps an eye on the end of those that are
// shown.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/loop/timer.h"
#include "core/worker/worker.h"
#include "plugins/policy_engine/certificate_publication.h"
#include "plugins/policy_engine/engine.h"
#include "proto/link_policy.pb.h"

namespace gatehouse::policy_engine {

class CertificateDesk {
 public:
  using Reply = ipc::AskServer::Reply;
  // Both outlive this object.
  CertificateDesk(WorkerContext& context, Engine& engine);
  CertificateDesk(const CertificateDesk&) = delete;
  CertificateDesk& operator=(const CertificateDesk&) = delete;

  // What is shown may have changed.
  void Refresh();
  // A worker without a slot gets nothing, and is counted.
  void OnWanted(std::string_view instance, const proto::CertificateWanted& wanted, Reply reply);
  // From acme_client; anybody else is refused, and counted.
  void OnAcme(std::string_view instance, const proto::PolicyQuestion& question, const Reply& reply);
  void Close() { publication_.Close(); }

 private:
  struct Told {
    std::int64_t day = 0;  // since 1970
    std::int64_t not_after = 0;
  };
  void LookAtTheirEnd();
  void WarnOfEnd(Slot slot, const ShownEnd& shown, std::int64_t now);

  WorkerContext& context_;
  Engine& engine_;
  CertificatePublication publication_;
  Timer look_;
  std::map<Slot, Told> told_;
  double& given_total_;
  double& withheld_total_;
};

}  // namespace gatehouse::policy_engine
