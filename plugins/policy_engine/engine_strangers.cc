// The engine's commands on domains that are no partner's: the deny list, and who knocked while the
// gateway discovers.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/policy/domain_pattern.h"
#include "core/policy/policy_view.h"
#include "core/xmpp/jid.h"
#include "plugins/policy_engine/engine.h"
#include "plugins/policy_engine/partner_rules.h"

namespace gatehouse::policy_engine {
namespace {

proto::CtlResponse Done(std::string text) {
  proto::CtlResponse response;
  response.set_done(std::move(text));
  return response;
}

// What of a partner `pattern` would deny; empty: nothing.
std::string Hit(const proto::Partner& partner, std::string_view pattern) {
  if (Covers(pattern, partner.domain())) return partner.domain();
  for (const std::string& domain : partner.additional_domains())
    if (Covers(pattern, domain)) return domain;
  return {};
}

}  // namespace

Engine::Reply Engine::DenyDomain(const std::string& domain, AuditEntry audit) {
  GATEHOUSE_TRY(const std::string pattern, CheckDenied(domain, served_));
  const std::vector<std::string> denied = Denied();
  if (std::ranges::find(denied, pattern) != denied.end())
    return Done(fmt::format("'{}' is denied already", pattern));
  for (const proto::Partner& partner : content_.data.partners())
    if (const std::string hit = Hit(partner, pattern); !hit.empty())
      return BadConfig(fmt::format(
          "'{}' would deny '{}' of partner '{}'; stop that partner at once with gatehousectl "
          "partner set {} --enabled false, or take the domain out there first, with partner remove "
          "or partner set --additional-domains",
          pattern, hit, partner.domain(), partner.domain()));
  GATEHOUSE_TRY_VOID(CheckDeniedCount(denied.size() + 1, denied.size(), limits_));
  audit.subject = pattern;
  proto::Record& after = *audit.changes.emplace_back().mutable_after();
  after.mutable_denied_domain()->set_domain(pattern);
  GATEHOUSE_TRY_VOID(CheckGrowth(0, after.ByteSizeLong()));
  GATEHOUSE_TRY_VOID(Take(store_.Write(std::move(audit))));
  return Done(fmt::format("'{}' is denied", pattern));
}

Engine::Reply Engine::UndenyDomain(const std::string& domain, AuditEntry audit) {
  GATEHOUSE_TRY(const std::string pattern, CheckDenied(domain, {}));
  const std::vector<std::string> denied = Denied();
  if (std::ranges::find(denied, pattern) == denied.end())
    return BadConfig(
        fmt::format("'{}' is not on the deny list; see gatehousectl partner denied", pattern));
  audit.subject = pattern;
  audit.changes.emplace_back().mutable_before()->mutable_denied_domain()->set_domain(pattern);
  GATEHOUSE_TRY_VOID(Take(store_.Write(std::move(audit))));
  return Done(fmt::format("'{}' is denied no more", pattern));
}

Engine::Reply Engine::ListDenied() const {
  proto::CtlResponse response;
  proto::DeniedDomains& denied = *response.mutable_denied();
  for (std::string& domain : Denied()) denied.add_domains(std::move(domain));
  return response;
}

Engine::Reply Engine::ListStrangers() const {
  proto::CtlResponse response;
  proto::Strangers& strangers = *response.mutable_strangers();
  strangers.set_off(!content_.data.gateway().discover());
  for (proto::Stranger& stranger : strangers_.All())
    *strangers.add_strangers() = std::move(stranger);
  return response;
}

Engine::Reply Engine::AcceptStranger(const proto::PartnerNew& command, AuditEntry audit) {
  const Result<std::string> domain = PrepareDomain(command.partner().domain());
  if (!domain || strangers_.Find(*domain) == nullptr)
    return BadConfig(fmt::format(
        "'{}' was not discovered; see gatehousectl partner discovered, or use partner new",
        command.partner().domain()));
  return NewPartner(command, std::move(audit));
}

Engine::Reply Engine::RefuseStranger(const std::string& domain, AuditEntry audit) {
  const Result<std::string> prepared = PrepareDomain(domain);
  if (!prepared || strangers_.Find(*prepared) == nullptr)
    return BadConfig(fmt::format(
        "'{}' was not discovered; see gatehousectl partner discovered, or use partner deny",
        domain));
  return DenyDomain(*prepared, std::move(audit));
}

// A listener may tell of one that has become a partner, or is denied, meanwhile.
void Engine::NoteStrangers(const proto::StrangersSeen& seen) {
  if (!content_.data.gateway().discover()) return;
  const std::vector<std::string> all_denied = Denied();
  for (const proto::Stranger& stranger : seen.strangers()) {
    const auto covers = [&](const std::string& denied) {
      return Covers(denied, stranger.domain());
    };
    if (std::ranges::any_of(all_denied, covers) || Owner(stranger.domain())) continue;
    strangers_.Add(stranger);
  }
}

// Whichever way somebody became a partner or was denied, or discovery ended: once it is stored.
void Engine::ForgetSettledStrangers() {
  if (!content_.data.gateway().discover()) return strangers_.Clear();
  const std::vector<proto::Stranger> strangers = strangers_.All();
  if (strangers.empty()) return;
  const PolicyView view(policy_.snapshot);
  for (const proto::Stranger& stranger : strangers)
    if (view.IsDenied(stranger.domain()) || view.FindListed(stranger.domain()) != nullptr)
      strangers_.Forget(stranger.domain());
}

}  // namespace gatehouse::policy_engine
