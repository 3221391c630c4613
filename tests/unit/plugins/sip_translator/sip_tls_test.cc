// Mutual TLS between endpoints: who is let in, who is written to (11.8).
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/fakes/certificate_maker.h"
#include "tests/unit/core/loop/dns_responder.h"
#include "tests/unit/plugins/sip_translator/sip_scene.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;
using namespace sip_scene;

class SipTlsScene : public testing::Test {
 protected:
  SipTlsScene() : loop_(*Loop::Create()), dns_(*loop_) {
    for (const char* host : {"one.example", "two.example"})
      dns_.Add(host, DnsResponder::kA, std::string("\x7f\x00\x00\x01", 4));
  }

  std::unique_ptr<Edge> MakeEdge(const std::string& certificate_name,
                                 const std::vector<std::string>& trusted) {
    return std::make_unique<Edge>(*loop_, "alpha.example", trusted, [&](WorkerConfig& config) {
      CertificatePlan plan;
      plan.dns_names = {certificate_name};
      const TlsFiles files = maker_.Issue(plan);
      auto* tls = config.mutable_config()->mutable_tls();
      tls->set_chain_file(files.chain_file);
      tls->set_key_file(files.key_file);
      tls->set_trust(files.trust);
      config.mutable_config()->mutable_dns()->add_servers(dns_.server());
      config.mutable_config()->mutable_dns()->set_allow_loopback_targets(true);
    });
  }
  void Accept(Edge& edge) {
    edge.endpoint->OnRequests([this](const SipMessage&, const SipPeer& peer, SipReply reply) {
      names_.emplace_back(peer.name);
      reply(200);
    });
    edge.endpoint->ResumeRequests();
  }
  // Sends one message and waits for what becomes of it.
  SipFinal Send(Edge& from, const std::string& host, const Edge& to) {
    const std::string port = to.tls.substr(to.tls.find(':'));
    std::vector<SipFinal> finals;
    const auto sent =
        from.endpoint->SendRequest(Message("sip:" + host + port + ";transport=tls", ++number_),
                                   [&finals](const SipFinal& final) { finals.push_back(final); });
    EXPECT_TRUE(sent);
    const TimePoint limit = loop_->Now() + 10s;
    while (finals.empty() && loop_->Now() < limit) loop_->RunOnce();
    return finals.empty() ? SipFinal{.failure = SipFailure::kTimeout} : finals[0];
  }

  std::unique_ptr<Loop> loop_;
  DnsResponder dns_;
  CertificateMaker maker_;
  std::vector<std::string> names_;
  int number_ = 0;
};

TEST_F(SipTlsScene, TrustedPeersWriteToEachOtherAndShareTheConnection) {
  const auto one = MakeEdge("one.example", {"two.example"});
  const auto two = MakeEdge("two.example", {"one.example"});
  Accept(*one);
  Accept(*two);
  EXPECT_EQ(Send(*one, "two.example", *two).status, 200);
  EXPECT_EQ(names_, std::vector<std::string>{"one.example"});
  // What one opened and proved serves two as well (RFC 5923).
  EXPECT_EQ(Send(*two, "one.example", *one).status, 200);
  EXPECT_EQ(names_, (std::vector<std::string>{"one.example", "two.example"}));
  EXPECT_EQ(one->Metric("gatehouse_sip_connections"), 1);
  EXPECT_EQ(two->Metric("gatehouse_sip_connections"), 1);
}

TEST_F(SipTlsScene, NextHopWithAnotherNameGetsNothing) {
  const auto one = MakeEdge("one.example", {"two.example"});
  const auto two = MakeEdge("other.example", {"one.example"});
  Accept(*two);
  EXPECT_EQ(Send(*one, "two.example", *two).failure, SipFailure::kTlsIdentity);
  EXPECT_TRUE(names_.empty());
}

TEST_F(SipTlsScene, PeerWithAnUntrustedNameIsClosed) {
  const auto one = MakeEdge("one.example", {"two.example"});
  const auto two = MakeEdge("two.example", {"somebody.example"});
  Accept(*two);
  const SipFinal final = Send(*one, "two.example", *two);
  EXPECT_EQ(final.failure, SipFailure::kTransport);
  EXPECT_EQ(final.status, 0);
  EXPECT_TRUE(names_.empty());
  EXPECT_EQ(two->Metric("gatehouse_sip_untrusted_connections_total"), 1);
}

TEST_F(SipTlsScene, NumericNextHopMustProveATrustedName) {
  const auto one = MakeEdge("one.example", {"two.example"});
  const auto two = MakeEdge("two.example", {"one.example"});
  const auto stranger = MakeEdge("stranger.example", {"one.example"});
  Accept(*two);
  Accept(*stranger);
  EXPECT_EQ(Send(*one, "127.0.0.1", *two).status, 200);
  EXPECT_EQ(Send(*one, "127.0.0.1", *stranger).failure, SipFailure::kTlsIdentity);
}

TEST_F(SipTlsScene, StrangersWhoSayNothingKeepNoTrustedPeerOut) {
  const auto one = MakeEdge("one.example", {"two.example"});
  const auto two = MakeEdge("two.example", {"one.example"});
  Accept(*two);
  std::vector<std::unique_ptr<RawTcp>> strangers;
  for (int i = 0; i < 256; ++i) {
    strangers.push_back(std::make_unique<RawTcp>(*loop_, two->tls));
    while (two->Metric("gatehouse_sip_connections") <= i) loop_->RunOnce();
  }
  EXPECT_EQ(Send(*one, "two.example", *two).status, 200);
  EXPECT_TRUE(strangers.front()->closed);
  EXPECT_FALSE(strangers.back()->closed);
}

TEST_F(SipTlsScene, ListeningOnTlsWithoutACertificateIsSaidAtStart) {
  const Edge edge(*loop_, "alpha.example", {}, [](WorkerConfig& config) {
    config.mutable_config()->mutable_tls()->set_chain_file("/nonexistent/chain.pem");
  });
  EXPECT_NE(edge.error.find("/nonexistent/chain.pem"), std::string::npos) << edge.error;
}

}  // namespace
}  // namespace gatehouse
