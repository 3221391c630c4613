#include "plugins/tls_listener/stranger_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/loop/loop.h"
#include "proto/link_policy.pb.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_dns.h"
#include "tests/unit/core/loop/run_until.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr std::uint64_t kUnix = 1'800'000'000;

// Keeps what the policy engine is told, and never answers.
class ListeningEngine final : public ipc::AskClient {
 public:
  void AskBytes(std::string bytes, milliseconds, OnAnswer) override {
    proto::PolicyQuestion question;
    ASSERT_TRUE(question.ParseFromString(bytes));
    for (const proto::Stranger& stranger : question.strangers().strangers())
      told.push_back(stranger);
  }
  std::vector<proto::Stranger> told;
};

class StrangerWatchTest : public testing::Test {
 protected:
  void Knock(const std::string& domain, const std::string& peer = "192.0.2.1",
             const std::string& certificate = {}) {
    proto::Stranger knock;
    knock.set_domain(domain);
    knock.set_local_domain("corp.example");
    knock.set_peer(peer);
    knock.set_certificate(certificate);
    watch_.OnKnock(knock, ++unix_);
  }
  // What the engine has been told once `count` have been; empty where nothing is looked up any
  // more.
  std::vector<std::string> Told(std::size_t count) {
    EXPECT_TRUE(RunUntil(*loop_, [&] { return engine_.told.size() >= count; }));
    std::vector<std::string> domains;
    for (const proto::Stranger& stranger : engine_.told) domains.push_back(stranger.domain());
    return domains;
  }

  std::unique_ptr<Loop> loop_ = *Loop::Create();
  FakeClock clock_;
  FakeDns dns_{*loop_};
  ListeningEngine engine_;
  StrangerWatch watch_{clock_, dns_, engine_};
  std::uint64_t unix_ = kUnix;
};

TEST_F(StrangerWatchTest, TellsWhoKnocksWithItsRecordsAndItsCertificate) {
  dns_.srv["_xmpp-server._tcp.one.example"] = {{5, 10, 5269, "xmpp.one.example"}};
  dns_.addresses["one.example"] = {"192.0.2.7"};
  Knock("one.example", "192.0.2.1", "for one.example");
  ASSERT_THAT(Told(1), ElementsAre("one.example"));
  const proto::Stranger& one = engine_.told[0];
  EXPECT_EQ(one.local_domain(), "corp.example");
  EXPECT_EQ(one.peer(), "192.0.2.1");
  EXPECT_EQ(one.certificate(), "for one.example");
  EXPECT_THAT(one.dns(), UnorderedElementsAre("_xmpp-server._tcp SRV 5 10 5269 xmpp.one.example.",
                                              "192.0.2.7"));
  EXPECT_EQ(one.knocks(), 1U);
  EXPECT_EQ(one.first_unix(), kUnix + 1);
}

TEST_F(StrangerWatchTest, TellsFurtherKnocksOfAMinuteTogether) {
  Knock("one.example");
  Told(1);
  const int asked = dns_.questions;
  for (int i = 0; i < 3; ++i) Knock("one.example", "192.0.2.1", i == 1 ? "for one.example" : "");
  clock_.Advance(seconds{59});
  Knock("one.example");
  EXPECT_EQ(engine_.told.size(), 1U);
  clock_.Advance(seconds{1});
  Knock("one.example");
  Told(3);
  EXPECT_EQ(engine_.told[1].knocks(), 4U);
  EXPECT_EQ(engine_.told[1].certificate(), "for one.example");
  EXPECT_EQ(engine_.told[1].last_unix(), kUnix + 5);
  EXPECT_EQ(engine_.told[2].knocks(), 1U);
  EXPECT_EQ(dns_.questions, 2 * asked);
}

TEST_F(StrangerWatchTest, TellsOfADomainThatNobodyMayResolveWithoutAskingForIt) {
  Knock("localhost");
  EXPECT_THAT(Told(1), ElementsAre("localhost"));
  EXPECT_EQ(dns_.questions, 0);
}

TEST_F(StrangerWatchTest, HearsSoManyAMinuteAndNoMore) {
  for (std::size_t i = 0; i < StrangerWatch::kMaxAMinute + 5; ++i)
    Knock("d" + std::to_string(i) + ".example", "192.0.2." + std::to_string(i));
  Told(StrangerWatch::kMaxAMinute);
  const int asked = dns_.questions;
  Knock("late.example", "198.51.100.1");
  EXPECT_EQ(dns_.questions, asked);
  clock_.Advance(StrangerWatch::kAgain);
  Knock("late.example", "198.51.100.1");
  EXPECT_GT(dns_.questions, asked);
}

TEST_F(StrangerWatchTest, OneAddressLeavesRoomForTheOthers) {
  for (int i = 0; i < 100; ++i) Knock("d" + std::to_string(i) + ".example", "192.0.2.1");
  Knock("honest.example", "198.51.100.1");
  const std::vector<std::string> told = Told(StrangerWatch::kMaxOfAnAddress + 1);
  EXPECT_EQ(told.size(), StrangerWatch::kMaxOfAnAddress + 1);
  EXPECT_THAT(told, testing::Contains("honest.example"));
  Knock("d0.example", "192.0.2.1");  // of one that is known every knock counts
  clock_.Advance(StrangerWatch::kAgain);
  Knock("e.example", "192.0.2.1");
  EXPECT_THAT(Told(told.size() + 2), testing::Contains("e.example"));
}

TEST_F(StrangerWatchTest, ANetworkOfIpv6IsOneAddress) {
  for (int i = 0; i < 10; ++i)
    Knock("d" + std::to_string(i) + ".example", "2001:db8:0:1::" + std::to_string(i + 1));
  Knock("next.example", "2001:db8:0:2::1");
  EXPECT_EQ(Told(StrangerWatch::kMaxOfAnAddress + 1).size(), StrangerWatch::kMaxOfAnAddress + 1);
}

TEST(CertificateLine, SaysWhoseItIsWhoVouchesForItAndHowLong) {
  EXPECT_THAT(CertificateLine({}), IsEmpty());
  PeerCertificate certificate;
  certificate.presented = certificate.chain_valid = true;
  certificate.dns_names = {"one.example", "two.example"};
  certificate.issuer = "Lab CA";
  certificate.not_before_unix = 1'767'225'600;
  certificate.not_after_unix = 1'798'761'600;
  certificate.sha256 = "5ha256";
  EXPECT_EQ(CertificateLine(certificate),
            "chain valid; 2026-01-01 to 2027-01-01; sha256 5ha256; by Lab CA; for one.example, "
            "two.example");
  certificate.chain_valid = false;
  certificate.chain_error = "self-signed";
  certificate.issuer.clear();
  certificate.dns_names.assign(10, "x.example");
  EXPECT_THAT(CertificateLine(certificate),
              AllOf(StartsWith("self-signed; "), HasSubstr("; by nobody named; for x.example, "),
                    EndsWith("x.example and 2 more")));
}

TEST(CertificateLine, KeepsTheStrangersWordsApartFromOurs) {
  PeerCertificate certificate;
  certificate.presented = true;
  certificate.chain_error = "self-signed";
  certificate.sha256 = "5ha256";
  certificate.xmpp_addrs = {"x.example; by Good CA; chain valid; " + std::string(400, 'x')};
  const std::string line = CertificateLine(certificate);
  EXPECT_THAT(line, StartsWith("self-signed; "));
  EXPECT_THAT(line, HasSubstr("; for x.example? by Good CA? chain valid? xxx"));
  EXPECT_LT(line.size(), 300U);
}

}  // namespace
}  // namespace gatehouse
