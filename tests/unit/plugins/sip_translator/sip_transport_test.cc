#include "plugins/sip_translator/sip_transport.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/link_control.pb.h"
#include "tests/unit/plugins/sip_translator/sip_scene.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
using namespace sip_scene;

class FakeUser final : public SipTransportLayer::User {
 public:
  void OnMessage(SipMessage&, const SipSource& source) override {
    ++messages;
    last_source = source;
  }
  void OnRefused(const SipRefusal&, const SipSource&) override {}
  [[nodiscard]] bool TakesRequests() const override { return true; }
  bool IsInUse(SipConnectionId) override { return false; }
  void OnConnectionGone(SipConnectionId, SipFailure, bool, TimePoint) override { ++gone; }

  int messages = 0;
  int gone = 0;
  std::optional<SipSource> last_source;
};

class SipTransportScene : public testing::Test {
 protected:
  SipTransportScene() : loop_(*Loop::Create()) {}

  void Listen(const std::string& trusted) {
    proto::Config edge;
    edge.mutable_sip()->add_trusted_peers(trusted);
    trust_ = *SipTrust::Create(edge);
    const Socket bound = Bind(true);
    address_ = bound.address;
    proto::WorkerConfig config;
    auto* listener = config.add_listeners();
    listener->set_kind(proto::SIP);
    listener->set_transport("tcp");
    listener->set_address(bound.address);
    listener->set_fd(bound.fd);
    layer_ = *SipTransportLayer::Create(*loop_, metrics_, user_, trust_, config,
                                        {.tls = nullptr, .host = "edge.example"});
  }
  bool Until(const std::function<bool()>& done) {
    const TimePoint limit = loop_->Now() + 10s;
    while (!done() && loop_->Now() < limit) loop_->RunOnce();
    return done();
  }
  double Connections() { return metrics_.Value("gatehouse_sip_connections"); }
  // What the layer would do at that time from now.
  bool ClosesWithin(milliseconds span) {
    layer_->Tick(loop_->Now() + span);
    loop_->RunOnce();
    return Connections() == 0;
  }

  std::unique_ptr<Loop> loop_;
  Metrics metrics_;
  FakeUser user_;
  SipTrust trust_;
  std::string address_;
  std::unique_ptr<SipTransportLayer> layer_;
};

constexpr std::string_view kMessage =
    "MESSAGE sip:bob@beta.example SIP/2.0\r\nVia: SIP/2.0/TCP host;branch=z9hG4bK1\r\n"
    "From: <sip:ann@alpha.example>;tag=1\r\nTo: <sip:bob@beta.example>\r\nCall-ID: c\r\n"
    "CSeq: 1 MESSAGE\r\nContent-Length: 2\r\n\r\nhi";

TEST_F(SipTransportScene, HalfAMessageIsWaitedForTwentySecondsAndNoOctetProlongsIt) {
  Listen("127.0.0.0/8");
  RawTcp client(*loop_, address_);
  client.to_send = std::string(kMessage) + std::string(kMessage.substr(0, 40));
  ASSERT_TRUE(Until([&] { return user_.messages == 1; }));
  EXPECT_FALSE(ClosesWithin(19s));
  EXPECT_TRUE(ClosesWithin(21s));
  EXPECT_EQ(user_.gone, 1);
}

TEST_F(SipTransportScene, QuietConnectionBetweenMessagesStays) {
  Listen("127.0.0.0/8");
  RawTcp client(*loop_, address_);
  client.to_send = kMessage;
  ASSERT_TRUE(Until([&] { return user_.messages == 1; }));
  EXPECT_TRUE(user_.last_source->trusted);
  EXPECT_FALSE(ClosesWithin(90s));
  EXPECT_EQ(client.seen, "");
  // Then it is asked whether it lives.
  layer_->Tick(loop_->Now() + 121s);
  EXPECT_TRUE(Until([&] { return client.seen == "\r\n\r\n"; }));
}

TEST_F(SipTransportScene, StrangerHasTwentySeconds) {
  Listen("192.0.2.1");
  RawTcp client(*loop_, address_);
  client.to_send = kMessage;
  ASSERT_TRUE(Until([&] { return user_.messages == 1; }));
  EXPECT_FALSE(user_.last_source->trusted);
  EXPECT_FALSE(ClosesWithin(19s));
  EXPECT_TRUE(ClosesWithin(21s));
}

TEST_F(SipTransportScene, OneAddressDoesNotTakeEveryPlace) {
  Listen("127.0.0.0/8");
  std::vector<std::unique_ptr<RawTcp>> clients;
  const auto refused = [this] { return metrics_.Value("gatehouse_sip_connections_refused_total"); };
  for (int i = 0; i < 260; ++i) {
    clients.push_back(std::make_unique<RawTcp>(*loop_, address_));
    ASSERT_TRUE(Until([&] { return Connections() + refused() == i + 1; }));
  }
  EXPECT_EQ(Connections(), 256);
  EXPECT_TRUE(Until([&] { return clients.back()->closed; }));
  EXPECT_FALSE(clients.front()->closed);
}

TEST_F(SipTransportScene, PeerThatDoesNotReadIsGivenUpAfterThirtySeconds) {
  Listen("127.0.0.0/8");
  RawTcp client(*loop_, address_);
  client.to_send = kMessage;
  ASSERT_TRUE(Until([&] { return user_.messages == 1; }));
  client.PauseReading();
  const SipReturnPath path = SipTransportLayer::ReturnPath(*user_.last_source, 0, false);
  layer_->SendResponse(path, std::string(32 * 1024 * 1024, 'x'));
  for (int i = 0; i < 100; ++i) loop_->RunOnce();
  EXPECT_FALSE(ClosesWithin(1s));
  EXPECT_FALSE(ClosesWithin(29s));
  EXPECT_TRUE(ClosesWithin(32s));
}

}  // namespace
}  // namespace gatehouse
