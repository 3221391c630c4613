// Both dialback roles of an inbound stream (2.8).
#include <gtest/gtest.h>

#include "core/xmpp/stream_machine.h"
#include "tests/unit/core/xmpp/stream_scene.h"

namespace gatehouse {
namespace {

constexpr std::string_view kValid =
    "<db:result from='corp.example' to='partner.example' type='valid'/>";
constexpr std::string_view kByTls = "[verified partner.example to corp.example by tls_dialback]";
constexpr std::string_view kByClear = "[verified partner.example to corp.example by tcp_dialback]";
constexpr std::string_view kByCertificate =
    "[verified partner.example to corp.example by sasl_tls]";

std::string Text(std::string_view a, std::string_view b = {}) {
  return std::string(a) + std::string(b);
}

TEST(Dialback, VerifiesAKeyAndOpensTheStream) {
  StreamScene scene(17);
  scene.Header();
  EXPECT_EQ(scene.In(Key()), "[prove partner.example to corp.example id id1 key 9f0c77]");
  EXPECT_EQ(scene.machine_.state(), StreamState::kFeaturesClear);
  EXPECT_EQ(scene.Proof(proto::DIALBACK_VALID), Text(kValid, kByClear));
  EXPECT_EQ(scene.In(Message()), "[deliver]");
  EXPECT_TRUE(
      scene.delivered_.at(0).starts_with("partner.example -> corp.example by tcp_dialback"));
}

TEST(Dialback, StripsWhiteSpaceAroundTheKey) {
  StreamScene scene(17);
  scene.Header();
  EXPECT_EQ(scene.In(Key("partner.example", "corp.example", "\n   9f0c77 \t\n")),
            "[prove partner.example to corp.example id id1 key 9f0c77]");
}

TEST(Dialback, AcceptsNoStanzaWhileItsPairIsPending) {
  StreamScene scene(17);
  scene.Header();
  scene.In(Key());
  EXPECT_EQ(scene.In(Message()), OurError("not-authorized"));
}

// --- 4.5, columns of db:result

TEST(Dialback, AnswersAKeyOnClearTcpByRow) {
  const std::string policy =
      DialbackError("corp.example", "partner.example", "modify", "policy-violation");
  const std::string off =
      DialbackError("corp.example", "partner.example", "auth", "not-authorized");
  const std::string prove = "[prove partner.example to corp.example id id1 key 9f0c77]";
  const std::vector<std::pair<int, std::string>> cases = {
      {1, policy}, {2, off},  {3, prove},  {4, off},     {5, prove},  {7, policy}, {8, off},
      {9, prove},  {10, off}, {11, prove}, {13, policy}, {15, prove}, {17, prove}};
  for (const auto& [row, answer] : cases) {
    StreamScene scene(row);
    scene.Header();
    EXPECT_EQ(scene.In(Key()), answer) << "row " << row;
    EXPECT_NE(scene.machine_.state(), StreamState::kClosed);
  }
}

TEST(Dialback, AnswersAKeyInsideTlsByRowAndCertificate) {
  const std::string not_authorized =
      DialbackError("corp.example", "partner.example", "auth", "not-authorized");
  const std::string prove = "[prove partner.example to corp.example id id2 key 9f0c77]";
  const std::string shortcut = Text(kValid, kByCertificate);
  const std::vector<std::tuple<int, std::string, std::string>> cases = {
      {1, not_authorized, ""}, {2, not_authorized, ""},  {4, not_authorized, ""},
      {8, not_authorized, ""}, {10, not_authorized, ""}, {3, shortcut, prove},
      {9, shortcut, prove},    {7, shortcut, prove},     {13, prove, prove},
      {15, prove, prove}};
  for (const auto& [row, with_certificate, without] : cases) {
    StreamScene good(row);
    good.UpToTls({"partner.example"});
    EXPECT_EQ(good.In(Key()), with_certificate) << "row " << row;
    if (without.empty()) continue;
    StreamScene bad(row);
    bad.UpToTls({});
    EXPECT_EQ(bad.In(Key()), without) << "row " << row;
    EXPECT_EQ(bad.Proof(proto::DIALBACK_VALID), Text(kValid, kByTls)) << "row " << row;
  }
}

TEST(Dialback, TakesFurtherPairsOfRow1ByCertificateOnly) {
  StreamScene scene(
      {PartnerOfRow(1), PartnerOfRow(1, "chat.partner.example"), PartnerOfRow(1, "third.example")});
  scene.UpToTls({"partner.example", "chat.partner.example"});
  scene.In(Auth("="));
  scene.Header();
  EXPECT_EQ(scene.In(Key("chat.partner.example")),
            "<db:result from='corp.example' to='chat.partner.example' type='valid'/>"
            "[verified chat.partner.example to corp.example by sasl_tls]");
  EXPECT_EQ(scene.In(Key("third.example")),
            DialbackError("corp.example", "third.example", "auth", "not-authorized"));
  EXPECT_EQ(scene.In(Message("bob@chat.partner.example")), "[deliver]");
}

TEST(Dialback, TellsOnlyOnceThatItIsSwitchedOff) {
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.In(Key("partner.example", "second.corp.example")),
            DialbackError("second.corp.example", "partner.example", "auth", "not-authorized"));
  EXPECT_EQ(scene.In(Key("partner.example", "second.corp.example")), "");
  EXPECT_EQ(scene.In(Message()), "[deliver]");
}

TEST(Dialback, SaysNothingOfItWhereTheOperatorWantsSilence) {
  proto::PolicySnapshot snapshot;
  *snapshot.add_partners() = PartnerOfRow(2);
  snapshot.mutable_gateway()->set_dialback_disabled_reply(proto::SILENT);
  StreamScene scene(2);
  scene.rules_.policy = std::make_shared<const PolicyView>(std::move(snapshot));
  scene.Header();
  EXPECT_EQ(scene.In(Key()), "");
  EXPECT_EQ(scene.machine_.state(), StreamState::kFeaturesClear);
  EXPECT_TRUE(scene.answered_.empty());
}

// --- the same certificate at the authoritative server (2.8.6)

std::string AskedWith(int row, bool switched_on, bool trusted, const std::string& name) {
  proto::Partner partner = PartnerOfRow(row);
  partner.set_same_certificate(switched_on);
  StreamScene scene({partner});
  scene.Header();
  scene.In(kStartTls);
  if (trusted)
    scene.TlsDone({name});
  else
    scene.TlsDoneUntrusted({name});
  scene.Header();
  const std::string said = scene.In(Key());
  return said.substr(said.find(" key "));
}

TEST(Dialback, MayBeProvenByTheSameCertificateWhereThatIsSwitchedOn) {
  for (const int row : {7, 9, 13}) {
    EXPECT_EQ(AskedWith(row, true, false, "partner.example"), " key 9f0c77 or certificate 5ha256]");
    EXPECT_EQ(AskedWith(row, false, false, "partner.example"), " key 9f0c77]");
    EXPECT_EQ(AskedWith(row, true, false, "other.example"), " key 9f0c77]");
  }
  EXPECT_EQ(AskedWith(13, true, true, "partner.example"), " key 9f0c77]") << "it is trusted";
}

TEST(Dialback, InClearThereIsNoCertificateToBeTheSame) {
  proto::Partner partner = PartnerOfRow(17);
  partner.set_same_certificate(true);
  StreamScene scene({partner});
  scene.Header();
  EXPECT_TRUE(scene.In(Key()).ends_with(" key 9f0c77]"));
}

// --- 2.8.3

TEST(Dialback, KeepsTheStreamForATargetItDoesNotServe) {
  StreamScene scene({PartnerOfRow(9), PartnerOfRow(9, "chat.partner.example")});
  scene.UpToSasl();
  EXPECT_EQ(
      scene.In(Key("chat.partner.example", "nosuch.corp.example")),
      DialbackError("nosuch.corp.example", "chat.partner.example", "cancel", "item-not-found"));
  EXPECT_EQ(scene.In(Message()), "[deliver]");
}

TEST(Dialback, NamesASenderThatIsNoPartner) {
  StreamScene scene(17);
  scene.Header();
  EXPECT_EQ(scene.In(Key("other.example")),
            DialbackError("corp.example", "other.example", "cancel", "not-allowed"));
}

TEST(Dialback, JudgesASecondSenderByItsOwnRow) {
  StreamScene scene(
      {PartnerOfRow(17), PartnerOfRow(13, "strict.example"), PartnerOfRow(2, "off.example")});
  scene.Header();
  EXPECT_EQ(scene.In(Key("strict.example")),
            DialbackError("corp.example", "strict.example", "modify", "policy-violation"));
  EXPECT_EQ(scene.In(Key("off.example")),
            DialbackError("corp.example", "off.example", "auth", "not-authorized"));
}

TEST(Dialback, Holds32PairsAtMost) {
  std::vector<proto::Partner> partners = {PartnerOfRow(17)};
  for (int i = 0; i < 33; ++i)
    partners.push_back(PartnerOfRow(17, "p" + std::to_string(i) + ".example"));
  StreamScene scene(partners);
  scene.Header();
  for (int i = 0; i < 32; ++i)
    EXPECT_TRUE(scene.In(Key("p" + std::to_string(i) + ".example")).starts_with("[prove"));
  EXPECT_EQ(scene.In(Key("p32.example")),
            DialbackError("corp.example", "p32.example", "wait", "resource-constraint"));
}

TEST(Dialback, RefusesThePartnersFirstPairWhereItHasNoRoomLeft) {
  StreamScene scene(17);
  scene.Header();
  scene.rules_.partner_has_room = [](const proto::Partner&) { return false; };
  EXPECT_EQ(scene.In(Key()),
            DialbackError("corp.example", "partner.example", "wait", "resource-constraint"));
}

TEST(Dialback, AnswersAVerifiedPairAtOnceAndAPendingOneWithAnError) {
  StreamScene scene(17);
  scene.Header();
  scene.In(Key());
  EXPECT_EQ(scene.In(Key()),
            DialbackError("corp.example", "partner.example", "wait", "unexpected-request"));
  scene.Proof(proto::DIALBACK_VALID);
  EXPECT_EQ(scene.In(Key()), kValid);
}

TEST(Dialback, RefusesAKeyThatIsNoneWithoutAskingAnybody) {
  for (const std::string& key :
       {std::string(), std::string(257, 'a'), std::string("a b"), std::string("k\xC3\xBC")}) {
    StreamScene scene(17);
    scene.Header();
    EXPECT_EQ(scene.In(Key("partner.example", "corp.example", key)),
              "<db:result from='corp.example' to='partner.example' type='invalid'/>"
              "</stream:stream>[close dialback-invalid]");
  }
}

TEST(Dialback, EndsForAttributesThatAreNoDomains) {
  for (const char* element : {"<db:result from='a@partner.example' to='corp.example'>k</db:result>",
                              "<db:result to='corp.example'>k</db:result>",
                              "<db:result from='partner.example' to='corp.example/r'>k</db:result>",
                              "<db:verify from='partner.example' id='1'>k</db:verify>"}) {
    StreamScene scene(17);
    scene.Header();
    EXPECT_EQ(scene.In(element), OurError("improper-addressing")) << element;
  }
}

TEST(Dialback, AnswersEveryOutcomeOfTheProof) {
  const std::vector<std::pair<proto::DialbackVerdict, std::string>> cases = {
      {proto::DIALBACK_NOT_FOUND,
       DialbackError("corp.example", "partner.example", "cancel", "remote-server-not-found")},
      {proto::DIALBACK_CONNECTION_FAILED,
       DialbackError("corp.example", "partner.example", "cancel", "remote-connection-failed")},
      {proto::DIALBACK_TIMEOUT,
       DialbackError("corp.example", "partner.example", "wait", "remote-server-timeout")},
      {proto::DIALBACK_UNKNOWN,
       DialbackError("corp.example", "partner.example", "wait", "remote-server-timeout")},
      {proto::DIALBACK_INVALID,
       "<db:result from='corp.example' to='partner.example' type='invalid'/>"
       "</stream:stream>[close dialback-invalid]"}};
  for (const auto& [verdict, answer] : cases) {
    StreamScene scene(17);
    scene.Header();
    scene.In(Key());
    EXPECT_EQ(scene.Proof(verdict), answer);
    EXPECT_FALSE(scene.machine_.has_verified_pair());
  }
}

TEST(Dialback, AcceptsNoStanzaOfAPendingPairBecauseAnotherIsVerified) {
  for (const auto& [from, to, condition] :
       {std::tuple{"chat.partner.example", "corp.example", "invalid-from"},
        std::tuple{"partner.example", "second.corp.example", "host-unknown"}}) {
    StreamScene scene({PartnerOfRow(17), PartnerOfRow(17, "chat.partner.example")});
    scene.Header();
    scene.In(Key());
    scene.Proof(proto::DIALBACK_VALID);
    scene.In(Key(from, to));
    EXPECT_EQ(scene.In(Message(std::string("bob@") + from, std::string("ann@") + to)),
              OurError(condition));
    EXPECT_TRUE(scene.delivered_.empty());
  }
}

TEST(Dialback, MayBeTriedAgainAfterAnError) {
  StreamScene scene(17);
  scene.Header();
  scene.In(Key());
  scene.Proof(proto::DIALBACK_TIMEOUT);
  EXPECT_TRUE(scene.In(Key()).starts_with("[prove"));
}

TEST(Dialback, KeepsTheStreamOfOtherPairsWhenAKeyIsInvalid) {
  StreamScene scene({PartnerOfRow(17), PartnerOfRow(17, "chat.partner.example")});
  scene.Header();
  scene.In(Key());
  scene.Proof(proto::DIALBACK_VALID);
  scene.In(Key("chat.partner.example"));
  EXPECT_EQ(scene.In(Message()), "[deliver]");  // others flow while one is pending
  EXPECT_EQ(scene.Proof(proto::DIALBACK_INVALID),
            DialbackError("corp.example", "chat.partner.example", "auth", "forbidden"));
  EXPECT_EQ(scene.In(Message()), "[deliver]");
  EXPECT_EQ(scene.In(Message("bob@chat.partner.example")), OurError("invalid-from"));
}

TEST(Dialback, ForgetsWhatWasPendingInClearOnceTlsIsOn) {
  StreamScene scene(9);
  scene.Header();
  scene.In(Key());
  scene.In(kStartTls);
  scene.TlsDone({});
  EXPECT_EQ(scene.Proof(proto::DIALBACK_VALID), "");
  scene.Header();
  EXPECT_EQ(scene.In(Message()), OurError("not-authorized"));
}

TEST(Dialback, DropsAProofThatComesTwiceOrTooLate) {
  StreamScene scene(17);
  scene.Header();
  scene.In(Key());
  scene.Proof(proto::DIALBACK_VALID);
  EXPECT_EQ(scene.Proof(proto::DIALBACK_INVALID), "");
  scene.In("</stream:stream>");
  EXPECT_EQ(scene.Proof(proto::DIALBACK_VALID), "");
}

// --- 2.8.4, 2.8.9

constexpr std::string_view kVerify =
    "<db:verify from='partner.example' to='corp.example' id='D60'>9f0c77</db:verify>";

TEST(Dialback, EndsWithResetWhenTheRowChangedBeforeTheProofCame) {
  StreamScene scene(17);
  scene.Header();
  scene.In(Key());
  scene.rules_.policy = MakePolicy({PartnerOfRow(13)});
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), OurError("reset"));
  EXPECT_EQ(scene.Proof(proto::DIALBACK_VALID), "");
  EXPECT_FALSE(scene.machine_.has_verified_pair());
}

