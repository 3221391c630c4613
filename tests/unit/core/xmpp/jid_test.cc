#include "core/xmpp/jid.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

std::string Prepared(std::string_view text) {
  const auto jid = Jid::Parse(text);
  return jid ? jid->ToText() : "refused";
}
std::string Domain(std::string_view text) {
  return PrepareDomain(text).value_or("refused");
}
std::string Local(std::string_view text) {
  return PrepareLocalpart(text).value_or("refused");
}
std::string Resource(std::string_view text) {
  return PrepareResourcepart(text).value_or("refused");
}

TEST(Jid, CutsAtTheFirstSlashBeforeTheFirstAt) {
  const auto jid = Jid::Parse("a.example.com/b@example.net");
  ASSERT_TRUE(jid);
  EXPECT_EQ(jid->local, "");
  EXPECT_EQ(jid->domain, "a.example.com");
  EXPECT_EQ(jid->resource, "b@example.net");
}

TEST(Jid, KeepsSlashesAndAtsInTheResource) {
  EXPECT_EQ(Prepared("u@example.com/a/b@c"), "u@example.com/a/b@c");
}

TEST(Jid, RefusesEmptyPartsWithTheirSeparator) {
  for (const char* text : {"@partner.example", "a@", "u@partner.example/", "", "/", "@", "@/",
                           "a@/b", "partner.example/"})
    EXPECT_EQ(Prepared(text), "refused") << text;
}

TEST(Jid, LowersLocalpartAndDomainButNotTheResource) {
  EXPECT_EQ(Prepared("Ann@CORP.Example/Home PC"), "ann@corp.example/Home PC");
  EXPECT_EQ(Prepared("TSCHÜSS@partner.example"), "tschüss@partner.example");
}

TEST(Jid, ComparesPreparedFormsOctetByOctet) {
  // U+00FC, and u with a combining diaeresis.
  EXPECT_EQ(*Jid::Parse("f\xC3\xBC@corp.example"), *Jid::Parse("fu\xCC\x88@corp.example"));
  EXPECT_NE(*Jid::Parse("a@corp.example/x"), *Jid::Parse("a@corp.example/X"));
}

TEST(Jid, TakesTheAddressesOfTheRoundTripTable) {
  for (const char* text :
       {"fü@corp.example", "o\\27malley@corp.example", "foo@corp.example/bar",
        "a\\20b@corp.example", "a\\40b@corp.example", "c\\5c5commas@corp.example",
        "c\\net@corp.example", "ann@corp.example", "x@bücher.example", "m\\26m@partner.example",
        "tschüss@partner.example", "baz@partner.example/qux", "a#b%c@partner.example",
        "a\\41b@partner.example", "x@partner.example/home PC/1"})
    EXPECT_EQ(Prepared(text), text);
  EXPECT_EQ(Prepared("a b@partner.example"), "refused");
}

TEST(Jid, GivesTheSameDomainWithoutTheRest) {
  for (const char* text : {"corp.example",
                           "ann@corp.example",
                           "ann@corp.example/a b@c/d",
                           "Ann@CORP.example.",
                           "a@xn--bcher-kva.example/x",
                           "f\xC3\xBC@corp.example",
                           "corp.example/r",
                           "a@b@c.example",
                           "@corp.example",
                           "a@",
                           "corp.example/",
                           "a b@corp.example",
                           "a@corp.example/\x7f",
                           "a@127.0.0.1",
                           "a@localhost",
                           "a@-b.example",
                           "",
                           "/",
                           "a@corp.example/\xC2\x85",
                           "a\"b@corp.example",
                           "corp..example",
                           "a@corp.example:5269"}) {
    std::string scratch;
    const auto domain = DomainOfJid(text, scratch);
    const auto jid = Jid::Parse(text);
    ASSERT_EQ(domain.has_value(), jid.has_value()) << text;
    if (!jid) continue;
    EXPECT_EQ(*domain, jid->domain) << text;
  }
}

TEST(Jid, GivesTheBareAddress) {
  EXPECT_EQ(Jid::Parse("a@corp.example/r")->Bare(), "a@corp.example");
  EXPECT_EQ(Jid::Parse("corp.example/r")->Bare(), "corp.example");
}

TEST(Localpart, RefusesWhatRfc7622Excludes) {
  for (const char* text : {"a\"b", "a&b", "a'b", "a/b", "a:b", "a<b", "a>b", "a@b", "a b", "\x7f"})
    EXPECT_EQ(Local(text), "refused") << text;
  EXPECT_EQ(Local(std::string_view("a\0b", 3)), "refused");
}

TEST(Localpart, MapsFullwidthLettersToOrdinaryOnes) {
  EXPECT_EQ(Local("ＡＢＣ"), "abc");
}

TEST(Localpart, RefusesAFullwidthAtSignThatWouldBecomeASeparator) {
  EXPECT_EQ(Local("a＠b"), "refused");
}

