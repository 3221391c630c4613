// Header, features, STARTTLS, SASL, stanzas and ends of an inbound stream (2.1 to 2.7, 2.9, 2.16).
#include "core/xmpp/stream_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "tests/unit/core/xmpp/stream_scene.h"

namespace gatehouse {
namespace {

using testing::HasSubstr;

// --- 2.17

TEST(StreamMachine, PlaysTheExternalExampleToItsFirstStanza) {
  StreamScene scene(2);
  EXPECT_EQ(scene.Header(), OurHeader("id1") + Features(kOfferTlsRequired));
  EXPECT_EQ(scene.In(kStartTls),
            "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>[tls corp.example]");
  scene.TlsDone({"partner.example"});
  EXPECT_EQ(scene.Header(), OurHeader("id2") + Features(kOfferExternal));
  EXPECT_EQ(scene.In(Auth("cGFydG5lci5leGFtcGxl")),
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  EXPECT_EQ(scene.Header(), OurHeader("id3") + Features(kOfferAcks) +
                                "[verified partner.example to corp.example by sasl_tls]");
  EXPECT_EQ(scene.machine_.state(), StreamState::kOpen);
  EXPECT_EQ(scene.In(Message()), "[deliver]");
  EXPECT_EQ(scene.delivered_.at(0), "partner.example -> corp.example by sasl_tls: " + Message());
  EXPECT_EQ(scene.In("</stream:stream>"), "</stream:stream>[close peer-closed]");
}

TEST(StreamMachine, EndsTheStreamOfASpoofedSender) {
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.In(Message("eve@other.example")), OurError("invalid-from"));
  EXPECT_EQ(scene.machine_.state(), StreamState::kClosed);
  EXPECT_TRUE(scene.delivered_.empty());
}

TEST(StreamMachine, EndsTheStreamOfAnAuthenticatedPeerThatSpeaksForUs) {
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.In(Message("ann@corp.example")), OurError("invalid-from"));
}

TEST(StreamMachine, EndsTheStreamForATargetThePairDoesNotHave) {
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.In(Message("bob@partner.example", "ann@second.corp.example")),
            OurError("host-unknown"));
}

// --- 2.2

struct HeaderCase {
  const char* what;
  std::string header;
  const char* condition;
};

TEST(StreamMachine, ChecksTheHeaderInOrderAndAnswersWithAHeaderFirst) {
  const std::string streams = "http://etherx.jabber.org/streams";
  const std::string names = " from='partner.example' to='corp.example'";
  const auto header = [&](const std::string& tag, const std::string& prefix, const std::string& ns,
                          const std::string& content, const std::string& rest) {
    return "<" + tag + " xmlns:" + prefix + "='" + ns + "' xmlns='" + content + "'" + rest + ">";
  };
  const std::vector<HeaderCase> cases = {
      {"4 stream namespace", header("stream:stream", "stream", "urn:x", "jabber:server", names),
       "invalid-namespace"},
      {"5 prefix", header("x:stream", "x", streams, "jabber:server", names),
       "bad-namespace-prefix"},
      {"5 local name", header("stream:flow", "stream", streams, "jabber:server", names),
       "bad-format"},
      {"6 client namespace",
       header("stream:stream", "stream", streams, "jabber:client", names + " version='1.0'"),
       "invalid-namespace"},
      {"7 no version in a row without clear dialback",
       header("stream:stream", "stream", streams, "jabber:server", names), "unsupported-version"},
      {"7 version 0.9",
       header("stream:stream", "stream", streams, "jabber:server", names + " version='0.9'"),
       "unsupported-version"},
      {"7 nonsense",
       header("stream:stream", "stream", streams, "jabber:server", names + " version='1.x'"),
       "unsupported-version"},
      {"8 to absent", StreamScene::HeaderXml("partner.example", ""), "host-unknown"},
      {"8 to invalid", StreamScene::HeaderXml("partner.example", "a@corp.example"), "host-unknown"},
      {"9 to not served", StreamScene::HeaderXml("partner.example", "nosuch.example"),
       "host-unknown"},
      {"9 to removed", StreamScene::HeaderXml("partner.example", "old.example"), "host-gone"},
      {"10 from with localpart", StreamScene::HeaderXml("bob@partner.example", "corp.example"),
       "improper-addressing"},
      {"11 from unknown", StreamScene::HeaderXml("other.example", "corp.example"),
       "policy-violation"},
      {"11 from us", StreamScene::HeaderXml("corp.example", "corp.example"), "policy-violation"},
  };
  for (const HeaderCase& one : cases) {
    StreamScene scene(1);
    scene.rules_.removed_domains = {"old.example"};
    const std::string answer = scene.In(one.header);
    EXPECT_TRUE(answer.starts_with("<?xml version='1.0'?><stream:stream ")) << one.what << answer;
    EXPECT_TRUE(answer.ends_with(OurError(one.condition))) << one.what << ": " << answer;
  }
}