TEST(Dialback, JudgesKeysInEveryPhase) {
  StreamScene scene(2);
  scene.Header();
  EXPECT_EQ(scene.In(kVerify),
            "[judge partner.example of corp.example id D60 key 9f0c77 weight 1]");
  EXPECT_EQ(scene.Judged(proto::DIALBACK_VALID),
            "<db:verify from='corp.example' to='partner.example' type='valid' id='D60'/>");
  scene.In(kStartTls);
  scene.TlsDone({"partner.example"});
  scene.Header();
  scene.In(kVerify);
  EXPECT_EQ(scene.Judged(proto::DIALBACK_INVALID),
            "<db:verify from='corp.example' to='partner.example' type='invalid' id='D60'/>");
  EXPECT_EQ(scene.Judged(proto::DIALBACK_VALID), "");
}

TEST(Dialback, JudgesForADomainThatIsNoPartnerAtDoubleWeight) {
  StreamScene scene(2);
  scene.Header("");
  EXPECT_EQ(scene.In("<db:verify from='other.example' to='corp.example' id='1'>k</db:verify>"),
            "[judge other.example of corp.example id 1 key k weight 2]");
}

TEST(Dialback, AnswersVerifyRequestsItCannotJudge) {
  StreamScene scene(2);
  scene.Header();
  EXPECT_EQ(scene.In("<db:verify from='partner.example' to='nosuch.example' id='1'>k</db:verify>"),
            "<db:verify from='nosuch.example' to='partner.example' type='error' id='1'>"
            "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            "</error></db:verify>");
  EXPECT_EQ(scene.refused_,
            std::vector<std::string>{
                "partner.example to nosuch.example: not-our-domain (a dialback key of "
                "it is asked about), item-not-found"});
  EXPECT_EQ(scene.In("<db:verify from='partner.example' to='corp.example' id='a b'>k</db:verify>"),
            "<db:verify from='corp.example' to='partner.example' type='invalid' id='a b'/>");
  scene.In(kVerify);
  EXPECT_TRUE(scene.Judged(proto::DIALBACK_UNKNOWN).find("internal-server-error") !=
              std::string::npos);
}

TEST(Dialback, EndsAfter50VerifyRequests) {
  StreamScene scene(2);
  scene.Header();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(scene.In(kVerify).starts_with("[judge"));
  EXPECT_EQ(scene.In(kVerify), OurError("policy-violation"));
}

TEST(Dialback, ClosesAStreamThatOnlyVerifiedWithoutError) {
  StreamScene scene(2);
  scene.Header();
  scene.In(kVerify);
  EXPECT_EQ(scene.Told(scene.machine_.OnEstablishmentTimeout()),
            "</stream:stream>[close establishment-timeout]");
}

TEST(Dialback, EndsForUnsolicitedResults) {
  for (const char* element :
       {"<db:result from='partner.example' to='corp.example' type='valid'/>",
        "<db:verify from='partner.example' to='corp.example' id='1' type='valid'/>"}) {
    StreamScene scene(17);
    scene.Header();
    EXPECT_EQ(scene.In(element), OurError("policy-violation"));
    EXPECT_FALSE(scene.machine_.has_verified_pair());
  }
}

}  // namespace
}  // namespace gatehouse
