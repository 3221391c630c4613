#include "plugins/sip_translator/sip_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "core/loop/tcp_stream.h"
#include "core/loop/udp_socket.h"
#include "plugins/sip_translator/request_checks.h"
#include "plugins/sip_translator/turn_budget.h"
#include "tests/unit/plugins/sip_translator/sip_scene.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
using namespace sip_scene;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kLoopback = "127.0.0.0/8";

class SipEndpointScene : public testing::Test {
 protected:
  SipEndpointScene() : loop_(*Loop::Create()) {}

  // Turns the loop until `done`, at most ten seconds.
  bool Until(const std::function<bool()>& done) {
    const TimePoint limit = loop_->Now() + 10s;
    while (!done() && loop_->Now() < limit) loop_->RunOnce();
    return done();
  }
  void Answer(Edge& edge, int status) {
    edge.endpoint->OnRequests(
        [this, status](const SipMessage& message, const SipPeer& peer, SipReply reply) {
          received_.emplace_back(message.body());
          transport_ = peer.transport;
          reply(status);
        });
    edge.endpoint->ResumeRequests();
  }
  SipEndpoint::OnFinal Collect() {
    return [this](const SipFinal& final) { finals_.push_back(final); };
  }
  std::string Uri(const std::string& address, const std::string& transport) {
    return "sip:" + address + ";transport=" + transport;
  }

  std::unique_ptr<Loop> loop_;
  std::vector<std::string> received_;
  std::vector<SipFinal> finals_;
  std::optional<SipTransport> transport_;
};

TEST_F(SipEndpointScene, MessageOverUdpIsAnswered) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  Edge beta(*loop_, "alpha.example", {kLoopback});
  Answer(beta, 200);
  ASSERT_TRUE(alpha.endpoint->SendRequest(Message(Uri(beta.udp, "udp"), 1), Collect()));
  EXPECT_EQ(alpha.endpoint->requests_in_flight(), 1U);
  ASSERT_TRUE(Until([&] { return !finals_.empty(); }));
  EXPECT_EQ(finals_[0].failure, SipFailure::kNone);
  EXPECT_EQ(finals_[0].status, 200);
  EXPECT_EQ(received_, std::vector<std::string>{"hello"});
  EXPECT_EQ(transport_, SipTransport::kUdp);
  EXPECT_EQ(alpha.endpoint->requests_in_flight(), 0U);
  EXPECT_EQ(beta.endpoint->replies_owed(), 0U);
}

TEST_F(SipEndpointScene, BurstToAColdNextHopOverTcpArrivesWholeAndInOrder) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  Edge beta(*loop_, "alpha.example", {kLoopback});
  Answer(beta, 486);
  std::vector<std::string> sent;
  for (int i = 0; i < 500; ++i) {
    sent.push_back("m" + std::to_string(i));
    ASSERT_TRUE(
        alpha.endpoint->SendRequest(Message(Uri(beta.tcp, "tcp"), i, sent.back()), Collect()));
  }
  ASSERT_TRUE(Until([&] { return finals_.size() == 500; }));
  EXPECT_EQ(received_, sent);
  for (const SipFinal& final : finals_) EXPECT_EQ(final.status, 486);
  EXPECT_EQ(transport_, SipTransport::kTcp);
  EXPECT_EQ(alpha.Metric("gatehouse_sip_connections"), 1);
}

TEST_F(SipEndpointScene, LargeRequestLeavesUdpForTcp) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  // One port for both transports, as RFC 3261 §18.1.1 presumes.
  Edge beta(*loop_, "alpha.example", {kLoopback});
  Answer(beta, 200);
  ASSERT_TRUE(alpha.endpoint->SendRequest(Message(Uri(beta.tcp, "udp"), 1, std::string(1400, 'x')),
                                          Collect()));
  ASSERT_TRUE(Until([&] { return !finals_.empty(); }));
  EXPECT_EQ(finals_[0].status, 200);
  EXPECT_EQ(transport_, SipTransport::kTcp);
}

