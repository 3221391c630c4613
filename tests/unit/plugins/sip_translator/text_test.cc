#include "plugins/sip_translator/text.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::translator {
namespace {

using std::string_literals::operator""s;

TEST(Text, KeepsForXmppWhatXmlCanCarry) {
  EXPECT_EQ(CleanForXmpp("a\r\nb\tc\rd"), "a\nb\tcd");
  EXPECT_EQ(CleanForXmpp("a\0b\x01\x1F\x7Fz"s), "ab\x7Fz");
  EXPECT_EQ(CleanForXmpp("x\xEF\xBF\xBEy\xEF\xBF\xBFz"), "xyz");  // U+FFFE, U+FFFF
  EXPECT_EQ(CleanForXmpp("x\xED\xA0\x80y"), "xy");                // lone surrogate
  EXPECT_EQ(CleanForXmpp("\xE2\x80\xAE"
                         "abc"),
            "\xE2\x80\xAE"
            "abc");  // bidi override stays
  EXPECT_EQ(CleanForXmpp("grüße 漢 😀"), "grüße 漢 😀");
}

TEST(Text, MakesOneLineOfAnything) {
  EXPECT_EQ(OneLine("Lunch\r\nVia: evil", 256), "Lunch Via: evil");
  EXPECT_EQ(OneLine("a\nb\0c"s, 256), "a b c");
  EXPECT_EQ(OneLine("a\xC2\x85"
                    "b\xE2\x80\xA8"
                    "c",
                    256),
            "a b c");  // NEL, LINE SEPARATOR
  EXPECT_EQ(OneLine("\r\n \n", 256), "");
  EXPECT_EQ(OneLine("ääää", 5), "ää");
  EXPECT_EQ(OneLine("abcdef", 3), "abc");
  EXPECT_EQ(OneLine("a\xFF"
                    "b",
                    10),
            "ab");
}

TEST(Text, LetsOnlyShortCleanReasonsThrough) {
  EXPECT_EQ(CleanReason("Not Here"), "Not Here");
  EXPECT_EQ(CleanReason("Not\r\nHere\x01"), "NotHere");
  EXPECT_EQ(CleanReason("broken \xC3"), "");
  EXPECT_EQ(CleanReason(std::string(128, 'x')), std::string(128, 'x'));
  EXPECT_EQ(CleanReason(std::string(129, 'x')), "");
  std::string umlauts;
  for (int i = 0; i < 128; ++i) umlauts += "ü";
  EXPECT_EQ(CleanReason(umlauts), umlauts) << "characters are counted, not octets";
}

}  // namespace
}  // namespace gatehouse::translator
