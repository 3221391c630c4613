#include "plugins/policy_engine/engine.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/one_line.h"
#include "plugins/policy_engine/store_file.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::size_t kMaxReasonBytes = 1024;  // a few sentences for people

}  // namespace

Engine::Engine(Store store, std::vector<std::string> served, StoreContent content,
               std::int64_t now_unix, const DataLimits& limits)
    : store_(std::move(store)),
      served_(std::move(served)),
      limits_(limits),
      now_unix_(now_unix),
      content_(std::move(content)),
      policy_(CompilePolicy(content_, served_, now_unix_)) {}

Result<Engine> Engine::Create(Store store, std::vector<std::string> served, std::int64_t now_unix,
                              const DataLimits& limits) {
  RemoveStoreFile(PlanPath(store));  // of a life that was ended in the middle of an apply
  GATEHOUSE_TRY(StoreContent content, store.Read());
  GATEHOUSE_TRY_VOID(store.CountContacts());
  return Engine(std::move(store), std::move(served), std::move(content), now_unix, limits);
}

void Engine::OnBusy(StillBusy still_busy) {
  still_busy_ = std::move(still_busy);
  store_.OnProgress(still_busy_);
}

void Engine::SetServed(std::vector<std::string> served) {
  served_ = std::move(served);
  Compile();
}

void Engine::OnTime(std::int64_t now_unix) {
  const bool is_set_back = now_unix < std::exchange(now_unix_, now_unix);
  const bool expires = policy_.next_expiry_unix != 0 && policy_.next_expiry_unix <= now_unix;
  if (expires || is_set_back) Compile();
}

Result<void> Engine::Take(Result<StoreContent> content) {
  if (!content) return std::unexpected(std::move(content).error());
  content_ = *std::move(content);
  Compile();
  ForgetSettledStrangers();
  return {};
}

