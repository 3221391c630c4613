// A domain with two servers, one of which is in trouble. RFC 3263 §4.3
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/loop/tcp_stream.h"
#include "core/sip/sip_message.h"
#include "tests/unit/core/loop/dns_responder.h"
#include "tests/unit/plugins/sip_translator/sip_scene.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
using namespace sip_scene;

unsigned PortOf(const std::string& address) {
  return SocketAddress::Parse(address)->Port();
}

class SipFailover : public testing::Test {
 protected:
  SipFailover() : loop_(*Loop::Create()), dns_(*loop_) {
    dns_.Add("host.beta.example", DnsResponder::kA, std::string("\x7f\x00\x00\x01", 4));
    sender_ = std::make_unique<Edge>(
        *loop_, "alpha.example", std::vector<std::string>{"127.0.0.0/8"},
        [&](WorkerConfig& config) {
          config.mutable_config()->mutable_dns()->add_servers(dns_.server());
          config.mutable_config()->mutable_dns()->set_allow_loopback_targets(true);
        });
    first_ = MakeServer();
    second_ = MakeServer();
  }
  std::unique_ptr<Edge> MakeServer() {
    return std::make_unique<Edge>(*loop_, "alpha.example", std::vector<std::string>{"127.0.0.0/8"});
  }
  void Announce(unsigned priority, const std::string& address) {
    dns_.Add("_sip._tcp.beta.example", DnsResponder::kSrv,
             DnsResponder::Srv(priority, 0, PortOf(address), "host.beta.example"));
  }
  void Answer(Edge& server, int status, int& count) {
    server.endpoint->OnRequests(
        [status, &count](const SipMessage&, const SipPeer&, SipReply reply) {
          ++count;
          reply(status);
        });
    server.endpoint->ResumeRequests();
  }
  SipFinal Send() {
    std::vector<SipFinal> finals;
    EXPECT_TRUE(sender_->endpoint->SendRequest(
        Message("sip:beta.example;transport=tcp", ++number_),
        [&finals](const SipFinal& final) { finals.push_back(final); }));
    const TimePoint limit = loop_->Now() + 10s;
    while (finals.empty() && loop_->Now() < limit) loop_->RunOnce();
    return finals.empty() ? SipFinal{.failure = SipFailure::kTimeout} : finals[0];
  }

  std::unique_ptr<Loop> loop_;
  DnsResponder dns_;
  std::unique_ptr<Edge> sender_, first_, second_;
  int number_ = 0;
  int to_first_ = 0;
  int to_second_ = 0;
};

TEST_F(SipFailover, RefusedConnectionLeadsToTheNextServer) {
  const Socket dead = Bind(true);
  close(dead.fd);
  Announce(1, dead.address);
  Announce(2, second_->tcp);
  Answer(*second_, 200, to_second_);
  EXPECT_EQ(Send().status, 200);
  EXPECT_EQ(to_second_, 1);
}

TEST_F(SipFailover, ServiceUnavailableLeadsToTheNextServerAndIsRemembered) {
  Announce(1, first_->tcp);
  Announce(2, second_->tcp);
  Answer(*first_, 503, to_first_);
  Answer(*second_, 200, to_second_);
  EXPECT_EQ(Send().status, 200);
  EXPECT_EQ(Send().status, 200);
  EXPECT_EQ(to_first_, 1);
  EXPECT_EQ(to_second_, 2);
}

TEST_F(SipFailover, OtherFinalAnswersAreTheAnswer) {
  Announce(1, first_->tcp);
  Announce(2, second_->tcp);
  Answer(*first_, 486, to_first_);
  Answer(*second_, 200, to_second_);
  EXPECT_EQ(Send().status, 486);
  EXPECT_EQ(to_second_, 0);
}

