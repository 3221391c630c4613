#include "core/loop/dns_lookup.h"

#include <gmock/gmock.h>

#include <optional>

#include "core/loop/dns_servers.h"
#include "tests/unit/core/loop/dns_responder.h"
#include "tests/unit/core/loop/run_until.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Dns : public testing::Test {
 protected:
  Dns() {
    const std::vector<std::string> servers{responder_.server()};
    lookup_ = *DnsLookup::Create(*loop_, servers);
  }
  DnsAnswer<SrvRecord> Srv(std::string_view name) {
    std::optional<DnsAnswer<SrvRecord>> got;
    lookup_->Srv(name, [&got](auto answer) { got = std::move(answer); });
    EXPECT_FALSE(got);  // never inside the call
    EXPECT_TRUE(RunUntil(*loop_, [&] { return got.has_value(); }));
    return got.value_or(DnsAnswer<SrvRecord>{});
  }
  std::pair<DnsStatus, std::vector<std::string>> Addresses(std::string_view name) {
    std::optional<DnsAnswer<SocketAddress>> got;
    lookup_->Addresses(name, 5269, [&got](auto answer) { got = std::move(answer); });
    EXPECT_FALSE(got);
    EXPECT_TRUE(RunUntil(*loop_, [&] { return got.has_value(); }));
    std::pair<DnsStatus, std::vector<std::string>> result{got->status, {}};
    for (const auto& address : got->records) result.second.push_back(address.ToText());
    return result;
  }

  std::unique_ptr<Loop> loop_ = MakeLoop();
  DnsResponder responder_{*loop_};
  std::unique_ptr<DnsLookup> lookup_;
};

TEST_F(Dns, GivesSrvRecordsWithPlainTargets) {
  responder_.Add("_xmpp-server._tcp.partner.example", DnsResponder::kSrv,
                 DnsResponder::Srv(10, 5, 5269, "XMPP.partner.example"));
  responder_.Add("_xmpp-server._tcp.partner.example", DnsResponder::kSrv,
                 DnsResponder::Srv(20, 0, 5270, ""));
  const auto answer = Srv("_xmpp-server._tcp.partner.example");
  EXPECT_EQ(answer.status, DnsStatus::kOk);
  ASSERT_EQ(answer.records.size(), 2U);
  EXPECT_EQ(answer.records[0].priority, 10);
  EXPECT_EQ(answer.records[0].weight, 5);
  EXPECT_EQ(answer.records[0].port, 5269);
  EXPECT_EQ(answer.records[0].target, "xmpp.partner.example");
  EXPECT_EQ(answer.records[1].target, "");
}

TEST_F(Dns, TellsFactsFromTrouble) {
  responder_.Set("gone.example", DnsResponder::Code::kNoSuchName);
  responder_.Set("broken.example", DnsResponder::Code::kServerFailure);
  EXPECT_EQ(Srv("gone.example").status, DnsStatus::kNoData);
  EXPECT_EQ(Srv("empty.example").status, DnsStatus::kNoData);
  EXPECT_EQ(Srv("broken.example").status, DnsStatus::kTemporary);
  EXPECT_EQ(Addresses("gone.example").first, DnsStatus::kNoData);
  EXPECT_EQ(Addresses("broken.example").first, DnsStatus::kTemporary);
}

TEST_F(Dns, ASilentServerIsTroubleWithinTheLimit) {
  responder_.Set("silent.example", DnsResponder::Code::kSilent);
  const TimePoint start = loop_->Now();
  EXPECT_EQ(Srv("silent.example").status, DnsStatus::kTemporary);
  EXPECT_LT(loop_->Now() - start, milliseconds(5500));
}

TEST_F(Dns, GivesAtMostFourAddressesOfEachFamilyTheSixthVersionFirst) {
  for (char i = 1; i <= 6; ++i)
    responder_.Add("host.example", DnsResponder::kA, std::string("\x7f\0\0", 3) + i);
  responder_.Add("host.example", DnsResponder::kAaaa, std::string(15, '\0') + '\x01');
  const auto [status, addresses] = Addresses("host.example");
  EXPECT_EQ(status, DnsStatus::kOk);
  EXPECT_THAT(addresses, ElementsAre("[::1]:5269", "127.0.0.1:5269", "127.0.0.2:5269",
                                     "127.0.0.3:5269", "127.0.0.4:5269"));
}

// RFC 8305 §3
TEST_F(Dns, OneFamilyDoesNotWaitLongForTheOther) {
  const std::string v4("\x7f\0\0\x01", 4);
  const std::string v6 = std::string(15, '\0') + '\x01';
  responder_.Add("four.example", DnsResponder::kA, v4);
  responder_.Drop("four.example", DnsResponder::kAaaa);
  responder_.Add("six.example", DnsResponder::kAaaa, v6);
  responder_.Drop("six.example", DnsResponder::kA);
  const TimePoint start = loop_->Now();
  EXPECT_THAT(Addresses("four.example").second, ElementsAre("127.0.0.1:5269"));
  EXPECT_THAT(Addresses("six.example").second, ElementsAre("[::1]:5269"));
  EXPECT_LT(loop_->Now() - start, milliseconds(4000));
}

