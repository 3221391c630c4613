#include "core/http/http_responder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string ResponseFor(std::string method, std::string target) {
  HttpMessage request;
  request.method = std::move(method);
  request.target = std::move(target);
  return HttpResponder::ResponseTo(&request, [](std::string_view asked) {
    return asked == "/x" ? std::optional<std::string>("content") : std::nullopt;
  });
}

TEST(HttpResponder, AnswersWhatIsThere) {
  const std::string response = ResponseFor("GET", "/x");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(response, EndsWith("\r\n\r\ncontent"));
  EXPECT_THAT(ResponseFor("HEAD", "/x"), EndsWith("\r\n\r\n"));
}

TEST(HttpResponder, SaysWhatIsWrongAndNothingOfTheRequest) {
  EXPECT_THAT(ResponseFor("GET", "/y"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ResponseFor("GET", "/y<script>"), testing::Not(HasSubstr("script")));
  EXPECT_THAT(ResponseFor("POST", "/x"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(HttpResponder::ResponseTo(nullptr, {}), StartsWith("HTTP/1.1 400 "));
}

}  // namespace
}  // namespace gatehouse
