#include "plugins/sip_translator/sip_body.h"

#include <gtest/gtest.h>

#include <string>

#include "plugins/sip_translator/charset.h"

namespace gatehouse::translator {
namespace {

using std::string_literals::operator""s;

// The text, or the status in brackets.
std::string Read(std::string_view type, std::string_view body, std::string_view coding = {}) {
  const auto text = ReadPlainText({type, coding, body});
  return text ? *text : "[" + std::to_string(text.error().status) + "]";
}

TEST(SipBody, ReadsPlainTextInEveryCharsetItKnows) {
  EXPECT_EQ(Read("text/plain", "grüße"), "grüße");
  EXPECT_EQ(Read("Text/Plain; Charset=\"UTF-8\"", "\xEF\xBB\xBFgrüße"), "grüße");
  EXPECT_EQ(Read("text/plain;charset=us-ascii", "plain"), "plain");
  EXPECT_EQ(Read("text/plain;charset=ISO-8859-1",
                 "gr\xFC\xDF"
                 "e"),
            "grüße");
  EXPECT_EQ(Read("text/plain;charset=windows-1252", "\x80 \x93x\x94"), "€ “x”");
  EXPECT_EQ(Read("text/plain;charset=utf-16", "\xFF\xFEh\0i\0"s), "hi");
  EXPECT_EQ(Read("text/plain;charset=utf-16", "\xFE\xFF\0h\0i"s), "hi");
  EXPECT_EQ(Read("text/plain;charset=utf-16", "\0h\0i"s), "hi");
  EXPECT_EQ(Read("text/plain;charset=utf-16le", "\x3D\xD8\x00\xDE"s), "😀");
}

TEST(SipBody, RefusesCharsetsAndOctetsItCannotRead) {
  EXPECT_EQ(Read("text/plain;charset=koi8-r", "x"), "[415]");
  EXPECT_EQ(Read("text/plain", "\xC0\xAF"), "[415]");
  EXPECT_EQ(Read("text/plain;charset=us-ascii", "\xFC"), "[415]");
  EXPECT_EQ(Read("text/plain;charset=windows-1252", "\x81"), "[415]");
  EXPECT_EQ(Read("text/plain;charset=utf-16le", "\x3D\xD8"), "[415]");
  EXPECT_EQ(Read("text/plain;charset=utf-16be", "\xDC\x00"s), "[415]");
  EXPECT_EQ(Read("text/plain;charset=utf-16be", "abc"), "[415]");
  EXPECT_EQ(Read("text/plain", "x", "uuencode"), "[415]");
}

TEST(SipBody, CleansTheTextForXmpp) {
  EXPECT_EQ(Read("text/plain",
                 "a\r\n\x07"
                 "b"),
            "a\nb");
}

TEST(SipBody, UndoesTransferEncodings) {
  EXPECT_EQ(Read("text/plain", "Z3LDvMOf\r\nZQ==", "base64"), "grüße");
  EXPECT_EQ(Read("text/plain", "gr=C3=BC=C3=9F=\r\ne =3D", "Quoted-Printable"), "grüße =");
  EXPECT_EQ(Read("text/plain", "x=4", "quoted-printable"), "[415]");
  EXPECT_EQ(Read("text/plain", "Z3LD*", "base64"), "[415]");
}

TEST(SipBody, ChoosesThePlainPartOfAnAlternative) {
  EXPECT_EQ(Read("multipart/alternative; boundary=\"b1\"",
                 "preamble\r\n--b1\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n"
                 "--b1\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nSee you "
                 "<later>\r\n--b1--\r\nepilogue"),
            "See you <later>");
  EXPECT_EQ(Read("multipart/alternative; boundary=b1", "--b1\n\nno type is text\n--b1--"),
            "no type is text");
  EXPECT_EQ(
      Read("multipart/alternative; boundary=b1",
           "--b1\r\nContent-Type: multipart/related; boundary=b2\r\n\r\n"
           "--b2\r\nContent-Type: text/plain\r\n\r\nroot\r\n--b2\r\n\r\nother\r\n--b2--\r\n--b1--"),
      "root");
  EXPECT_EQ(Read("multipart/alternative; boundary=b1",
                 "--b1\r\nContent-Type: text/html\r\n\r\nx\r\n--b1--"),
            "[415]");
}

TEST(SipBody, RefusesBrokenMultiparts) {
  EXPECT_EQ(Read("multipart/alternative", "--b1\r\n\r\nx\r\n--b1--"), "[400]");
  EXPECT_EQ(Read("multipart/alternative; boundary=b1", "--b1\r\n\r\nx\r\n"), "[400]");
  EXPECT_EQ(Read("multipart/alternative; boundary=" + std::string(71, 'b'), "x"), "[400]");
  std::string many;
  for (int i = 0; i < 17; ++i) many += "--b\r\nContent-Type: text/html\r\n\r\nx\r\n";
  EXPECT_EQ(Read("multipart/alternative; boundary=b", many + "--b--"), "[400]");
  std::string nested = "--b\r\n\r\nx\r\n--b--";
  for (int i = 0; i < 5; ++i)
    nested = "--b\r\nContent-Type: multipart/alternative; boundary=b" + "\r\n\r\n"s + nested +
             "\r\n--b--";
  EXPECT_EQ(Read("multipart/alternative; boundary=b", nested), "[400]");
}

TEST(SipBody, UnwrapsCpimAndIgnoresItsAddresses) {
  EXPECT_EQ(Read("message/cpim",
                 "From: <im:mallory@elsewhere.example>\r\nTo: <im:bob@partner.example>\r\n\r\n"
                 "Content-Type: text/plain; charset=utf-8\r\n\r\nLunch?"),
            "Lunch?");
  EXPECT_EQ(Read("message/cpim", "From: <im:a@b.example>\r\n\r\nContent-Type: text/html\r\n\r\nx"),
            "[415]");
}

TEST(SipBody, RefusesOtherTypesAndEndsTypingNotices) {
  EXPECT_EQ(Read("text/html", "<b>x</b>"), "[415]");
  EXPECT_EQ(Read("text/x-msmsgsinvite", "x"), "[415]");
  EXPECT_EQ(Read("", "x"), "[415]");
  EXPECT_EQ(Read("application/im-iscomposing+xml", "<isComposing/>"), "");
  EXPECT_EQ(Read("", ""), "");
}

}  // namespace
}  // namespace gatehouse::translator
