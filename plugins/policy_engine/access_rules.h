// What external access policies and their grants must be before they may be stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "plugins/policy_engine/data_limits.h"
#include "proto/ctl.pb.h"
#include "proto/policy_snapshot.pb.h"

namespace gatehouse::policy_engine {

inline constexpr std::size_t kMaxPolicyNameBytes = 128;
inline constexpr std::size_t kMaxPatternBytes = 256;

enum class GrantKind : std::uint8_t { kUser, kPattern, kDomain };

// One user, pattern or domain; each has one policy at most.
struct AccessGrant {
  GrantKind kind = GrantKind::kUser;
  std::string subject;  // prepared
  bool operator==(const AccessGrant&) const = default;
};

// The list of `policy` that grants of this kind stand in.
[[nodiscard]] google::protobuf::RepeatedPtrField<std::string>& SubjectsOf(
    proto::AccessPolicy& policy, GrantKind kind);
[[nodiscard]] const google::protobuf::RepeatedPtrField<std::string>& SubjectsOf(
    const proto::AccessPolicy& policy, GrantKind kind);

// The name as it is stored: "global", "site:redmond", "tag:sales"; "Sales" alone is "tag:sales".
// ASCII letters are folded, as Lync's identities do not tell them apart.
//   fails  kConfig with the remedy: no name, too long, another scope, control characters
Result<std::string> PolicyName(std::string_view text);

// A policy as it is to be stored, without its grants.
//   fails  kConfig: as PolicyName, or its description is too long or has control characters
Result<proto::AccessPolicy> CheckAccessPolicy(proto::AccessPolicy policy);

// Users, patterns and domains as grants of `policy` (stored name, or empty for a revocation).
//   served  our own domains: whoever is granted a policy is in one of them; empty: any will do
//   fails   kConfig, one sentence with the remedy, for the first that is none
Result<std::vector<AccessGrant>> ReadGrantees(const proto::Grantees& grantees,
                                              const std::string& policy,
                                              const std::vector<std::string>& served);

// All policies as they are to be stored together: prepared, "global" among them, nobody granted
// two, within the limits, and whoever is granted one in a domain of `served` (empty: in any).
//   held   those in force: what a domain that is ours no more has left in them may stay
//   fails  kConfig with the first mistake
Result<void> CheckAccessPolicies(
    google::protobuf::RepeatedPtrField<proto::AccessPolicy>& policies,
    const google::protobuf::RepeatedPtrField<proto::AccessPolicy>& held,
    const std::vector<std::string>& served, const DataLimits& limits = {});

}  // namespace gatehouse::policy_engine
