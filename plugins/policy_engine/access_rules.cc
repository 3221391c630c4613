#include "plugins/policy_engine/access_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/address/ascii.h"
#include "core/address/sip_user.h"
#include "core/base/one_line.h"
#include "core/policy/policy_view.h"
#include "core/xmpp/jid.h"
#include "plugins/policy_engine/partner_rules.h"
#include "plugins/policy_engine/record_fields.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::array<std::string_view, 2> kScopes = {"site:", "tag:"};

bool IsSite(std::string_view policy) {
  return policy.starts_with(kScopes[0]);
}

Result<std::string> ReadPattern(const std::string& text, const std::vector<std::string>& served) {
  GATEHOUSE_TRY(const Jid jid, ReadSipUser(text, "sales-*@contoso.example"));
  if (jid.domain.find('*') != std::string::npos)
    return BadConfig(
        fmt::format("pattern '{}' has a '*' in its domain; name the domain in full", text));
  if (jid.local.find('*') == std::string::npos)
    return BadConfig(fmt::format("pattern '{}' has no '*'; use --users for single users", text));
  if (jid.local.find_first_not_of('*') == std::string::npos)
    return BadConfig(
        fmt::format("pattern '{}' is the whole domain; use --domain {}", text, jid.domain));
  if (text.size() > kMaxPatternBytes)
    return BadConfig(fmt::format("pattern '{}' has {} octets; at most {} are possible", text,
                                 text.size(), kMaxPatternBytes));
  GATEHOUSE_TRY_VOID(CheckServed(jid.domain, served, text));
  return jid.Bare();
}

Result<std::string> ReadOneUser(const std::string& text, const std::vector<std::string>& served) {
  GATEHOUSE_TRY(std::string user, SipUserOf(text, served, "ann@contoso.example"));
  if (user.find('*') != std::string::npos)
    return BadConfig(fmt::format("user '{}' has a '*'; use --pattern for many at once", text));
  return user;
}

Result<std::string> ReadDomain(const std::string& text, const std::vector<std::string>& served) {
  Result<std::string> domain = PrepareDomain(text);
  if (!domain)
    return BadConfig(fmt::format("'{}' is not a domain ({}); write one like contoso.example", text,
                                 domain.error().text));
  GATEHOUSE_TRY_VOID(CheckServed(*domain, served, text));
  return domain;
}

}  // namespace

Result<std::string> PolicyName(std::string_view text) {
  std::string name = ascii::Lower(text);
  if (name == kGlobalPolicy) return name;
  const auto has_scope = [&](std::string_view scope) { return name.starts_with(scope); };
  const auto scope = std::ranges::find_if(kScopes, has_scope);
  if (scope == kScopes.end()) name.insert(0, kScopes[1]);
  const std::string_view rest = std::string_view(name).substr(name.find(':') + 1);
  if (rest.empty() || rest.find(':') != std::string_view::npos || rest.front() == ' ' ||
      rest.back() == ' ')
    return BadConfig(fmt::format(
        "'{}' is not a policy's name; use global, site:NAME, or NAME (tag:NAME) for one that is "
        "granted to users",
        text));
  if (HasControls(name) || name.size() > kMaxPolicyNameBytes)
    return BadConfig(fmt::format("a policy's name is at most {} octets without control characters",
                                 kMaxPolicyNameBytes));
  return name;
}

Result<proto::AccessPolicy> CheckAccessPolicy(proto::AccessPolicy policy) {
  GATEHOUSE_TRY(*policy.mutable_name(), PolicyName(policy.name()));
  GATEHOUSE_TRY_VOID(CheckDescription(policy.description()));
  return policy;
}

Result<std::vector<AccessGrant>> ReadGrantees(const proto::Grantees& grantees,
                                              const std::string& policy,
                                              const std::vector<std::string>& served) {
  if (policy == kGlobalPolicy)
    return BadConfig(
        "the policy 'global' holds for everybody without a grant; it is granted to nobody");
  if (IsSite(policy) && !grantees.users().empty())
    return BadConfig(
        "a site has patterns and domains, no single users; use --pattern or --domain, or a policy "
        "of your users");
  std::vector<AccessGrant> grants;
  for (const std::string& user : grantees.users()) {
    GATEHOUSE_TRY(std::string subject, ReadOneUser(user, served));
    grants.push_back({GrantKind::kUser, std::move(subject)});
  }
  for (const std::string& pattern : grantees.patterns()) {
    GATEHOUSE_TRY(std::string subject, ReadPattern(pattern, served));
    grants.push_back({GrantKind::kPattern, std::move(subject)});
  }
  for (const std::string& domain : grantees.domains()) {
    GATEHOUSE_TRY(std::string subject, ReadDomain(domain, served));
    grants.push_back({GrantKind::kDomain, std::move(subject)});
  }
  if (grants.empty()) return BadConfig("nobody is named; use --users, --pattern or --domain");
  return grants;
}

