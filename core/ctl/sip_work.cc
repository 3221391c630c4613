#include "core/ctl/sip_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/config/listen_address.h"
#include "core/ctl/json_text.h"
#include "core/ctl/setup_facts.h"
#include "core/ctl/sip_plan.h"
#include "core/ctl/text_table.h"
#include "core/sip/sip_uri.h"

namespace gatehouse::ctl {
namespace {

constexpr const char* kSite = "SITEID";
constexpr const char* kPool = "POOL-FQDN";

// The listener others shall send to: TLS before TCP before UDP.
std::optional<ListenAddress> ListenerOf(const proto::Config& config) {
  std::optional<ListenAddress> best;
  const auto rank = [](const ListenAddress& each) {
    return each.transport == "tls" ? 0 : each.transport == "tcp" ? 1 : 2;
  };
  for (const std::string& text : config.listen().sip()) {
    const auto parsed = ListenAddress::ParseSip(text);
    if (parsed && (!best || rank(*parsed) < rank(*best))) best = *parsed;
  }
  return best;
}

// The host of the first next hop that has one by name.
std::string PoolOf(const proto::Config& config) {
  for (const proto::Domain& domain : config.domains()) {
    const auto uri = SipUri::Parse(domain.next_hop());
    if (!uri) continue;
    if (auto host = GivenHost("next_hop", std::string(uri->host))) return *std::move(host);
  }
  return kPool;
}

// Enabled ones; a domain may stand below several wildcards.
std::vector<std::string> PartnerDomains(const proto::PartnerViews& views) {
  std::set<std::string> domains;
  for (const proto::PartnerView& view : views.partners()) {
    if (!view.partner().enabled() || view.expired()) continue;
    domains.insert(view.partner().domain());
    domains.insert(view.partner().additional_domains().begin(),
                   view.partner().additional_domains().end());
  }
  std::vector<std::string> all;
  for (const std::string& domain : domains) {
    const bool pattern = domain.starts_with("*.");
    const auto ascii = AsciiDomain(pattern ? domain.substr(2) : domain);
    if (ascii) all.push_back(pattern ? "*." + *ascii : *ascii);
  }
  return all;
}

// As Lync writes site ids; the plan is pasted into a shell.
bool IsSiteId(std::string_view site) {
  return std::ranges::all_of(site, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

Result<SipPlan> PlanOf(const Invocation& invocation, const proto::Config& config,
                       const ListenAddress& listener, const proto::PartnerViews& partners) {
  const SetupOptions& setup = invocation.setup;
  const std::string ip = listener.address.Ip();
  const bool wildcard = ip == "::" || ip == "0.0.0.0";
  const bool v6 = ip.find(':') != std::string::npos;
  SipPlan plan;
  GATEHOUSE_TRY(plan.host, EdgeHost(invocation, config));
  plan.transport = listener.transport;
  plan.address = wildcard ? plan.host : v6 ? '[' + ip + ']' : ip;
  plan.port = listener.address.Port();
  if (!IsSiteId(setup.site))
    return BadConfig(
        fmt::format("--site '{}' is no site id; give the SiteId that Get-CsSite shows, "
                    "of letters, digits, '-', '_' and '.'",
                    Printable(setup.site)));
  plan.site = setup.site.empty() ? kSite : setup.site;
  plan.registrar = PoolOf(config);
  if (!setup.registrar.empty()) {
    GATEHOUSE_TRY(plan.registrar, GivenHost("--registrar", setup.registrar));
  }
  plan.partners = PartnerDomains(partners);
  return plan;
}

}  // namespace

Ending PlanSip(const Invocation& invocation, const Outside& outside) {
  proto::CtlRequest request;
  request.set_id(1);
  request.mutable_partner_list();
  const auto response = GoodAnswer(invocation, request, outside);
  if (!response && response.error().exit_code == kUnreachable)
    return {kUnreachable,
            {},
            fmt::format("the partners of a SIP plan come from the running supervisor, also with "
                        "--config, and none answers in '{}'; start gatehoused, or name the folder "
                        "of a running one with --runtime-dir\n",
                        invocation.runtime_dir)};
  if (!response) return response.error();
  const auto facts = FindSetup(invocation, outside);
  if (!facts) return {kRefused, {}, facts.error().text + '\n'};
  const auto listener = ListenerOf(facts->config);
  if (!listener)
    return {kRefused, {}, "we listen for no SIP: listen.sip of the configuration is empty\n"};
  const auto plan = PlanOf(invocation, facts->config, *listener, response->partners());
  if (!plan) return Refused(plan.error().text);
  const std::string lync = invocation.setup.kamailio ? std::string() : LyncText(*plan);
  const std::string kamailio = invocation.setup.lync ? std::string() : KamailioText(*plan);
  if (invocation.json)
    return {
        kDone,
        fmt::format("{{\"lync\":{},\"kamailio\":{}}}\n", JsonString(lync), JsonString(kamailio)),
        {}};
  return {kDone, lync + (lync.empty() || kamailio.empty() ? "" : "\n") + kamailio, {}};
}

}  // namespace gatehouse::ctl
