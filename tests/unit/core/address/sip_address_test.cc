#include "core/address/sip_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace gatehouse {
namespace {

using std::string_literals::operator""s;

std::string JidOf(std::string_view uri) {
  const auto jid = SipUriToJid(uri);
  return jid ? jid->ToText() : std::to_string(jid.error().status);
}
std::string UriOf(std::string_view text, ResourceUse use = ResourceUse::kDrop) {
  const auto jid = Jid::Parse(text);
  if (!jid) return "jid-malformed";
  const auto uri = JidToSipUri(*jid, use);
  return uri ? *uri : proto::StanzaCondition_Name(uri.error());
}

struct Pair {
  std::string_view from;
  std::string_view to;
};

// 6.6, first table, line by line; then the steps of 6.3 it does not show.
TEST(SipAddress, TurnsSipUrisIntoJidsAsTheTableSays) {
  for (const Pair& row : {
           Pair{"sip:f%C3%BC@corp.example", "fü@corp.example"},
           Pair{"sip:o'malley@corp.example", "o\\27malley@corp.example"},
           Pair{"sip:foo@corp.example;gr=bar", "foo@corp.example/bar"},
           Pair{"sip:a%20b@corp.example", "a\\20b@corp.example"},
           Pair{"sip:a%40b@corp.example", "a\\40b@corp.example"},
           Pair{"sip:c%5C5commas@corp.example", "c\\5c5commas@corp.example"},
           Pair{"sip:c%5Cnet@corp.example", "c\\net@corp.example"},
           Pair{"sip:Ann@CORP.example:5061;transport=tls", "ann@corp.example"},
           Pair{"sip:x@b%C3%BCcher.example", "400"},
           Pair{"sip:x@xn--bcher-kva.example", "x@bücher.example"},
           Pair{"sip:a%00b@corp.example", "400"},
           Pair{"sip:a%zz@corp.example", "400"},
           Pair{"sip:a%C0%AFb@corp.example", "400"},
           Pair{"sip:%20a@corp.example", "404"},
           Pair{"sips:foo@corp.example", "416"},
       })
    EXPECT_EQ(JidOf(row.from), row.to) << row.from;
}

TEST(SipAddress, FollowsEachStepOfTheWayToAJid) {
  for (const Pair& row : {
           Pair{"tel:+15551234", "416"},                               // step 1
           Pair{"mailto:a@corp.example", "416"},                       //
           Pair{"im:ann@corp.example", "ann@corp.example"},            //
           Pair{"pres:ann@corp.example", "ann@corp.example"},          //
           Pair{"SIP:ann@corp.example", "ann@corp.example"},           //
           Pair{"ann", "400"},                                         //
           Pair{"sip:ann@corp.example?Route=x", "400"},                // step 2
           Pair{"sip:a?b@corp.example", "a?b@corp.example"},           //
           Pair{"sip:ann:pw@corp.example", "400"},                     // step 3
           Pair{"sip:@corp.example", "400"},                           //
           Pair{"sip:ann@corp.example:0", "400"},                      // step 4
           Pair{"sip:ann@corp.example:65536", "400"},                  //
           Pair{"sip:ann@", "400"},                                    //
           Pair{"sip:ann@a@corp.example", "400"},                      //
           Pair{"sip:ann@10.0.0.5", "404"},                            //
           Pair{"sip:ann@[::1]:5060", "404"},                          //
           Pair{"sip:ann@localhost", "404"},                           //
           Pair{"sip:ann@xn--0.example", "400"},                       //
           Pair{"sip:ann@corp.example.", "ann@corp.example"},          //
           Pair{"sip:corp.example", "corp.example"},                   // step 5
           Pair{"sip:+15551234@corp.example;user=phone", "404"},       // step 6
           Pair{"sip:ann@corp.example;user=ip", "ann@corp.example"},   //
           Pair{"sip:a%7Fb@corp.example", "400"},                      // step 7
           Pair{"sip:a%0d%0aVia:b@corp.example", "400"},               //
           Pair{"sip:a%0D%0Ab@corp.example", "400"},                   //
           Pair{"sip:a%4@corp.example", "400"},                        //
           Pair{"sip:a\"b@corp.example", "400"},                       //
           Pair{"sip:fü@corp.example", "400"},                         //
           Pair{"sip:%ED%A0%80@corp.example", "400"},                  // step 8
           Pair{"sip:%F4%90%80%80@corp.example", "400"},               //
           Pair{"sip:a%20@corp.example", "404"},                       // step 9
           Pair{"sip:m&m@partner.example", "m\\26m@partner.example"},  //
           Pair{"sip:a%5C5Cb@corp.example", "a\\5c5cb@corp.example"},  //
           Pair{"sip:a%5C2Fb@corp.example", "a\\5c2fb@corp.example"},  //
           Pair{"sip:a%22%3A%3C%3E%2Fb@corp.example", "a\\22\\3a\\3c\\3e\\2fb@corp.example"},  //
           Pair{"sip:%EF%BF%BF@corp.example", "404"},                                  // step 10
           Pair{"sip:foo@corp.example;gr=home%20PC/1", "foo@corp.example/home PC/1"},  // step 11
           Pair{"sip:foo@corp.example;gr", "foo@corp.example"},                        //
           Pair{"sip:foo@corp.example;gr=%zz", "foo@corp.example"},                    //
           Pair{"sip:foo@corp.example;gr=%07", "foo@corp.example"},                    //
       })
    EXPECT_EQ(JidOf(row.from), row.to) << row.from;
}

TEST(SipAddress, KeepsFullWidthCharactersFromGrowingIntoEscapes) {
  EXPECT_EQ(JidOf("sip:a%EF%BC%BC20b@corp.example"),
            "a\\5c20b@corp.example");  // full-width backslash
  EXPECT_EQ(JidOf("sip:a%5C%EF%BC%92%EF%BC%90b@corp.example"),
            "a\\5c20b@corp.example");                                       // full-width 20
  EXPECT_EQ(JidOf("sip:a%EF%BC%A0b@corp.example"), "a\\40b@corp.example");  // full-width at sign
}

TEST(SipAddress, GivesALyncGruuAStableResource) {
  const std::string first = JidOf("sip:u@corp.example;opaque=user:epid:AAAA;gruu");
  EXPECT_THAT(first, testing::MatchesRegex("u@corp\\.example/lync-[0-9a-f]{16}"));
  EXPECT_EQ(JidOf("sip:u@corp.example;opaque=user:epid:AAAA;gruu"), first);
  EXPECT_NE(JidOf("sip:u@corp.example;opaque=user:epid:BBBB;gruu"), first);
}

// 6.6, second table.
TEST(SipAddress, TurnsJidsIntoSipUrisAsTheTableSays) {
  for (const Pair& row : {
           Pair{"m\\26m@partner.example", "sip:m&m@partner.example"},
           Pair{"tschüss@partner.example", "sip:tsch%C3%BCss@partner.example"},
           Pair{"baz@partner.example/qux", "sip:baz@partner.example"},
           Pair{"a#b%c@partner.example", "sip:a%23b%25c@partner.example"},
           Pair{"a\\40b@partner.example", "sip:a%40b@partner.example"},
           Pair{"a\\41b@partner.example", "sip:a%5C41b@partner.example"},
           Pair{"@partner.example", "jid-malformed"},
           Pair{"a@", "jid-malformed"},
           Pair{"a b@partner.example", "jid-malformed"},
           Pair{"\\20a@partner.example", "JID_MALFORMED"},
           Pair{"a\\20@partner.example", "JID_MALFORMED"},
           Pair{"x@bücher.example", "sip:x@xn--bcher-kva.example"},
           Pair{"partner.example", "sip:partner.example"},
           Pair{"a[b]^`{|}\\@partner.example", "sip:a%5Bb%5D%5E%60%7B%7C%7D%5C@partner.example"},
           Pair{"a-_.!~*()=+$,;?@partner.example", "sip:a-_.!~*()=+$,;?@partner.example"},
       })
    EXPECT_EQ(UriOf(row.from), row.to) << row.from;
}

TEST(SipAddress, ConveysAResourceAsGruuWhereItIsWanted) {
  EXPECT_EQ(UriOf("baz@partner.example/qux", ResourceUse::kAsGruu),
            "sip:baz@partner.example;gr=qux");
  EXPECT_EQ(UriOf("x@partner.example/home PC/1", ResourceUse::kAsGruu),
            "sip:x@partner.example;gr=home%20PC/1");
  EXPECT_EQ(UriOf("x@partner.example/a;b\"<>ü[:&+$]", ResourceUse::kAsGruu),
            "sip:x@partner.example;gr=a%3Bb%22%3C%3E%C3%BC[:&+$]");
  EXPECT_EQ(UriOf("x@partner.example", ResourceUse::kAsGruu), "sip:x@partner.example");
}

// Every JID whose localpart is escaped as X-0106 wants comes back from SIP as it went, whatever it
// is made of.
TEST(SipAddress, BringsRandomJidsBackFromSip) {
  std::mt19937 random(7247);
  const std::vector<std::string> pieces = {"a",    "5c", "20", "2f", "\\", " ", "\"", "&", "'",
                                           "/",    ":",  "<",  ">",  "@",  "%", "#",  "ü", "漢",
                                           "\\41", "[",  "^",  "`",  "|",  "-", "~",  "=", "?"};
  int translated = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string plain;
    for (unsigned long i = 0, count = 1 + random() % 8; i < count; ++i)
      plain += pieces[random() % pieces.size()];
    const auto jid =
        Jid::Parse(EscapeLocalpart(plain) + "@partner.example/r " + std::to_string(round));
    if (!jid) continue;
    ASSERT_EQ(UnescapeLocalpart(jid->local), plain);
    const auto uri = JidToSipUri(*jid, ResourceUse::kAsGruu);
    if (!uri) {
      EXPECT_TRUE(plain.front() == ' ' || plain.back() == ' ') << plain;
      continue;
    }
    const auto back = SipUriToJid(*uri);
    ASSERT_TRUE(back) << *uri;
    EXPECT_EQ(*back, *jid) << *uri;
    ++translated;
  }
  EXPECT_GT(translated, 3000);
}

TEST(SipAddress, SurvivesArbitraryOctets) {
  std::mt19937 random(4475);
  for (int round = 0; round < 5000; ++round) {
    std::string uri = "sip:";
    for (unsigned long i = 0, count = random() % 40; i < count; ++i) {
      static constexpr std::string_view kSpice = "@:;=%[]?.\\5c20/&";
      uri +=
          random() % 2 == 0 ? kSpice[random() % kSpice.size()] : static_cast<char>(random() % 256);
    }
    const auto jid = SipUriToJid(uri);
    EXPECT_TRUE(!jid || Jid::Parse(jid->ToText())) << uri;
  }
}

}  // namespace
}  // namespace gatehouse
