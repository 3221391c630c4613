// What `dns check` and `dns plan` found, for people and for scripts.
#pragma once

#include <string>
#include <vector>

#include "core/dnscheck/dns_plan.h"
#include "core/dnscheck/finding.h"
#include "core/dnscheck/zone_picture.h"

namespace gatehouse::ctl {

struct DomainReport {
  std::string domain;
  bool ours = false;
  std::vector<dnscheck::ZonePicture> pictures;  // one for each resolver
  std::vector<dnscheck::Finding> findings;
};
struct DnsReport {
  std::string source;
  std::vector<std::string> resolvers;
  std::vector<DomainReport> domains;
};

[[nodiscard]] std::size_t MistakesIn(const DnsReport& report);
[[nodiscard]] std::string DnsText(const DnsReport& report);
[[nodiscard]] std::string DnsJson(const DnsReport& report);  // no line end
[[nodiscard]] std::string PlanJson(const std::vector<dnscheck::PlannedZone>& zones);

}  // namespace gatehouse::ctl
