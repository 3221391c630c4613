#include "plugins/sip_translator/page_mode.h"

#include <gtest/gtest.h>

#include <string>

#include "core/xmpp/element.h"

namespace gatehouse::translator {
namespace {

using proto::Element;
using namespace std::chrono_literals;

const WallTime kNow = *ParseStamp("2026-11-22T14:03:00Z");

Element Message() {
  Element message = MakeElement("message", ns::kServer);
  SetAttribute(message, "from", "bob@partner.example/home");
  SetAttribute(message, "to", "ann@corp.example");
  return message;
}
void AddBody(Element& message, std::string_view text, std::string_view lang = {}) {
  Element& body = AddChild(message, "body", ns::kServer);
  AddText(body, text);
  if (!lang.empty()) SetAttribute(body, "lang", lang, ns::kXml);
}
std::string ChildText(const Element& message, std::string_view name) {
  const Element* child = FindChild(message, name, ns::kServer);
  return child == nullptr ? "(none)" : TextOf(*child);
}
Result<std::optional<Element>, Refusal> StanzaOf(PageRequest request) {
  if (request.entity.content_type.empty()) request.entity = {"text/plain", "", "Lunch?"};
  const PageAddresses addresses{{"ann", "corp.example", ""}, {"bob", "partner.example", ""}};
  Element message;
  const auto made = MakeMessageStanza(request, addresses, "id22", kNow, message);
  if (!made) return std::unexpected(made.error());
  if (!*made) return std::nullopt;
  return message;
}
int PageStatusOf(const PageRequest& request) {
  const auto stanza = StanzaOf(request);
  return stanza ? 200 : stanza.error().status;
}

TEST(PageMode, CarriesEveryFieldOfTheMapToSip) {
  Element message = Message();
  SetAttribute(message, "lang", "en", ns::kXml);
  AddText(AddChild(message, "subject", ns::kServer), "Food\r\nVia: x");
  AddText(AddChild(message, "thread", ns::kServer), "2d0f8a3c-9f0e");
  SetAttribute(AddChild(message, "delay", ns::kDelay), "stamp", "2026-11-22T15:00:00.5+01:00");
  AddBody(message, "Lunch at one?");
  const auto content = ReadMessageStanza(message, kNow);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->body, "Lunch at one?");
  EXPECT_EQ(content->subject, "Food Via: x");
  EXPECT_EQ(content->content_language, "en");
  EXPECT_EQ(content->thread, "2d0f8a3c-9f0e");
  EXPECT_EQ(content->date, "Sun, 22 Nov 2026 14:00:00 GMT");
}

TEST(PageMode, PicksTheBodyInTheStanzasLanguage) {
  Element message = Message();
  SetAttribute(message, "lang", "de", ns::kXml);
  AddBody(message, "Lunch?", "en");
  AddBody(message, "Essen?", "DE");
  EXPECT_EQ(ReadMessageStanza(message, kNow)->body, "Essen?");
  SetAttribute(message, "lang", "fr", ns::kXml);
  EXPECT_EQ(ReadMessageStanza(message, kNow)->body, "Lunch?");
  EXPECT_EQ(ReadMessageStanza(message, kNow)->content_language, "en");
  AddBody(message, "Manger?");
  EXPECT_EQ(ReadMessageStanza(message, kNow)->body, "Manger?");
}

TEST(PageMode, SendsNothingForAStanzaWithoutText) {
  EXPECT_FALSE(ReadMessageStanza(Message(), kNow));
  Element empty = Message();
  AddBody(empty, "\x01");
  EXPECT_FALSE(ReadMessageStanza(empty, kNow));
  for (const auto& [name, space] : {std::pair{"sent", "urn:xmpp:carbons:2"},
                                    {"received", "urn:xmpp:carbons:2"},
                                    {"forwarded", "urn:xmpp:forward:0"}}) {
    Element copy = Message();
    AddBody(copy, "wrapper");
    AddChild(copy, name, space);
    EXPECT_FALSE(ReadMessageStanza(copy, kNow)) << name;
  }
}

TEST(PageMode, MarksACorrection) {
  Element message = Message();
  AddBody(message, "at two");
  AddChild(message, "replace", "urn:xmpp:message-correct:0");
  EXPECT_EQ(ReadMessageStanza(message, kNow)->body, "* at two");
}

TEST(PageMode, TakesOnlyAHarmlessThreadForACallId) {
  for (const std::string& thread :
       {std::string("short"), std::string(129, 'a'), std::string("with space x"),
        std::string("inject\r\nVia"), std::string("a@b.example")}) {
    Element message = Message();
    AddBody(message, "x");
    AddText(AddChild(message, "thread", ns::kServer), thread);
    EXPECT_EQ(ReadMessageStanza(message, kNow)->thread, "") << thread;
  }
}

TEST(PageMode, DropsStampsFromTheFutureAndNonsense) {
  for (const auto* stamp : {"2026-11-22T14:03:01Z", "yesterday", "2026-02-30T00:00:00Z", ""}) {
    Element message = Message();
    AddBody(message, "x");
    SetAttribute(AddChild(message, "delay", ns::kDelay), "stamp", stamp);
    EXPECT_EQ(ReadMessageStanza(message, kNow)->date, "") << stamp;
  }
}

TEST(PageMode, CarriesEveryFieldOfTheMapToXmpp) {
  const auto stanza = StanzaOf({.call_id = "6e0f5bce7c1d4c3a",
                                .subject = "Food",
                                .content_language = "en, de",
                                .date = "Sun, 22 Nov 2026 14:00:00 GMT"});
  ASSERT_TRUE(stanza && *stanza);
  const Element& message = **stanza;
  EXPECT_TRUE(Is(message, "message", ns::kServer));
  EXPECT_EQ(Attribute(message, "from"), "ann@corp.example");
  EXPECT_EQ(Attribute(message, "to"), "bob@partner.example");
  EXPECT_EQ(Attribute(message, "id"), "id22");
  EXPECT_FALSE(HasAttribute(message, "type")) << "page mode is type normal, RFC 7572 §5";
  EXPECT_EQ(Attribute(message, "lang", ns::kXml), "en");
  EXPECT_EQ(ChildText(message, "body"), "Lunch?");
  EXPECT_EQ(ChildText(message, "subject"), "Food");
  EXPECT_EQ(ChildText(message, "thread"), "6e0f5bce7c1d4c3a");
  const Element* delay = FindChild(message, "delay", ns::kDelay);
  ASSERT_NE(delay, nullptr);
  EXPECT_EQ(Attribute(*delay, "from"), "corp.example");
  EXPECT_EQ(Attribute(*delay, "stamp"), "2026-11-22T14:00:00Z");
}

TEST(PageMode, TellsNoDelayOfAMinuteOrFromTheFuture) {
  for (const auto* date : {"Sun, 22 Nov 2026 14:02:00 GMT", "Sun, 22 Nov 2026 15:00:00 GMT",
                           "Sun, 22 Nov 2026 10:00:00 EST", "nonsense"}) {
    const auto stanza = StanzaOf({.call_id = "c", .date = date});
    ASSERT_TRUE(stanza && *stanza) << date;
    EXPECT_EQ(FindChild(**stanza, "delay", ns::kDelay), nullptr) << date;
  }
}

TEST(PageMode, DoesNotDeliverWhatHasExpired) {
  EXPECT_EQ(PageStatusOf({.date = "Sun, 22 Nov 2026 14:00:00 GMT", .expires_s = 180}), 408);
  EXPECT_EQ(PageStatusOf({.date = "Sun, 22 Nov 2026 14:00:00 GMT", .expires_s = 181}), 200);
  EXPECT_EQ(PageStatusOf({.expires_s = 0}), 408);
  EXPECT_EQ(PageStatusOf({.expires_s = 1}), 200);
  EXPECT_EQ(PageStatusOf({.expires_s = 2147483647}), 200);
}

TEST(PageMode, MakesNoStanzaWithoutText) {
  const auto stanza = StanzaOf({.entity = {"text/plain", "", "\x01"}});
  ASSERT_TRUE(stanza);
  EXPECT_FALSE(*stanza);
}

TEST(PageMode, RefusesWhatNoPartnerWouldTake) {
  const std::string large(65000, 'x');
  EXPECT_EQ(PageStatusOf({.entity = {"text/plain", "", large}}), 200);
  const std::string markup(15000, '<');
  EXPECT_EQ(PageStatusOf({.entity = {"text/plain", "", markup}}), 513);
  EXPECT_EQ(PageStatusOf({.content_encoding = "gzip"}), 415);
  EXPECT_EQ(PageStatusOf({.entity = {"text/html", "", "<b>x</b>"}}), 415);
}

TEST(PageMode, ReadsAndWritesBothKindsOfTime) {
  EXPECT_EQ(WriteStamp(kNow), "2026-11-22T14:03:00Z");
  EXPECT_EQ(WriteSipDate(kNow), "Sun, 22 Nov 2026 14:03:00 GMT");
  EXPECT_EQ(ParseSipDate("Sun, 22 Nov 2026 14:03:00 GMT"), kNow);
  EXPECT_EQ(ParseStamp("2026-11-22T08:33:00-05:30"), kNow);
  EXPECT_FALSE(ParseStamp("2026-11-22T14:03:00"));
  EXPECT_FALSE(ParseStamp("2026-11-22T14:03:00Zx"));
  EXPECT_FALSE(ParseStamp("2026-11-22T24:03:00Z"));
}

TEST(PageMode, BelievesOnlyLanguageTagsThatLookLikeOne) {
  EXPECT_EQ(FirstLanguage(" en-GB , de"), "en-GB");
  EXPECT_EQ(FirstLanguage("en\r\nVia: x"), "");
  EXPECT_EQ(FirstLanguage(std::string(36, 'a')), "");
}

}  // namespace
}  // namespace gatehouse::translator