TEST_F(Dns, NoAddressIsAFactOnlyWhenBothFamiliesSaySo) {
  responder_.Drop("half.example", DnsResponder::kAaaa);
  EXPECT_EQ(Addresses("half.example").first, DnsStatus::kTemporary);
}

TEST_F(Dns, ALiteralAnswersItselfWithoutAQuestion) {
  EXPECT_THAT(Addresses("192.0.2.1").second, ElementsAre("192.0.2.1:5269"));
  EXPECT_THAT(Addresses("2001:db8::1").second, ElementsAre("[2001:db8::1]:5269"));
  EXPECT_EQ(responder_.questions, 0);
}

TEST_F(Dns, GivesNaptrRecords) {
  responder_.Add("corp.example", DnsResponder::kNaptr,
                 DnsResponder::U16(50) + DnsResponder::U16(10) + DnsResponder::Text("s") +
                     DnsResponder::Text("SIPS+D2T") + DnsResponder::Text("") +
                     DnsResponder::Name("_sips._tcp.corp.example"));
  std::optional<DnsAnswer<NaptrRecord>> got;
  lookup_->Naptr("corp.example", [&got](auto answer) { got = std::move(answer); });
  ASSERT_TRUE(RunUntil(*loop_, [&] { return got.has_value(); }));
  ASSERT_EQ(got->records.size(), 1U);
  EXPECT_EQ(got->records[0].order, 50);
  EXPECT_EQ(got->records[0].preference, 10);
  EXPECT_EQ(got->records[0].flags, "s");
  EXPECT_EQ(got->records[0].service, "SIPS+D2T");
  EXPECT_EQ(got->records[0].replacement, "_sips._tcp.corp.example");
}

// 12.5
TEST_F(Dns, MoreQuestionsThanMayBeUnderWayWaitInOrder) {
  int answers = 0;
  for (int i = 0; i < 200; ++i)
    lookup_->Srv("d" + std::to_string(i) + ".example", [&answers](const auto&) { ++answers; });
  EXPECT_TRUE(RunUntil(*loop_, [&] { return answers == 200; }));
  EXPECT_EQ(responder_.questions, 200);
}

TEST_F(Dns, ADestroyedLookupStaysSilent) {
  bool called = false;
  for (int i = 0; i < 80; ++i) lookup_->Srv("partner.example", [&](const auto&) { called = true; });
  lookup_.reset();
  for (int i = 0; i < 20; ++i) loop_->RunOnce();
  EXPECT_FALSE(called);
}

TEST_F(Dns, ALookupMayBeDestroyedInItsAnswer) {
  bool after = false;
  lookup_->Addresses("192.0.2.1", 1, [&](const auto&) {
    lookup_.reset();
    after = true;
  });
  lookup_->Srv("partner.example", [](const auto&) { FAIL(); });
  EXPECT_TRUE(RunUntil(*loop_, [&] { return after; }));
}

class ValidatedDns : public Dns {
 protected:
  ValidatedDns() {
    const std::vector<std::string> servers{responder_.server()};
    lookup_ = *DnsLookup::Create(*loop_, servers, DnsTrust::kLocalServers);
    responder_.validating = true;
    responder_.Add("_xmpp-server._tcp.partner.example", DnsResponder::kSrv,
                   DnsResponder::Srv(10, 5, 5269, "xmpp.partner.example"));
    responder_.Add("xmpp.partner.example", DnsResponder::kA, std::string("\x7f\0\0\x01", 4));
    responder_.Add(kTlsaName, DnsResponder::kTlsa, "\x03\x01\x01" + std::string(32, 'd'));
  }
  template <class Record>
  static auto Taker(std::optional<DnsAnswer<Record>>& into) {
    return [&into](DnsAnswer<Record> answer) { into = std::move(answer); };
  }
  DnsAnswer<TlsaRecord> Tlsa(std::string_view name) {
    std::optional<DnsAnswer<TlsaRecord>> got;
    lookup_->Tlsa(name, Taker(got));
    EXPECT_TRUE(RunUntil(*loop_, [&] { return got.has_value(); }));
    return got.value_or(DnsAnswer<TlsaRecord>{});
  }
  DnsAnswer<SocketAddress> Host(std::string_view name) {
    std::optional<DnsAnswer<SocketAddress>> got;
    lookup_->Addresses(name, 5269, Taker(got));
    EXPECT_TRUE(RunUntil(*loop_, [&] { return got.has_value(); }));
    return got.value_or(DnsAnswer<SocketAddress>{});
  }
  static constexpr const char* kTlsaName = "_5269._tcp.xmpp.partner.example";
};