proto::CtlResponse Engine::Answer(const proto::CtlRequest& request,
                                  std::chrono::system_clock::time_point now) {
  OnTime(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  const Result<void> may = MayChange(request);
  proto::CtlResponse response =
      Sealed(request,
             may ? Dispatch(request, EntryOf(request, now)) : Reply(std::unexpected(may.error())));
  // Whoever is refused comes back with another file.
  if (applying_ && request.apply().plan() == applying_->plan.number() && !response.error().empty())
    DropPlan();
  return response;
}

proto::CtlResponse Engine::Sealed(const proto::CtlRequest& request, Reply reply) const {
  proto::CtlResponse response;
  if (reply) {
    response = *std::move(reply);
  } else {
    response.set_exit_code(1);
    response.set_error(reply.error().text);
  }
  response.set_id(request.id());
  response.set_revision(content_.revision);
  return response;
}

// What every changing command may say besides.
Result<void> Engine::MayChange(const proto::CtlRequest& request) const {
  if (request.reason().size() > kMaxReasonBytes)
    return BadConfig(fmt::format("the reason has {} octets; at most {} are possible",
                                 request.reason().size(), kMaxReasonBytes));
  if (HasControls(request.reason()))
    return BadConfig("the reason has control characters; write it on one line");
  if (request.has_if_revision() && request.if_revision() != content_.revision)
    return BadConfig(
        fmt::format("the store is at revision {}, not {}: it was changed meanwhile; see what with "
                    "gatehousectl config history, then name the revision it is at",
                    content_.revision, request.if_revision()));
  return {};
}

AuditEntry Engine::EntryOf(const proto::CtlRequest& request,
                           std::chrono::system_clock::time_point now) {
  AuditEntry audit;
  audit.at_unix_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  audit.actor = request.actor();
  audit.uid = request.actor_uid();
  audit.reason = request.reason();
  return audit;
}

// One case a command, and the compiler tells which is missing.
// NOLINTNEXTLINE(readability-function-size)
Engine::Reply Engine::Dispatch(const proto::CtlRequest& request, AuditEntry audit) {
  switch (request.command_case()) {
    case proto::CtlRequest::kPartnerNew:
      audit.action = "partner new";
      return NewPartner(request.partner_new(), std::move(audit));
    case proto::CtlRequest::kPartnerSet:
      audit.action = "partner set";
      return SetPartner(request.partner_set(), std::move(audit));
    case proto::CtlRequest::kPartnerRemove:
      audit.action = "partner remove";
      return RemovePartner(request.partner_remove().domain(), std::move(audit));
    case proto::CtlRequest::kPartnerForgetTls:
      audit.action = "partner forget-tls";
      return ForgetTls(request.partner_forget_tls().domain(), std::move(audit));
    case proto::CtlRequest::kPartnerGet:
      return ShowPartner(request.partner_get().domain());
    case proto::CtlRequest::kPartnerExplain:
      return ExplainPartner(request.partner_explain().domain(), audit.at_unix_ms / 1000);
    case proto::CtlRequest::kPartnerList:
      return ListPartners();
    case proto::CtlRequest::kGatewayGet:
      return ShowGateway();
    case proto::CtlRequest::kAuditGet:
      return ShowAudit(request.audit_get());
    case proto::CtlRequest::kConfigDiff:
      return ShowDifference(request.config_diff());
    case proto::CtlRequest::kConfigRollback:
      audit.action = "config rollback";
      return RollBack(request.config_rollback().revision(), std::move(audit));
    case proto::CtlRequest::kExportData:
      return ExportData();
    case proto::CtlRequest::kApply:
      audit.action = "apply";
      return ApplyData(request.apply(), std::move(audit));
    case proto::CtlRequest::kApplyPart:
      return TakePart(request.apply_part(), audit);
    case proto::CtlRequest::kApplyCompare:
      return ComparePart(request.apply_compare().plan());
    case proto::CtlRequest::kApplyDiffering:
      return ShowDiffering(request.apply_differing().plan());
    case proto::CtlRequest::kGatewaySet:
      audit.action = "gateway set";
      return SetGateway(request.gateway_set(), std::move(audit));
    case proto::CtlRequest::kPolicyTest:
      return TestPolicy(request.policy_test(), audit.at_unix_ms / 1000);
    case proto::CtlRequest::kContactChange:
      return ChangeContacts(request.contact_change(), std::move(audit));
    case proto::CtlRequest::kContactList:
      return policy_engine::ListContacts(store_, RulesOfContacts(), request.contact_list(),
                                         ClockAt(audit.at_unix_ms / 1000));
    case proto::CtlRequest::kPolicyList:
      return ListPolicies(request.policy_list().name());
    case proto::CtlRequest::kPolicyNew:
      audit.action = "policy new";
      return NewPolicy(request.policy_new(), std::move(audit));
    case proto::CtlRequest::kPolicySet:
      audit.action = "policy set";
      return SetPolicy(request.policy_set(), std::move(audit));
    case proto::CtlRequest::kPolicyRemove:
      audit.action = "policy remove";
      return RemovePolicy(request.policy_remove().name(), std::move(audit));
    case proto::CtlRequest::kPolicyGrant:
      audit.action = "policy grant";
      return GrantPolicy(request.policy_grant(), std::move(audit));
    case proto::CtlRequest::kPolicyRevoke:
      audit.action = "policy revoke";
      return RevokePolicies(request.policy_revoke().from(), std::move(audit));
    case proto::CtlRequest::kPartnerDeny:
      audit.action = "partner deny";
      return DenyDomain(request.partner_deny().domain(), std::move(audit));
    case proto::CtlRequest::kPartnerUndeny:
      audit.action = "partner undeny";
      return UndenyDomain(request.partner_undeny().domain(), std::move(audit));
    case proto::CtlRequest::kPartnerDenied:
      return ListDenied();
    case proto::CtlRequest::kPartnerDiscovered:
      return ListStrangers();
    case proto::CtlRequest::kPartnerAccept:
      audit.action = "partner accept";
      return AcceptStranger(request.partner_accept().accepted(), std::move(audit));
    case proto::CtlRequest::kPartnerRefuse:
      audit.action = "partner refuse";
      return RefuseStranger(request.partner_refuse().domain(), std::move(audit));
    case proto::CtlRequest::kPartnerTypeList:
      return ListTypes();
    case proto::CtlRequest::kPartnerTypeNew:
      audit.action = "partner type new";
      return NewType(request.partner_type_new(), std::move(audit));
    case proto::CtlRequest::kPartnerTypeSet:
      audit.action = "partner type set";
      return SetType(request.partner_type_set(), std::move(audit));
    case proto::CtlRequest::kPartnerTypeRemove:
      audit.action = "partner type remove";
      return RemoveType(request.partner_type_remove().name(), std::move(audit));
    case proto::CtlRequest::kImport:
      audit.action = "import";
      return ImportRecords(request.import(), std::move(audit));
    case proto::CtlRequest::kCertificateRequested:
    case proto::CtlRequest::kCertificateImport:
    case proto::CtlRequest::kCertificateAssign:
    case proto::CtlRequest::kCertificateGet:
    case proto::CtlRequest::kCertificateRemove:
    case proto::CtlRequest::kCertificateKeyGet:
      return DispatchCertificates(request, std::move(audit));
    case proto::CtlRequest::kStatus:
    case proto::CtlRequest::kWorker:
    case proto::CtlRequest::kScale:
    case proto::CtlRequest::kStop:
    case proto::CtlRequest::kReload:
    case proto::CtlRequest::kBackupRead:
    case proto::CtlRequest::kRestoreWrite:
    case proto::CtlRequest::kTestSip:
    case proto::CtlRequest::kCertificateRenew:
    case proto::CtlRequest::kCertificateRenewalGet:
    case proto::CtlRequest::kDialbackSecretSet:
    case proto::CtlRequest::kTestStream:
    case proto::CtlRequest::kTestIm:
    case proto::CtlRequest::kWhy:
    case proto::CtlRequest::COMMAND_NOT_SET:
      break;
  }
  proto::CtlResponse response;
  response.set_exit_code(2);
  response.set_error("this command is not one of the policy engine; use gatehousectl --help");
  return response;
}

}  // namespace gatehouse::policy_engine
