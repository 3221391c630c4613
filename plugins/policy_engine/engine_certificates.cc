// The engine's commands on our own certificates.
#include <fmt/format.h>

#include "plugins/policy_engine/certificate_view.h"
#include "plugins/policy_engine/engine.h"

namespace gatehouse::policy_engine {

Result<void> Engine::KeepCertificates(const std::string& seal_file, CertificateEdge edge) {
  certificates_.SetSealFile(seal_file);
  certificates_.SetEdge(std::move(edge));
  return certificates_.Read(store_);
}

Result<proto::CertificateView> Engine::TakeRenewed(const proto::AcmeRenewed& renewed,
                                                   std::chrono::system_clock::time_point now) {
  AuditEntry audit;
  audit.at_unix_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  audit.actor = "acme_client";
  audit.action = "cert import";
  audit.reason = renewed.asked_by().empty()
                     ? std::string("got by ACME")
                     : fmt::format("got by ACME, asked for by {}", renewed.asked_by());
  GATEHOUSE_TRY(const proto::CtlResponse taken,
                certificates_.TakeRenewed(store_, renewed, std::move(audit)));
  return taken.certificates().certificates(0);
}

Engine::Reply Engine::DispatchCertificates(const proto::CtlRequest& request, AuditEntry audit) {
  switch (request.command_case()) {
    case proto::CtlRequest::kCertificateRequested:
      audit.action = kCertRequest;
      return certificates_.Request(store_, request.certificate_requested(), std::move(audit));
    case proto::CtlRequest::kCertificateImport:
      audit.action = kCertImport;
      return certificates_.Import(store_, request.certificate_import(), std::move(audit));
    case proto::CtlRequest::kCertificateAssign:
      audit.action = request.certificate_assign().name().empty() ? kCertUnassign : kCertAssign;
      return certificates_.Assign(store_, request.certificate_assign(), std::move(audit));
    case proto::CtlRequest::kCertificateRemove:
      audit.action = kCertRemove;
      return certificates_.Remove(store_, request.certificate_remove().name(), std::move(audit));
    case proto::CtlRequest::kCertificateKeyGet:
      audit.action = kCertKey;
      return certificates_.GiveKey(store_, request.certificate_key_get().name(), std::move(audit));
    default:
      return certificates_.Show(request.certificate_get().name(), audit.at_unix_ms / 1000);
  }
}

}  // namespace gatehouse::policy_engine
