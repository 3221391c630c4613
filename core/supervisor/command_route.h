// Which worker answers which command of gatehousectl. This table is all there is to register.
#pragma once

#include <array>
#include <string_view>

#include "proto/ctl.pb.h"

namespace gatehouse {

struct CommandRoute {
  proto::CtlRequest::CommandCase command;
  std::string_view plugin;  // instance 0 of it answers; empty: the supervisor itself
};

// clang-format off
inline constexpr std::array kCommandRoutes = {
    CommandRoute{proto::CtlRequest::kStatus,            ""},
    CommandRoute{proto::CtlRequest::kWorker,            ""},
    CommandRoute{proto::CtlRequest::kScale,             ""},
    CommandRoute{proto::CtlRequest::kStop,              ""},
    CommandRoute{proto::CtlRequest::kReload,            ""},
    CommandRoute{proto::CtlRequest::kPartnerNew,        "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerSet,        "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerGet,        "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerList,       "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerRemove,     "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerExplain,    "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerForgetTls,  "policy_engine"},
    CommandRoute{proto::CtlRequest::kAuditGet,          "policy_engine"},
    CommandRoute{proto::CtlRequest::kConfigDiff,        "policy_engine"},
    CommandRoute{proto::CtlRequest::kConfigRollback,    "policy_engine"},
    CommandRoute{proto::CtlRequest::kExportData,        "policy_engine"},
    CommandRoute{proto::CtlRequest::kApply,             "policy_engine"},
    CommandRoute{proto::CtlRequest::kBackupRead,        "policy_engine"},
    CommandRoute{proto::CtlRequest::kRestoreWrite,      "policy_engine"},
    CommandRoute{proto::CtlRequest::kGatewayGet,        "policy_engine"},
    CommandRoute{proto::CtlRequest::kGatewaySet,        "policy_engine"},
    CommandRoute{proto::CtlRequest::kContactChange,     "policy_engine"},
    CommandRoute{proto::CtlRequest::kContactList,       "policy_engine"},
    CommandRoute{proto::CtlRequest::kPolicyTest,        "policy_engine"},
    CommandRoute{proto::CtlRequest::kPolicyList,        "policy_engine"},
    CommandRoute{proto::CtlRequest::kPolicyNew,         "policy_engine"},
    CommandRoute{proto::CtlRequest::kPolicySet,         "policy_engine"},
    CommandRoute{proto::CtlRequest::kPolicyRemove,      "policy_engine"},
    CommandRoute{proto::CtlRequest::kPolicyGrant,       "policy_engine"},
    CommandRoute{proto::CtlRequest::kPolicyRevoke,      "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerDeny,       "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerUndeny,     "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerDenied,     "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerDiscovered, "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerAccept,     "policy_engine"},
    CommandRoute{proto::CtlRequest::kPartnerRefuse,     "policy_engine"},
    CommandRoute{proto::CtlRequest::kImport,            "policy_engine"},
    CommandRoute{proto::CtlRequest::kDialbackSecretSet, "dialback_verifier"},
    CommandRoute{proto::CtlRequest::kTestStream,        "tls_listener"},
    CommandRoute{proto::CtlRequest::kTestIm,            "sip_translator"},
    CommandRoute{proto::CtlRequest::kWhy,               ""},
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

}  // namespace gatehouse