TEST(StreamMachine, AnswersFromItsDefaultDomainWhereTheHostIsUnknown) {
  StreamScene scene(1);
  EXPECT_EQ(scene.Header("partner.example", "nosuch.example"),
            OurHeader("id1", "") + OurError("host-unknown"));
}

TEST(StreamMachine, AnswersHeaderFirstWhereTheXmlIsBad) {
  StreamScene scene(1);
  EXPECT_EQ(scene.In("<!DOCTYPE x>"), OurHeader("id1", "") + OurError("restricted-xml"));
  StreamScene later(1);
  later.Header();
  EXPECT_EQ(later.In("<a></b>"), OurError("not-well-formed"));
}

TEST(StreamMachine, RefusesAPartnerThatHasNoRoomLeft) {
  StreamScene scene(1);
  scene.rules_.partner_has_room = [](const proto::Partner&) { return false; };
  EXPECT_TRUE(scene.Header().ends_with(OurError("resource-constraint")));
}

TEST(StreamMachine, UsesANewIdForEachHeader) {
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.machine_.stream_id(), "id3");
}

TEST(StreamMachine, ServesAnOldPeerWithDialbackOnly) {
  StreamScene scene(17);
  const std::string answer = scene.In(
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
      "from='partner.example' to='corp.example'>");
  EXPECT_EQ(answer, StreamHeaderXml({.from = "corp.example",
                                     .to = "partner.example",
                                     .id = "id1",
                                     .dialback = true,
                                     .version = false}));
  EXPECT_EQ(scene.machine_.state(), StreamState::kFeaturesClear);
}

TEST(StreamMachine, TakesAHeaderWithoutFromBeforeTlsAsTheStrictestRow) {
  StreamScene scene(17);
  EXPECT_EQ(scene.Header(""), OurHeader("id1", "") + Features(kOfferTlsRequired));
  EXPECT_EQ(scene.In("<db:result xmlns:db='jabber:server:dialback' from='partner.example' "
                     "to='corp.example'>k</db:result>"),
            DialbackError("corp.example", "partner.example", "modify", "policy-violation"));
}

TEST(StreamMachine, OffersNoExternalToAHeaderWithoutFromInsideTls) {
  StreamScene scene(7);
  scene.Header();
  scene.In(kStartTls);
  scene.TlsDone({"partner.example"});
  EXPECT_EQ(scene.Header(""), OurHeader("id2", "") + Features(kOfferDialback));
}

TEST(StreamMachine, WantsTheThirdHeaderToNameTheAuthenticatedDomains) {
  for (const auto& [from, to, condition] :
       {std::tuple{"", "corp.example", "invalid-from"},
        std::tuple{"chat.partner.example", "corp.example", "invalid-from"},
        std::tuple{"partner.example", "second.corp.example", "host-unknown"}}) {
    StreamScene scene({PartnerOfRow(2), PartnerOfRow(2, "chat.partner.example")});
    scene.UpToTls({"partner.example"});
    scene.In(Auth("="));
    EXPECT_TRUE(scene.Header(from, to).ends_with(OurError(condition))) << from;
  }
}

// --- 4.5

struct RowCase {
  int row;
  std::string clear, tls_ok, tls_bad;  // features; empty: the stream ends with not-authorized
};

