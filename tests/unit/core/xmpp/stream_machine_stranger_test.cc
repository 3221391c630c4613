// Unlisted domains while the gateway discovers: let go on to TLS for their certificate, no further.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/xmpp/stream_scene.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kProceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

class StrangerTest : public testing::Test {
 protected:
  StrangerTest() : scene(2) { Publish({PartnerOfRow(2)}, true); }
  void Publish(const std::vector<proto::Partner>& partners, bool discover) {
    proto::PolicySnapshot snapshot;
    for (const proto::Partner& partner : partners) *snapshot.add_partners() = partner;
    snapshot.mutable_gateway()->set_discover(discover);
    snapshot.add_denied_domains("denied.example");
    scene.rules_.policy = std::make_shared<const PolicyView>(std::move(snapshot));
  }
  std::string Knock() { return scene.Header("stranger.example"); }
  void UpToTls(std::vector<std::string> names) {
    Knock();
    scene.In(kStartTls);
    scene.TlsDone(std::move(names));
  }
  static std::string RefusedAtOnce(std::string_view from, std::string_view id = "id1") {
    return OurHeader(id, from) + OurError("policy-violation");
  }

  StreamScene scene;
};

TEST_F(StrangerTest, GoesOnToTlsAndIsRefusedBehindIt) {
  EXPECT_EQ(Knock(), OurHeader("id1", "stranger.example") + Features(kOfferTlsRequired));
  EXPECT_THAT(scene.refused_, IsEmpty());
  EXPECT_EQ(scene.In(kStartTls), std::string(kProceed) + "[tls corp.example]");
  scene.TlsDone({"stranger.example"});
  EXPECT_EQ(Knock(), RefusedAtOnce("stranger.example", "id2"));
  EXPECT_THAT(scene.texts_, ElementsAre("not a partner (r1)"));
  EXPECT_THAT(scene.refused_,
              ElementsAre("stranger.example to corp.example: unknown-partner, policy-violation"));
  ASSERT_NE(scene.machine_.stranger(), nullptr);
  EXPECT_EQ(scene.machine_.stranger()->from, "stranger.example");
  EXPECT_EQ(scene.machine_.stranger()->to, "corp.example");
}

TEST_F(StrangerTest, IsRefusedAtOnceWhereNobodyDiscovers) {
  Publish({PartnerOfRow(2)}, false);
  EXPECT_EQ(Knock(), RefusedAtOnce("stranger.example"));
  EXPECT_EQ(scene.machine_.stranger(), nullptr);
}

TEST_F(StrangerTest, GetsNothingButTls) {
  for (const std::string& said :
       {Key("stranger.example"), Message("bob@stranger.example"), Auth("="),
        std::string("<db:verify from='stranger.example' to='corp.example' id='1'>k</db:verify>"),
        std::string("<bidi xmlns='urn:xmpp:bidi'/>"),
        std::string("<enable xmlns='urn:xmpp:sm:3'/>"), Key("partner.example")}) {
    StreamScene fresh(2);
    fresh.rules_.policy = scene.rules_.policy;
    fresh.Header("stranger.example");
    EXPECT_EQ(fresh.In(said), OurError("policy-violation")) << said;
    EXPECT_THAT(fresh.refused_,
                ElementsAre("stranger.example to corp.example: unknown-partner, policy-violation"));
  }
}

TEST_F(StrangerTest, DoesNotGoOnWithoutANameInsideTls) {
  UpToTls({"stranger.example"});
  EXPECT_EQ(scene.Header(""), RefusedAtOnce("", "id2"));
  ASSERT_NE(scene.machine_.stranger(), nullptr);
  EXPECT_EQ(scene.machine_.stranger()->from, "stranger.example");
}

TEST_F(StrangerTest, ThatCallsItselfAPartnerInsideTlsIsOneIfItCanProveIt) {
  UpToTls({"partner.example"});
  EXPECT_EQ(scene.Header(), OurHeader("id2") + Features(kOfferExternal));
  EXPECT_EQ(scene.machine_.stranger(), nullptr);
  EXPECT_THAT(scene.refused_, IsEmpty());
}

TEST_F(StrangerTest, WhoIsNoStrangerIsRefusedAtOnceAsEver) {
  proto::Partner disabled = PartnerOfRow(2, "off.example");
  disabled.set_enabled(false);
  Publish({PartnerOfRow(2), disabled}, true);
  for (const char* from : {"off.example", "denied.example", "corp.example"}) {
    StreamScene fresh(2);
    fresh.rules_.policy = scene.rules_.policy;
    EXPECT_EQ(fresh.Header(from), RefusedAtOnce(from)) << from;
    EXPECT_EQ(fresh.machine_.stranger(), nullptr);
  }
}

TEST_F(StrangerTest, InDirectTlsIsRefusedAtOnceForItsCertificateWasSeen) {
  scene.Told(scene.machine_.OnDirectTls());
  scene.TlsDone({"stranger.example"});
  EXPECT_EQ(Knock(), RefusedAtOnce("stranger.example"));
}

TEST_F(StrangerTest, BeginsAnewOnceItIsAPartner) {
  Knock();
  Publish({PartnerOfRow(2)}, true);
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), "");
  Publish({PartnerOfRow(2), PartnerOfRow(2, "stranger.example")}, true);
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), OurError("reset"));
}

}  // namespace
}  // namespace gatehouse