TEST(Localpart, RefusesSymbolsSpacesAndControls) {
  for (const char* text :
       {"♥", "a\u2028b", "a\u0085b", "\u00A0", "a\u200Bb", "ⅳ", "a\uFDD0", "a\u0378", "\u1100"})
    EXPECT_EQ(Local(text), "refused") << text;
}

TEST(Localpart, HoldsTheBidiRule) {
  EXPECT_EQ(Local("\u05D0\u05D1"), "\u05D0\u05D1");
  EXPECT_EQ(Local("a\u05D0"), "refused");
  EXPECT_EQ(Local("\u05D0a"), "refused");
  EXPECT_EQ(Local("1\u05D0"), "refused");
}

TEST(Localpart, HoldsTheContextRules) {
  EXPECT_EQ(Local("l\u00B7l"), "l\u00B7l");
  EXPECT_EQ(Local("a\u00B7b"), "refused");
  EXPECT_EQ(Local("a\u200Db"), "refused");
  EXPECT_EQ(Local("\u0915\u094D\u200D\u0937"), "\u0915\u094D\u200D\u0937");
  EXPECT_EQ(Local("\u30AB\u30FB\u30AB"), "\u30AB\u30FB\u30AB");
  EXPECT_EQ(Local("a\u30FB"), "refused");
}

TEST(Localpart, HoldsAtMost1023Octets) {
  EXPECT_EQ(Local(std::string(1023, 'a')), std::string(1023, 'a'));
  EXPECT_EQ(Local(std::string(1024, 'a')), "refused");
  // 512 code points, each of 2 octets, composed from 3.
  std::string long_text;
  for (int i = 0; i < 512; ++i) long_text += "\xC3\xBC";
  EXPECT_EQ(Local(long_text), "refused");
}

TEST(Localpart, RefusesBrokenUtf8) {
  for (const char* text : {"a\xC0\xAF", "a\xED\xA0\x80", "a\xF5\x80\x80\x80", "a\xC3"})
    EXPECT_EQ(Local(text), "refused");
}

TEST(Resource, TakesSpacesAndMapsOtherSpacesToThem) {
  EXPECT_EQ(Resource("home PC/1"), "home PC/1");
  EXPECT_EQ(Resource("a\u3000b"), "a b");
  EXPECT_EQ(Resource("♥"), "♥");
}

TEST(Resource, RefusesControlsAndLineSeparators) {
  for (const char* text : {"a\rb", "a\u0085b", "a\u2028b", "\x7f", "a\uFFFE", "a\u0378", "a\tb"})
    EXPECT_EQ(Resource(text), "refused");
}

TEST(Domain, LowersStripsOneTrailingDotAndKeepsTheRest) {
  EXPECT_EQ(Domain("Corp.Example."), "corp.example");
  EXPECT_EQ(Domain("corp.example.."), "refused");
  EXPECT_EQ(Domain("a-1.b2.example"), "a-1.b2.example");
}

TEST(Domain, RefusesAddressesSingleLabelsAndStrangeCharacters) {
  for (const char* text :
       {"127.0.0.1", "[::1]", "::1", "localhost", "", ".", "a..example", ".a.example", "-a.example",
        "a-.example", "a_b.example", "a b.example", "a@b.example", "a/b.example", "ab--c.example",
        "xn--a.example", "a.example:5269", "\xC0.example", "１２７.0.0.1"})
    EXPECT_EQ(Domain(text), "refused") << text;
}

TEST(Domain, RefusesLabelsAndNamesThatAreTooLong) {
  const std::string label(63, 'a');
  EXPECT_EQ(Domain(label + ".example"), label + ".example");
  EXPECT_EQ(Domain(label + "a.example"), "refused");
  EXPECT_EQ(Domain(label + "." + label + "." + label + "." + label), "refused");
}

TEST(Domain, KeepsULabelsAndTurnsALabelsIntoThem) {
  EXPECT_EQ(Domain("xn--bcher-kva.example"), "bücher.example");
  EXPECT_EQ(Domain("BÜCHER.example"), "bücher.example");
  EXPECT_EQ(Domain("XN--BCHER-KVA.example"), "bücher.example");
  EXPECT_EQ(DomainToAscii("bücher.example").value_or("refused"), "xn--bcher-kva.example");
  EXPECT_EQ(DomainToAscii("corp.example").value_or("refused"), "corp.example");
}

TEST(Domain, KeepsSharpSAsIdna2008Does) {
  EXPECT_EQ(Domain("straße.example"), "straße.example");
  EXPECT_EQ(DomainToAscii("straße.example").value_or("refused"), "xn--strae-oqa.example");
}

TEST(Domain, RefusesSymbolsThatOnlyIdna2003Allowed) {
  EXPECT_EQ(Domain("♥.example"), "refused");
  EXPECT_EQ(Domain("xn--g6h.example"), "refused");
}

TEST(Domain, RefusesMixedDirectionsAndStrayJoiners) {
  EXPECT_EQ(Domain("a\u05D0.example"), "refused");
  EXPECT_EQ(Domain("a\u200Db.example"), "refused");
}

}  // namespace
}  // namespace gatehouse