TEST(StreamMachine, AdvertisesByRowPhaseAndCertificate) {
  const std::string external = Features(kOfferExternal);
  const std::string both = Features(kOfferExternal, kOfferDialback);
  const std::string dialback = Features(kOfferDialback);
  const std::string required = Features(kOfferTlsRequired);
  const std::string optional = Features(kOfferTls, kOfferDialback);
  const std::vector<RowCase> cases = {
      {1, required, external, ""},        {2, required, external, ""},
      {3, optional, external, dialback},  {4, required, external, ""},
      {7, required, both, dialback},      {8, required, external, ""},
      {9, optional, both, dialback},      {10, required, external, ""},
      {13, required, dialback, dialback}, {15, optional, dialback, dialback},
  };
  for (const RowCase& one : cases) {
    StreamScene clear(one.row);
    EXPECT_EQ(clear.Header(), OurHeader("id1") + one.clear) << "row " << one.row;
    EXPECT_EQ(StreamScene(one.row).UpToTls({"partner.example"}), OurHeader("id2") + one.tls_ok)
        << "row " << one.row;
    const std::string bad = one.tls_bad.empty() ? OurError("not-authorized") : one.tls_bad;
    EXPECT_EQ(StreamScene(one.row).UpToTls({}), OurHeader("id2") + bad) << "row " << one.row;
    EXPECT_EQ(StreamScene(one.row).UpToTls({"other.example"}), OurHeader("id2") + bad)
        << "row " << one.row;
  }
}

TEST(StreamMachine, RefusesTlsInARowWithoutIt) {
  for (const int row : {5, 11, 17}) {
    StreamScene scene(row);
    EXPECT_EQ(scene.Header(), OurHeader("id1") + Features(kOfferDialback)) << row;
    EXPECT_EQ(scene.In(kStartTls),
              "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"
              "[close starttls-refused]")
        << row;
  }
}

TEST(StreamMachine, AdvertisesFurtherPairsBehindExternalWhereDialbackIsOn) {
  StreamScene with(1);
  EXPECT_TRUE(with.UpToSasl().starts_with(OurHeader("id3") + Features(kOfferDialback)));
  StreamScene without(2);
  EXPECT_TRUE(without.UpToSasl().starts_with(OurHeader("id3") + Features(kOfferAcks)));
}

// --- 2.4, 2.15

TEST(StreamMachine, RefusesTlsInsideTls) {
  StreamScene scene(2);
  scene.UpToTls({"partner.example"});
  EXPECT_EQ(scene.In(kStartTls),
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"
            "[close starttls-refused]");
}

TEST(StreamMachine, DropsTheConnectionWhenTheHandshakeFails) {
  StreamScene scene(2);
  scene.Header();
  scene.In(kStartTls);
  EXPECT_EQ(scene.Told(scene.machine_.OnTlsFailed()), "[abort tls-failed]");
}

TEST(StreamMachine, TakesDirectTlsButNotInARowWithoutTls) {
  StreamScene scene(2);
  EXPECT_EQ(scene.Told(scene.machine_.OnDirectTls()), "[tls ]");
  scene.TlsDone({"partner.example"});
  EXPECT_EQ(scene.Header(), OurHeader("id1") + Features(kOfferExternal));
  StreamScene without(17);
  without.Told(without.machine_.OnDirectTls());
  without.TlsDone({"partner.example"});
  EXPECT_EQ(without.Header(), OurHeader("id1") + OurError("policy-violation"));
}

// --- 2.6

