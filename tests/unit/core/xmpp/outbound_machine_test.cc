#include "core/xmpp/outbound_machine.h"

#include <gmock/gmock.h>

#include "core/tls/crypto.h"
#include "core/xmpp/ack_count.h"
#include "core/xmpp/element.h"
#include "core/xmpp/xml_writer.h"
#include "tests/unit/core/xmpp/peer_header.h"

namespace gatehouse {
namespace {

using ::testing::HasSubstr;
using enum NegotiationLevel;

constexpr const char* kLocal = "corp.example";
constexpr const char* kRemote = "partner.example";

// What the peer is like.
struct Peer {
  bool starttls = true;
  bool external = true;
  bool dialback = true;
  bool certificate_ok = true;
};

OutboundTerms Terms(NegotiationRow row) {
  return {.local = kLocal, .remote = kRemote, .row = row, .shows_certificate = true};
}
proto::Element Features(bool starttls, bool external) {
  proto::Element features = MakeElement("features", ns::kStream);
  if (starttls) AddChild(features, "starttls", ns::kTls);
  if (external)
    AddText(AddChild(AddChild(features, "mechanisms", ns::kSasl), "mechanism", ns::kSasl),
            "EXTERNAL");
  return features;
}
proto::Element Result(std::string_view type, std::string_view to = kLocal,
                      std::string_view condition = {}) {
  proto::Element result = MakeElement("result", ns::kDialback);
  SetAttribute(result, "from", kRemote);
  SetAttribute(result, "to", to);
  SetAttribute(result, "type", type);
  if (!condition.empty())
    AddChild(AddChild(result, "error", ns::kServer), condition, ns::kStanzaErrors);
  return result;
}
template <class Action>
const Action* Find(const OutboundActions& actions) {
  for (const OutboundAction& action : actions)
    if (const auto* found = std::get_if<Action>(&action)) return found;
  return nullptr;
}

// Plays a peer against the machine until a pair is open, the stream failed, or the machine wants
// another connection. The story is one word a step: "tls", "sasl", "key", "open:METHOD",
// "fail:WHY", "again-in-clear".
class Play {
 public:
  Play(OutboundTerms terms, Peer peer) : machine_(std::move(terms)), peer_(peer) {}

  std::string Run(bool direct_tls = false, TlsDemand demand = TlsDemand::kByRow) {
    Take(machine_.Start(direct_tls, demand));
    return story_;
  }
  std::string RunInClear() {
    Take(machine_.StartInClear());
    return story_;
  }
  bool refuse_tls = false;
  bool refuse_sasl = false;

 private:
  void Say(const std::string& word) { story_ += (story_.empty() ? "" : " ") + word; }
  void Take(const OutboundActions& actions) {
    for (const OutboundAction& action : actions)
      std::visit([this](const auto& each) { On(each); }, action);
  }
  void On(const outbound::OpenXml&) {
    const bool authenticated = machine_.state() == OutboundState::kAwaitAuthHeader;
    Take(machine_.OnHeader(PeerHeader(peer_.dialback)));
    if (machine_.state() == OutboundState::kClosed) return;
    Take(machine_.OnElement(
        Features(!in_tls_ && peer_.starttls, in_tls_ && !authenticated && peer_.external)));
  }
  void On(const outbound::SendXml& action) {
    if (action.xml.contains("<starttls")) {
      Take(machine_.OnElement(MakeElement(refuse_tls ? "failure" : "proceed", ns::kTls)));
    } else if (action.xml.contains("<auth")) {
      EXPECT_THAT(action.xml, HasSubstr(Base64(kLocal)));
      Say("sasl");
      Take(machine_.OnElement(MakeElement(refuse_sasl ? "failure" : "success", ns::kSasl)));
    } else if (action.xml.contains("<db:result")) {
      EXPECT_THAT(action.xml, HasSubstr(">k<"));
      Take(machine_.OnElement(Result("valid")));
    }
  }
  void On(const outbound::BeginTls&) {
    Say("tls");
    in_tls_ = true;
    Take(machine_.OnTls(peer_.certificate_ok));
  }
  void On(const outbound::ReconnectInClear&) { Say("again-in-clear"); }
  void On(const outbound::MakeKey& action) {
    EXPECT_EQ(action.stream_id, "s1");
    Say("key");
    Take(machine_.OnKey(action.local, "k"));
  }
  void On(const outbound::PairOpen& action) {
    Say("open:" + std::string(MethodName(action.method)));
  }
  void On(const outbound::Fail& action) {
    Say("fail:" + std::string(FailureName(action.fault.failure)));
  }
  void On(const outbound::ReadyToVerify&) { Say("ready"); }
  void On(const outbound::PairFailed&) { Say("pair-failed"); }
  void On(const outbound::Verified&) { Say("verified"); }
  void On(const outbound::Acknowledged&) { Say("acknowledged"); }
  void On(const outbound::AcksRefused&) { Say("acks-refused"); }
  void On(const outbound::Deliver&) { Say("deliver"); }
  void On(const outbound::AnswerStanza&) { Say("answer"); }
  void On(const outbound::Dropped&) { Say("dropped"); }

