#include "core/ctl/dns_work.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/ctl/dns_text.h"
#include "core/ctl/setup_facts.h"
#include "core/ctl/text_table.h"
#include "core/dnscheck/dns_plan.h"
#include "core/dnscheck/judge_zone.h"
#include "core/loop/dns_servers.h"
#include "core/tls/own_chain.h"

namespace gatehouse::ctl {
namespace {

constexpr std::size_t kComparedResolvers = 2;

// Those that were named; else two of the configuration's or the system's.
Result<std::vector<std::string>> ResolversFor(const Invocation& invocation,
                                              const proto::Config& config, const Outside& outside) {
  for (const std::string& resolver : invocation.setup.resolvers)
    if (!DnsServerList(std::span(&resolver, 1)))
      return BadConfig(fmt::format(
          "--resolver '{}' is no address of a name server; give one such as 192.0.2.53, "
          "or 127.0.0.1:5353 where its port is not 53",
          Printable(resolver)));
  if (!invocation.setup.resolvers.empty()) return invocation.setup.resolvers;
  std::vector<std::string> servers(config.dns().servers().begin(), config.dns().servers().end());
  if (servers.empty()) {
    GATEHOUSE_TRY(servers, outside.system_resolvers());
  }
  servers.resize(std::min(servers.size(), kComparedResolvers));
  return servers;
}

Result<DomainReport> ReportOf(const std::string& domain, const std::vector<std::string>& resolvers,
                              const dnscheck::OurSide* ours, const Outside& outside) {
  DomainReport report{.domain = domain, .ours = ours != nullptr, .pictures = {}, .findings = {}};
  for (const std::string& resolver : resolvers) {
    GATEHOUSE_TRY(auto picture, outside.look_up(resolver, domain));
    report.pictures.push_back(std::move(picture));
  }
  report.findings = dnscheck::JudgePictures(domain, report.pictures, ours);
  return report;
}

Result<std::vector<std::string>> AsciiDomains(const std::vector<std::string>& domains) {
  std::vector<std::string> all;
  for (const std::string& domain : domains) {
    auto ascii = AsciiDomain(domain);
    if (!ascii)
      return BadConfig(fmt::format("'{}' is no domain name; give one such as partner.example",
                                   Printable(domain)));
    if (std::ranges::find(all, *ascii) == all.end()) all.push_back(*std::move(ascii));
  }
  return all;
}

Result<DnsReport> Check(const Invocation& invocation, const Outside& outside) {
  GATEHOUSE_TRY(std::vector<std::string> domains, AsciiDomains(invocation.setup.domains));
  auto facts = FindSetup(invocation, outside);
  // A partner's domain can be looked at from anywhere.
  if (!facts && (domains.empty() || !invocation.setup.config.empty()))
    return std::unexpected(facts.error());
  const proto::Config config = facts ? facts->config : proto::Config();
  GATEHOUSE_TRY(const auto own, OurDomains(config));
  GATEHOUSE_TRY(auto ours, OurSideOf(invocation, config));
  if (facts)
    if (const auto assigned = AssignedCertificate(invocation, outside))
      ours.chain_pem = assigned->pem();
  DnsReport report;
  report.source = facts ? facts->source : "nothing known of us";
  GATEHOUSE_TRY(report.resolvers, ResolversFor(invocation, config, outside));
  if (report.resolvers.empty())
    return BadConfig("no name server is known; name one with --resolver");
  if (domains.empty()) domains = own;
  for (const std::string& domain : domains) {
    const bool is_ours = std::ranges::find(own, domain) != own.end();
    GATEHOUSE_TRY(auto one, ReportOf(domain, report.resolvers, is_ours ? &ours : nullptr, outside));
    report.domains.push_back(std::move(one));
  }
  return report;
}

}  // namespace

Ending CheckDns(const Invocation& invocation, const Outside& outside) {
  const auto report = Check(invocation, outside);
  if (!report) return Refused(report.error().text);
  Ending ending;
  ending.out = invocation.json ? DnsJson(*report) + '\n' : DnsText(*report);
  const std::size_t mistakes = MistakesIn(*report);
  if (mistakes == 0) return ending;
  ending.exit_code = kRefused;
  ending.err =
      mistakes == 1 ? "a mistake was found\n" : fmt::format("{} mistakes were found\n", mistakes);
  return ending;
}

Ending PlanDns(const Invocation& invocation, const Outside& outside) {
  const auto facts = FindSetup(invocation, outside);
  if (!facts) return Refused(facts.error().text);
  const auto ours = OurSideOf(invocation, facts->config);
  const auto own = OurDomains(facts->config);
  auto domains = AsciiDomains(invocation.setup.domains);
  if (!ours) return Refused(ours.error().text);
  if (!own) return Refused(own.error().text);
  if (!domains) return Refused(domains.error().text);
  for (const std::string& domain : *domains)
    if (std::ranges::find(*own, domain) == own->end())
      return {kRefused,
              {},
              fmt::format("'{}' is none of our domains by {}; would be right: one of {}\n", domain,
                          facts->source, fmt::join(*own, ", "))};
  if (domains->empty()) *domains = *own;
  std::optional<TlsaRecord> tlsa;
  std::string warning;
  if (invocation.setup.tlsa) {
    const auto assigned = AssignedCertificate(invocation, outside);
    const auto record = TlsaOfOwnChain(assigned ? assigned->pem() : ours->chain_pem);
    if (assigned && assigned->source() == "acme")
      warning = fmt::format(
          "warning: '{}' gets a new key each time it is renewed by ACME, and partners that go by "
          "TLSA refuse us until its records are published anew; where nobody does that, leave "
          "--tlsa away\n",
          assigned->name());
    if (!record)
      return {kRefused,
              {},
              fmt::format("--tlsa needs our certificate, and {} knows none: assign one with "
                          "gatehousectl cert assign and ask the running supervisor, without "
                          "--config; or name it at tls.chain_file\n",
                          facts->source)};
    tlsa = *record;
  }
  const auto zones = dnscheck::PlanZones(*domains, *ours, tlsa);
  return {kDone, invocation.json ? PlanJson(zones) + '\n' : dnscheck::PlanText(zones), warning};
}

}  // namespace gatehouse::ctl