TEST_F(ValidatedDns, SaysWhatTheResolverHasValidated) {
  EXPECT_TRUE(lookup_->validates());
  const auto srv = Srv("_xmpp-server._tcp.partner.example");
  EXPECT_TRUE(srv.secure);
  ASSERT_EQ(srv.records.size(), 1U);
  EXPECT_EQ(srv.records[0].target, "xmpp.partner.example");
  const auto host = Host("xmpp.partner.example");
  EXPECT_TRUE(host.secure);
  ASSERT_EQ(host.records.size(), 1U);
  EXPECT_EQ(host.records[0].ToText(), "127.0.0.1:5269");
  const auto tlsa = Tlsa(kTlsaName);
  EXPECT_TRUE(tlsa.secure);
  EXPECT_THAT(tlsa.records, ElementsAre(TlsaRecord{3, 1, 1, std::string(32, 'd')}));
}

TEST_F(ValidatedDns, WhatIsNotSignedIsAnAnswerAllTheSame) {
  responder_.validating = false;
  EXPECT_FALSE(Srv("_xmpp-server._tcp.partner.example").secure);
  const auto host = Host("xmpp.partner.example");
  EXPECT_EQ(host.status, DnsStatus::kOk);
  EXPECT_FALSE(host.secure);
  EXPECT_FALSE(Tlsa(kTlsaName).secure);
}

TEST_F(ValidatedDns, TellsFactsFromTroubleAsBefore) {
  responder_.Set("gone.example", DnsResponder::Code::kNoSuchName);
  responder_.Set("bogus.example", DnsResponder::Code::kServerFailure);
  EXPECT_EQ(Tlsa("gone.example").status, DnsStatus::kNoData);
  EXPECT_EQ(Tlsa("empty.example").status, DnsStatus::kNoData);
  EXPECT_EQ(Host("gone.example").status, DnsStatus::kNoData);
  EXPECT_EQ(Tlsa("bogus.example").status, DnsStatus::kTemporary);
  EXPECT_EQ(Host("bogus.example").status, DnsStatus::kTemporary);
  EXPECT_EQ(Srv("bogus.example").status, DnsStatus::kTemporary);
}

// Without records of its own the domain itself would be taken for its server.
TEST_F(ValidatedDns, AnAnswerThatCannotBeReadIsTrouble) {
  const std::string name = "loop.example";
  const auto itself = static_cast<unsigned>(12 + DnsResponder::Name(name).size() + 4 + 12 + 6);
  responder_.Add(name, DnsResponder::kSrv,
                 std::string(6, '\0') + DnsResponder::U16(0xc000U | itself));
  EXPECT_EQ(Srv(name).status, DnsStatus::kTemporary);
}

TEST_F(ValidatedDns, NamesThatCannotExistHaveNoRecords) {
  EXPECT_EQ(Tlsa("a..example").status, DnsStatus::kNoData);
  EXPECT_EQ(Host(std::string(64, 'a') + ".example").status, DnsStatus::kNoData);
}

TEST_F(Dns, WithoutTrustNothingIsSecure) {
  responder_.validating = true;
  responder_.Add("_xmpp-server._tcp.partner.example", DnsResponder::kSrv,
                 DnsResponder::Srv(10, 5, 5269, "xmpp.partner.example"));
  EXPECT_FALSE(lookup_->validates());
  EXPECT_FALSE(Srv("_xmpp-server._tcp.partner.example").secure);
}

TEST(DnsServers, AreTrustedOnThisMachineOnly) {
  const auto loop = MakeLoop();
  const auto why_not = [&](const std::vector<std::string>& servers) {
    const auto lookup = DnsLookup::Create(*loop, servers, DnsTrust::kLocalServers);
    return lookup ? std::string() : lookup.error().text;
  };
  EXPECT_EQ(why_not({"127.0.0.1", "[::1]:5353"}), "");
  EXPECT_THAT(why_not({"127.0.0.1", "192.0.2.53"}), HasSubstr("'192.0.2.53' is not on loopback"));
  EXPECT_THAT(why_not({}), HasSubstr("dns.servers is empty"));
}

TEST(DnsServers, AreTakenWithAndWithoutPort) {
  const std::vector<std::string> servers{"127.0.0.1", "127.0.0.1:5353", "::1", "[::1]:54"};
  EXPECT_EQ(*DnsServerList(servers), "127.0.0.1:53,127.0.0.1:5353,[::1]:53,[::1]:54");
  EXPECT_THAT(*DnsServerList({}), IsEmpty());
  const std::vector<std::string> wrong{"ns.example"};
  EXPECT_THAT(DnsServerList(wrong).error().text, HasSubstr("ns.example"));
}

}  // namespace
}  // namespace gatehouse
