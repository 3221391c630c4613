// The engine's commands on external access policies.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

#include "core/policy/access.h"
#include "core/policy/policy_view.h"
#include "plugins/policy_engine/access_rules.h"
#include "plugins/policy_engine/engine.h"
#include "plugins/policy_engine/record_fields.h"

namespace gatehouse::policy_engine {
namespace {

using Policies = google::protobuf::RepeatedPtrField<proto::AccessPolicy>;

constexpr std::array<std::string_view, 2> kPolicyFields = {"xmpp_access", "description"};

proto::AccessPolicy* Find(Policies& policies, std::string_view name) {
  const auto found =
      std::ranges::find(policies, name, [](const proto::AccessPolicy& p) { return p.name(); });
  return found == policies.end() ? nullptr : &*found;
}

std::size_t GrantCount(const proto::AccessPolicy& policy) {
  return static_cast<std::size_t>(policy.users_size()) +
         static_cast<std::size_t>(policy.patterns_size()) +
         static_cast<std::size_t>(policy.domains_size());
}

// Which policies hold now for whom `removed` was granted to: "; now 'global' holds for 2 of them".
// For a pattern, whose users are not known here, that is the one of its domain.
std::string NowHolds(const proto::AccessPolicy& removed, proto::PolicySnapshot snapshot) {
  snapshot.mutable_gateway()->set_federation(proto::GatewaySettings::ON);
  const PolicyView view(std::move(snapshot));
  std::map<std::string, int> counts;
  const auto count_domain = [&](const std::string& domain) {
    const proto::AccessPolicy* policy = view.PolicyOfDomain(domain);
    ++counts[policy == nullptr ? std::string(kGlobalPolicy) : policy->name()];
  };
  for (const std::string& user : removed.users()) {
    const std::size_t at = user.find('@');
    const LocalUser local{std::string_view(user).substr(0, at),
                          std::string_view(user).substr(at + 1)};
    ++counts[std::string(MayUseXmpp(view, local, Direction::kXmppToSip).policy)];
  }
  for (const std::string& pattern : removed.patterns())
    count_domain(pattern.substr(pattern.find('@') + 1));
  for (const std::string& domain : removed.domains()) count_domain(domain);
  std::string text;
  for (const auto& [policy, count] : counts)
    text +=
        fmt::format("{} '{}' holds for {} of them", text.empty() ? "; now" : ",", policy, count);
  return text;
}

// Whether one had it.
bool TakeFromAll(Policies& policies, const AccessGrant& grant) {
  for (proto::AccessPolicy& policy : policies) {
    auto& subjects = SubjectsOf(policy, grant.kind);
    const auto found = std::ranges::find(subjects, grant.subject);
    if (found == subjects.end()) continue;
    subjects.erase(found);
    return true;
  }
  return false;
}

}  // namespace

Result<const proto::AccessPolicy*> Engine::PolicyOf(const std::string& name) const {
  GATEHOUSE_TRY(const std::string stored, PolicyName(name));
  for (const proto::AccessPolicy& policy : content_.data.policies())
    if (policy.name() == stored) return &policy;
  return BadConfig(
      fmt::format("there is no access policy '{}'; see gatehousectl policy list", stored));
}

Result<void> Engine::BecomePolicies(Policies policies, AuditEntry audit) {
  proto::FederationData before;
  *before.mutable_policies() = content_.data.policies();
  GATEHOUSE_TRY_VOID(CheckAccessPolicies(policies, before.policies(), served_, limits_));
  proto::FederationData after;
  *after.mutable_policies() = std::move(policies);
  GATEHOUSE_TRY_VOID(CheckGrowth(before.ByteSizeLong(), after.ByteSizeLong()));
  audit.changes = Difference(RecordsOf(before), RecordsOf(after));
  if (audit.changes.empty()) return {};
  return Take(store_.Write(std::move(audit)));
}

Engine::Reply Engine::ListPolicies(const std::string& name) const {
  proto::CtlResponse response;
  proto::AccessPolicies& policies = *response.mutable_policies();
  if (name.empty()) {
    *policies.mutable_policies() = content_.data.policies();
    return response;
  }
  GATEHOUSE_TRY(const proto::AccessPolicy* policy, PolicyOf(name));
  *policies.add_policies() = *policy;
  return response;
}

Engine::Reply Engine::NewPolicy(const proto::PolicyNew& command, AuditEntry audit) {
  GATEHOUSE_TRY(proto::AccessPolicy policy, CheckAccessPolicy(command.policy()));
  if (PolicyOf(policy.name()))
    return BadConfig(
        fmt::format("access policy '{}' exists already; change it with: gatehousectl policy set {}",
                    policy.name(), policy.name()));
  audit.subject = policy.name();
  Policies policies = content_.data.policies();
  *policies.Add() = std::move(policy);
  const std::string name = audit.subject;
  GATEHOUSE_TRY_VOID(BecomePolicies(std::move(policies), std::move(audit)));
  return ListPolicies(name);
}

Engine::Reply Engine::SetPolicy(const proto::PolicySet& command, AuditEntry audit) {
  GATEHOUSE_TRY(const proto::AccessPolicy* stored, PolicyOf(command.name()));
  const std::string name = stored->name();
  Policies policies = content_.data.policies();
  GATEHOUSE_TRY_VOID(
      ReplaceFields(command.fields(), kPolicyFields, command.policy(), *Find(policies, name)));
  audit.subject = name;
  GATEHOUSE_TRY_VOID(BecomePolicies(std::move(policies), std::move(audit)));
  return ListPolicies(name);
}

Engine::Reply Engine::RemovePolicy(const std::string& name, AuditEntry audit) {
  GATEHOUSE_TRY(const proto::AccessPolicy* stored, PolicyOf(name));
  const proto::AccessPolicy before = *stored;
  if (before.name() == kGlobalPolicy)
    return BadConfig(
        "the policy 'global' cannot be removed; change it with: gatehousectl policy set global");
  audit.subject = before.name();
  Policies policies = content_.data.policies();
  policies.erase(std::ranges::find(policies, before.name(),
                                   [](const proto::AccessPolicy& p) { return p.name(); }));
  GATEHOUSE_TRY_VOID(BecomePolicies(std::move(policies), std::move(audit)));
  proto::CtlResponse response;
  response.set_done(fmt::format("access policy '{}' is removed, with {} grants{}", before.name(),
                                GrantCount(before), NowHolds(before, policy_.snapshot)));
  return response;
}

Engine::Reply Engine::GrantPolicy(const proto::PolicyGrant& command, AuditEntry audit) {
  GATEHOUSE_TRY(const proto::AccessPolicy* policy, PolicyOf(command.name()));
  const std::string name = policy->name();
  GATEHOUSE_TRY(const std::vector<AccessGrant> grants, ReadGrantees(command.to(), name, served_));
  Policies policies = content_.data.policies();
  for (const AccessGrant& grant : grants) {
    TakeFromAll(policies, grant);
    *SubjectsOf(*Find(policies, name), grant.kind).Add() = grant.subject;
  }
  audit.subject = name;
  GATEHOUSE_TRY_VOID(BecomePolicies(std::move(policies), std::move(audit)));
  return ListPolicies(name);
}

Engine::Reply Engine::RevokePolicies(const proto::Grantees& grantees, AuditEntry audit) {
  GATEHOUSE_TRY(const std::vector<AccessGrant> grants, ReadGrantees(grantees, {}, {}));
  Policies policies = content_.data.policies();
  for (const AccessGrant& grant : grants)
    if (!TakeFromAll(policies, grant))
      return BadConfig(fmt::format(
          "'{}' was granted no access policy; see gatehousectl policy list", grant.subject));
  audit.subject = grants.front().subject;
  GATEHOUSE_TRY_VOID(BecomePolicies(std::move(policies), std::move(audit)));
  proto::CtlResponse response;
  response.set_done(
      fmt::format("{} grants are taken back; the next wider policy holds", grants.size()));
  return response;
}

}  // namespace gatehouse::policy_engine