TEST_F(SipEndpointScene, NobodyListeningIsATransportFailureToldLater) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  const Socket silent = Bind(true);
  close(silent.fd);
  ASSERT_TRUE(alpha.endpoint->SendRequest(Message(Uri(silent.address, "tcp"), 1), Collect()));
  EXPECT_TRUE(finals_.empty());
  ASSERT_TRUE(Until([&] { return !finals_.empty(); }));
  EXPECT_EQ(finals_[0].failure, SipFailure::kTransport);
  // While it backs off the next one fails without a new attempt, and still not inside the call.
  ASSERT_TRUE(alpha.endpoint->SendRequest(Message(Uri(silent.address, "tcp"), 2), Collect()));
  EXPECT_EQ(finals_.size(), 1U);
  ASSERT_TRUE(Until([&] { return finals_.size() == 2; }));
  EXPECT_EQ(finals_[1].failure, SipFailure::kTransport);
}

TEST_F(SipEndpointScene, StrangersAreForbidden) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  Edge closed(*loop_, "alpha.example", {"192.0.2.0/24"});
  Answer(closed, 200);
  ASSERT_TRUE(alpha.endpoint->SendRequest(Message(Uri(closed.tcp, "tcp"), 1), Collect()));
  ASSERT_TRUE(alpha.endpoint->SendRequest(Message(Uri(closed.udp, "udp"), 2), Collect()));
  ASSERT_TRUE(Until([&] { return finals_.size() == 2; }));
  for (const SipFinal& final : finals_) EXPECT_EQ(final.status, 403);
  EXPECT_TRUE(received_.empty());
}

TEST_F(SipEndpointScene, NothingIsTakenWhilePausedAndNothingIsLost) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  Edge beta(*loop_, "alpha.example", {kLoopback});
  Answer(beta, 200);
  beta.endpoint->PauseRequests();
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(alpha.endpoint->SendRequest(Message(Uri(beta.tcp, "tcp"), i), Collect()));
  const TimePoint limit = loop_->Now() + 200ms;
  while (loop_->Now() < limit) loop_->RunOnce();
  EXPECT_TRUE(received_.empty());
  beta.endpoint->ResumeRequests();
  ASSERT_TRUE(Until([&] { return finals_.size() == 20; }));
  EXPECT_EQ(received_.size(), 20U);
}

TEST_F(SipEndpointScene, LostDatagramIsSentAgainAndDeliveredOnce) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  Edge beta(*loop_, "alpha.example", {kLoopback});
  Answer(beta, 200);
  beta.endpoint->PauseRequests();  // drops datagrams
  ASSERT_TRUE(alpha.endpoint->SendRequest(Message(Uri(beta.udp, "udp"), 1), Collect()));
  const TimePoint limit = loop_->Now() + 100ms;
  while (loop_->Now() < limit) loop_->RunOnce();
  beta.endpoint->ResumeRequests();
  ASSERT_TRUE(Until([&] { return !finals_.empty(); }));
  EXPECT_EQ(finals_[0].status, 200);
  EXPECT_EQ(received_.size(), 1U);
  EXPECT_GE(alpha.Metric("gatehouse_sip_requests_retransmitted_total"), 1);
}

TEST_F(SipEndpointScene, HeaderInjectionNeverLeaves) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  const std::array<SipHeaderField, 1> headers = {{{"Subject", "a\r\nVia: b"}}};
  const auto sent =
      alpha.endpoint->SendRequest(Message("sip:127.0.0.1:9;transport=udp", 1, "hello",
                                          [&](SipRequest& request) { request.headers = headers; }),
                                  Collect());
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), SipSendRefusal::kInjection);
}

TEST_F(SipEndpointScene, TooLargeIsSaidBeforeSending) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  const auto sent = alpha.endpoint->SendRequest(
      Message("sip:127.0.0.1:9;transport=tcp", 1, std::string(1300, 'x'),
              [](SipRequest& request) { request.max_bytes = 1300; }),
      Collect());
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), SipSendRefusal::kTooLarge);
  const auto nowhere = alpha.endpoint->SendRequest(Message("tel:123", 2), Collect());
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error(), SipSendRefusal::kBadNextHop);
}

std::string Raw(std::string_view method, std::string_view extra) {
  return std::string(method) +
         " sip:bob@beta.example SIP/2.0\r\nVia: SIP/2.0/TCP "
         "host.example;branch=z9hG4bK1;rport\r\n" +
         "Via: SIP/2.0/UDP far.example;branch=z9hG4bK0;ms-received-cid=4\r\nFrom: "
         "<sip:ann@alpha.example>;tag=1\r\n" +
         "To: <sip:bob@beta.example>\r\nCall-ID: c\r\nCSeq: 1 " + std::string(method) + "\r\n" +
         std::string(extra) + "\r\n";
}

