// Stanzas of the peer's on a stream that we opened (2.14).
#include <gmock/gmock.h>

#include "core/xmpp/element.h"
#include "core/xmpp/outbound_machine.h"
#include "core/xmpp/xml_writer.h"
#include "tests/unit/core/xmpp/peer_header.h"

namespace gatehouse {
namespace {

using enum NegotiationLevel;

constexpr const char* kHere = "corp.example";
constexpr const char* kThere = "partner.example";
constexpr NegotiationRow kByCertificate{kRequired, kRequired, false};
constexpr NegotiationRow kByKey{kRequired, kNotSupported, true};

std::string Xml(const proto::Element& element) {
  std::string xml;
  AppendXml(xml, element);
  return xml;
}

proto::Element Stanza(std::string_view from, std::string_view to,
                      std::string_view name = "message") {
  proto::Element stanza = MakeElement(name, ns::kServer);
  SetAttribute(stanza, "from", from);
  SetAttribute(stanza, "to", to);
  return stanza;
}

// A peer that offers what it is told to, and the machine's words as text.
class Scene {
 public:
  explicit Scene(NegotiationRow row, bool takes_theirs = true)
      : machine_({.local = kHere,
                  .remote = kThere,
                  .row = row,
                  .shows_certificate = true,
                  .takes_theirs = takes_theirs}) {}

  // Up to the answer to the features inside TLS.
  std::string UpToTls(bool certificate_ok = true, bool offered = true) {
    Say(machine_.Start(true));
    Say(machine_.OnTls(certificate_ok));
    Say(machine_.OnHeader(PeerHeader()));
    proto::Element features = MakeElement("features", ns::kStream);
    AddText(AddChild(AddChild(features, "mechanisms", ns::kSasl), "mechanism", ns::kSasl),
            "EXTERNAL");
    AddChild(features, "dialback", ns::kDialbackFeature);
    AddChild(features, "sm", ns::kStreamManagement);
    if (offered) AddChild(features, "bidi", ns::kBidiFeature);
    return Say(machine_.OnElement(features));
  }
  void UpToOpenByCertificate() {
    UpToTls();
    Say(machine_.OnElement(MakeElement("success", ns::kSasl)));
    Say(machine_.OnHeader(PeerHeader()));
    proto::Element features = MakeElement("features", ns::kStream);
    AddChild(features, "sm", ns::kStreamManagement);
    Say(machine_.OnElement(features));
    EXPECT_EQ(machine_.state(), OutboundState::kOpen);
  }
  void UpToOpenByKey(bool certificate_ok) {
    UpToTls(certificate_ok);
    Say(machine_.OnKey(kHere, "k"));
    proto::Element result = MakeElement("result", ns::kDialback);
    SetAttribute(result, "from", kThere);
    SetAttribute(result, "to", kHere);
    SetAttribute(result, "type", "valid");
    Say(machine_.OnElement(result));
    EXPECT_EQ(machine_.state(), OutboundState::kOpen);
  }
  std::string In(const proto::Element& element) { return Say(machine_.OnElement(element)); }
  std::string Say(const OutboundActions& actions) {
    std::string said;
    for (const OutboundAction& action : actions)
      std::visit([&](const auto& each) { Tell(said, each); }, action);
    return said;
  }

  OutboundMachine machine_;