TEST(StreamMachine, AnswersEveryLineOfTheSaslTable) {
  const std::string long_name = "bm8u" + std::string(1400, 'A');
  const std::vector<std::pair<std::string, std::string>> cases = {
      {Auth("="), "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
      {Auth("UEFSVE5FUi5leGFtcGxl"), "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
      {Auth(""), "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
      {Auth("b3RoZXIuZXhhbXBsZQ=="), SaslFailure("invalid-authzid")},
      {Auth("Ym9iQHBhcnRuZXIuZXhhbXBsZQ=="), SaslFailure("invalid-authzid")},
      {Auth("!!!!"), SaslFailure("incorrect-encoding")},
      {Auth("cGFydG5l ci5leGFtcGxl"), SaslFailure("incorrect-encoding")},
      {Auth("AA=="), SaslFailure("malformed-request")},
      {Auth(long_name), SaslFailure("malformed-request")},
      {"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>=</auth>",
       SaslFailure("invalid-mechanism")},
      {"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</auth>", SaslFailure("invalid-mechanism")},
      {"<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", SaslFailure("aborted")},
      {"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</response>",
       SaslFailure("malformed-request")},
  };
  for (const auto& [input, answer] : cases) {
    StreamScene scene(7);  // dialback inside TLS is left: the stream stays
    scene.UpToTls({"partner.example"});
    EXPECT_EQ(scene.In(input), answer) << input;
  }
}

TEST(StreamMachine, TakesTheIdentityAsAnswerToItsChallenge) {
  StreamScene scene(2);
  scene.UpToTls({"partner.example"});
  scene.In(Auth(""));
  EXPECT_EQ(scene.In("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>cGFydG5lci5leGFtcGxl"
                     "</response>"),
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
}

TEST(StreamMachine, RefusesExternalThatWasNotOffered) {
  StreamScene clear(7);
  clear.Header();
  EXPECT_EQ(clear.In(Auth("=")), SaslFailure("encryption-required"));
  StreamScene tls(7);
  tls.UpToTls({"other.example"});
  EXPECT_EQ(tls.In(Auth("=")), SaslFailure("not-authorized"));
}

TEST(StreamMachine, ClosesAfterAFailureWhereNoOtherWayIsLeft) {
  StreamScene scene(2);
  scene.UpToTls({"partner.example"});
  EXPECT_EQ(scene.In(Auth("!!!!")),
            SaslFailure("incorrect-encoding") + "</stream:stream>[close sasl-failed]");
}

TEST(StreamMachine, EndsAtTheFourthSaslFailure) {
  StreamScene scene(7);
  scene.UpToTls({"partner.example"});
  for (int i = 0; i < 3; ++i) scene.In(Auth("!!!!"));
  EXPECT_EQ(scene.In(Auth("!!!!")), OurError("policy-violation"));
}

// --- 2.1, 2.9, 2.10

TEST(StreamMachine, ProcessesNoStanzaBeforeAVerifiedPair) {
  StreamScene clear(3);
  clear.Header();
  EXPECT_EQ(clear.In(Message()), OurError("not-authorized"));
  StreamScene tls(3);
  tls.UpToTls({"partner.example"});
  EXPECT_EQ(tls.In(Message()), OurError("not-authorized"));
  EXPECT_TRUE(tls.delivered_.empty());
}

TEST(StreamMachine, RefusesWhatItDoesNotKnow) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"<compress xmlns='http://jabber.org/protocol/compress'/>", "unsupported-stanza-type"},
      {"<r xmlns='urn:xmpp:sm:3'/>", "unsupported-stanza-type"},
      {"<query/>", "unsupported-stanza-type"},
      {"<message xmlns='jabber:client'/>", "invalid-namespace"},
      {"<message xmlns=''/>", "invalid-namespace"},
      {"<iq xmlns='urn:x'/>", "invalid-namespace"},
      {"<stream:stream/>", "unsupported-stanza-type"},
      {"text", "bad-format"},
  };
  for (const auto& [input, condition] : cases) {
    StreamScene open(2);
    open.UpToSasl();
    EXPECT_EQ(open.In(input), OurError(condition)) << input;
    StreamScene early(3);
    early.Header();
    EXPECT_EQ(early.In(input), OurError(condition)) << input;
  }
}

TEST(StreamMachine, EndsForImproperAddresses) {
  for (const char* stanza :
       {"<message/>", "<message to='ann@corp.example'/>", "<message from='bob@partner.example'/>",
        "<message from='@partner.example' to='ann@corp.example'/>",
        "<message from='bob@partner.example' to='a b@corp.example'/>",
        "<message from='bob@partner.example&#13;' to='ann@corp.example'/>",
        "<message from='bob@partner.example/&#x85;' to='ann@corp.example'/>",
        "<message from='bob@partner.example/&#x2028;' to='ann@corp.example'/>"}) {
    StreamScene scene(2);
    scene.UpToSasl();
    EXPECT_EQ(scene.In(stanza), OurError("improper-addressing")) << stanza;
  }
}

TEST(StreamMachine, ComparesPreparedDomains) {
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.In(Message("Bob@PARTNER.example/x", "ann@CORP.example.")), "[deliver]");
}