TEST_F(SipEndpointScene, OptionsAreAnsweredAndViasEchoed) {
  Edge beta(*loop_, "alpha.example", {kLoopback});
  Answer(beta, 200);
  RawTcp client(*loop_, beta.tcp);
  client.to_send = Raw("OPTIONS", "Max-Forwards: 0\r\nContent-Length: 0\r\n");
  ASSERT_TRUE(Until([&] { return client.seen.ends_with("\r\n\r\n"); }));
  EXPECT_THAT(client.seen, StartsWith("SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP "
                                      "host.example;branch=z9hG4bK1;received=127.0.0.1;rport="));
  EXPECT_THAT(client.seen,
              HasSubstr("\r\nVia: SIP/2.0/UDP far.example;branch=z9hG4bK0;ms-received-cid=4\r\n"));
  EXPECT_THAT(client.seen, HasSubstr("\r\nAllow: MESSAGE, SUBSCRIBE, OPTIONS\r\n"));
  EXPECT_THAT(client.seen, HasSubstr("\r\nTo: <sip:bob@beta.example>;tag="));
}

TEST_F(SipEndpointScene, WhatIsNotServedIsSaid) {
  Edge beta(*loop_, "alpha.example", {kLoopback});
  Answer(beta, 200);
  RawTcp client(*loop_, beta.tcp);
  const std::string end = "Content-Length: 0\r\n";
  client.to_send = Raw("REGISTER", end) + Raw("ACK", end) + Raw("NEWMETHOD", end) +
                   Raw("MESSAGE", "Max-Forwards: 0\r\n" + end) +
                   Raw("MESSAGE", "Require: x-y\r\n" + end);
  ASSERT_TRUE(Until([&] { return client.seen.find("420") != std::string::npos; }));
  EXPECT_THAT(client.seen, StartsWith("SIP/2.0 405 Method Not Allowed\r\n"));
  EXPECT_THAT(client.seen, HasSubstr("SIP/2.0 501 "));
  EXPECT_THAT(client.seen, HasSubstr("SIP/2.0 483 "));
  EXPECT_THAT(client.seen, HasSubstr("\r\nUnsupported: x-y\r\n"));
  EXPECT_TRUE(received_.empty());
}

TEST_F(SipEndpointScene, WhatIsNotServedIsRememberedOfOurPeersAlone) {
  for (const bool is_ours : {true, false}) {
    Edge beta(*loop_, "alpha.example", {is_ours ? kLoopback : "192.0.2.0/24"});
    std::vector<int> noted;
    beta.endpoint->OnRefusals([&noted](const RefusedRequest&, RequestAnswer& answer) {
      noted.push_back(answer.status);
      answer.headers.push_back({"Warning", "399 edge \"remembered\""});
    });
    Answer(beta, 200);
    RawTcp client(*loop_, beta.tcp);
    client.to_send = Raw("REGISTER", "Content-Length: 0\r\n");
    ASSERT_TRUE(Until([&] { return client.seen.find("\r\n\r\n") != std::string::npos; }));
    if (is_ours) {
      EXPECT_THAT(noted, testing::ElementsAre(405));
      EXPECT_THAT(client.seen, HasSubstr("\r\nWarning: 399 edge \"remembered\"\r\n"));
    } else {
      EXPECT_TRUE(noted.empty());
      EXPECT_THAT(client.seen, StartsWith("SIP/2.0 403 "));
    }
  }
}

TEST_F(SipEndpointScene, WhatCannotBeReadIsRememberedOfOurPeersAlone) {
  for (const bool is_ours : {true, false}) {
    Edge beta(*loop_, "alpha.example", {is_ours ? kLoopback : "192.0.2.0/24"});
    std::vector<std::string> noted;
    beta.endpoint->OnRefusals([&noted](const RefusedRequest& request, RequestAnswer& answer) {
      noted.push_back(std::string(request.from) + " " + std::string(ReasonCode(answer.why)));
      answer.headers.push_back({"Warning", "399 edge \"remembered\""});
    });
    Answer(beta, 200);
    RawTcp client(*loop_, beta.tcp);
    client.to_send = Raw("MESSAGE", "Max-Forwards: many\r\nContent-Length: 0\r\n");
    ASSERT_TRUE(Until([&] { return client.seen.find("\r\n\r\n") != std::string::npos; }));
    EXPECT_THAT(client.seen, StartsWith("SIP/2.0 400 Malformed Max-Forwards\r\n"));
    EXPECT_EQ(beta.context->metrics().Value("gatehouse_sip_requests_refused_total",
                                            R"({reason="malformed-request",status="400"})"),
              1);
    const std::vector<std::string> expected = {"127.0.0.1 malformed-request"};
    EXPECT_EQ(noted, is_ours ? expected : std::vector<std::string>());
    EXPECT_EQ(client.seen.find("remembered") != std::string::npos, is_ours);
  }
}

