#include "plugins/sip_translator/contact_presence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/xmpp/element.h"

namespace gatehouse::translator {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kBob = "sip:bob@partner.example";

struct Said {
  std::string show = {};
  std::string status = {};
  std::string priority = {};
  std::string type = {};
  std::string language = {};
};
proto::Element Presence(const Said& said) {
  proto::Element presence = MakeElement("presence", ns::kServer);
  if (!said.type.empty()) SetAttribute(presence, "type", said.type);
  if (!said.language.empty()) SetAttribute(presence, "lang", said.language, ns::kXml);
  for (const auto& [name, text] : {std::pair{"show", said.show}, std::pair{"status", said.status},
                                   std::pair{"priority", said.priority}})
    if (!text.empty()) AddText(AddChild(presence, name, ns::kServer), text);
  return presence;
}
std::size_t Tuples(const std::string& pidf) {
  std::size_t count = 0;
  for (auto at = pidf.find("<tuple "); at != std::string::npos; at = pidf.find("<tuple ", at + 1))
    ++count;
  return count;
}

TEST(ContactPresence, AResourceThatIsAwayBecomesATupleAndAnActivity) {
  ContactPresence presence;
  EXPECT_FALSE(presence.known());
  EXPECT_TRUE(presence.Take(
      Presence({.show = "away", .status = "back at two", .priority = "5", .language = "en"}),
      "home"));
  EXPECT_TRUE(presence.known());
  EXPECT_EQ(presence.Pidf(kBob, SipProfile::kPage),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:bob@partner.example'>"
            "<tuple id='ID-4ea14058'><status><basic>open</basic>"
            "<show xmlns='jabber:client'>away</show>"
            "<activities xmlns='urn:ietf:params:xml:ns:pidf:status:rpid-status'>"
            "<activity>away</activity></activities></status>"
            "<contact priority='0.039'>sip:bob@partner.example</contact>"
            "<note xml:lang='en'>back at two</note></tuple>"
            "<person xmlns='urn:ietf:params:xml:ns:pidf:data-model' id='P-ID-4ea14058'>"
            "<activities xmlns='urn:ietf:params:xml:ns:pidf:rpid'><away/></activities></person>"
            "</presence>");
}

TEST(ContactPresence, EveryShowHasItsActivity) {
  for (const auto& [show, activity] :
       {std::pair{"away", "<away/>"}, std::pair{"xa", "<away/>"}, std::pair{"dnd", "<busy/>"}}) {
    ContactPresence presence;
    presence.Take(Presence({.show = show}), "r");
    EXPECT_THAT(presence.Pidf(kBob, SipProfile::kPage), HasSubstr(activity)) << show;
  }
  for (const char* show : {"chat", "", "nonsense"}) {
    ContactPresence presence;
    presence.Take(Presence({.show = show}), "r");
    const std::string pidf = presence.Pidf(kBob, SipProfile::kPage);
    EXPECT_THAT(pidf, Not(HasSubstr("activities"))) << show;
    EXPECT_EQ(pidf.find("<show") != std::string::npos, show == std::string("chat")) << show;
  }
}

TEST(ContactPresence, PrioritiesAreStepsOfAThousandthAndNegativeOnesAreLeftOut) {
  for (const auto& [priority, wanted] :
       {std::pair{"0", "priority='0.000'"}, std::pair{"1", "priority='0.007'"},
        std::pair{"126", "priority='0.992'"}, std::pair{"127", "priority='1'"},
        std::pair{"-1", "<contact>"}, std::pair{"128", "priority='0.000'"},
        std::pair{"x", "priority='0.000'"}}) {
    ContactPresence presence;
    presence.Take(Presence({.priority = priority}), "r");
    EXPECT_THAT(presence.Pidf(kBob, SipProfile::kPage), HasSubstr(wanted)) << priority;
  }
}

TEST(ContactPresence, SeveralResourcesAreTuplesAndTheLastToGoClosesIt) {
  ContactPresence presence;
  presence.Take(Presence({}), "home");
  presence.Take(Presence({}), "work");
  EXPECT_EQ(Tuples(presence.Pidf(kBob, SipProfile::kPage)), 2U);
  EXPECT_TRUE(presence.Take(Presence({.type = "unavailable"}), "home"));
  EXPECT_EQ(Tuples(presence.Pidf(kBob, SipProfile::kPage)), 1U);
  EXPECT_TRUE(presence.Take(Presence({.status = "gone", .type = "unavailable"}), "work"));
  const std::string closed = presence.Pidf(kBob, SipProfile::kPage);
  EXPECT_EQ(Tuples(closed), 1U);
  EXPECT_THAT(closed, HasSubstr("<basic>closed</basic>"));
  EXPECT_THAT(closed, HasSubstr("<note>gone</note>"));
  EXPECT_THAT(closed, Not(HasSubstr("<contact")));
}

TEST(ContactPresence, UnavailableFromTheBareAddressIsTheEndOfAll) {
  ContactPresence presence;
  presence.Take(Presence({}), "home");
  presence.Take(Presence({}), "work");
  EXPECT_TRUE(presence.Take(Presence({.type = "unavailable"}), ""));
  EXPECT_THAT(presence.Pidf(kBob, SipProfile::kPage), HasSubstr("closed"));
}

TEST(ContactPresence, WhatWasToldAlreadyIsNoChange) {
  ContactPresence presence;
  EXPECT_TRUE(presence.Take(Presence({.type = "unavailable"}), "home"));
  EXPECT_FALSE(presence.Take(Presence({.type = "unavailable"}), "home"));
  EXPECT_TRUE(presence.Take(Presence({.show = "away"}), "home"));
  EXPECT_FALSE(presence.Take(Presence({.show = "away"}), "home"));
  EXPECT_TRUE(presence.Take(Presence({.show = "dnd"}), "home"));
  EXPECT_FALSE(presence.Take(Presence({.type = "unavailable"}), "elsewhere"));
}

TEST(ContactPresence, LyncGetsTheResourceThatSpeaksForTheContact) {
  ContactPresence presence;
  presence.Take(Presence({.show = "away", .status = "a", .priority = "5"}), "a");
  presence.Take(Presence({.show = "dnd", .status = "b", .priority = "5"}), "b");
  presence.Take(Presence({.show = "chat", .status = "c", .priority = "-1"}), "c");
  const std::string pidf = presence.Pidf(kBob, SipProfile::kLync);
  EXPECT_EQ(Tuples(pidf), 1U);
  EXPECT_THAT(pidf, HasSubstr("<note>a</note>"));
  presence.Take(Presence({.show = "away", .status = "d", .priority = "5"}), "d");
  EXPECT_THAT(presence.Pidf(kBob, SipProfile::kLync), HasSubstr("<note>d</note>"));
}

TEST(ContactPresence, ANoteIsOneLineOfAtMostItsLimit) {
  ContactPresence presence;
  std::string note = "a\nb<" + std::string(kMaxNoteOctets, 'x');
  presence.Take(Presence({.status = note}), "r");
  const std::string pidf = presence.Pidf(kBob, SipProfile::kPage);
  EXPECT_THAT(pidf, HasSubstr("<note>a b&lt;x"));
  EXPECT_THAT(pidf, HasSubstr(std::string(kMaxNoteOctets - 4, 'x') + "</note>"));
  EXPECT_THAT(pidf, Not(HasSubstr(std::string(kMaxNoteOctets - 3, 'x'))));
}

TEST(ContactPresence, OnlySoManyResourcesAreKept) {
  ContactPresence presence;
  for (int i = 0; i < 20; ++i)
    presence.Take(Presence({.status = std::to_string(i)}), std::to_string(i));
  const std::string pidf = presence.Pidf(kBob, SipProfile::kPage);
  EXPECT_EQ(Tuples(pidf), ContactPresence::kMaxResources);
  EXPECT_THAT(pidf, Not(HasSubstr("<note>3</note>")));
  EXPECT_THAT(pidf, HasSubstr("<note>19</note>"));
}

TEST(ContactPresence, AtTheEndThereIsAClosedDocument) {
  EXPECT_THAT(ClosedPidf(kBob), HasSubstr("<basic>closed</basic></status></tuple></presence>"));
}

}  // namespace
}  // namespace gatehouse::translator
