#include <gtest/gtest.h>

#include "core/tls/tls_session.h"

namespace gatehouse {
namespace {

PeerCertificate WithDns(std::string name) {
  PeerCertificate peer;
  peer.dns_names = {std::move(name)};
  return peer;
}
PeerCertificate WithSrv(std::string name) {
  PeerCertificate peer;
  peer.srv_names = {std::move(name)};
  return peer;
}
PeerCertificate WithXmppAddr(std::string name) {
  PeerCertificate peer;
  peer.xmpp_addrs = {std::move(name)};
  return peer;
}
PeerCertificate WithUri(std::string uri) {
  PeerCertificate peer;
  peer.uris = {std::move(uri)};
  return peer;
}

struct NameCase {
  const char* presented;
  const char* domain;
  bool matches;
};

// 2.5, order 1
TEST(MatchesXmppDomain, TakesAnSrvIdOfTheXmppServiceOnly) {
  for (const NameCase& c : {NameCase{"_xmpp-server.partner.example", "partner.example", true},
                            NameCase{"_XMPP-Server.Partner.Example", "partner.example", true},
                            NameCase{"_xmpps-server.partner.example", "partner.example", false},
                            NameCase{"_xmpp-client.partner.example", "partner.example", false},
                            NameCase{"_xmpp-server.*.example", "partner.example", false},
                            NameCase{"_xmpp-server.chat.partner.example", "partner.example", false},
                            NameCase{"partner.example", "partner.example", false}})
    EXPECT_EQ(MatchesXmppDomain(WithSrv(c.presented), c.domain), c.matches) << c.presented;
}

// 2.5, order 2; RFC 6125 §6.4.3
TEST(MatchesXmppDomain, TakesADnsIdLabelByLabel) {
  for (const NameCase& c :
       {NameCase{"partner.example", "partner.example", true},
        NameCase{"PARTNER.Example", "partner.example", true},
        NameCase{"partner.example", "chat.partner.example", false},
        NameCase{"chat.partner.example", "partner.example", false},
        NameCase{"xpartner.example", "partner.example", false},
        NameCase{"partner.example.", "partner.example", false},
        NameCase{"*.partner.example", "chat.partner.example", true},
        NameCase{"*.partner.example", "partner.example", false},
        NameCase{"*.partner.example", "a.chat.partner.example", false},
        NameCase{"*.example", "partner.example", false}, NameCase{"*", "partner.example", false},
        NameCase{"p*.partner.example", "pa.partner.example", false},
        NameCase{"*a.partner.example", "a.partner.example", false},
        NameCase{"*.*.example", "a.partner.example", false},
        NameCase{"chat.*.example", "chat.partner.example", false},
        NameCase{"192.0.2.1", "192.0.2.1", false}})
    EXPECT_EQ(MatchesXmppDomain(WithDns(c.presented), c.domain), c.matches)
        << c.presented << " for " << c.domain;
}

// 2.5, order 3; RFC 6120 §13.7.1.4
TEST(MatchesXmppDomain, TakesAnXmppAddrThatIsADomainOnly) {
  for (const NameCase& c : {NameCase{"partner.example", "partner.example", true},
                            NameCase{"Partner.EXAMPLE", "partner.example", true},
                            NameCase{"juliet@partner.example", "partner.example", false},
                            NameCase{"partner.example/balcony", "partner.example", false},
                            NameCase{"*.example", "partner.example", false},
                            NameCase{"other.example", "partner.example", false}})
    EXPECT_EQ(MatchesXmppDomain(WithXmppAddr(c.presented), c.domain), c.matches) << c.presented;
}

TEST(MatchesXmppDomain, ComparesALabelsWithULabels) {
  const char* u_label =
      "b\xc3\xbc"
      "cher.example";
  const char* a_label = "xn--bcher-kva.example";
  for (const char* domain : {u_label, a_label}) {
    EXPECT_TRUE(MatchesXmppDomain(WithDns(a_label), domain)) << domain;
    EXPECT_TRUE(MatchesXmppDomain(WithSrv("_xmpp-server.xn--bcher-kva.example"), domain));
    EXPECT_TRUE(MatchesXmppDomain(WithXmppAddr(u_label), domain)) << domain;
    EXPECT_TRUE(MatchesXmppDomain(WithXmppAddr(a_label), domain)) << domain;
    EXPECT_FALSE(MatchesXmppDomain(WithDns("bucher.example"), domain)) << domain;
  }
}

TEST(MatchesXmppDomain, TakesAWildcardAboveAnALabel) {
  const char* domain =
      "chat.b\xc3\xbc"
      "cher.example";
  EXPECT_TRUE(MatchesXmppDomain(WithDns("*.XN--BCHER-KVA.example"), domain));
  EXPECT_FALSE(MatchesXmppDomain(WithDns("xn--*.example"), domain));
}

TEST(MatchesXmppDomain, TakesNoLookAlikeForTheRealOne) {
  const char* cyrillic =
      "p\xd0\xb0"
      "rtner.example";  // U+0430 for the Latin a
  EXPECT_FALSE(MatchesXmppDomain(WithXmppAddr(cyrillic), "partner.example"));
  EXPECT_FALSE(MatchesXmppDomain(WithXmppAddr("partner.example@evil.example"), "partner.example"));
  EXPECT_FALSE(MatchesXmppDomain(WithXmppAddr("xn--zz--.example"), "xn--zz--.example"));
  EXPECT_FALSE(MatchesXmppDomain(WithXmppAddr("\xff\xfe"), "partner.example"));
  EXPECT_FALSE(MatchesXmppDomain(WithDns("*.192.0.2"), "10.192.0.2"));
}

TEST(MatchesXmppDomain, NeverConsultsTheCommonName) {
  PeerCertificate peer;
  peer.common_name = "partner.example";
  EXPECT_FALSE(MatchesXmppDomain(peer, "partner.example"));
  EXPECT_FALSE(MatchesXmppDomain(peer, ""));
}

TEST(MatchesXmppDomain, OneMatchingNameAmongManyIsEnough) {
  PeerCertificate peer = WithDns("other.example");
  peer.dns_names.emplace_back("*.partner.example");
  peer.xmpp_addrs.emplace_back("partner.example");
  EXPECT_TRUE(MatchesXmppDomain(peer, "partner.example"));
  EXPECT_TRUE(MatchesXmppDomain(peer, "chat.partner.example"));
  EXPECT_FALSE(MatchesXmppDomain(peer, "third.example"));
}

// RFC 5922 §7.1, §7.2
TEST(MatchesSipName, TakesTheHostOfASipUri) {
  for (const NameCase& c :
       {NameCase{"sip:pool.corp.example", "pool.corp.example", true},
        NameCase{"SIP:Pool.corp.example", "pool.CORP.example", true},
        NameCase{"sip:pool.corp.example:5061;transport=tls", "pool.corp.example", true},
        NameCase{"sips:pool.corp.example", "pool.corp.example", false},
        NameCase{"sip:alice@pool.corp.example", "pool.corp.example", false},
        NameCase{"sip:*.corp.example", "pool.corp.example", false},
        NameCase{"sip:corp.example", "pool.corp.example", false},
        NameCase{"https://pool.corp.example", "pool.corp.example", false}})
    EXPECT_EQ(MatchesSipName(WithUri(c.presented), c.domain), c.matches) << c.presented;
}

TEST(MatchesSipName, TakesADnsIdWithoutWildcardOrSuffix) {
  EXPECT_TRUE(MatchesSipName(WithDns("Pool.corp.example"), "pool.corp.example"));
  EXPECT_FALSE(MatchesSipName(WithDns("*.corp.example"), "pool.corp.example"));
  EXPECT_FALSE(MatchesSipName(WithDns("corp.example"), "pool.corp.example"));
  EXPECT_FALSE(MatchesSipName(WithDns("x.pool.corp.example"), "pool.corp.example"));
}

TEST(MatchesSipName, ASipUriKeepsDnsIdsFromCounting) {
  PeerCertificate peer = WithUri("sip:pool.corp.example");
  peer.dns_names = {"edge.corp.example"};
  EXPECT_TRUE(MatchesSipName(peer, "pool.corp.example"));
  EXPECT_FALSE(MatchesSipName(peer, "edge.corp.example"));
}

TEST(MatchesSipName, TakesTheCommonNameOnlyWithoutAnyAlternativeName) {
  PeerCertificate peer;
  peer.common_name = "pool.corp.example";
  EXPECT_TRUE(MatchesSipName(peer, "pool.corp.example"));
  EXPECT_FALSE(MatchesSipName(peer, ""));
  peer.dns_names = {"other.corp.example"};
  EXPECT_FALSE(MatchesSipName(peer, "pool.corp.example"));
}

}  // namespace
}  // namespace gatehouse
