#include "core/dnscheck/dns_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/dnscheck/zone_lines.h"
#include "core/dnscheck/zone_picture.h"

namespace gatehouse::dnscheck {
namespace {

std::set<std::uint16_t> PortsOf(const std::vector<SocketAddress>& listening) {
  std::set<std::uint16_t> ports;
  for (const SocketAddress& each : listening) ports.insert(each.Port());
  return ports;
}

class Planner {
 public:
  Planner(const OurSide& ours, const std::optional<TlsaRecord>& tlsa) : ours_(ours), tlsa_(tlsa) {
    xmpp_ = PortsOf(ours.xmpp);
    if (xmpp_.empty()) xmpp_.insert(kXmppPort);
    xmpps_ = PortsOf(ours.xmpps);
  }

  [[nodiscard]] PlannedZone OfDomain(const std::string& domain) const {
    PlannedZone zone{domain, {}};
    for (const std::uint16_t port : xmpp_)
      zone.lines.push_back(
          {SrvLine(XmppService(domain), port, ours_.host), "where partners find us (STARTTLS)"});
    for (const std::uint16_t port : xmpps_)
      zone.lines.push_back({SrvLine(XmppsService(domain), port, ours_.host), "direct TLS"});
    zone.lines.push_back({CaaLine(domain, "YOUR-AUTHORITY.EXAMPLE"),
                          "who may issue our certificates; put in the name your authority gives",
                          true});
    return zone;
  }

  void AddHost(PlannedZone& zone) const {
    for (const SocketAddress& address : ours_.addresses)
      zone.lines.push_back({AddressLine(ours_.host, address),
                            IsPublic(address)
                                ? "the address of the edge"
                                : "the address of the edge, but partners cannot reach it from "
                                  "outside (private-address); give the public one with --address"});
    if (ours_.addresses.empty())
      zone.lines.push_back({fmt::format("{}. 3600 IN A YOUR-PUBLIC-ADDRESS", ours_.host),
                            "no public address is known; give it with --address", true});
    for (const auto* ports : {&xmpp_, &xmpps_})
      for (const std::uint16_t port : *ports)
        if (tlsa_)
          zone.lines.push_back({TlsaLine(ours_.host, port, *tlsa_),
                                "the key of our certificate; of use where the zone is signed"});
    for (const SocketAddress& address : ours_.addresses)
      zone.lines.push_back({ReverseLine(address, ours_.host),
                            "in the reverse zone, by whoever gave you the address", true});
  }

 private:
  const OurSide& ours_;
  const std::optional<TlsaRecord>& tlsa_;
  std::set<std::uint16_t> xmpp_;
  std::set<std::uint16_t> xmpps_;
};

}  // namespace

std::vector<PlannedZone> PlanZones(std::span<const std::string> domains, const OurSide& ours,
                                   const std::optional<TlsaRecord>& tlsa) {
  const Planner planner(ours, tlsa);
  std::vector<PlannedZone> zones;
  for (const std::string& domain : domains) zones.push_back(planner.OfDomain(domain));
  const auto home = std::ranges::find_if(
      zones, [&ours](const PlannedZone& zone) { return IsBelow(ours.host, zone.name); });
  if (home != zones.end())
    planner.AddHost(*home);
  else
    planner.AddHost(zones.emplace_back(PlannedZone{ours.host, {}}));
  return zones;
}

std::string PlanText(const std::vector<PlannedZone>& zones) {
  std::string text;
  for (const PlannedZone& zone : zones) {
    text += fmt::format("{}; for the zone of {}\n", text.empty() ? "" : "\n", zone.name);
    for (const PlannedLine& line : zone.lines)
      text += fmt::format("; {}\n{}{}\n", line.why, line.hint ? "; " : "", line.line);
  }
  return text;
}

}  // namespace gatehouse::dnscheck