// A next hop that asks too, over the connection it is asked on.
class AskingNextHop {
 public:
  AskingNextHop(Loop& loop) : socket_(Bind(true)) {
    acceptor_ = *TcpAcceptor::Create(loop, socket_.fd, [this](std::unique_ptr<TcpStream> stream) {
      stream_ = std::move(stream);
      stream_->Start({.on_bytes =
                          [this](std::span<const std::byte> bytes) {
                            seen.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                          },
                      .on_closed = {},
                      .on_drained = {},
                      .on_flushed = {}});
    });
  }
  [[nodiscard]] const std::string& address() const { return socket_.address; }
  void Write(std::string_view bytes) { stream_->Write(bytes); }
  void CloseAfterWrites() { stream_->CloseAfterWrites(); }
  // 200 to the only request in `seen`.
  [[nodiscard]] std::string AnswerToWhatWasSeen() const {
    std::string echoed;
    std::istringstream lines(seen);
    for (std::string line; std::getline(lines, line) && line != "\r";)
      for (const std::string_view name : {"Via:", "From:", "To:", "Call-ID:", "CSeq:"})
        if (line.starts_with(name)) echoed += line + '\n';
    return "SIP/2.0 200 OK\r\n" + echoed + "Content-Length: 0\r\n\r\n";
  }
  std::string seen;

 private:
  Socket socket_;
  std::unique_ptr<TcpAcceptor> acceptor_;
  std::unique_ptr<TcpStream> stream_;
};

// Each with its number as body, filled up to `body_bytes`.
std::string ManyRequests(int count, std::size_t body_bytes = 4) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    std::string body = std::to_string(i);
    body.resize(body_bytes, ' ');
    std::string request = Raw("MESSAGE", "Content-Length: " + std::to_string(body.size()) + "\r\n");
    request.replace(request.find("z9hG4bK1"), 8, "z9hG4bKn" + std::to_string(i));
    all += request + body;
  }
  return all;
}

TEST_F(SipEndpointScene, ManyRequestsOfOnePeerAreTakenOverSeveralTurns) {
  constexpr int kAll = 300;
  Edge beta(*loop_, "alpha.example", {kLoopback});
  Answer(beta, 200);
  RawTcp client(*loop_, beta.tcp);
  client.to_send = ManyRequests(kAll);
  std::size_t most = 0;
  ASSERT_TRUE(Until([&, before = std::size_t{0}]() mutable {
    most = std::max(most, received_.size() - std::exchange(before, received_.size()));
    return received_.size() == kAll;
  }));
  EXPECT_LE(most, static_cast<std::size_t>(TurnBudget::kMost));
}

TEST_F(SipEndpointScene, AnAnswerDoesNotWaitBehindRequestsThatWait) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  Answer(alpha, 200);
  AskingNextHop peer(*loop_);
  ASSERT_TRUE(alpha.endpoint->SendRequest(Message(Uri(peer.address(), "tcp"), 1), Collect()));
  ASSERT_TRUE(Until([&] { return peer.seen.ends_with("hello"); }));
  alpha.endpoint->PauseRequests();
  peer.Write(ManyRequests(40) + peer.AnswerToWhatWasSeen());
  ASSERT_TRUE(Until([&] { return !finals_.empty(); }));
  EXPECT_EQ(finals_[0].status, 200);
  EXPECT_TRUE(received_.empty());
  alpha.endpoint->ResumeRequests();
  ASSERT_TRUE(Until([&] { return received_.size() == 40; }));
}