google::protobuf::RepeatedPtrField<std::string>& SubjectsOf(proto::AccessPolicy& policy,
                                                            GrantKind kind) {
  if (kind == GrantKind::kUser) return *policy.mutable_users();
  return kind == GrantKind::kPattern ? *policy.mutable_patterns() : *policy.mutable_domains();
}

const google::protobuf::RepeatedPtrField<std::string>& SubjectsOf(const proto::AccessPolicy& policy,
                                                                  GrantKind kind) {
  if (kind == GrantKind::kUser) return policy.users();
  return kind == GrantKind::kPattern ? policy.patterns() : policy.domains();
}

namespace {

using Grants = std::set<std::pair<GrantKind, std::string>>;

constexpr std::array kGrantKinds = {GrantKind::kUser, GrantKind::kPattern, GrantKind::kDomain};

proto::Grantees GranteesOf(const proto::AccessPolicy& policy) {
  proto::Grantees grantees;
  *grantees.mutable_users() = policy.users();
  *grantees.mutable_patterns() = policy.patterns();
  *grantees.mutable_domains() = policy.domains();
  return grantees;
}

// The policy's grants prepared and in order; none of them in `granted`, to which they are added.
Result<void> PrepareGrants(proto::AccessPolicy& policy, Grants& granted) {
  if (policy.users().empty() && policy.patterns().empty() && policy.domains().empty()) return {};
  GATEHOUSE_TRY(const std::vector<AccessGrant> grants,
                ReadGrantees(GranteesOf(policy), policy.name(), {}));
  policy.clear_users();
  policy.clear_patterns();
  policy.clear_domains();
  for (const AccessGrant& grant : grants) {
    if (!granted.emplace(grant.kind, grant.subject).second)
      return BadConfig(fmt::format("'{}' is granted two policies or one twice; grant it one, once",
                                   grant.subject));
    *SubjectsOf(policy, grant.kind).Add() = grant.subject;
  }
  for (const GrantKind kind : kGrantKinds) std::ranges::sort(SubjectsOf(policy, kind));
  return {};
}

Grants GrantsOf(const google::protobuf::RepeatedPtrField<proto::AccessPolicy>& policies) {
  Grants grants;
  for (const proto::AccessPolicy& policy : policies)
    for (const GrantKind kind : kGrantKinds)
      for (const std::string& subject : SubjectsOf(policy, kind)) grants.emplace(kind, subject);
  return grants;
}

std::size_t PatternsAmong(const Grants& grants) {
  return static_cast<std::size_t>(std::ranges::count_if(
      grants, [](const auto& grant) { return grant.first == GrantKind::kPattern; }));
}

Result<void> CheckGrants(const Grants& grants, const Grants& held,
                         const std::vector<std::string>& served, const DataLimits& limits) {
  for (const auto& grant : grants) {
    if (held.contains(grant)) continue;
    const std::string& subject = grant.second;
    GATEHOUSE_TRY_VOID(CheckServed(subject.substr(subject.find('@') + 1), served, subject));
  }
  GATEHOUSE_TRY_VOID(CheckCount(PatternsAmong(grants), PatternsAmong(held), limits.patterns,
                                "patterns", "grant to users or domains"));
  return CheckCount(grants.size(), held.size(), limits.grants, "grants",
                    "grant to patterns or domains");
}

}  // namespace

Result<void> CheckAccessPolicies(
    google::protobuf::RepeatedPtrField<proto::AccessPolicy>& policies,
    const google::protobuf::RepeatedPtrField<proto::AccessPolicy>& held,
    const std::vector<std::string>& served, const DataLimits& limits) {
  GATEHOUSE_TRY_VOID(CheckCount(static_cast<std::size_t>(policies.size()),
                                static_cast<std::size_t>(held.size()), limits.policies,
                                "access policies", "take out those that are granted to nobody"));
  std::set<std::string> names;
  Grants granted;
  for (proto::AccessPolicy& policy : policies) {
    GATEHOUSE_TRY(policy, CheckAccessPolicy(std::move(policy)));
    if (!names.insert(policy.name()).second)
      return BadConfig(
          fmt::format("access policy '{}' is there twice; name it once", policy.name()));
    GATEHOUSE_TRY_VOID(PrepareGrants(policy, granted));
  }
  if (!names.contains(std::string(kGlobalPolicy)))
    return BadConfig("the access policy 'global' is missing; it cannot be removed, only set");
  return CheckGrants(granted, GrantsOf(held), served, limits);
}

}  // namespace gatehouse::policy_engine
