#include "core/http/http_responder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/core/loop/loopback_sockets.h"
#include "tests/unit/core/loop/run_until.h"

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

// --- over connections

class Visitor {
 public:
  Visitor(Loop& loop, const SocketAddress& to, std::string_view request) {
    connecting_ = TcpStream::Connect(
        loop, to, seconds{5}, [this, request](Result<std::unique_ptr<TcpStream>> connected) {
          ASSERT_TRUE(connected);
          stream_ = *std::move(connected);
          stream_->Start({.on_bytes =
                              [this](std::span<const std::byte> bytes) {
                                heard.append(reinterpret_cast<const char*>(bytes.data()),
                                             bytes.size());
                              },
                          .on_closed = [this](std::string_view) { closed = true; }});
          stream_->Write(request);
        });
  }
  [[nodiscard]] bool connected() const { return stream_ != nullptr; }
  std::string heard;
  bool closed = false;

 private:
  std::unique_ptr<TcpStream::Connecting> connecting_;
  std::unique_ptr<TcpStream> stream_;
};

class HttpResponderConnections : public testing::Test {
 protected:
  HttpResponderConnections() : listener_(SOCK_STREAM) { listener_.Listen(); }
  void Serve(HttpResponder::Bounds bounds) {
    responder_.emplace(
        *loop_, metrics_, [](std::string_view) { return std::optional<std::string>("content"); },
        bounds);
    ASSERT_TRUE(responder_->Listen(listener_.fd()));
  }
  Visitor& Visit(std::string_view request) {
    visitors_.push_back(std::make_unique<Visitor>(*loop_, listener_.address(), request));
    Visitor& visitor = *visitors_.back();
    EXPECT_TRUE(RunUntil(*loop_, [&visitor] { return visitor.connected(); }));
    return visitor;
  }

  static constexpr std::string_view kHalf = "GET / HT";
  static constexpr std::string_view kWhole = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
  std::unique_ptr<Loop> loop_ = MakeLoop();
  LoopbackSocket listener_;
  Metrics metrics_;
  std::optional<HttpResponder> responder_;
  std::vector<std::unique_ptr<Visitor>> visitors_;
};

TEST_F(HttpResponderConnections, WhoIsSlowDoesNotKeepOthersOut) {
  Serve({.connections = 3, .request = seconds{60}});
  Visitor& oldest = Visit(kHalf);
  for (int i = 0; i < 5; ++i) Visit(kHalf);
  Visitor& last = Visit(kWhole);
  EXPECT_TRUE(RunUntil(*loop_, [&last] { return last.closed; }));
  EXPECT_THAT(last.heard, EndsWith("content"));
  EXPECT_TRUE(RunUntil(*loop_, [&oldest] { return oldest.closed; }));
  EXPECT_EQ(oldest.heard, "");
  EXPECT_FALSE(visitors_[5]->closed);  // the youngest of the slow
  EXPECT_EQ(metrics_.Value("gatehouse_http_connections_evicted_total"), 4);
}

TEST_F(HttpResponderConnections, WhoHasAskedIsNotDroppedForNewcomers) {
  Serve({.connections = 1, .request = seconds{60}});
  for (int i = 0; i < 20; ++i) {
    Visitor& asker = Visit(kWhole);
    EXPECT_TRUE(RunUntil(*loop_, [&asker] { return asker.closed; })) << i;
    EXPECT_THAT(asker.heard, EndsWith("content")) << i;
    if (i > 0) visitors_.erase(visitors_.begin());  // one lingers
  }
}

TEST_F(HttpResponderConnections, WhoTakesTooLongIsDropped) {
  Serve({.connections = 8, .request = milliseconds{200}});
  Visitor& slow = Visit(kHalf);
  EXPECT_TRUE(RunUntil(*loop_, [&slow] { return slow.closed; }));
  EXPECT_EQ(slow.heard, "");
}

}  // namespace
}  // namespace gatehouse
