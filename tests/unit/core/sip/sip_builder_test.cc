#include "core/sip/sip_builder.h"

#include <gtest/gtest.h>

#include <string>

#include "core/sip/sip_message.h"

namespace gatehouse {
namespace {

using namespace std::string_literals;

TEST(SipBuilder, WritesARequestThatTheReaderReads) {
  const auto text = SipBuilder::Request("MESSAGE", "sip:ann@corp.example")
                        .Header("Via", {"SIP/2.0/TCP ", "edge.corp.example", ";branch=z9hG4bKx"})
                        .Header("From", "<sip:bob@partner.example>;tag=7a1e")
                        .Header("To", "<sip:ann@corp.example>")
                        .Header("Call-ID", "2d0f@edge.corp.example")
                        .Header("CSeq", "1 MESSAGE")
                        .Header("Max-Forwards", 70)
                        .Finish("text/plain; charset=UTF-8", "Lunch at one?");
  ASSERT_TRUE(text);
  const auto message = SipMessage::Parse(*text, true);
  ASSERT_TRUE(message) << message.error().reason;
  EXPECT_EQ(message->method(), "MESSAGE");
  EXPECT_EQ(message->charset(), "UTF-8");
  EXPECT_EQ(message->body(), "Lunch at one?");
}

TEST(SipBuilder, WritesAResponse) {
  const auto text = SipBuilder::Response(486, "Busy Here").Lines("Via: x\r\n").Finish();
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "SIP/2.0 486 Busy Here\r\nVia: x\r\nContent-Length: 0\r\n\r\n");
}

TEST(SipBuilder, LetsNoHeaderValueBreakOutOfItsLine) {
  for (const std::string& evil : {"a\r\nVia: b"s, "a\rb"s, "a\nb"s, "a\0b"s}) {
    EXPECT_FALSE(SipBuilder::Request("MESSAGE", "sip:a@b").Header("Subject", evil).Finish());
    EXPECT_FALSE(SipBuilder::Request("MESSAGE", evil).Finish());
    EXPECT_FALSE(SipBuilder::Request(evil, "sip:a@b").Finish());
    EXPECT_FALSE(SipBuilder::Response(400, evil).Finish());
    EXPECT_FALSE(SipBuilder::Response(400, "x").Header(evil, "x").Finish());
    EXPECT_FALSE(SipBuilder::Response(400, "x").Header("X", {"fine", evil}).Finish());
    EXPECT_FALSE(SipBuilder::Response(400, "x").Finish(evil, "body"));
  }
}

TEST(SipBuilder, BodyMayHoldAnything) {
  const auto text = SipBuilder::Request("MESSAGE", "sip:a@b").Finish("text/plain", "a\r\n\r\n\0b"s);
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->ends_with("a\r\n\r\n\0b"s));
}

}  // namespace
}  // namespace gatehouse
