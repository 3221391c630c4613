#include "core/http/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "core/loop/tcp_stream.h"
#include "core/loop/timer.h"
#include "tests/fakes/certificate_maker.h"
#include "tests/fakes/fake_dns.h"
#include "tests/unit/core/loop/loopback_sockets.h"
#include "tests/unit/core/loop/run_until.h"

namespace gatehouse {
namespace {

using testing::HasSubstr;

// Answers when the test says so.
class WaitingDns final : public DnsLookup {
 public:
  std::function<void(DnsAnswer<SocketAddress>)> asked;

  void Addresses(std::string_view /*name*/, std::uint16_t /*port*/,
                 std::function<void(DnsAnswer<SocketAddress>)> done) override {
    asked = std::move(done);
  }
  void Srv(std::string_view, std::function<void(DnsAnswer<SrvRecord>)>) override {}
  void Naptr(std::string_view, std::function<void(DnsAnswer<NaptrRecord>)>) override {}
  void Tlsa(std::string_view, std::function<void(DnsAnswer<TlsaRecord>)>) override {}
  void Txt(std::string_view, std::function<void(DnsAnswer<std::string>)>) override {}
  [[nodiscard]] bool validates() const override { return false; }
};

class HttpExchangeTest : public testing::Test {
 protected:
  HttpExchangeTest() : listener_(SOCK_STREAM) {
    listener_.Listen();
    acceptor_ = *TcpAcceptor::Create(*loop_, listener_.fd(),
                                     [this](const std::unique_ptr<TcpStream>&) { ++connections_; });
    tls_ = *TlsContext::Create({.chain_file = {}, .key_file = {}, .trust = maker_.trust()}, {});
  }
  std::unique_ptr<HttpExchange> Get(DnsLookup& dns, milliseconds limit,
                                    std::function<bool(const SocketAddress&)> may_go = {}) {
    HttpRequest request{
        "GET", "https://ca.example:" + std::to_string(listener_.address().Port()) + "/", "", ""};
    return std::make_unique<HttpExchange>(
        HttpExchange::Setup{*loop_, dns, tls_, {}, std::move(may_go)}, std::move(request), limit,
        [this](Result<HttpMessage> ended) { result_ = std::move(ended); });
  }
  void TurnFor(milliseconds time) {
    bool over = false;
    Timer timer(*loop_, [&over] { over = true; });
    timer.Start(time);
    EXPECT_TRUE(RunUntil(*loop_, [&over] { return over; }));
  }

  CertificateMaker maker_;
  std::unique_ptr<Loop> loop_ = MakeLoop();
  LoopbackSocket listener_;
  std::unique_ptr<TcpAcceptor> acceptor_;
  std::shared_ptr<const TlsContext> tls_;
  std::optional<Result<HttpMessage>> result_;
  int connections_ = 0;
};

TEST_F(HttpExchangeTest, OneThatHasTimedOutDoesNothingAnyMore) {
  WaitingDns dns;
  const auto exchange = Get(dns, milliseconds{1});
  ASSERT_TRUE(RunUntil(*loop_, [this] { return result_.has_value(); }));
  EXPECT_THAT(result_->error().text, HasSubstr("did not answer in time"));
  dns.asked({DnsStatus::kOk, {listener_.address()}});
  TurnFor(milliseconds{200});
  EXPECT_EQ(connections_, 0);
}

TEST_F(HttpExchangeTest, GoesNowhereItMayNot) {
  FakeDns dns(*loop_);
  dns.addresses["ca.example"] = {"127.0.0.1"};
  const auto refused =
      Get(dns, seconds{5}, [](const SocketAddress& to) { return !to.IsForbiddenTarget(); });
  ASSERT_TRUE(RunUntil(*loop_, [this] { return result_.has_value(); }));
  EXPECT_THAT(result_->error().text,
              HasSubstr("its address 127.0.0.1 is none that a connection may go to"));
  EXPECT_EQ(connections_, 0);
  const auto allowed = Get(dns, seconds{5}, [](const SocketAddress&) { return true; });
  EXPECT_TRUE(RunUntil(*loop_, [this] { return connections_ == 1; }));
}

}  // namespace
}  // namespace gatehouse
