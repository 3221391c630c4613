#include "core/dnscheck/judge_zone.h"

#include <gmock/gmock.h>

#include <fstream>
#include <functional>
#include <iterator>

#include "core/tls/own_chain.h"
#include "tests/fakes/certificate_maker.h"
#include "tests/unit/core/dnscheck/zone_scene.h"

namespace gatehouse::dnscheck {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kDomain = "corp.example";
const std::string kXmpp = XmppService(kDomain);
const std::string kXmpps = XmppsService(kDomain);
const std::string kEdge = "edge.corp.example";
const std::string kIp = "192.0.2.10";

OurSide OurEdge() {
  OurSide ours;
  ours.xmpp = {SocketAddress::Parse("0.0.0.0:5269").value()};
  ours.addresses = {SocketAddress::FromIp(kIp, 0).value()};
  ours.host = kEdge;
  return ours;
}

// The zone as it should be.
ZoneScene Clean() {
  ZoneScene zone;
  zone.Srv(kXmpp, 0, 0, 5269, kEdge).Address(kEdge, kIp).Reverse(kIp, kEdge);
  return zone;
}

// The codes of what counts; notes left out.
std::vector<std::string> Codes(const std::vector<Finding>& findings) {
  std::vector<std::string> codes;
  for (const Finding& finding : findings)
    if (finding.weight != Weight::kNote) codes.push_back(finding.code);
  return codes;
}

std::vector<Finding> Judged(const ZoneScene& zone, const OurSide& ours = OurEdge()) {
  return JudgeZone(kDomain, zone.Picture(kDomain), &ours);
}

TEST(JudgeZone, FindsNothingInACleanZone) {
  EXPECT_THAT(Codes(Judged(Clean())), IsEmpty());
}

TEST(JudgeZone, ListeningForDirectTlsWithoutARecordIsToldWithItsLine) {
  OurSide ours = OurEdge();
  ours.xmpps = {SocketAddress::Parse("0.0.0.0:5270").value()};
  const auto findings = Judged(Clean(), ours);
  ASSERT_THAT(Codes(findings), ElementsAre("direct-tls-missing"));
  EXPECT_EQ(findings[0].weight, Weight::kWarning);
  EXPECT_EQ(findings[0].line, kXmpps + ". 3600 IN SRV 0 0 5270 edge.corp.example.");
  EXPECT_THAT(Codes(Judged(Clean().Srv(kXmpps, 0, 0, 5270, kEdge), ours)), IsEmpty());
  ZoneScene broken = Clean();
  broken.Break(kXmpps);
  EXPECT_THAT(Codes(Judged(broken, ours)), ElementsAre("lookup-failed"));
}

TEST(JudgeZone, WhereNoAddressOfOursIsKnownItSaysThatItCannotJudge) {
  OurSide ours = OurEdge();
  ours.addresses.clear();
  const auto findings = Judged(Clean(), ours);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "not-judged");
  EXPECT_EQ(findings[0].weight, Weight::kNote);
  EXPECT_THAT(findings[0].sentence, HasSubstr("no public IPv4 address of ours is known"));
  EXPECT_THAT(findings[0].sentence, HasSubstr("--address"));
  const auto fallback = Judged(ZoneScene().Address(kDomain, kIp), ours);
  ASSERT_EQ(fallback.size(), 2U);
  EXPECT_EQ(fallback[0].code, "srv-missing");
  EXPECT_EQ(fallback[1].code, "not-judged");
}

struct Planted {
  std::string code;
  Weight weight;
  std::function<void(ZoneScene&)> plant;
  std::string line;  // part of the remedy
};

ZoneScene With(const std::function<void(ZoneScene&)>& plant) {
  ZoneScene zone;
  plant(zone);
  return zone;
}

