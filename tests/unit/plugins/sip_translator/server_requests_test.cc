// Requests that were taken and come to nothing: what is told of them, to whom.
#include "plugins/sip_translator/server_requests.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "plugins/sip_translator/client_requests.h"
#include "proto/link_control.pb.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

class NoUser final : public SipTransportLayer::User {
 public:
  void OnMessage(SipMessage&, const SipSource&) override {}
  void OnRefused(const SipRefusal&, const SipSource&) override {}
  [[nodiscard]] bool TakesRequests() const override { return true; }
  bool IsInUse(SipConnectionId) override { return false; }
  void OnConnectionGone(SipConnectionId, SipFailure, bool, TimePoint) override {}
};

// No socket: what is answered is seen where it is remembered and counted.
class ServerRequestsTest : public testing::Test {
 protected:
  ServerRequestsTest()
      : loop_(*Loop::Create()),
        wheel_(loop_->Now()),
        layer_(*SipTransportLayer::Create(*loop_, metrics_, user_, trust_, {},
                                          {.tls = nullptr, .host = "edge.example"})),
        server_(*loop_, metrics_, *layer_, wheel_, TransactionTimes{}) {
    server_.SetHandler([](const SipMessage&, const SipPeer&, const SipReply&) {});
    server_.SetRefusals([this](const RefusedRequest& request, RequestAnswer& answer) {
      refused_.push_back({std::string(request.method), std::string(request.from),
                          std::string(request.to), answer.status, answer.why});
    });
  }
  void Receive(int number, bool trusted = true) {
    const std::string text =
        "MESSAGE sip:bob@partner.example SIP/2.0\r\nVia: SIP/2.0/UDP pool;branch=z9hG4bK" +
        std::to_string(number) +
        "\r\nFrom: <sip:ann@corp.example>;tag=1\r\nTo: <sip:bob@partner.example>\r\n"
        "Call-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 2\r\n\r\nhi";
    server_.OnMessage(
        *SipMessage::Parse(text, false),
        {.address = *SocketAddress::Parse("192.0.2.7:5060"), .trusted = trusted, .name = {}});
  }
  double Refused(const std::string& reason, int status) {
    return metrics_.Value("gatehouse_sip_requests_refused_total",
                          "{reason=\"" + reason + "\",status=\"" + std::to_string(status) + "\"}");
  }

  struct Refusal {
    std::string method, from, to;
    int status;
    Reason why;
    bool operator==(const Refusal&) const = default;
  };
  std::unique_ptr<Loop> loop_;
  Metrics metrics_;
  NoUser user_;
  SipTrust trust_;
  TimerWheel wheel_;
  std::unique_ptr<SipTransportLayer> layer_;
  ServerRequests server_;
  std::vector<Refusal> refused_;
};

TEST_F(ServerRequestsTest, WhatNobodyAnswersWithinTwentySecondsIsRefusedForThat) {
  Receive(1);
  wheel_.Advance(loop_->Now() + 19s);
  EXPECT_TRUE(refused_.empty());
  EXPECT_EQ(server_.owed(), 1U);
  wheel_.Advance(loop_->Now() + 21s);
  EXPECT_EQ(refused_, (std::vector<Refusal>{{"MESSAGE", "sip:ann@corp.example",
                                             "sip:bob@partner.example", 504, Reason::kExpired}}));
  EXPECT_EQ(Refused("expired", 504), 1);
  EXPECT_EQ(server_.owed(), 0U);
}

TEST_F(ServerRequestsTest, OneMoreThanMayWaitIsRefusedForThat) {
  const int most = static_cast<int>(kMaxPendingTransactions);
  for (int i = 0; i < most; ++i) Receive(i);
  EXPECT_TRUE(refused_.empty());
  Receive(most);
  EXPECT_EQ(refused_,
            (std::vector<Refusal>{{"MESSAGE", "sip:ann@corp.example", "sip:bob@partner.example",
                                   500, Reason::kOverloaded}}));
  EXPECT_EQ(Refused("overloaded", 500), 1);
}

TEST_F(ServerRequestsTest, AStrangersRequestIsCountedAndLoggedWithItsAddressAndTheRemedy) {
  testing::internal::CaptureStderr();
  for (int i = 0; i < 20; ++i) Receive(i, false);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(refused_.empty());
  EXPECT_EQ(metrics_.Value("gatehouse_sip_untrusted_refused_total"), 20);
  EXPECT_NEAR(metrics_.Value("gatehouse_sip_untrusted_refused_unix_seconds"),
              static_cast<double>(UnixNow()), 5);
  EXPECT_EQ(std::ranges::count(log, '\n'), 10) << log;
  for (const char* word : {"192.0.2.7:5060", "reason=untrusted-peer",
                           "192.0.2.7\\\" or its network to sip.trusted_peers"})
    EXPECT_THAT(log, testing::HasSubstr(word));
}

}  // namespace
}  // namespace gatehouse