  OutboundMachine machine_;
  Peer peer_;
  bool in_tls_ = false;
  std::string story_;
};

std::string Story(NegotiationRow row, Peer peer) {
  return Play(Terms(row), peer).Run();
}

const std::vector<NegotiationRow> kSaslOnly = {  // rows 1, 2, 4, 8, 10
    {kRequired, kRequired, true},
    {kRequired, kRequired, false},
    {kOptional, kRequired, false},
    {kRequired, kOptional, false},
    {kOptional, kOptional, false}};

TEST(OutboundMachine, WithSaslOnlyOpensByExternal) {
  for (const NegotiationRow& row : kSaslOnly)
    EXPECT_EQ(Story(row, {}), "tls sasl open:sasl_tls") << RowNumber(row);
}

TEST(OutboundMachine, WithSaslOnlyNeverAuthenticatesTowardsAnImpostor) {
  for (const NegotiationRow& row : kSaslOnly)
    EXPECT_EQ(Story(row, {.certificate_ok = false}), "tls fail:negotiation-failed")
        << RowNumber(row);
}

TEST(OutboundMachine, WithSaslOnlyAsksForTlsEvenWhenNotOffered) {
  for (const NegotiationRow& row : kSaslOnly)
    EXPECT_EQ(Story(row, {.starttls = false}), "tls sasl open:sasl_tls") << RowNumber(row);
}

TEST(OutboundMachine, WithSaslOnlyFailsWithoutExternal) {
  for (const NegotiationRow& row : kSaslOnly)
    EXPECT_EQ(Story(row, {.external = false}), "tls fail:negotiation-failed") << RowNumber(row);
}

TEST(OutboundMachine, OfRowsThreeNineAndSevenPrefersExternalThenDialback) {
  for (const NegotiationRow& row :
       {NegotiationRow{kOptional, kRequired, true}, NegotiationRow{kOptional, kOptional, true},
        NegotiationRow{kRequired, kOptional, true}}) {
    EXPECT_EQ(Story(row, {}), "tls sasl open:sasl_tls") << RowNumber(row);
    EXPECT_EQ(Story(row, {.certificate_ok = false}), "tls key open:tls_dialback") << RowNumber(row);
    EXPECT_EQ(Story(row, {.external = false}), "tls key open:tls_dialback") << RowNumber(row);
  }
}

TEST(OutboundMachine, FallsBackToDialbackWhenExternalIsRefused) {
  Play play(Terms({kRequired, kOptional, true}), {});
  play.refuse_sasl = true;
  EXPECT_EQ(play.Run(), "tls sasl key open:tls_dialback");
}

TEST(OutboundMachine, SkipsExternalWithoutACertificateOfOurs) {
  OutboundTerms terms = Terms({kRequired, kOptional, true});
  terms.shows_certificate = false;
  EXPECT_EQ(Play(terms, {}).Run(), "tls key open:tls_dialback");
}

TEST(OutboundMachine, OfRowsThreeNineAndFifteenGoesClearWhereThereIsNoTls) {
  for (const NegotiationRow& row :
       {NegotiationRow{kOptional, kRequired, true}, NegotiationRow{kOptional, kOptional, true},
        NegotiationRow{kOptional, kNotSupported, true}})
    EXPECT_EQ(Story(row, {.starttls = false}), "key open:tcp_dialback") << RowNumber(row);
}

TEST(OutboundMachine, NeverGoesClearAgainstTheDowngradeGuard) {
  OutboundTerms terms = Terms({kOptional, kOptional, true});
  terms.may_go_clear = false;
  EXPECT_EQ(Play(terms, {.starttls = false}).Run(), "fail:tls-failed");
  Play refused(terms, {});
  refused.refuse_tls = true;
  EXPECT_EQ(refused.Run(), "fail:tls-failed");
}

TEST(OutboundMachine, ReconnectsOnceWithoutTlsWhenTlsIsRefused) {
  Play play(Terms({kOptional, kNotSupported, true}), {});
  play.refuse_tls = true;
  EXPECT_EQ(play.Run(), "again-in-clear");
  EXPECT_EQ(play.RunInClear(), "again-in-clear key open:tcp_dialback");
}

TEST(OutboundMachine, AsksTheNextTargetForTlsAnew) {
  OutboundMachine machine(Terms({kOptional, kNotSupported, true}));
  const auto asks_for_tls = [&machine] {
    static_cast<void>(machine.Start(false));
    static_cast<void>(machine.OnHeader(PeerHeader()));
    const OutboundActions actions = machine.OnElement(Features(true, false));
    const auto* sent = Find<outbound::SendXml>(actions);
    return sent != nullptr && sent->xml.contains("<starttls");
  };
  ASSERT_TRUE(asks_for_tls());
  static_cast<void>(machine.OnElement(MakeElement("failure", ns::kTls)));
  static_cast<void>(machine.StartInClear());
  static_cast<void>(machine.OnClosed("gone"));
  ASSERT_TRUE(machine.MayTryNextTarget());
  EXPECT_TRUE(asks_for_tls());
}

TEST(OutboundMachine, FailsWhereRequiredTlsIsRefused) {
  Play play(Terms({kRequired, kOptional, true}), {});
  play.refuse_tls = true;
  EXPECT_EQ(play.Run(), "fail:tls-failed");
}

TEST(OutboundMachine, OfRowThirteenNeedsNoCertificate) {
  const NegotiationRow row{kRequired, kNotSupported, true};
  EXPECT_EQ(Story(row, {.certificate_ok = false}), "tls key open:tls_dialback");
  EXPECT_EQ(Story(row, {}), "tls key open:tls_dialback");
  EXPECT_EQ(Story(row, {.dialback = false}), "tls fail:negotiation-failed");
}

TEST(OutboundMachine, OfRowFifteenNeverUsesExternal) {
  EXPECT_EQ(Story({kOptional, kNotSupported, true}, {}), "tls key open:tls_dialback");
}

TEST(OutboundMachine, OfRowsFiveElevenAndSeventeenNeverSendsStartTls) {
  for (const NegotiationLevel sasl : {kRequired, kOptional, kNotSupported})
    EXPECT_EQ(Story({kNotSupported, sasl, true}, {}), "key open:tcp_dialback");
}

TEST(OutboundMachine, TreatsDirectTlsAsTls) {
  EXPECT_EQ(Play(Terms({kRequired, kRequired, false}), {}).Run(true), "tls sasl open:sasl_tls");
}

TEST(OutboundMachine, NeedsNoProofOfItsOwnToVerify) {
  OutboundTerms terms = Terms({kRequired, kOptional, true});
  terms.purpose = OutboundPurpose::kVerifyKeys;
  EXPECT_EQ(Play(terms, {.certificate_ok = false}).Run(), "tls ready");
  terms.row = {kNotSupported, kNotSupported, true};
  EXPECT_EQ(Play(terms, {}).Run(), "ready");
}

// RFC 7673 §4
TEST(OutboundMachine, TlsThatIsDemandedIsStartedUnaskedAndHasNoWayBack) {
  const NegotiationRow optional = {kOptional, kNotSupported, true};
  EXPECT_EQ(Play(Terms(optional), {.starttls = false}).Run(), "key open:tcp_dialback");
  EXPECT_EQ(Play(Terms(optional), {.starttls = false}).Run(false, TlsDemand::kAlways),
            "tls key open:tls_dialback");
  Play refused(Terms(optional), {});
  refused.refuse_tls = true;
  EXPECT_EQ(refused.Run(false, TlsDemand::kAlways), "fail:tls-failed");
  Play by_row(Terms(optional), {});
  by_row.refuse_tls = true;
  EXPECT_EQ(by_row.Run(), "again-in-clear");
}

// --- single events

OutboundMachine Proving(NegotiationRow row = {kNotSupported, kNotSupported, true}) {
  OutboundMachine machine(Terms(row));
  (void)machine.Start(false);
  (void)machine.OnHeader(PeerHeader());
  (void)machine.OnElement(Features(false, false));
  EXPECT_EQ(machine.state(), OutboundState::kProving);
  (void)machine.OnKey(kLocal, "k");
  return machine;
}

TEST(OutboundMachine, FailsThePairWhoseKeyIsRefused) {
  OutboundMachine machine = Proving();
  const auto actions = machine.OnElement(Result("invalid"));
  ASSERT_NE(Find<outbound::Fail>(actions), nullptr);
  EXPECT_EQ(Find<outbound::Fail>(actions)->fault.failure, OutboundFailure::kKeyRefused);
}

TEST(OutboundMachine, TakesADialbackErrorAsTrouble) {
  OutboundMachine machine = Proving();
  const auto actions = machine.OnElement(Result("error", kLocal, "policy-violation"));
  ASSERT_NE(Find<outbound::Fail>(actions), nullptr);
  EXPECT_EQ(Find<outbound::Fail>(actions)->fault.failure, OutboundFailure::kDialbackError);
  EXPECT_EQ(Find<outbound::Fail>(actions)->fault.retry, RetryClass::kConfigured);
  EXPECT_THAT(Find<outbound::Fail>(actions)->fault.text, HasSubstr("policy-violation"));
}

TEST(OutboundMachine, KeepsTheStreamForOtherPairsWhenOneFails) {
  OutboundMachine machine = Proving();
  (void)machine.OnElement(Result("valid"));
  ASSERT_TRUE(machine.MayAddPair());
  ASSERT_NE(Find<outbound::MakeKey>(machine.AddPair("sub.corp.example")), nullptr);
  ASSERT_NE(Find<outbound::SendXml>(machine.OnKey("sub.corp.example", "k2")), nullptr);
  const auto actions = machine.OnElement(Result("error", "sub.corp.example", "item-not-found"));
  ASSERT_NE(Find<outbound::PairFailed>(actions), nullptr);
  EXPECT_EQ(Find<outbound::PairFailed>(actions)->local, "sub.corp.example");
  EXPECT_EQ(machine.state(), OutboundState::kOpen);
  EXPECT_TRUE(machine.MayAddPair());
}

TEST(OutboundMachine, TakesNoNewPairsAfterAnInvalidKey) {
  OutboundMachine machine = Proving();
  (void)machine.OnElement(Result("valid"));
  (void)machine.AddPair("sub.corp.example");
  (void)machine.OnKey("sub.corp.example", "k2");
  (void)machine.OnElement(Result("invalid", "sub.corp.example"));
  EXPECT_FALSE(machine.MayAddPair());
}

TEST(OutboundMachine, DropsResultsNobodyAskedFor) {
  OutboundMachine machine = Proving();
  EXPECT_NE(Find<outbound::Dropped>(machine.OnElement(Result("valid", "other.example"))), nullptr);
  EXPECT_EQ(machine.state(), OutboundState::kProving);
  proto::Element forged = Result("valid");
  SetAttribute(forged, "from", "evil.example");
  EXPECT_NE(Find<outbound::Dropped>(machine.OnElement(forged)), nullptr);
  EXPECT_EQ(machine.state(), OutboundState::kProving);
  (void)machine.OnElement(Result("valid"));
  EXPECT_NE(Find<outbound::Dropped>(machine.OnElement(Result("valid"))), nullptr);
}

TEST(OutboundMachine, DropsAResultBeforeItsKeyWasSent) {
  OutboundMachine machine(Terms({kNotSupported, kNotSupported, true}));
  (void)machine.Start(false);
  (void)machine.OnHeader(PeerHeader());
  (void)machine.OnElement(Features(false, false));
  EXPECT_NE(Find<outbound::Dropped>(machine.OnElement(Result("valid"))), nullptr);
  EXPECT_EQ(machine.state(), OutboundState::kProving);
}

proto::Element VerifyAnswer(std::string_view type, std::string_view id,
                            std::string_view from = kRemote) {
  proto::Element verify = MakeElement("verify", ns::kDialback);
  SetAttribute(verify, "from", from);
  SetAttribute(verify, "to", kLocal);
  SetAttribute(verify, "id", id);
  SetAttribute(verify, "type", type);
  return verify;
}

OutboundMachine Verifying() {
  OutboundTerms terms = Terms({kNotSupported, kNotSupported, true});
  terms.purpose = OutboundPurpose::kVerifyKeys;
  OutboundMachine machine(terms);
  (void)machine.Start(false);
  (void)machine.OnHeader(PeerHeader());
  EXPECT_NE(Find<outbound::ReadyToVerify>(machine.OnElement(Features(false, false))), nullptr);
  const auto actions = machine.Verify({kLocal, kRemote, "their-id", "their-key"});
  EXPECT_THAT(Find<outbound::SendXml>(actions)->xml, HasSubstr("their-key"));
  return machine;
}

TEST(OutboundMachine, CountsOnlyTheMatchingVerifyAnswer) {
  OutboundMachine machine = Verifying();
  EXPECT_NE(Find<outbound::Dropped>(machine.OnElement(VerifyAnswer("valid", "other-id"))), nullptr);
  EXPECT_NE(
      Find<outbound::Dropped>(machine.OnElement(VerifyAnswer("valid", "their-id", "evil.example"))),
      nullptr);
  const auto actions = machine.OnElement(VerifyAnswer("valid", "their-id"));
  ASSERT_NE(Find<outbound::Verified>(actions), nullptr);
  EXPECT_EQ(Find<outbound::Verified>(actions)->result, VerifyResult::kValid);
  EXPECT_NE(Find<outbound::Dropped>(machine.OnElement(VerifyAnswer("valid", "their-id"))), nullptr);
}

TEST(OutboundMachine, TellsInvalidNotFoundAndErrorApart) {
  const auto result_of = [](proto::Element answer) {
    OutboundMachine machine = Verifying();
    return Find<outbound::Verified>(machine.OnElement(answer))->result;
  };
  EXPECT_EQ(result_of(VerifyAnswer("invalid", "their-id")), VerifyResult::kInvalid);
  EXPECT_EQ(result_of(VerifyAnswer("error", "their-id")), VerifyResult::kError);
  proto::Element not_found = VerifyAnswer("error", "their-id");
  AddChild(AddChild(not_found, "error", ns::kServer), "item-not-found", ns::kStanzaErrors);
  EXPECT_EQ(result_of(not_found), VerifyResult::kNotFound);
}

TEST(OutboundMachine, RefusesAnAnswerFromAnotherDomain) {
  OutboundMachine machine(Terms({kNotSupported, kNotSupported, true}));
  (void)machine.Start(false);
  StreamHeader header = PeerHeader();
  header.from = "other.example";
  const auto actions = machine.OnHeader(header);
  ASSERT_NE(Find<outbound::Fail>(actions), nullptr);
  EXPECT_EQ(Find<outbound::Fail>(actions)->say, StreamCondition::kInvalidFrom);
}

TEST(OutboundMachine, NeedsAStreamIdForDialback) {
  OutboundMachine machine(Terms({kNotSupported, kNotSupported, true}));
  (void)machine.Start(false);
  StreamHeader header = PeerHeader();
  header.id.clear();
  (void)machine.OnHeader(header);
  EXPECT_NE(Find<outbound::Fail>(machine.OnElement(Features(false, false))), nullptr);
}

TEST(OutboundMachine, ExpectsNoFeaturesBeforeVersionOne) {
  OutboundMachine machine(Terms({kNotSupported, kNotSupported, true}));
  (void)machine.Start(false);
  StreamHeader header = PeerHeader();
  header.version.clear();
  header.has_version = false;
  EXPECT_NE(Find<outbound::MakeKey>(machine.OnHeader(header)), nullptr);
}

TEST(OutboundMachine, RefusesARequiredFeatureItDoesNotKnow) {
  OutboundMachine machine(Terms({kRequired, kOptional, true}));
  (void)machine.Start(false);
  (void)machine.OnHeader(PeerHeader());
  proto::Element features = Features(true, false);
  AddChild(AddChild(features, "toll", "urn:example:toll"), "required", "urn:example:toll");
  const auto actions = machine.OnElement(features);
  ASSERT_NE(Find<outbound::Fail>(actions), nullptr);
  EXPECT_EQ(Find<outbound::Fail>(actions)->say, StreamCondition::kUnsupportedFeature);
}

TEST(OutboundMachine, ReadsStreamErrorsByTheirCondition) {
  const auto fault_of = [](std::string_view condition) {
    OutboundMachine machine(Terms({kRequired, kOptional, true}));
    (void)machine.Start(false);
    (void)machine.OnHeader(PeerHeader());
    proto::Element error = MakeElement("error", ns::kStream);
    AddChild(error, condition, ns::kStreamErrors);
    return Find<outbound::Fail>(machine.OnElement(error))->fault;
  };
  EXPECT_EQ(fault_of("host-unknown").failure, OutboundFailure::kNotFound);
  EXPECT_EQ(fault_of("host-unknown").retry, RetryClass::kDomainGone);
  EXPECT_EQ(fault_of("policy-violation").retry, RetryClass::kConfigured);
  EXPECT_EQ(fault_of("not-authorized").retry, RetryClass::kConfigured);
  EXPECT_EQ(fault_of("system-shutdown").retry, RetryClass::kSoon);
  EXPECT_EQ(fault_of("reset").retry, RetryClass::kSoon);
  EXPECT_EQ(fault_of("internal-server-error").retry, RetryClass::kOrdinary);
}

// 3.7, 12.4 D12
TEST(OutboundMachine, BelievesARedirectOfAPeerProvenByItsCertificateOnly) {
  const auto other_host = [](bool in_tls, bool certificate_ok, std::string_view host) {
    OutboundMachine machine(Terms({kOptional, kOptional, true}));
    (void)machine.Start(in_tls);
    if (in_tls) (void)machine.OnTls(certificate_ok);
    (void)machine.OnHeader(PeerHeader());
    proto::Element error = MakeElement("error", ns::kStream);
    AddText(AddChild(error, "see-other-host", ns::kStreamErrors), host);
    return Find<outbound::Fail>(machine.OnElement(error))->fault.other_host;
  };
  EXPECT_EQ(other_host(true, true, "\n  [2001:db8::1]:9222\n  "), "[2001:db8::1]:9222");
  EXPECT_EQ(other_host(true, false, "b.partner.example"), "");
  EXPECT_EQ(other_host(false, false, "b.partner.example"), "");
  EXPECT_EQ(other_host(true, true, " "), "");
  EXPECT_EQ(other_host(true, true, std::string(262, 'a')), "");
}

TEST(OutboundMachine, MayTryTheNextTargetOnlyBeforeThePeerHasSpokenInTls) {
  OutboundMachine early(Terms({kRequired, kOptional, true}));
  (void)early.Start(true);
  (void)early.OnTlsFailed("handshake");
  EXPECT_TRUE(early.MayTryNextTarget());
  OutboundMachine late = Proving();
  (void)late.OnClosed("gone");
  EXPECT_FALSE(late.MayTryNextTarget());
}

TEST(OutboundMachine, TakesAnOrderlyCloseOfAnOpenStreamForNoFailure) {
  OutboundMachine machine = Proving();
  (void)machine.OnElement(Result("valid"));
  EXPECT_EQ(Find<outbound::Fail>(machine.OnFooter())->fault.retry, RetryClass::kAtOnce);
}

TEST(OutboundMachine, AnswersNothingOnceClosed) {
  OutboundMachine machine = Proving();
  (void)machine.OnClosed("gone");
  EXPECT_TRUE(machine.OnElement(Result("valid")).empty());
  EXPECT_TRUE(machine.OnTimeout().empty());
  EXPECT_TRUE(machine.OnKey(kLocal, "k").empty());
  EXPECT_TRUE(machine.OnPairTimeout(kLocal).empty());
}

TEST(OutboundMachine, SendsNoKeyThatComesAfterTheEnd) {
  OutboundMachine machine(Terms({kNotSupported, kNotSupported, true}));
  (void)machine.Start(false);
  (void)machine.OnHeader(PeerHeader());
  ASSERT_NE(Find<outbound::MakeKey>(machine.OnElement(Features(false, false))), nullptr);
  (void)machine.OnClosed("gone");
  EXPECT_TRUE(machine.OnKey(kLocal, "k").empty());
  EXPECT_TRUE(machine.OnKey(kLocal, "").empty());
}

TEST(OutboundFault, HasTheConditionOfItsRow) {
  EXPECT_EQ(ConditionOf(OutboundFailure::kNotFound), proto::REMOTE_SERVER_NOT_FOUND);
  EXPECT_EQ(ConditionOf(OutboundFailure::kNotPermitted), proto::REMOTE_SERVER_NOT_FOUND);
  EXPECT_EQ(ConditionOf(OutboundFailure::kKeyRefused), proto::INTERNAL_SERVER_ERROR);
  EXPECT_EQ(ConditionOf(OutboundFailure::kOverload), proto::RESOURCE_CONSTRAINT);
  for (const OutboundFailure failure :
       {OutboundFailure::kDnsTrouble, OutboundFailure::kConnectFailed, OutboundFailure::kTlsFailed,
        OutboundFailure::kTimedOut, OutboundFailure::kClosed, OutboundFailure::kNegotiation,
        OutboundFailure::kDialbackError})
    EXPECT_EQ(ConditionOf(failure), proto::REMOTE_SERVER_TIMEOUT) << FailureName(failure);
}

// --- acknowledgements (2.13)

proto::Element AckElement(std::string_view name, std::string_view h = {}) {
  proto::Element element = MakeElement(name, ns::kStreamManagement);
  if (!h.empty()) SetAttribute(element, "h", h);
  return element;
}

// Open by dialback in clear; gives what the result's answer led to.
OutboundActions OpenInClear(OutboundMachine& machine, bool offers_acks) {
  static_cast<void>(machine.Start(false));
  static_cast<void>(machine.OnHeader(PeerHeader(true)));
  proto::Element features = Features(false, false);
  if (offers_acks) AddChild(features, "sm", ns::kStreamManagement);
  static_cast<void>(machine.OnElement(features));
  static_cast<void>(machine.OnKey(kLocal, "k"));
  return machine.OnElement(Result("valid"));
}

class AckedOutbound : public ::testing::Test {
 protected:
  void SetUp() override { opened_ = OpenInClear(machine_, true); }
  OutboundMachine machine_{
      {.local = kLocal,
       .remote = kRemote,
       .row = {NegotiationLevel::kNotSupported, NegotiationLevel::kNotSupported, true}}};
  OutboundActions opened_;
};

TEST_F(AckedOutbound, EnablesBeforeTheFirstStanza) {
  ASSERT_EQ(opened_.size(), 2U);
  EXPECT_EQ(std::get<outbound::SendXml>(opened_[0]).xml, kEnableAcksXml);
  EXPECT_TRUE(std::holds_alternative<outbound::PairOpen>(opened_[1]));
  EXPECT_TRUE(machine_.has_acks());
}

TEST_F(AckedOutbound, EnablesOnceForAllItsPairs) {
  static_cast<void>(machine_.AddPair("sub.corp.example"));
  static_cast<void>(machine_.OnKey("sub.corp.example", "k"));
  const auto actions = machine_.OnElement(Result("valid", "sub.corp.example"));
  EXPECT_EQ(Find<outbound::SendXml>(actions), nullptr);
}

TEST_F(AckedOutbound, TellsWhatThePeerAcknowledges) {
  EXPECT_TRUE(machine_.OnElement(AckElement("enabled")).empty());
  const auto actions = machine_.OnElement(AckElement("a", "7"));
  ASSERT_NE(Find<outbound::Acknowledged>(actions), nullptr);
  EXPECT_EQ(Find<outbound::Acknowledged>(actions)->h, 7U);
}

TEST_F(AckedOutbound, AnswersARequestWithWhatItWasSent) {
  static_cast<void>(machine_.OnElement(MakeElement("message", ns::kServer)));
  const auto actions = machine_.OnElement(AckElement("r"));
  ASSERT_NE(Find<outbound::SendXml>(actions), nullptr);
  EXPECT_EQ(Find<outbound::SendXml>(actions)->xml, AckXml(1));
}

TEST_F(AckedOutbound, GoesOnWithoutWhereThePeerRefuses) {
  EXPECT_NE(Find<outbound::AcksRefused>(machine_.OnElement(AckElement("failed"))), nullptr);
  EXPECT_FALSE(machine_.has_acks());
  EXPECT_NE(Find<outbound::Dropped>(machine_.OnElement(AckElement("a", "1"))), nullptr);
}

TEST_F(AckedOutbound, EndsForACountThatIsNoNumber) {
  const auto actions = machine_.OnElement(AckElement("a", "x"));
  ASSERT_NE(Find<outbound::Fail>(actions), nullptr);
  EXPECT_EQ(Find<outbound::Fail>(actions)->say, StreamCondition::kInvalidXml);
}

TEST(OutboundMachine, AsksForNoAcknowledgementsWhereNoneAreOffered) {
  OutboundMachine machine(
      {.local = kLocal,
       .remote = kRemote,
       .row = {NegotiationLevel::kNotSupported, NegotiationLevel::kNotSupported, true}});
  EXPECT_EQ(OpenInClear(machine, false).size(), 1U);
  EXPECT_FALSE(machine.has_acks());
}

}  // namespace
}  // namespace gatehouse