TEST_F(SipFailover, LastServersUnavailabilityIsTold) {
  Announce(1, first_->tcp);
  Answer(*first_, 503, to_first_);
  EXPECT_EQ(Send().status, 503);
  EXPECT_EQ(Send().status, 503);  // nothing better is known, so it is asked again
  EXPECT_EQ(to_first_, 2);
}

TEST_F(SipFailover, UnknownDomainIsNoRoute) {
  EXPECT_EQ(Send().failure, SipFailure::kNoRoute);
}

TEST_F(SipFailover, ConnectionLostWithARequestUnderWayIsToldAndNotSentTwice) {
  Announce(1, first_->tcp);
  Announce(2, second_->tcp);
  Answer(*second_, 200, to_second_);
  first_->endpoint->OnRequests(
      [this](const SipMessage&, const SipPeer&, SipReply) { ++to_first_; });
  first_->endpoint->ResumeRequests();
  std::vector<SipFinal> finals;
  ASSERT_TRUE(sender_->endpoint->SendRequest(
      Message("sip:beta.example;transport=tcp", 1),
      [&finals](const SipFinal& final) { finals.push_back(final); }));
  const TimePoint limit = loop_->Now() + 10s;
  while (to_first_ == 0 && loop_->Now() < limit) loop_->RunOnce();
  first_.reset();
  while (finals.empty() && loop_->Now() < limit) loop_->RunOnce();
  ASSERT_EQ(finals.size(), 1U);
  EXPECT_EQ(finals[0].failure, SipFailure::kClosed);
  EXPECT_EQ(to_second_, 0);
}

// Answers each request but one, at which it closes the connection without a word.
class ForgetfulServer {
 public:
  ForgetfulServer(Loop& loop, int closes_at) : closes_at_(closes_at) {
    const Socket bound = Bind(true);
    address = bound.address;
    acceptor_ = *TcpAcceptor::Create(loop, bound.fd, [this](std::unique_ptr<TcpStream> stream) {
      stream_ = std::move(stream);
      stream_->Start({.on_bytes = [this](std::span<const std::byte> bytes) { OnBytes(bytes); },
                      .on_closed = [](std::string_view) {},
                      .on_drained = {},
                      .on_flushed = {}});
    });
  }
  std::string address;
  std::vector<std::string> branches;

 private:
  void OnBytes(std::span<const std::byte> bytes) {
    const auto request =
        SipMessage::Parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, true);
    if (!request) return;
    branches.emplace_back(request->vias().front().branch);
    if (static_cast<int>(branches.size()) == closes_at_) return stream_.reset();
    stream_->Write("SIP/2.0 200 OK\r\nVia: " + std::string(request->vias().front().text) +
                   "\r\nFrom: " + std::string(request->from().text) +
                   "\r\nTo: " + std::string(request->to().text) +
                   ";tag=x\r\nCall-ID: " + std::string(request->call_id()) +
                   "\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n");
  }
  int closes_at_;
  std::unique_ptr<TcpAcceptor> acceptor_;
  std::unique_ptr<TcpStream> stream_;
};

TEST_F(SipFailover, RequestThatMetAConnectionGivenUpLongAgoIsSentAgainInItsTransaction) {
  ForgetfulServer server(*loop_, 2);
  Announce(1, server.address);
  EXPECT_EQ(Send().status, 200);
  const TimePoint quiet = loop_->Now() + 1100ms;
  while (loop_->Now() < quiet) loop_->RunOnce();
  EXPECT_EQ(Send().status, 200);
  ASSERT_EQ(server.branches.size(), 3U);
  EXPECT_EQ(server.branches[1], server.branches[2]);
}

TEST_F(SipFailover, ConnectionThatWasInUseUntilNowIsNoReasonToSendAgain) {
  ForgetfulServer server(*loop_, 2);
  Announce(1, server.address);
  EXPECT_EQ(Send().status, 200);
  EXPECT_EQ(Send().failure, SipFailure::kClosed);
  EXPECT_EQ(server.branches.size(), 2U);
}

}  // namespace
}  // namespace gatehouse