 private:
  static void Tell(std::string& said, const outbound::SendXml& a) { said += a.xml; }
  static void Tell(std::string& said, const outbound::Deliver& a) {
    said += "[deliver to " + std::string(a.local) + " by " + std::string(MethodName(a.method)) +
            " " + std::to_string(a.number) + "]";
  }
  static void Tell(std::string& said, const outbound::AnswerStanza& a) {
    said += "[answer of " + a.local + " " + Xml(a.reply) + "]";
  }
  static void Tell(std::string& said, const outbound::Dropped&) { said += "[dropped]"; }
  static void Tell(std::string& said, const outbound::Fail& a) {
    said += "[end " + std::string(a.say ? StreamConditionName(*a.say) : "") + "]";
  }
  static void Tell(std::string& said, const outbound::MakeKey&) { said += "[key]"; }
  template <class Other>
  static void Tell(std::string&, const Other&) {}
};

TEST(OutboundMachineBidi, AsksBeforeItProvesItself) {
  Scene scene(kByCertificate);
  EXPECT_TRUE(scene.UpToTls().starts_with("<bidi xmlns='urn:xmpp:bidi'/><auth "));
  Scene by_key(kByKey);
  EXPECT_EQ(by_key.UpToTls(), "<bidi xmlns='urn:xmpp:bidi'/>[key]");
}

TEST(OutboundMachineBidi, AsksOnlyWhereItIsWantedAndOffered) {
  EXPECT_TRUE(Scene(kByCertificate, false).UpToTls().starts_with("<auth "));
  EXPECT_TRUE(Scene(kByCertificate).UpToTls(true, false).starts_with("<auth "));
}

TEST(OutboundMachineBidi, DoesNotAskInClear) {
  Scene scene({kNotSupported, kNotSupported, true});
  scene.Say(scene.machine_.Start(false));
  scene.Say(scene.machine_.OnHeader(PeerHeader()));
  proto::Element features = MakeElement("features", ns::kStream);
  AddChild(features, "bidi", ns::kBidiFeature);
  EXPECT_EQ(scene.In(features), "[key]");
  EXPECT_EQ(scene.machine_.their_method(), proto::AUTH_METHOD_NONE);
}

TEST(OutboundMachineBidi, TakesStanzasOfAPeerItsCertificateProves) {
  Scene scene(kByCertificate);
  scene.UpToOpenByCertificate();
  EXPECT_EQ(scene.In(Stanza("bob@partner.example/x", "ann@corp.example")),
            "[deliver to corp.example by sasl_tls 1]");
}

// The operator excluded certificates in this row; DNS stands for the domain as it does for a key.
TEST(OutboundMachineBidi, TakesStanzasOfAPeerThatDnsNames) {
  for (const bool certificate_ok : {false, true}) {
    Scene scene(kByKey);
    scene.UpToOpenByKey(certificate_ok);
    EXPECT_EQ(scene.In(Stanza("bob@partner.example/x", "ann@corp.example")),
              "[deliver to corp.example by tls_dialback 1]");
  }
}

TEST(OutboundMachineBidi, DropsStanzasOfAPeerItDidNotAsk) {
  Scene scene(kByCertificate, false);
  scene.UpToOpenByCertificate();
  EXPECT_EQ(scene.In(Stanza("bob@partner.example/x", "ann@corp.example")), "[dropped]");
}

// --- what a peer may not do

TEST(OutboundMachineBidi, EndsForAStanzaBeforeAPairIsOpen) {
  Scene scene(kByCertificate);
  scene.UpToTls();
  EXPECT_EQ(scene.In(Stanza("bob@partner.example/x", "ann@corp.example")), "[end not-authorized]");
  Scene proving(kByKey);
  proving.UpToTls();
  EXPECT_EQ(proving.In(Stanza("bob@partner.example/x", "ann@corp.example")),
            "[end not-authorized]");
}

TEST(OutboundMachineBidi, EndsForASenderOfAnotherDomain) {
  Scene scene(kByCertificate);
  scene.UpToOpenByCertificate();
  EXPECT_EQ(scene.In(Stanza("eve@other.example", "ann@corp.example")), "[end invalid-from]");
}

TEST(OutboundMachineBidi, EndsForADomainOfOursThatIsNotOnThisStream) {
  Scene scene(kByKey);
  scene.UpToOpenByKey(true);
  scene.Say(scene.machine_.AddPair("sub.corp.example"));  // not proven yet
  EXPECT_EQ(scene.In(Stanza("bob@partner.example", "ann@sub.corp.example")), "[end host-unknown]");
}

TEST(OutboundMachineBidi, EndsForAStanzaThatIsNone) {
  Scene without_from(kByCertificate);
  without_from.UpToOpenByCertificate();
  EXPECT_EQ(without_from.In(MakeElement("message", ns::kServer)), "[end improper-addressing]");
  Scene of_clients(kByCertificate);
  of_clients.UpToOpenByCertificate();
  proto::Element stanza = Stanza("bob@partner.example", "ann@corp.example");
  stanza.set_ns("jabber:client");
  EXPECT_EQ(of_clients.In(stanza), "[end invalid-namespace]");
}

TEST(OutboundMachineBidi, AnswersAStanzaThatIsTooLargeAndGoesOn) {
  Scene scene(kByCertificate);
  scene.UpToOpenByCertificate();
  const std::string said =
      scene.Say(scene.machine_.OnOversized(Stanza("bob@partner.example", "ann@corp.example")));
  EXPECT_THAT(said, testing::StartsWith("[answer of corp.example <message"));
  EXPECT_THAT(said, testing::HasSubstr("<policy-violation "));
  EXPECT_EQ(scene.machine_.state(), OutboundState::kOpen);
}

TEST(OutboundMachineBidi, AnswersAnIqWithoutId) {
  Scene scene(kByCertificate);
  scene.UpToOpenByCertificate();
  proto::Element iq = Stanza("bob@partner.example", "ann@corp.example", "iq");
  SetAttribute(iq, "type", "get");
  EXPECT_THAT(scene.In(iq), testing::HasSubstr("<bad-request "));
}

TEST(OutboundMachineBidi, DropsDialbackAnswersNobodyAskedFor) {
  Scene scene(kByKey);
  scene.UpToOpenByKey(true);
  proto::Element result = MakeElement("result", ns::kDialback);
  SetAttribute(result, "from", "other.example");
  SetAttribute(result, "to", kHere);
  SetAttribute(result, "type", "valid");
  EXPECT_EQ(scene.In(result), "[dropped]");
  EXPECT_EQ(scene.In(Stanza("eve@other.example", "ann@corp.example")), "[end invalid-from]");
}

TEST(OutboundMachineBidi, TellsThePeerThatItsOtherDomainsNeedAStreamOfTheirOwn) {
  Scene scene(kByKey);
  scene.UpToOpenByKey(true);
  proto::Element key = MakeElement("result", ns::kDialback);
  SetAttribute(key, "from", "conference.partner.example");
  SetAttribute(key, "to", kHere);
  AddText(key, "k");
  EXPECT_EQ(scene.In(key),
            "<db:result from='corp.example' to='conference.partner.example' type='error'>"
            "<error type='cancel'><feature-not-implemented "
            "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>");
  EXPECT_EQ(scene.In(Stanza("room@conference.partner.example", "ann@corp.example")),
            "[end invalid-from]");
}

// --- acknowledgements

TEST(OutboundMachineBidi, AcknowledgesOnlyWhatIsSettled) {
  Scene scene(kByCertificate);
  scene.UpToOpenByCertificate();
  const proto::Element stanza = Stanza("bob@partner.example", "ann@corp.example");
  const proto::Element ask = MakeElement("r", ns::kStreamManagement);
  scene.In(stanza);
  scene.In(stanza);
  EXPECT_EQ(scene.In(ask), AckXml(0));
  EXPECT_TRUE(scene.machine_.has_unhandled());
  EXPECT_FALSE(scene.machine_.CountHandled(2));
  EXPECT_EQ(scene.machine_.LastWord(), "");
  EXPECT_TRUE(scene.machine_.CountHandled(1));
  EXPECT_EQ(scene.machine_.LastWord(), AckXml(2));
  EXPECT_EQ(scene.Say(scene.machine_.OnAcksDue()), AckXml(2));
  EXPECT_EQ(scene.machine_.LastWord(), "");
}

}  // namespace
}  // namespace gatehouse
