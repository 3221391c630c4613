#include "core/sip/sip_framer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gatehouse {
namespace {

using Kind = SipFramer::Kind;

std::string Message(std::string_view length_line, std::string_view body) {
  return "MESSAGE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n" + std::string(length_line) + "\r\n\r\n" +
         std::string(body);
}

struct Seen {
  std::vector<std::string> messages;
  int pings = 0;
  int pongs = 0;
  int broken = 0;  // the status
};

void Drain(SipFramer& framer, Seen& seen) {
  for (;;) {
    const auto frame = framer.Next();
    if (!frame) {
      seen.broken = frame.error().fault.status;
      return;
    }
    if (!*frame) break;
    if ((*frame)->kind == Kind::kMessage) seen.messages.emplace_back((*frame)->bytes);
    seen.pings += (*frame)->kind == Kind::kPing ? 1 : 0;
    seen.pongs += (*frame)->kind == Kind::kPong ? 1 : 0;
  }
  framer.Keep();
}

Seen Feed(std::string_view bytes, std::size_t step) {
  SipFramer framer;
  Seen seen;
  for (std::size_t at = 0; at < bytes.size() && seen.broken == 0; at += step) {
    // A buffer of its own, so that a view kept too long is noticed by the sanitizer.
    const std::string piece(bytes.substr(at, step));
    framer.Add(piece);
    Drain(framer, seen);
  }
  return seen;
}

TEST(SipFramer, FindsTheSameMessagesHoweverTheStreamIsSplit) {
  const std::string one = Message("Content-Length: 5", "hello");
  const std::string two = Message("l :\r\n 3", "\r\n\r");
  const std::string three = Message("CONTENT-LENGTH:0", "");
  const std::string stream = one + two + "\r\n\r\n" + three;
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    const Seen seen = Feed(stream, step);
    EXPECT_EQ(seen.messages, (std::vector{one, two, three})) << step;
    EXPECT_EQ(seen.pings, 1) << step;
    EXPECT_EQ(seen.broken, 0) << step;
  }
}

TEST(SipFramer, TellsPingFromPong) {
  EXPECT_EQ(Feed("\r\n\r\n", 4).pings, 1);
  EXPECT_EQ(Feed("\r\n\r\n", 1).pings, 1);
  EXPECT_EQ(Feed("\r\n", 2).pings, 0);
  EXPECT_EQ(Feed("\r\n", 2).pongs, 1);
}

TEST(SipFramer, BearsSixteenOctetsOfEmptyLinesAndNoMore) {
  const std::string message = Message("Content-Length: 0", "");
  const std::string sixteen = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
  EXPECT_EQ(Feed(sixteen + message, 1000).messages.size(), 1U);
  EXPECT_EQ(Feed(sixteen + "\r\n" + message, 1000).broken, 400);
}

TEST(SipFramer, RefusesLengthsItCannotTrust) {
  for (const char* line :
       {"Content-Length: -1", "Content-Length: 1x", "Content-Length:", "Content-Length: 2147483648",
        "Content-Length: 99999999999999999999", "Content-Length: 1\r\nl: 2", "X: 1"})
    EXPECT_EQ(Feed(Message(line, "ab"), 1000).broken, 400) << line;
  EXPECT_EQ(Feed(Message("Content-Length: 1\r\nl: 1", "a"), 1000).messages.size(), 1U);
}

TEST(SipFramer, RefusesABodyAboveTheLimitBeforeItArrives) {
  EXPECT_EQ(Feed(Message("Content-Length: 262145", ""), 1000).broken, 413);
  EXPECT_EQ(Feed(Message("Content-Length: 262144", ""), 1000).broken, 0);
}

TEST(SipFramer, RefusesEndlessLinesAndHeadsWithoutKeepingThem) {
  EXPECT_EQ(Feed("MESSAGE " + std::string(9000, 'x'), 1024).broken, 400);
  std::string head = "MESSAGE sip:a@b SIP/2.0\r\n";
  while (head.size() < 66000) head += "X: " + std::string(1000, 'y') + "\r\n";
  EXPECT_EQ(Feed(head, 1024).broken, 513);
  std::string many = "MESSAGE sip:a@b SIP/2.0\r\n";
  for (int i = 0; i < 128; ++i) many += "X: y\r\n";
  EXPECT_EQ(Feed(many + "l: 0\r\n\r\n", 1024).broken, 513);
}

TEST(SipFramer, KnowsWhetherAMessageIsUnderWay) {
  SipFramer framer;
  Seen seen;
  EXPECT_FALSE(framer.inside_message());
  framer.Add("MESS");
  Drain(framer, seen);
  EXPECT_TRUE(framer.inside_message());
  framer.Add("AGE sip:a@b SIP/2.0\r\nl: 2\r\n\r\na");
  Drain(framer, seen);
  EXPECT_TRUE(framer.inside_message());
  framer.Add("b");
  Drain(framer, seen);
  EXPECT_FALSE(framer.inside_message());
  EXPECT_EQ(seen.messages.size(), 1U);
}

TEST(SipFramer, GivesAMessagePutBackAgainLater) {
  const std::string one = Message("l: 1", "a");
  const std::string two = Message("l: 1", "b");
  SipFramer framer;
  {
    const std::string stream = one + two;
    framer.Add(stream);
    ASSERT_TRUE(framer.Next().value());
    ASSERT_TRUE(framer.Next().value());
    framer.PutBack();
    framer.Keep();
  }
  Seen seen;
  framer.Add({});
  Drain(framer, seen);
  EXPECT_EQ(seen.messages, std::vector{two});
}

TEST(SipFramer, GivesTheBrokenHeadForTheAnswer) {
  SipFramer framer;
  const std::string bytes = Message("Content-Length: -3", "");
  framer.Add(bytes);
  const auto frame = framer.Next();
  ASSERT_FALSE(frame);
  EXPECT_TRUE(frame.error().head.starts_with("MESSAGE "));
  EXPECT_TRUE(frame.error().head.ends_with("Content-Length: -3\r\n"));
}

}  // namespace
}  // namespace gatehouse