TEST(JudgeZone, FindsEachMistakeByItsOwnCodeAndNoOther) {
  const auto edge = [](ZoneScene& zone) { zone.Address(kEdge, kIp).Reverse(kIp, kEdge); };
  const std::vector<Planted> table = {
      {"no-records", Weight::kMistake, [](ZoneScene&) {}, "SRV 0 0 5269 edge.corp.example."},
      {"srv-missing", Weight::kWarning, [](ZoneScene& z) { z.Address(kDomain, kIp); },
       "SRV 0 0 5269 edge.corp.example."},
      {"srv-missing", Weight::kMistake, [](ZoneScene& z) { z.Address(kDomain, "192.0.2.80"); },
       "SRV 0 0 5269 edge.corp.example."},
      {"service-refused", Weight::kMistake, [](ZoneScene& z) { z.Srv(kXmpp, 0, 0, 0, ""); },
       "SRV 0 0 5269 edge.corp.example."},
      {"target-alias", Weight::kMistake,
       [&](ZoneScene& z) {
         edge(z);
         z.Srv(kXmpp, 0, 0, 5269, "xmpp.corp.example").Alias("xmpp.corp.example", kEdge);
       },
       "SRV 0 0 5269 edge.corp.example."},
      {"target-without-address", Weight::kMistake,
       [](ZoneScene& z) { z.Srv(kXmpp, 0, 0, 5269, kEdge); },
       "edge.corp.example. 3600 IN A 192.0.2.10"},
      {"wrong-port", Weight::kMistake,
       [&](ZoneScene& z) {
         edge(z);
         z.Srv(kXmpp, 0, 0, 5222, kEdge);
       },
       "SRV 0 0 5269 edge.corp.example."},
      {"target-is-address", Weight::kMistake, [](ZoneScene& z) { z.Srv(kXmpp, 0, 0, 5269, kIp); },
       "SRV 0 0 5269 edge.corp.example."},
      {"target-single-label", Weight::kMistake,
       [](ZoneScene& z) { z.Srv(kXmpp, 0, 0, 5269, "edge"); }, "SRV 0 0 5269 edge.corp.example."},
      {"not-ours", Weight::kMistake,
       [](ZoneScene& z) { z.Srv(kXmpp, 0, 0, 5269, kEdge).Address(kEdge, "192.0.2.99"); },
       "A 192.0.2.10"},
      {"access-edge", Weight::kMistake,
       [](ZoneScene& z) {
         z.Srv(kXmpp, 0, 0, 5269, "sip.corp.example").Address("sip.corp.example", "192.0.2.99");
         z.Srv(SipFederationService(kDomain), 0, 0, 5061, "sip.corp.example");
       },
       "SRV 0 0 5269 edge.corp.example."},
      {"private-address", Weight::kMistake,
       [](ZoneScene& z) { z.Srv(kXmpp, 0, 0, 5269, kEdge).Address(kEdge, "10.1.2.3"); },
       "A 192.0.2.10"},
      {"private-address", Weight::kMistake,
       [](ZoneScene& z) { z.Srv(kXmpp, 0, 0, 5269, kEdge).Address(kEdge, "127.0.0.1"); }, ""},
      {"aaaa-without-listener", Weight::kMistake,
       [&](ZoneScene& z) {
         edge(z);
         z.Srv(kXmpp, 0, 0, 5269, kEdge).Address(kEdge, "2001:db8::10");
         z.Reverse("2001:db8::10", kEdge);
       },
       ""},
      {"reverse-missing", Weight::kWarning,
       [](ZoneScene& z) { z.Srv(kXmpp, 0, 0, 5269, kEdge).Address(kEdge, kIp); },
       "10.2.0.192.in-addr.arpa. 3600 IN PTR edge.corp.example."},
      {"reverse-differs", Weight::kWarning,
       [](ZoneScene& z) {
         z.Srv(kXmpp, 0, 0, 5269, kEdge).Address(kEdge, kIp).Reverse(kIp, "old.corp.example");
       },
       "PTR edge.corp.example."},
      {"direct-tls-without-listener", Weight::kMistake,
       [](ZoneScene& z) {
         z = Clean();
         z.Srv(kXmpps, 0, 0, 5270, kEdge);
       },
       ""},
      {"caa-forbids", Weight::kMistake,
       [](ZoneScene& z) {
         z = Clean();
         z.Caa(kDomain, ";");
       },
       "CAA 0 issue"},
      {"lookup-failed", Weight::kMistake,
       [](ZoneScene& z) {
         z = Clean();
         z.Break(kXmpp);
       },
       ""},
      {"srv-odd", Weight::kWarning,
       [](ZoneScene& z) {
         z = Clean();
         z.Srv(kXmpp, 10, 0, 5269, kEdge);
       },
       ""},
      {"apex-alias", Weight::kMistake,
       [](ZoneScene& z) {
         z = Clean();
         z.Alias(kDomain, kEdge);
       },
       ""},
  };
  for (const Planted& row : table) {
    SCOPED_TRACE(row.code);
    const auto findings = Judged(With(row.plant));
    ASSERT_THAT(Codes(findings), ElementsAre(row.code));
    EXPECT_EQ(findings[0].weight, row.weight);
    EXPECT_THAT(findings[0].line, HasSubstr(row.line));
  }
}

TEST(JudgeZone, WhereWeListenOnIpv6TheAddressShallBeThere) {
  OurSide ours = OurEdge();
  ours.xmpp = {SocketAddress::Parse("[::]:5269").value()};
  EXPECT_THAT(Codes(Judged(Clean(), ours)), IsEmpty());
  ours.addresses.push_back(SocketAddress::FromIp("2001:db8::10", 0).value());
  EXPECT_THAT(Codes(Judged(Clean(), ours)), ElementsAre("aaaa-missing"));
}

TEST(JudgeZone, WithoutKnownAddressesNobodySaysThatAHostIsNotOurs) {
  OurSide ours = OurEdge();
  ours.addresses.clear();
  EXPECT_THAT(Codes(Judged(Clean(), ours)), IsEmpty());
}