TEST_F(SipEndpointScene, RequestsThatWaitForTheirTurnAreAnsweredWhenTheirSenderEndsItsHalf) {
  constexpr int kAll = 4 * TurnBudget::kMost;
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  Answer(alpha, 200);
  const SocketAddress address = *SocketAddress::Parse(alpha.tcp);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(connect(client, address.raw(), address.size()), 0);
  const std::string requests = ManyRequests(kAll);
  ASSERT_EQ(send(client, requests.data(), requests.size(), 0), std::ssize(requests));
  ASSERT_EQ(shutdown(client, SHUT_WR), 0);
  std::string seen;
  ASSERT_TRUE(Until([&] {
    std::array<char, 65536> bytes;
    const ssize_t count = recv(client, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count > 0) seen.append(bytes.data(), static_cast<std::size_t>(count));
    return count == 0;
  }));
  close(client);
  EXPECT_EQ(received_.size(), kAll);
  int answers = 0;
  for (std::size_t at = seen.find("SIP/2.0 200 "); at != std::string::npos;
       at = seen.find("SIP/2.0 200 ", at + 1))
    ++answers;
  EXPECT_EQ(answers, kAll);
}

TEST_F(SipEndpointScene, WhoSendsWithoutEndTakesNobodysTurn) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  Answer(alpha, 200);
  RawTcp quiet(*loop_, alpha.tcp);
  ASSERT_TRUE(Until([&] { return quiet.open(); }));
  RawTcp busy(*loop_, alpha.tcp);
  ASSERT_TRUE(Until([&] { return busy.open(); }));
  busy.Write(ManyRequests(2000));
  ASSERT_TRUE(Until([&] { return received_.size() > 100; }));
  quiet.Write(ManyRequests(1));
  ASSERT_TRUE(Until([&] { return !quiet.seen.empty(); }));
  EXPECT_LT(received_.size(), 1500U);
}

TEST_F(SipEndpointScene, WhoClosesWhileNoRequestsAreTakenLeavesNone) {
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  Answer(alpha, 200);
  alpha.endpoint->PauseRequests();
  RawTcp client(*loop_, alpha.tcp);
  ASSERT_TRUE(Until([&] { return client.open(); }));
  client.Write(ManyRequests(3));
  client.CloseAfterWrites();
  ASSERT_TRUE(Until([&] { return client.closed; }));
  alpha.endpoint->ResumeRequests();
  const TimePoint limit = loop_->Now() + 50ms;
  while (loop_->Now() < limit) loop_->RunOnce();
  EXPECT_TRUE(received_.empty());
}

TEST_F(SipEndpointScene, WaitingRequestsTakeBoundedMemoryAndKeepTheirOrder) {
  constexpr int kAll = 400;
  Edge alpha(*loop_, "alpha.example", {kLoopback});
  Answer(alpha, 200);
  alpha.endpoint->PauseRequests();
  RawTcp client(*loop_, alpha.tcp);
  client.to_send = ManyRequests(kAll, 30000);  // 12 MB
  ASSERT_TRUE(Until([&] { return client.open(); }));
  const TimePoint limit = loop_->Now() + 300ms;
  while (loop_->Now() < limit) loop_->RunOnce();
  EXPECT_GT(client.queued_bytes(), 6U << 20U);  // the rest does not fit into the sockets either
  alpha.endpoint->ResumeRequests();
  ASSERT_TRUE(Until([&] { return received_.size() == kAll; }));
  for (int i = 0; i < kAll; ++i) EXPECT_EQ(std::stoi(received_[static_cast<std::size_t>(i)]), i);
}

TEST_F(SipEndpointScene, BrokenFramingIsAnsweredAndClosed) {
  Edge beta(*loop_, "alpha.example", {kLoopback});
  Answer(beta, 200);
  RawTcp client(*loop_, beta.tcp);
  client.to_send = Raw("MESSAGE", "Content-Length: -5\r\n");
  ASSERT_TRUE(Until([&] { return client.closed; }));
  EXPECT_THAT(client.seen, StartsWith("SIP/2.0 400 "));
}

TEST_F(SipEndpointScene, PingIsAnsweredWithPong) {
  Edge beta(*loop_, "alpha.example", {kLoopback});
  Answer(beta, 200);
  RawTcp client(*loop_, beta.tcp);
  client.to_send = "\r\n\r\n";
  ASSERT_TRUE(Until([&] { return !client.seen.empty(); }));
  EXPECT_EQ(client.seen, "\r\n");
}

}  // namespace
}  // namespace gatehouse
