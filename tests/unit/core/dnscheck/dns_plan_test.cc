#include "core/dnscheck/dns_plan.h"

#include <gmock/gmock.h>

namespace gatehouse::dnscheck {
namespace {

using testing::HasSubstr;
using testing::Not;

OurSide Ours() {
  OurSide ours;
  ours.xmpp = {SocketAddress::Parse("0.0.0.0:5269").value()};
  ours.xmpps = {SocketAddress::Parse("0.0.0.0:5270").value()};
  ours.addresses = {SocketAddress::FromIp("192.0.2.10", 0).value(),
                    SocketAddress::FromIp("2001:db8::1", 0).value()};
  ours.host = "edge.corp.example";
  return ours;
}

TEST(DnsPlan, HasALineForEachRecord) {
  const std::vector<std::string> domains = {"corp.example", "other.example"};
  const auto text = PlanText(PlanZones(domains, Ours(), TlsaRecord{3, 1, 1, "\x0b\x9f"}));
  for (const char* line : {
           "\n_xmpp-server._tcp.corp.example. 3600 IN SRV 0 0 5269 edge.corp.example.\n",
           "\n_xmpps-server._tcp.corp.example. 3600 IN SRV 0 0 5270 edge.corp.example.\n",
           "\n_xmpp-server._tcp.other.example. 3600 IN SRV 0 0 5269 edge.corp.example.\n",
           "\nedge.corp.example. 3600 IN A 192.0.2.10\n",
           "\nedge.corp.example. 3600 IN AAAA 2001:db8::1\n",
           "\n_5269._tcp.edge.corp.example. 3600 IN TLSA 3 1 1 0b9f\n",
           "\n; 10.2.0.192.in-addr.arpa. 3600 IN PTR edge.corp.example.\n",
           "\n; corp.example. 3600 IN CAA 0 issue \"YOUR-AUTHORITY.EXAMPLE\"\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

// What stands outside a zone keeps its file from being read.
TEST(DnsPlan, AHostOfAnotherZoneHasAPartOfItsOwn) {
  OurSide ours = Ours();
  ours.host = "edge.hoster.example";
  const std::vector<std::string> domains = {"corp.example"};
  const auto zones = PlanZones(domains, ours, std::nullopt);
  ASSERT_EQ(zones.size(), 2U);
  EXPECT_EQ(zones[0].name, "corp.example");
  EXPECT_EQ(zones[1].name, "edge.hoster.example");
}

TEST(DnsPlan, WithoutAnAddressItIsForTheOperatorToFill) {
  OurSide ours = Ours();
  ours.addresses.clear();
  const std::vector<std::string> domains = {"corp.example"};
  const auto text = PlanText(PlanZones(domains, ours, std::nullopt));
  EXPECT_THAT(text, HasSubstr("\n; edge.corp.example. 3600 IN A YOUR-PUBLIC-ADDRESS\n"));
  EXPECT_THAT(text, Not(HasSubstr("TLSA")));
}

TEST(DnsPlan, AnAddressThatNobodyReachesFromOutsideIsSaidAboveItsRecord) {
  OurSide ours = Ours();
  EXPECT_THAT(PlanText(PlanZones({}, ours, std::nullopt)), Not(HasSubstr("private-address")));
  ours.addresses = {SocketAddress::FromIp("192.168.1.5", 0).value()};
  EXPECT_THAT(PlanText(PlanZones({}, ours, std::nullopt)),
              HasSubstr("; the address of the edge, but partners cannot reach it from outside "
                        "(private-address); give the public one with --address\n"
                        "edge.corp.example. 3600 IN A 192.168.1.5\n"));
}

}  // namespace
}  // namespace gatehouse::dnscheck
