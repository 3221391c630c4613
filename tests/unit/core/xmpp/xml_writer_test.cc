#include "core/xmpp/xml_writer.h"

#include <gtest/gtest.h>

#include "core/xmpp/element.h"
#include "core/xmpp/stream_errors.h"

namespace gatehouse {
namespace {

std::string Xml(const proto::Element& element) {
  std::string out;
  AppendXml(out, element);
  return out;
}

TEST(XmlWriter, LeavesOutTheNamespaceOfTheStream) {
  proto::Element message = MakeElement("message", ns::kServer);
  SetAttribute(message, "to", "ann@corp.example");
  AddText(AddChild(message, "body", ns::kServer), "Hi");
  EXPECT_EQ(Xml(message), "<message to='ann@corp.example'><body>Hi</body></message>");
}

TEST(XmlWriter, DeclaresAnotherNamespaceOnceAndGoesBackToTheStreams) {
  proto::Element message = MakeElement("message", ns::kServer);
  proto::Element& foreign = AddChild(message, "x", "urn:one");
  AddChild(foreign, "y", "urn:one");
  AddChild(foreign, "body", ns::kServer);
  AddChild(foreign, "z", "");
  EXPECT_EQ(Xml(message),
            "<message><x xmlns='urn:one'><y/><body xmlns='jabber:server'/><z xmlns=''/></x>"
            "</message>");
}

TEST(XmlWriter, UsesThePrefixesOfTheHeader) {
  proto::Element result = MakeElement("result", ns::kDialback);
  SetAttribute(result, "type", "valid");
  AddChild(result, "error", ns::kServer);
  EXPECT_EQ(Xml(result), "<db:result type='valid'><error/></db:result>");
  EXPECT_EQ(Xml(MakeElement("features", ns::kStream)), "<stream:features/>");
  EXPECT_EQ(Xml(MakeElement("id", ns::kXml)), "<xml:id/>");
}

TEST(XmlWriter, EscapesSoThatNoParserCanReadAnotherTree) {
  proto::Element message = MakeElement("message", ns::kServer);
  SetAttribute(message, "id", "<'\"&>\t\n\r");
  AddText(message, "</message>&amp;]]>\r\n");
  EXPECT_EQ(Xml(message),
            "<message id='&lt;&apos;&quot;&amp;&gt;&#x9;&#xA;&#xD;'>&lt;/message&gt;&amp;amp;]]&gt;"
            "&#xD;\n</message>");
}

TEST(XmlWriter, ReplacesControlsXmlCannotCarry) {
  proto::Element message = MakeElement("message", ns::kServer);
  AddText(message, std::string_view("a\0b\x1b", 4));
  EXPECT_EQ(Xml(message), "<message>a\uFFFDb\uFFFD</message>");
}

TEST(XmlWriter, WritesPrefixedAttributes) {
  proto::Element message = MakeElement("message", ns::kServer);
  SetAttribute(message, "lang", "de", ns::kXml);
  SetAttribute(message, "k", "v", "urn:one");
  EXPECT_EQ(Xml(message), "<message xml:lang='de' xmlns:a0='urn:one' a0:k='v'/>");
}

TEST(XmlWriter, WritesTheResponseHeader) {
  EXPECT_EQ(StreamHeaderXml({.from = "corp.example", .to = "partner.example", .id = "0f1e"}),
            "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
            "xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' "
            "from='corp.example' to='partner.example' id='0f1e' xml:lang='en' version='1.0'>");
  EXPECT_EQ(
      StreamHeaderXml({.from = "c", .to = "p", .id = "", .dialback = false, .version = false}),
      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
      "xmlns:stream='http://etherx.jabber.org/streams' from='c' to='p' xml:lang='en'>");
}

TEST(StreamErrors, CarryTheirConditionAndCloseTheStream) {
  EXPECT_EQ(StreamErrorXml(StreamCondition::kInvalidFrom),
            "<stream:error><invalid-from xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
            "</stream:error></stream:stream>");
  EXPECT_EQ(StreamConditionName(StreamCondition::kUnsupportedVersion), "unsupported-version");
  EXPECT_EQ(StreamConditionName(StreamCondition::kBadFormat), "bad-format");
}

TEST(ErrorReply, SwapsTheAddressesKeepsTheIdAndEchoesNothing) {
  proto::Element message = MakeElement("message", ns::kServer);
  SetAttribute(message, "from", "bob@partner.example/home");
  SetAttribute(message, "to", "ann@corp.example");
  SetAttribute(message, "id", "m1");
  AddText(AddChild(message, "body", ns::kServer), "secret");
  EXPECT_EQ(Xml(MakeErrorReply(message, proto::ITEM_NOT_FOUND)),
            "<message from='ann@corp.example' to='bob@partner.example/home' id='m1' type='error'>"
            "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            "</error></message>");
}

// The peer's own spelling would be a domain that our stream has not proven.
TEST(ErrorReply, ComesFromThePreparedAddress) {
  proto::Element message = MakeElement("message", ns::kServer);
  SetAttribute(message, "to", "Ann@CORP.example./Desk");
  EXPECT_EQ(Attribute(MakeErrorReply(message, proto::ITEM_NOT_FOUND), "from"),
            "ann@corp.example/Desk");
  SetAttribute(message, "to", "@");
  EXPECT_EQ(Attribute(MakeErrorReply(message, proto::ITEM_NOT_FOUND), "from"), "@");
}

TEST(ErrorReply, KnowsEveryConditionBothWays) {
  for (int i = proto::BAD_REQUEST; i <= proto::UNEXPECTED_REQUEST; ++i) {
    const auto condition = static_cast<proto::StanzaCondition>(i);
    EXPECT_EQ(ConditionFromName(ConditionName(condition)), condition);
  }
  EXPECT_EQ(ConditionFromName("no-such-thing"), proto::CONDITION_NONE);
  EXPECT_EQ(DefaultErrorType(proto::RESOURCE_CONSTRAINT), "wait");
}

}  // namespace
}  // namespace gatehouse
