#include "core/sip/sip_message.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse {
namespace {

std::string Request(std::string_view extra, std::string_view body = "hi") {
  return "MESSAGE sip:bob@partner.example SIP/2.0\r\n"
         "Via: SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bKabc;rport;alias\r\n"
         "From: \"Ann B\" <sip:ann@corp.example>;tag=1\r\n"
         "To: <sip:bob@partner.example>\r\n"
         "Call-ID: x@corp.example\r\n"
         "CSeq: 7 MESSAGE\r\n" +
         std::string(extra) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

int StatusOf(const std::string& bytes, bool stream = true) {
  const auto message = SipMessage::Parse(bytes, stream);
  return message ? 0 : message.error().status;
}

TEST(SipMessage, GivesThePartsOfAnOrdinaryRequest) {
  const auto message = SipMessage::Parse(
      Request("c: Text/Plain ; charset=\"utf-8\"\r\ns: Lunch\r\nContent-Language: de\r\n"
              "Expires: 99999999999\r\nDate: Sat, 13 Nov 2010 23:29:00 GMT\r\n"),
      true);
  ASSERT_TRUE(message) << message.error().reason;
  EXPECT_TRUE(message->is_request());
  EXPECT_EQ(message->request_uri(), "sip:bob@partner.example");
  EXPECT_EQ(message->from().display_name, "Ann B");
  EXPECT_EQ(message->from().uri, "sip:ann@corp.example");
  EXPECT_EQ(message->from().tag, "1");
  EXPECT_EQ(message->to().tag, "");
  EXPECT_EQ(message->call_id(), "x@corp.example");
  EXPECT_EQ(message->cseq().number, 7U);
  ASSERT_EQ(message->vias().size(), 1U);
  EXPECT_EQ(message->vias()[0].host, "192.0.2.1");
  EXPECT_EQ(message->vias()[0].port, 5070);
  EXPECT_TRUE(message->vias()[0].rport);
  EXPECT_TRUE(message->vias()[0].alias);
  EXPECT_EQ(message->max_forwards(), 70);
  EXPECT_EQ(message->content_type(), "text/plain");
  EXPECT_EQ(message->charset(), "utf-8");
  EXPECT_EQ(message->subject(), "Lunch");
  EXPECT_EQ(message->content_language(), "de");
  EXPECT_EQ(message->date(), "Sat, 13 Nov 2010 23:29:00 GMT");
  EXPECT_EQ(message->expires(), 2147483647U);
  EXPECT_EQ(message->Header("content-type"), "Text/Plain ; charset=\"utf-8\"");
  EXPECT_EQ(message->body(), "hi");
}

TEST(SipMessage, ReadsIpv6SentBy) {
  const auto message =
      SipMessage::Parse(Request("Via: SIP/2.0/TLS [2001:db8::9]:5061;branch=z9hG4bKq\r\n"), true);
  ASSERT_TRUE(message) << message.error().reason;
  ASSERT_EQ(message->vias().size(), 2U);
  EXPECT_EQ(message->vias()[1].host, "2001:db8::9");
  EXPECT_EQ(message->vias()[1].port, 5061);
}

TEST(SipMessage, IgnoresOctetsBehindADatagramsBodyButNotMissingOnes) {
  EXPECT_EQ(StatusOf(Request("") + "junk", false), 0);
  std::string cut = Request("");
  cut.pop_back();
  EXPECT_EQ(StatusOf(cut, false), 400);
}

TEST(SipMessage, NeedsContentLengthOnStreamsOnly) {
  std::string bytes = Request("");
  bytes.erase(bytes.find("Content-Length"), std::string("Content-Length: 2\r\n").size());
  EXPECT_EQ(StatusOf(bytes, true), 400);
  const auto message = SipMessage::Parse(bytes, false);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->body(), "hi");
}

TEST(SipMessage, RefusesMalformedHeaders) {
  for (const char* extra :
       {"Max-Forwards: 256\r\n", "Max-Forwards: -1\r\n", "Max-Forwards: x\r\n", "no colon here\r\n",
        "X-\x01: y\r\n", ": y\r\n", "To: <sip:c@d>\r\n", "CSeq: 8 MESSAGE\r\n",
        "Via: SIP/2.0/UDP \r\n", "Via: SIP/2.0/UDP a;;x\r\n", "Via: SIP/2.0/UDP a,,\r\n",
        "Via: SIP/3.0/UDP a\r\n", "Via: SIP/2.0/UDP a:99999;branch=b\r\n", "X: a\rb\r\n",
        "X: a\nY: b\r\n", "Content-Type: text\r\n", "Content-Type: te xt/plain\r\n"})
    EXPECT_EQ(StatusOf(Request(extra)), 400) << extra;
  EXPECT_EQ(StatusOf(Request(std::string("X: a\0b\r\n", 8))), 400);
}

TEST(SipMessage, RefusesMoreThanItsLimits) {
  std::string vias;
  for (int i = 0; i < 70; ++i) vias += "v: SIP/2.0/UDP h;branch=z9hG4bK1\r\n";
  EXPECT_EQ(StatusOf(Request(vias)), 400);  // 71 with its own
  std::string headers;
  for (int i = 0; i < 128; ++i) headers += "X: y\r\n";
  EXPECT_EQ(StatusOf(Request(headers)), 513);
  EXPECT_EQ(StatusOf(Request("X: " + std::string(8200, 'x') + "\r\n")), 400);
  EXPECT_EQ(StatusOf(Request("", std::string(262145, 'x'))), 413);
  EXPECT_EQ(StatusOf(Request("", std::string(262144, 'x'))), 0);
}

TEST(SipMessage, AThousandViasInOneLineAreRefusedNotKept) {
  std::string via = "Via: SIP/2.0/UDP h";
  for (int i = 0; i < 400; ++i) via += ",SIP/2.0/UDP h";
  EXPECT_EQ(StatusOf(Request(via + "\r\n")), 400);
}

TEST(SipMessage, RefusalEchoesWhatTheAnswerNeeds) {
  const auto message =
      SipMessage::Parse(Request("Max-Forwards: x\r\nv: SIP/2.0/UDP second\r\n"), true);
  ASSERT_FALSE(message);
  EXPECT_TRUE(message.error().answerable);
  EXPECT_EQ(message.error().top_via, "SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bKabc;rport;alias");
  EXPECT_NE(message.error().echo.find("Via: SIP/2.0/UDP second\r\n"), std::string::npos);
  EXPECT_NE(message.error().echo.find("From: \"Ann B\" <sip:ann@corp.example>;tag=1\r\n"),
            std::string::npos);
  EXPECT_NE(message.error().echo.find("To: <sip:bob@partner.example>;tag="), std::string::npos);
  EXPECT_NE(message.error().echo.find("CSeq: 7 MESSAGE\r\n"), std::string::npos);
}

TEST(SipMessage, NeitherAckNorResponseIsEverAnswered) {
  std::string ack = Request("Max-Forwards: x\r\n");
  ack.replace(0, 7, "ACK");
  const auto refused = SipMessage::Parse(ack, true);
  ASSERT_FALSE(refused);
  EXPECT_FALSE(refused.error().answerable);
  std::string response = Request("Max-Forwards: x\r\n");
  response.replace(0, response.find("\r\n"), "SIP/2.0 200 OK");
  const auto dropped = SipMessage::Parse(response, true);
  ASSERT_FALSE(dropped);
  EXPECT_FALSE(dropped.error().answerable);
}

TEST(SipMessage, ReadsAResponse) {
  std::string response = Request("");
  response.replace(0, response.find("\r\n"), "SIP/2.0 486 Busy  Here ");
  const auto message = SipMessage::Parse(response, true);
  ASSERT_TRUE(message) << message.error().reason;
  EXPECT_FALSE(message->is_request());
  EXPECT_EQ(message->status(), 486);
  EXPECT_EQ(message->reason(), "Busy  Here ");
  EXPECT_EQ(message->method(), "MESSAGE");
}

TEST(SipMessage, DropsResponsesWithImpossibleStatus) {
  for (const char* line : {"SIP/2.0 099 x", "SIP/2.0 700 x", "SIP/2.0 20 x", "SIP/2.0 2000 x",
                           "SIP/2.0  200 x", "SIP/2.0 -20 x", "SIP/2.0 ", "SIP/2.1 200 x"}) {
    std::string response = Request("");
    response.replace(0, response.find("\r\n"), line);
    EXPECT_NE(StatusOf(response), 0) << line;
  }
}

TEST(SipMessage, MovesWithItsViews) {
  auto message = SipMessage::Parse(Request("", std::string(20000, 'x')), true);
  ASSERT_TRUE(message);
  const SipMessage moved = std::move(*message);
  EXPECT_EQ(moved.body().size(), 20000U);
  EXPECT_EQ(moved.from().uri, "sip:ann@corp.example");
}

}  // namespace
}  // namespace gatehouse