TEST(JudgeZone, TheNearestCaaAboveCounts) {
  ZoneScene zone = Clean();
  zone.Caa("example", "ca.example");
  const auto findings = Judged(zone);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "caa-issuers");
  EXPECT_EQ(findings[0].weight, Weight::kNote);
  EXPECT_THAT(findings[0].sentence, HasSubstr("ca.example"));
}

class OwnCertificate : public testing::Test {
 protected:
  static std::string Text(const std::string& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  OwnCertificate() {
    CertificatePlan plan;
    plan.dns_names = {kDomain};
    ours_ = OurEdge();
    ours_.chain_pem = Text(maker_.Issue(plan).chain_file);
    other_ = TlsaOfOwnChain(Text(maker_.Issue(plan).chain_file)).value().data;
    own_ = TlsaOfOwnChain(ours_.chain_pem).value().data;
  }
  std::vector<Finding> With(const std::string& digest, bool is_signed) {
    ZoneScene zone = Clean();
    zone.is_signed = is_signed;
    zone.Tlsa(TlsaName(kEdge, 5269), "\x03\x01\x01" + digest);
    return Judged(zone, ours_);
  }
  CertificateMaker maker_;
  OurSide ours_;
  std::string own_;
  std::string other_;
};

TEST_F(OwnCertificate, ItsTlsaRecordIsRight) {
  EXPECT_THAT(Codes(With(own_, true)), IsEmpty());
}

TEST_F(OwnCertificate, ATlsaRecordOfAnotherKeyIsAMistakeWithTheRightLine) {
  const auto findings = With(other_, true);
  ASSERT_THAT(Codes(findings), ElementsAre("tlsa-differs"));
  EXPECT_THAT(findings[0].line, HasSubstr("_5269._tcp.edge.corp.example. 3600 IN TLSA 3 1 1 "));
}

TEST_F(OwnCertificate, WithoutDnssecATlsaRecordSaysNothing) {
  EXPECT_THAT(Codes(With(own_, false)), ElementsAre("tlsa-insecure"));
}

TEST(JudgePartner, OurListenersAndAddressesAreNoMeasureOfIt) {
  ZoneScene zone;
  zone.Srv(kXmpp, 0, 0, 5222, "xmpp.corp.example").Address("xmpp.corp.example", "198.51.100.1");
  zone.Srv(kXmpps, 0, 0, 443, "xmpp.corp.example");
  EXPECT_THAT(Codes(JudgeZone(kDomain, zone.Picture(kDomain), nullptr)), IsEmpty());
}

TEST(JudgePartner, WhatWouldFailIsFound) {
  const auto codes = [](const ZoneScene& zone) {
    return Codes(JudgeZone(kDomain, zone.Picture(kDomain), nullptr));
  };
  EXPECT_THAT(codes(ZoneScene()), ElementsAre("no-records"));
  EXPECT_THAT(codes(ZoneScene().Srv(kXmpp, 0, 0, 5269, "gone.example")),
              ElementsAre("target-without-address"));
  EXPECT_THAT(codes(ZoneScene().Address(kDomain, "198.51.100.1")), IsEmpty());
}

TEST(JudgePictures, ResolversThatDisagreeAreAMistake) {
  const OurSide ours = OurEdge();
  ZoneScene newer = Clean();
  ZoneScene older;
  older.Srv(kXmpp, 5, 0, 5269, kEdge).Address(kEdge, kIp).Reverse(kIp, kEdge);
  const std::vector<ZonePicture> pictures = {newer.Picture(kDomain, "one"),
                                             older.Picture(kDomain, "two")};
  const auto findings = JudgePictures(kDomain, pictures, &ours);
  ASSERT_THAT(Codes(findings), ElementsAre("resolvers-disagree"));
  EXPECT_THAT(findings[0].sentence, HasSubstr("5 0 5269"));
}

TEST(JudgePictures, AMistakeOneResolverSeesNamesIt) {
  const OurSide ours = OurEdge();
  ZoneScene lame = Clean();
  lame.Break(kXmpp);
  const std::vector<ZonePicture> pictures = {Clean().Picture(kDomain, "one"),
                                             lame.Picture(kDomain, "two")};
  const auto findings = JudgePictures(kDomain, pictures, &ours);
  ASSERT_THAT(Codes(findings), ElementsAre("lookup-failed"));
  EXPECT_EQ(findings[0].resolver, "two");
}

// A zone without an end does not keep anybody busy.
TEST(NextQuestions, ComeToAnEnd) {
  ZoneScene zone;
  for (unsigned i = 0; i < 300; ++i) {
    const std::string host = "h" + std::to_string(i) + ".corp.example";
    zone.Srv(kXmpp, i, 0, 5269, host);
    for (int j = 0; j < 20; ++j) zone.Address(host, "192.0.2." + std::to_string(j));
  }
  EXPECT_LE(zone.Picture(kDomain).sections.size(), 300U);
}

}  // namespace
}  // namespace gatehouse::dnscheck
