// The records our domains need, as lines for their zone files.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/dnscheck/finding.h"
#include "core/tls/tlsa_record.h"

namespace gatehouse::dnscheck {

struct PlannedLine {
  std::string line;
  std::string why;  // a sentence
  bool hint =
      false;  // not to be pasted as it is: it belongs elsewhere, or something is to be filled
};
// Lines that go into the zone of one name.
struct PlannedZone {
  std::string name;
  std::vector<PlannedLine> lines;
};

// `domains` in A-label form; `ours.host` is whom their SRV records name. `tlsa`: of our
// certificate; nullopt: no such records.
[[nodiscard]] std::vector<PlannedZone> PlanZones(std::span<const std::string> domains,
                                                 const OurSide& ours,
                                                 const std::optional<TlsaRecord>& tlsa);
// Text for a zone file: what is not a record is a comment.
[[nodiscard]] std::string PlanText(const std::vector<PlannedZone>& zones);

}  // namespace gatehouse::dnscheck
