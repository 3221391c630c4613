// Which worker answers which command of gatehousectl, and within what time. This table is all there
// is to register.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "proto/ctl.pb.h"

namespace gatehouse {

// Of a command on what is stored. One that changes it leaves its asker in doubt when no answer
// comes.
enum class Effect : std::uint8_t { kReads, kChanges };

// The longest a worker may take over a command: over one record; over all of them, of which there
// may be thousands; over a stream to a partner, step by step.
inline constexpr std::chrono::seconds kOneRecord{15};
inline constexpr std::chrono::seconds kWholeData{120};
inline constexpr std::chrono::seconds kOneStream{90};
// A change of one record may have to wait behind one of all of them, and giving up leaves its asker
// in doubt. A question is given up sooner: it does no harm to ask again.
inline constexpr std::chrono::seconds kOneChange = kWholeData + kOneRecord;
// A CA takes its time, and a zone until it is everywhere. Its worker answers before, even where the
// attempt goes on.
inline constexpr std::chrono::seconds kOneRenewal{960};
// So much longer gatehousectl waits, so that it is the supervisor who says who did not answer.
inline constexpr std::chrono::seconds kCtlPatience{5};

struct CommandRoute {
  proto::CtlRequest::CommandCase command;
  std::string_view plugin;  // instance 0 of it answers; empty: the supervisor itself
  Effect effect = Effect::kReads;
  std::chrono::seconds limit = kOneRecord;
};

// clang-format off
inline constexpr std::array kCommandRoutes = {
    CommandRoute{proto::CtlRequest::kStatus,            "",                  Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kWorker,            "",                  Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kScale,             "",                  Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kStop,              "",                  Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kReload,            "",                  Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kPartnerNew,        "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPartnerSet,        "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPartnerGet,        "policy_engine",     Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kPartnerList,       "policy_engine",     Effect::kReads,   kWholeData},
    CommandRoute{proto::CtlRequest::kPartnerRemove,     "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPartnerExplain,    "policy_engine",     Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kPartnerForgetTls,  "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kAuditGet,          "policy_engine",     Effect::kReads,   kWholeData},
    CommandRoute{proto::CtlRequest::kConfigDiff,        "policy_engine",     Effect::kReads,   kWholeData},
    CommandRoute{proto::CtlRequest::kConfigRollback,    "policy_engine",     Effect::kChanges, kWholeData},
    CommandRoute{proto::CtlRequest::kExportData,        "policy_engine",     Effect::kReads,   kWholeData},
    CommandRoute{proto::CtlRequest::kApply,             "policy_engine",     Effect::kChanges, kWholeData},
    CommandRoute{proto::CtlRequest::kApplyPart,         "policy_engine",     Effect::kReads,   kWholeData},
    CommandRoute{proto::CtlRequest::kApplyCompare,      "policy_engine",     Effect::kReads,   kWholeData},
    CommandRoute{proto::CtlRequest::kApplyDiffering,    "policy_engine",     Effect::kReads,   kWholeData},
    CommandRoute{proto::CtlRequest::kBackupRead,        "policy_engine",     Effect::kReads,   kWholeData},
    CommandRoute{proto::CtlRequest::kRestoreWrite,      "policy_engine",     Effect::kChanges, kWholeData},
    CommandRoute{proto::CtlRequest::kGatewayGet,        "policy_engine",     Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kGatewaySet,        "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kContactChange,     "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kContactList,       "policy_engine",     Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kPolicyTest,        "policy_engine",     Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kPolicyList,        "policy_engine",     Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kPolicyNew,         "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPolicySet,         "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPolicyRemove,      "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPolicyGrant,       "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPolicyRevoke,      "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPartnerDeny,       "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPartnerUndeny,     "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPartnerDenied,     "policy_engine",     Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kPartnerDiscovered, "policy_engine",     Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kPartnerAccept,     "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPartnerRefuse,     "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPartnerTypeList,   "policy_engine",     Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kPartnerTypeNew,    "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPartnerTypeSet,    "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kPartnerTypeRemove, "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kImport,            "policy_engine",     Effect::kChanges, kWholeData},
    CommandRoute{proto::CtlRequest::kCertificateRequested, "policy_engine",  Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kCertificateImport, "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kCertificateAssign, "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kCertificateGet,    "policy_engine",     Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kCertificateRemove, "policy_engine",     Effect::kChanges, kOneChange},
    CommandRoute{proto::CtlRequest::kCertificateKeyGet, "policy_engine",     Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kCertificateRenew,  "acme_client",       Effect::kChanges, kOneRenewal},
    CommandRoute{proto::CtlRequest::kCertificateRenewalGet, "acme_client",   Effect::kReads,   kOneRecord},
    CommandRoute{proto::CtlRequest::kDialbackSecretSet, "dialback_verifier", Effect::kChanges, kOneRecord},
    CommandRoute{proto::CtlRequest::kTestStream,        "tls_listener",      Effect::kReads,   kOneStream},
    CommandRoute{proto::CtlRequest::kTestIm,            "sip_translator",    Effect::kReads,   kOneStream},
    CommandRoute{proto::CtlRequest::kTestSip,           "sip_translator",    Effect::kReads,   kOneStream},
    CommandRoute{proto::CtlRequest::kWhy,               "",                  Effect::kReads,   kOneRecord},
};
// clang-format on

// Who remembers refusals: `why` is asked of all their instances.
inline constexpr std::array<std::string_view, 2> kRefusers = {"sip_translator", "tls_listener"};

// Null for a command this version does not know.
constexpr const CommandRoute* FindRoute(proto::CtlRequest::CommandCase command) {
  for (const CommandRoute& route : kCommandRoutes)
    if (route.command == command) return &route;
  return nullptr;
}

// How long gatehousectl waits.
constexpr std::chrono::seconds PatienceFor(proto::CtlRequest::CommandCase command) {
  const CommandRoute* const route = FindRoute(command);
  return (route != nullptr ? route->limit : kOneRecord) + kCtlPatience;
}

inline bool Changes(const proto::CtlRequest& request) {
  const CommandRoute* const route = FindRoute(request.command_case());
  const bool is_dry = request.apply().dry_run() || request.import().dry_run();
  return route != nullptr && route->effect == Effect::kChanges && !is_dry;
}

// What is to be known of a change whose answer was lost.
inline constexpr std::string_view kDoubt =
    "so the change may be done or not; see gatehousectl config history, or audit, before you try "
    "again";
// The dialback secret has no revision and no audit entry.
inline constexpr std::string_view kSecretDoubt =
    "so the dialback secret may be changed or not; where it is, the log has "
    "dialback-secret-changed";

// Empty for a request that changes nothing.
inline std::string_view DoubtOver(const proto::CtlRequest& request) {
  if (!Changes(request)) return {};
  return request.has_dialback_secret_set() ? kSecretDoubt : kDoubt;
}

}  // namespace gatehouse
