#include "plugins/sip_translator/subscribe_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gatehouse::translator {
namespace {

using testing::ElementsAre;

constexpr std::string_view kContact = "Contact: <sip:ann@10.0.0.5;transport=tcp>\r\n";

Result<SubscribeRequest, HandOverAnswer> Read(const std::string& lines) {
  const std::string text =
      "SUBSCRIBE sip:bob@partner.example SIP/2.0\r\nVia: SIP/2.0/TCP pool;branch=z9hG4bK1\r\n"
      "From: <sip:ann@corp.example>;tag=a\r\nTo: <sip:bob@partner.example>\r\nCall-ID: c\r\n"
      "CSeq: 1 SUBSCRIBE\r\n" +
      lines + "Content-Length: 0\r\n\r\n";
  const auto message = SipMessage::Parse(text, true);
  EXPECT_TRUE(message.has_value());
  return ReadSubscribe(*message);
}
std::string_view ReasonOfRefusal(const std::string& lines) {
  const auto read = Read(lines);
  return ReasonCode(read ? Reason::kNone : read.error().reason);
}
int SubscribeStatusOf(const std::string& lines) {
  const auto read = Read(lines);
  return read ? 0 : read.error().status;
}
std::string With(std::string_view lines) {
  return std::string(kContact) + std::string(lines);
}

TEST(SubscribeRequest, IsReadWithItsEventContactAndRoutes) {
  const auto request = Read(
      "Event: Presence;id=7;x=y\r\nExpires: 600\r\nContact: \"Ann, at home\" "
      "<sip:ann@10.0.0.5;transport=tcp>;expires=5\r\n"
      "Record-Route: <sip:a.example;lr>;x=1,<sip:b.example;lr>\r\n"
      "Record-Route: <sip:c.example;lr>\r\n");
  ASSERT_TRUE(request.has_value()) << request.error().why;
  EXPECT_EQ(request->event, "presence;id=7");
  EXPECT_EQ(request->expires_s, 600U);
  EXPECT_EQ(request->target, "sip:ann@10.0.0.5;transport=tcp");
  EXPECT_THAT(request->routes,
              ElementsAre("sip:a.example;lr", "sip:b.example;lr", "sip:c.example;lr"));
}

TEST(SubscribeRequest, TakesACompactEventAndAContactWithoutBrackets) {
  const auto request = Read("o: presence\r\nm: sip:ann@10.0.0.5;expires=9\r\n");
  ASSERT_TRUE(request.has_value()) << request.error().why;
  EXPECT_EQ(request->target, "sip:ann@10.0.0.5");
  EXPECT_EQ(request->expires_s, kDefaultExpiresSeconds);
}

TEST(SubscribeRequest, WhatIsRefusedHasAReason) {
  const std::string event = "Event: presence\r\n";
  EXPECT_EQ(ReasonOfRefusal(With("Event: dialog\r\n")), "unreadable-content");
  EXPECT_EQ(ReasonOfRefusal(With(event + "Accept: text/plain\r\n")), "unreadable-content");
  EXPECT_EQ(ReasonOfRefusal(With(event + "Expires: 5\r\n")), "interval-too-brief");
  EXPECT_EQ(ReasonOfRefusal(event), "malformed-request");
  EXPECT_EQ(ReasonOfRefusal(With(event + "Record-Route: none\r\n")), "malformed-request");
}

TEST(SubscribeRequest, AnotherEventIs489) {
  for (const char* event : {"", "Event: dialog\r\n", "Event: presence.winfo\r\n", "Event:\r\n"})
    EXPECT_EQ(SubscribeStatusOf(With(event)), 489) << event;
}

TEST(SubscribeRequest, SomeAcceptMustTakePidf) {
  const std::string event = "Event: presence\r\n";
  EXPECT_EQ(SubscribeStatusOf(With(event + "Accept: application/msrtc-event-categories+xml\r\n")),
            406);
  EXPECT_EQ(SubscribeStatusOf(With(event + "Accept: text/plain, application/PIDF+xml;q=0.5\r\n")),
            0);
  EXPECT_EQ(SubscribeStatusOf(With(event + "Accept: text/plain\r\nAccept: application/*\r\n")), 0);
  EXPECT_EQ(SubscribeStatusOf(With(event + "Accept:\r\n")), 406);
}

TEST(SubscribeRequest, ExpiresHasBounds) {
  const auto granted = [](const std::string& expires) {
    return Read(With("Event: presence\r\nExpires: " + expires + "\r\n"))->expires_s;
  };
  EXPECT_EQ(granted("0"), 0U);
  EXPECT_EQ(granted("60"), 60U);
  EXPECT_EQ(granted("28801"), kMaxExpiresSeconds);
  EXPECT_EQ(granted("99999999999999999999"), kMaxExpiresSeconds);
  EXPECT_EQ(granted("soon"), kDefaultExpiresSeconds);
  EXPECT_EQ(SubscribeStatusOf(With("Event: presence\r\nExpires: 1\r\n")), 423);
}

TEST(SubscribeRequest, WantsExactlyOneContactThatNotifysCanGoTo) {
  for (const char* contact :
       {"", "Contact: *\r\n", "Contact: <tel:1>\r\n", "Contact: <sip:a@b>, <sip:c@d>\r\n",
        "Contact: <sip:a@b>\r\nContact: <sip:c@d>\r\n", "Contact: <sip:a@b?Route=x>\r\n",
        "Contact: <sip:>\r\n", "Contact: ,\r\n"})
    EXPECT_EQ(SubscribeStatusOf(std::string("Event: presence\r\n") + contact), 400) << contact;
  EXPECT_EQ(
      SubscribeStatusOf("Event: presence\r\nContact: <sip:" + std::string(2000, 'a') + "@b>\r\n"),
      400);
}

TEST(SubscribeRequest, RoutesThatCannotBeFollowedAreRefused) {
  EXPECT_EQ(SubscribeStatusOf(With("Event: presence\r\nRecord-Route: <mailto:x@y>\r\n")), 400);
  std::string many;
  for (std::size_t i = 0; i <= kMaxRoutes; ++i) many += "Record-Route: <sip:p.example;lr>\r\n";
  EXPECT_EQ(SubscribeStatusOf(With("Event: presence\r\n" + many)), 400);
}

}  // namespace
}  // namespace gatehouse::translator
