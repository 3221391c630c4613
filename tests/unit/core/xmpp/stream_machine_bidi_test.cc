// Stanzas of ours on a stream the peer opened (2.14).
#include <gtest/gtest.h>

#include "tests/unit/core/xmpp/stream_scene.h"

namespace gatehouse {
namespace {

constexpr std::string_view kOfferBidi = "<bidi xmlns='urn:xmpp:features:bidi'/>";
constexpr std::string_view kBidi = "<bidi xmlns='urn:xmpp:bidi'/>";

bool Offers(const std::string& said) {
  return said.find(kOfferBidi) != std::string::npos;
}
// Rows of 4.2: 1 certificate only, 13 dialback inside TLS only, 17 dialback in clear only.
StreamScene SceneOf(int row) {
  return StreamScene({WithBidi(PartnerOfRow(row))});
}
proto::Partner TwoDomains() {
  proto::Partner partner = WithBidi(PartnerOfRow(1));
  partner.add_additional_domains("more.partner.example");
  return partner;
}

TEST(StreamMachineBidi, IsOfferedInsideTlsOnlyAndOnlyToWhomItIsSwitchedOnFor) {
  StreamScene on = SceneOf(1);
  EXPECT_FALSE(Offers(on.Header()));
  on.In(kStartTls);
  on.TlsDone({"partner.example"});
  EXPECT_TRUE(Offers(on.Header()));
  StreamScene off(1);
  EXPECT_FALSE(Offers(off.UpToTls({"partner.example"})));
}

TEST(StreamMachineBidi, IsNotOfferedOnceThePeerIsAuthenticated) {
  StreamScene scene = SceneOf(1);
  EXPECT_FALSE(Offers(scene.UpToSasl()));
}

TEST(StreamMachineBidi, LetsOursOutOnceThePeerIsAuthenticated) {
  StreamScene scene = SceneOf(1);
  scene.UpToTls({"partner.example"});
  EXPECT_EQ(scene.In(kBidi), "");
  scene.In(Auth("="));
  EXPECT_TRUE(scene.Header().ends_with(
      "[verified partner.example to corp.example by sasl_tls, takes ours]"));
}

TEST(StreamMachineBidi, KeepsOursAwayFromAPeerThatDidNotAsk) {
  StreamScene scene = SceneOf(1);
  EXPECT_TRUE(scene.UpToSasl().ends_with("[verified partner.example to corp.example by sasl_tls]"));
}

TEST(StreamMachineBidi, LetsOursOutForEachPairThatAKeyProved) {
  StreamScene scene = SceneOf(13);
  scene.UpToTls({});
  scene.In(kBidi);
  scene.In(Key());
  EXPECT_TRUE(scene.Proof(proto::DIALBACK_VALID).ends_with("by tls_dialback, takes ours]"));
  scene.In(Key("partner.example", "second.corp.example"));
  EXPECT_TRUE(scene.Proof(proto::DIALBACK_VALID)
                  .ends_with("to second.corp.example by tls_dialback, takes ours]"));
}

TEST(StreamMachineBidi, KeepsOursToTheHeadersPairWhereExternalProvedIt) {
  StreamScene scene({TwoDomains()});
  scene.UpToTls({"partner.example", "more.partner.example"});
  scene.In(kBidi);
  scene.In(Auth("="));
  scene.Header();
  EXPECT_TRUE(scene.In(Key("more.partner.example"))
                  .ends_with("[verified more.partner.example to corp.example by sasl_tls]"));
}

TEST(StreamMachineBidi, AKeyThatIsRefusedLetsNothingOut) {
  StreamScene scene = SceneOf(13);
  scene.UpToTls({});
  scene.In(kBidi);
  scene.In(Key());
  const std::string said = scene.Proof(proto::DIALBACK_INVALID);
  EXPECT_EQ(said.find("takes ours"), std::string::npos);
  EXPECT_TRUE(said.ends_with("[close dialback-invalid]"));
}

// --- what a peer may not do

TEST(StreamMachineBidi, IsNotTakenInClear) {
  StreamScene scene = SceneOf(17);
  scene.Header();
  EXPECT_EQ(scene.In(kBidi), OurError("unsupported-stanza-type"));
}

TEST(StreamMachineBidi, IsNotTakenWhereItWasNotOffered) {
  StreamScene scene(1);
  scene.UpToTls({"partner.example"});
  EXPECT_EQ(scene.In(kBidi), OurError("unsupported-stanza-type"));
}

TEST(StreamMachineBidi, IsNotTakenAfterAuthentication) {
  StreamScene scene = SceneOf(1);
  scene.UpToSasl();
  EXPECT_EQ(scene.In(kBidi), OurError("unsupported-stanza-type"));
}

TEST(StreamMachineBidi, IsNotTakenBehindAKey) {
  StreamScene scene = SceneOf(13);
  scene.UpToTls({});
  scene.In(Key());
  EXPECT_EQ(scene.In(kBidi), OurError("unsupported-stanza-type"));
}

TEST(StreamMachineBidi, IsTakenOnce) {
  StreamScene scene = SceneOf(1);
  scene.UpToTls({"partner.example"});
  scene.In(kBidi);
  EXPECT_EQ(scene.In(kBidi), OurError("unsupported-stanza-type"));
}

TEST(StreamMachineBidi, AStanzaBeforeProofEndsTheStreamAllTheSame) {
  StreamScene scene = SceneOf(1);
  scene.UpToTls({"partner.example"});
  EXPECT_EQ(scene.In(std::string(kBidi) + Message()), OurError("not-authorized"));
  EXPECT_TRUE(scene.delivered_.empty());
}

TEST(StreamMachineBidi, ASpoofedSenderEndsTheStreamAllTheSame) {
  StreamScene scene = SceneOf(1);
  scene.UpToTls({"partner.example"});
  scene.In(kBidi);
  scene.In(Auth("="));
  scene.Header();
  EXPECT_EQ(scene.In(Message("eve@other.example")), OurError("invalid-from"));
}

// We ask for nothing on such a stream, so that no answer can be one (2.8.9).
TEST(StreamMachineBidi, AnAnswerToADialbackRequestOfNobodyEndsTheStream) {
  for (const char* answer :
       {"<db:result from='partner.example' to='corp.example' type='valid'/>",
        "<db:verify from='partner.example' to='corp.example' id='x' type='valid'/>"}) {
    StreamScene scene = SceneOf(13);
    scene.UpToTls({});
    scene.In(kBidi);
    EXPECT_EQ(scene.In(answer), OurError("policy-violation")) << answer;
  }
}

// --- changed settings

TEST(StreamMachineBidi, SwitchedOffEndsTheStreamThatUsesIt) {
  StreamScene scene = SceneOf(1);
  scene.UpToTls({"partner.example"});
  scene.In(kBidi);
  scene.In(Auth("="));
  scene.Header();
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), "");
  scene.rules_.policy = MakePolicy({PartnerOfRow(1)});
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), OurError("reset"));
}

