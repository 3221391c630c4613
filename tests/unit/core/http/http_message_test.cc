#include "core/http/http_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/http/http_client.h"

namespace gatehouse {
namespace {

using testing::HasSubstr;

// Octet by octet, as the worst network would bring it.
Result<bool> FeedSlowly(HttpReader& reader, std::string_view text) {
  Result<bool> whole = false;
  for (std::size_t i = 0; i < text.size() && whole && !*whole; ++i)
    whole = reader.Feed(text.substr(i, 1));
  return whole;
}

std::string WhyNot(std::string_view text, HttpLimits limits = {}) {
  HttpReader reader(HttpReader::Kind::kRequest, limits);
  const auto whole = reader.Feed(text);
  return whole ? "" : whole.error().text;
}

TEST(HttpReader, ReadsAResponseInChunks) {
  HttpReader reader(HttpReader::Kind::kResponse, {});
  const auto whole =
      FeedSlowly(reader,
                 "HTTP/1.1 201 Created\r\nReplay-Nonce: abc\r\nLOCATION:  /acct/1 \r\n"
                 "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n");
  ASSERT_TRUE(whole && *whole);
  EXPECT_EQ(reader.message().status, 201U);
  EXPECT_EQ(reader.message().Header("replay-nonce"), "abc");
  EXPECT_EQ(reader.message().Header("location"), "/acct/1");
  EXPECT_EQ(reader.message().Header("retry-after"), "");
  EXPECT_EQ(reader.message().body, "{\"a\":1}");
}

TEST(HttpReader, AHeadIsNotLargerForComingSlowly) {
  HttpReader reader(HttpReader::Kind::kRequest, {.head_bytes = 60, .body_bytes = 10});
  const auto whole = FeedSlowly(reader, "GET / HTTP/1.1\r\nA-long-field-name: value\r\n\r\n");
  ASSERT_TRUE(whole) << whole.error().text;
  EXPECT_TRUE(*whole);
}

TEST(HttpReader, ReadsToTheEndOfTheConnectionWhereNoLengthIsGiven) {
  HttpReader reader(HttpReader::Kind::kResponse, {});
  EXPECT_FALSE(reader.Feed("HTTP/1.1 200 OK\r\n\r\nabc").value());
  EXPECT_TRUE(reader.End().value());
  EXPECT_EQ(reader.message().body, "abc");
}

TEST(HttpReader, AnEndInTheMiddleIsAFailure) {
  HttpReader reader(HttpReader::Kind::kResponse, {});
  EXPECT_FALSE(reader.Feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc").value());
  EXPECT_FALSE(reader.End());
}

TEST(HttpReader, TheResponseToHeadHasNoBody) {
  HttpReader reader(HttpReader::Kind::kResponse, {}, true);
  EXPECT_TRUE(reader.Feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").value());
}

TEST(HttpReader, ReadsARequestAndNotWhatFollows) {
  HttpReader reader(HttpReader::Kind::kRequest, {});
  EXPECT_TRUE(reader.Feed("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTTP/1.1\r\n\r\n").value());
  EXPECT_EQ(reader.message().method, "GET");
  EXPECT_EQ(reader.message().target, "/a?b");
}

TEST(HttpReader, RefusesWhatIsNoHttp) {
  EXPECT_THAT(WhyNot(std::string("\x16\x03\x01\x02\x00", 5)), HasSubstr("malformed HTTP"));
  EXPECT_THAT(WhyNot("GET / HTTP/1.1\r\nBad Header\r\n\r\n"), HasSubstr("malformed HTTP"));
  EXPECT_THAT(WhyNot("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), HasSubstr("malformed HTTP"));
  EXPECT_THAT(WhyNot("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
              HasSubstr("malformed HTTP"));
  EXPECT_THAT(WhyNot("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
              HasSubstr("malformed HTTP"));
}

TEST(HttpReader, RefusesWhatIsTooLarge) {
  const HttpLimits limits{.head_bytes = 100, .body_bytes = 10};
  EXPECT_THAT(WhyNot("GET /" + std::string(200, 'a'), limits),
              HasSubstr("head is larger than 100"));
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 50; ++i) many += "a:b\r\n";
  EXPECT_THAT(WhyNot(many, limits), HasSubstr("head is larger than 100"));
  EXPECT_THAT(WhyNot("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n12345678901", limits),
              HasSubstr("body is larger than 10"));
}

TEST(HttpsUrl, TakesUrlsOfHttpsWithNames) {
  const auto url = HttpsUrl::Parse("HTTPS://CA.example:14000/dir?x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "ca.example");
  EXPECT_EQ(url->port, 14000);
  EXPECT_EQ(url->target, "/dir?x");
  EXPECT_EQ(HttpsUrl::Parse("https://ca.example")->target, "/");
  for (const char* bad : {"http://ca.example/", "https://", "https://192.0.2.1/", "https://[::1]/",
                          "https://a@ca.example/", "https://ca.example:0/", "https://ca.example:x/",
                          "https://ca.example/a b", "https://ca.example/\r\nX: y"})
    EXPECT_FALSE(HttpsUrl::Parse(bad)) << bad;
}

}  // namespace
}  // namespace gatehouse