TEST(StreamMachine, ChecksTheShapeOfAnIq) {
  const auto iq = [](std::string_view attributes, std::string_view content) {
    return "<iq from='bob@partner.example' to='corp.example'" + std::string(attributes) + ">" +
           std::string(content) + "</iq>";
  };
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.In(iq(" id='1' type='get'", "<ping xmlns='urn:xmpp:ping'/>")), "[deliver]");
  EXPECT_EQ(scene.In(iq(" id='1' type='result'", "")), "[deliver]");
  EXPECT_EQ(scene.In(iq(" id='1' type='get'", "<a xmlns='urn:a'/><b xmlns='urn:b'/>")),
            "[answer corp.example to partner.example <iq from='corp.example' "
            "to='bob@partner.example' id='1' type='error'><error type='modify'><bad-request "
            "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>]");
  EXPECT_TRUE(scene.In(iq(" type='set'", "<a xmlns='urn:a'/>")).starts_with("[answer"));
  EXPECT_EQ(scene.In(iq(" id='1' type='error'", "")), "[deliver]");
  EXPECT_EQ(scene.In(iq(" type='error'", "")), "");
  EXPECT_EQ(scene.In(iq(" id='1' type='ask'", "<a xmlns='urn:a'/>")), OurError("invalid-xml"));
}

TEST(StreamMachine, AnswersAnOversizedStanzaAndGoesOn) {
  StreamScene scene(2);
  scene.UpToSasl();
  const std::string big =
      "<message from='bob@partner.example' to='ann@corp.example' id='m1'><body>" +
      std::string(kMaxStanzaBytes, 'x') + "</body></message>";
  EXPECT_EQ(scene.In(big),
            "[answer corp.example to partner.example <message from='ann@corp.example' "
            "to='bob@partner.example' id='m1' type='error'><error type='modify'><policy-violation "
            "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>]");
  EXPECT_EQ(scene.In(Message()), "[deliver]");
}

// --- ends

TEST(StreamMachine, EndsAnEstablishmentThatTakesTooLong) {
  StreamScene silent(2);
  EXPECT_EQ(silent.Told(silent.machine_.OnEstablishmentTimeout()), "[abort establishment-timeout]");
  StreamScene headed(2);
  headed.Header();
  EXPECT_EQ(headed.Told(headed.machine_.OnEstablishmentTimeout()), OurError("connection-timeout"));
  StreamScene open(2);
  open.UpToSasl();
  EXPECT_EQ(open.Told(open.machine_.OnEstablishmentTimeout()), "");
}

TEST(StreamMachine, EndsWithResetWhenItsMethodIsPermittedNoMore) {
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), "");
  scene.rules_.policy = MakePolicy({PartnerOfRow(13)});
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), OurError("reset"));
}

TEST(StreamMachine, EndsWithResetWhenItsMethodWasForbiddenBehindTheSuccess) {
  StreamScene scene(7);
  scene.UpToTls({"partner.example"});
  scene.In("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
  scene.rules_.policy = MakePolicy({PartnerOfRow(13)});
  EXPECT_THAT(scene.Told(scene.machine_.OnRulesChanged()), testing::HasSubstr("<reset "));
  EXPECT_EQ(scene.machine_.state(), StreamState::kClosed);
}

TEST(StreamMachine, EndsWithResetWhenItsRowChangesBetweenTheFeaturesAndTheProof) {
  StreamScene clear(9);
  clear.Header();
  EXPECT_EQ(clear.Told(clear.machine_.OnRulesChanged()), "");
  clear.rules_.policy = MakePolicy({PartnerOfRow(7)});
  EXPECT_EQ(clear.Told(clear.machine_.OnRulesChanged()), OurError("reset"));

  StreamScene tls(7);
  tls.UpToTls({"partner.example"});
  tls.rules_.policy = MakePolicy({PartnerOfRow(9)});
  EXPECT_EQ(tls.Told(tls.machine_.OnRulesChanged()), "") << "the same features inside TLS";
  tls.rules_.policy = MakePolicy({PartnerOfRow(13)});
  EXPECT_EQ(tls.Told(tls.machine_.OnRulesChanged()), OurError("reset"));
}

TEST(StreamMachine, EndsWithResetWhenItsPartnerIsRemovedBeforeTheProof) {
  StreamScene scene(7);
  scene.UpToTls({"partner.example"});
  scene.rules_.policy = MakePolicy({});
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), OurError("reset"));
}

TEST(StreamMachine, EndsWithHostGoneWhenItsDomainIsServedNoMore) {
  StreamScene scene(2);
  scene.UpToSasl();
  scene.rules_.domains = {"second.corp.example"};
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), OurError("host-gone"));
}

TEST(StreamMachine, AnswersAPeersErrorWithItsFooterOnly) {
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.In("<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                     "</stream:error>"),
            "</stream:stream>[close peer-error]");
}

