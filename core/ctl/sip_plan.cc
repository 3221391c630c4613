#include "core/ctl/sip_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace gatehouse::ctl {
namespace {

// 11.9; {0} the edge, {1} the pool, {2} the site, {3} the port, {4} what its certificate must be.
constexpr std::string_view kLyncHead =
    R"(# --- for the Lync Server (Skype for Business) management shell
# Once. Words in CAPITALS are yours to fill in.
{4}New-CsTrustedApplicationPool -Identity {0} -Registrar {1} -Site {2} `
    -RequiresReplication $false -ThrottleAsServer $true -TreatAsAuthenticated $true -OutboundOnly $false
New-CsTrustedApplication -ApplicationId xmppedge -TrustedApplicationPoolFqdn {0} -Port {3}
Enable-CsTopology
)";
constexpr std::string_view kLyncCertificate =
    "# The certificate on our port {1} must name {0} and come from an authority that the pool "
    "trusts.\n";
constexpr std::string_view kLyncTail =
    R"(# Who may talk to XMPP contacts; or a policy of a site or of users in place of global.
Set-CsExternalAccessPolicy -Identity global -EnableXmppAccess $true
# Switch the XMPP federation of Lync itself off and take these partners from its list: two gateways would compete.
)";
constexpr std::string_view kNoTls =
    "# TCP routes take an address. Lync sends to trusted applications by TLS: better listen with "
    "tls: (listen.sip).\n";
constexpr std::string_view kNoUdp =
    "# We listen on UDP only, which Lync does not speak; listen with tls: (listen.sip) first.\n";

// {0} the tests of the domain, {1} where to, {2} a further module, {3} who must trust whom.
constexpr std::string_view kKamailio =
    R"(# --- for kamailio.cfg: what goes to XMPP partners goes to Gatehouse.
# In request_route, behind your checks of the sender and before what you do with other domains:
#   route(GATEHOUSE);
# It needs tm.so, sl.so, pv.so, rr.so, siputils.so and textops.so{2}.
# What comes back in a dialog (NOTIFY) finds its way by record_route() here and loose_route() at the beginning of your
# request_route, as in Kamailio's own example (route(WITHINDLG)):
#   if (has_totag() && loose_route()) {{ if (!t_relay()) sl_reply_error(); exit; }}
# {3}
route[GATEHOUSE] {{
  if (!({0})) return;
  if (is_method("SUBSCRIBE")) record_route();
  $du = "{1}";
  if (!t_relay()) sl_reply_error();
  exit;
}}
)";
constexpr std::string_view kKamailioTls = ", and tls.so with a certificate for clients too";
constexpr std::string_view kTrustedName =
    "sip.trusted_peers in gatehouse.yaml must have a name of Kamailio's certificate, or each "
    "request is refused.";
constexpr std::string_view kTrustedAddress =
    "sip.trusted_peers in gatehouse.yaml must have the address Kamailio sends from, or each "
    "request is refused (403).";

std::string RouteLine(const SipPlan& plan, std::size_t number, const std::string& partner) {
  const bool tls = plan.transport == "tls";
  return fmt::format("$r{} = New-CsStaticRoute {} -Destination {} -Port {} -MatchUri \"{}\"{}\n",
                     number, tls ? "-TLSRoute" : "-TCPRoute", tls ? plan.host : plan.address,
                     plan.port, partner, tls ? " -UseDefaultCertificate $true" : "");
}

bool IsPattern(std::string_view partner) {
  return partner.starts_with("*.");
}

std::string RoutesText(const SipPlan& plan) {
  if (plan.partners.empty())
    return "# There is no partner yet; each needs a route: gatehousectl partner new DOMAIN\n";
  std::string text = "# A route for each domain of each partner; again after `partner new`.\n";
  if (std::ranges::any_of(plan.partners, IsPattern))
    text += "# \"*.x\" matches what is below x, not x itself.\n";
  std::string added;
  for (std::size_t i = 0; i < plan.partners.size(); ++i) {
    text += RouteLine(plan, i + 1, plan.partners[i]);
    added += fmt::format("Set-CsStaticRoutingConfiguration -Identity global -Route @{{Add=$r{}}}\n",
                         i + 1);
  }
  return text + added;
}

// A dot stands for itself in a regular expression.
std::string Escaped(std::string_view domain) {
  std::string escaped;
  for (const char c : domain) {
    if (c == '.') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string TestOf(const std::string& partner) {
  if (IsPattern(partner))
    return fmt::format("$(rd{{s.tolower}}) =~ \"{}$\"", Escaped(partner.substr(1)));
  return fmt::format("$(rd{{s.tolower}}) == \"{}\"", partner);
}

}  // namespace

std::string LyncText(const SipPlan& plan) {
  const std::string certificate =
      plan.transport == "tls" ? fmt::format(kLyncCertificate, plan.host, plan.port) : std::string();
  std::string text =
      fmt::format(kLyncHead, plan.host, plan.registrar, plan.site, plan.port, certificate);
  if (plan.transport == "udp") return text + std::string(kNoUdp) + std::string(kLyncTail);
  if (plan.transport == "tcp") text += kNoTls;
  return text + RoutesText(plan) + std::string(kLyncTail);
}

std::string KamailioText(const SipPlan& plan) {
  if (plan.partners.empty())
    return "# --- for kamailio.cfg: there is no partner yet: gatehousectl partner new DOMAIN\n";
  std::string tests;
  for (const std::string& partner : plan.partners)
    tests += (tests.empty() ? "" : "\n      || ") + TestOf(partner);
  const bool tls = plan.transport == "tls";
  const std::string to = fmt::format("sip:{}:{};transport={}", tls ? plan.host : plan.address,
                                     plan.port, plan.transport);
  return fmt::format(kKamailio, tests, to, tls ? kKamailioTls : "",
                     tls ? kTrustedName : kTrustedAddress);
}

}  // namespace gatehouse::ctl