TEST(StreamMachineBidi, SwitchedOffLeavesTheOthersAlone) {
  StreamScene scene = SceneOf(1);
  scene.UpToSasl();
  scene.rules_.policy = MakePolicy({PartnerOfRow(1)});
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), "");
}

// --- acknowledgements of ours

class AckedBidi : public ::testing::Test {
 protected:
  void SetUp() override {
    scene_.UpToTls({"partner.example"});
    scene_.In(kBidi);
    scene_.In(Auth("="));
    scene_.Header();
    EXPECT_FALSE(scene_.machine_.counts_ours());
    scene_.In("<enable xmlns='urn:xmpp:sm:3'/>");
  }
  StreamScene scene_ = SceneOf(1);
};

TEST_F(AckedBidi, AreThePeersToCount) {
  EXPECT_TRUE(scene_.machine_.counts_ours());
  EXPECT_EQ(scene_.In("<a xmlns='urn:xmpp:sm:3' h='3'/>"), "[handled 3]");
}

TEST_F(AckedBidi, OfWhatWasNeverSentEndTheStream) {
  EXPECT_EQ(scene_.Told(scene_.machine_.OnFalseAck(3, 2)),
            AckXml(0) + HandledTooHighXml(3, 2) + "[close undefined-condition]");
}

}  // namespace
}  // namespace gatehouse