TEST(StreamMachine, SaysNothingMoreOnceClosed) {
  StreamScene scene(2);
  scene.UpToSasl();
  scene.Told(scene.machine_.CloseWith(StreamCondition::kSystemShutdown));
  EXPECT_EQ(scene.In(Message()), "");
  EXPECT_EQ(scene.In("</stream:stream>"), "");
  EXPECT_EQ(scene.Told(scene.machine_.CloseWith(StreamCondition::kReset)), "");
}

TEST(StreamMachine, TakesWhatThePeerWroteBeforeItHeardThatWeLeave) {
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.Told(scene.machine_.LeaveForShutdown()),
            StreamErrorXml(StreamCondition::kSystemShutdown));
  EXPECT_EQ(scene.In(Message() + "<enable xmlns='urn:xmpp:sm:3'/>" + Message()),
            "[deliver][deliver]");
  EXPECT_EQ(scene.In("</stream:stream>"), "[close system-shutdown]");
  EXPECT_EQ(scene.In(Message()), "");
}

TEST(StreamMachine, LeavesAnIdleStreamWithoutAnErrorAndWaitsNotForEver) {
  StreamScene scene(2);
  scene.UpToSasl();
  EXPECT_EQ(scene.Told(scene.machine_.LeaveOrderly("idle")), "</stream:stream>");
  EXPECT_EQ(scene.Told(scene.machine_.LeaveOrderly("idle")), "[close idle]");
  StreamScene silent(2);
  silent.UpToSasl();
  silent.Told(silent.machine_.LeaveForShutdown());
  EXPECT_TRUE(silent.machine_.is_leaving());
  EXPECT_EQ(silent.Told(silent.machine_.OnFooterWaited()), "[close system-shutdown]");
  EXPECT_FALSE(silent.machine_.is_leaving());
}

TEST(StreamMachine, SaysNothingMoreOfWhatIsWrongOnceItLeaves) {
  StreamScene scene(2);
  scene.UpToSasl();
  scene.Told(scene.machine_.LeaveForShutdown());
  EXPECT_EQ(scene.In("<message from='eve@other.example' to='ann@corp.example'/>"),
            "[close invalid-from]");
}

TEST(StreamMachine, HasATableThatOpensOnlyThroughAProofOrAnAuthenticatedHeader) {
  for (const StreamStep& step : kStreamSteps) {
    if (step.to != StreamState::kOpen || step.from == StreamState::kOpen) continue;
    EXPECT_TRUE(step.on == StreamEvent::kDomainProven ||
                (step.from == StreamState::kAwaitAuthHeader && step.on == StreamEvent::kHeader));
  }
  EXPECT_FALSE(Next(StreamState::kFeaturesClear, StreamEvent::kStanza));
  EXPECT_FALSE(Next(StreamState::kClosed, StreamEvent::kDomainProven));
}

proto::Partner WithOwnAnchors() {
  proto::Partner partner = PartnerOfRow(8);
  partner.set_trust_anchors("their CA");
  return partner;
}

// 2.5: partner-pinned anchors when set, in place of the others.
TEST(StreamMachine, JudgesAPartnerWithAnchorsOfItsOwnByThemAlone) {
  StreamScene stranger({WithOwnAnchors()});
  stranger.JudgedByItsOwnAnchors({});
  EXPECT_THAT(stranger.UpToTls({"partner.example"}), HasSubstr("not-authorized"));
  EXPECT_EQ(stranger.judged_by_, "their CA");
  StreamScene known({WithOwnAnchors()});
  known.JudgedByItsOwnAnchors({"partner.example"});
  EXPECT_THAT(known.UpToTls({}), HasSubstr(kOfferExternal));
  EXPECT_EQ(known.machine_.proven_until_unix(), 4711);
}

TEST(StreamMachine, EndsWhatNewAnchorsNoLongerProve) {
  StreamScene scene({PartnerOfRow(8)});
  scene.JudgedByItsOwnAnchors({});
  scene.UpToSasl();
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), "");
  scene.rules_.policy = MakePolicy({WithOwnAnchors()});
  EXPECT_EQ(scene.Told(scene.machine_.OnRulesChanged()), OurError("reset"));
}

TEST(StreamMachine, RemembersNoEndOfACertificateThatProvedNothing) {
  StreamScene scene(9);
  scene.UpToTls({"other.example"});
  EXPECT_EQ(scene.machine_.proven_until_unix(), 0);
}

}  // namespace
}  // namespace gatehouse
