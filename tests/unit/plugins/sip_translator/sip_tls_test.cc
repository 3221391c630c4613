// Mutual TLS between endpoints: who is let in, who is written to (11.8).
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
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
                                 const std::vector<std::string>& trusted,
                                 CertificatePlan plan = {}) {
    return std::make_unique<Edge>(*loop_, "alpha.example", trusted, [&](WorkerConfig& config) {
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
      if (answers_at_once_) return reply(200);
      owed_.push_back(reply);
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

  bool Until(const std::function<bool()>& done) {
    const TimePoint limit = loop_->Now() + 10s;
    while (!done() && loop_->Now() < limit) loop_->RunOnce();
    return done();
  }
  static double Connections(Edge& edge) { return edge.Metric("gatehouse_sip_connections"); }
  // A reload after which `edge` trusts nobody but somebody.
  static Result<void> Distrust(Edge& edge) {
    proto::Config config = edge.context->config().config();
    config.mutable_sip()->clear_trusted_peers();
    config.mutable_sip()->add_trusted_peers("somebody.example");
    auto reloaded = edge.endpoint->Reconfigure(config);
    edge.endpoint->ShowCertificate(nullptr);
    return reloaded;
  }

  std::unique_ptr<Loop> loop_;
  DnsResponder dns_;
  CertificateMaker maker_;
  std::vector<std::string> names_;
  bool answers_at_once_ = true;
  std::vector<SipReply> owed_;
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
  EXPECT_EQ(final.failure, SipFailure::kClosed);
  EXPECT_EQ(final.status, 0);
  EXPECT_TRUE(names_.empty());
  EXPECT_EQ(two->Metric("gatehouse_sip_untrusted_connections_total"), 1);
}

// The names, or that there are none, and what to do; whoever was let in before is not counted.
TEST_F(SipTlsScene, WhoIsNotLetInIsLoggedWithTheNamesItShowsAndTheRemedy) {
  CertificateMaker other_authority;
  const auto two = MakeEdge("two.example", {"one.example"});
  Accept(*two);
  const auto unnamed = MakeEdge("unnamed.example", {"two.example"});
  Edge foreign(*loop_, "alpha.example", {"two.example"}, [&](WorkerConfig& config) {
    CertificatePlan plan;
    plan.dns_names = {"foreign.example"};
    const TlsFiles files = other_authority.Issue(plan);
    auto* tls = config.mutable_config()->mutable_tls();
    tls->set_chain_file(files.chain_file);
    tls->set_key_file(files.key_file);
    tls->set_trust(maker_.Issue({}).trust);
    config.mutable_config()->mutable_dns()->add_servers(dns_.server());
    config.mutable_config()->mutable_dns()->set_allow_loopback_targets(true);
  });
  struct Case {
    Edge* from;
    std::vector<std::string> words;
  };
  double refused = 0;
  for (const Case& one :
       {Case{unnamed.get(), {"names=unnamed.example", "one of the names it shows"}},
        Case{&foreign, {"names=foreign.example", "by an authority in tls.trust"}}}) {
    testing::internal::CaptureStderr();
    EXPECT_NE(Send(*one.from, "two.example", *two).failure, SipFailure::kNone);
    EXPECT_TRUE(
        Until([&] { return two->Metric("gatehouse_sip_untrusted_refused_total") > refused; }));
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_EQ(two->Metric("gatehouse_sip_untrusted_refused_total"), ++refused);
    EXPECT_NE(log.find("reason=untrusted-peer"), std::string::npos) << log;
    for (const std::string& word : one.words) EXPECT_NE(log.find(word), std::string::npos) << log;
  }
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

TEST_F(SipTlsScene, AReloadEndsTheConnectionOfWhoIsTrustedNoMoreAndOfNobodyElse) {
  const auto one = MakeEdge("one.example", {"two.example"});
  const auto two = MakeEdge("two.example", {"one.example"});
  Accept(*two);
  EXPECT_EQ(Send(*one, "two.example", *two).status, 200);
  ASSERT_TRUE(two->endpoint->Reconfigure(two->context->config().config()));
  EXPECT_EQ(Send(*one, "two.example", *two).status, 200);
  EXPECT_EQ(Connections(*two), 1);
  ASSERT_TRUE(Distrust(*two));
  EXPECT_TRUE(Until([&] { return Connections(*one) == 0 && Connections(*two) == 0; }));
  EXPECT_EQ(Send(*one, "two.example", *two).failure, SipFailure::kClosed);
  EXPECT_EQ(names_.size(), 2U);
}

TEST_F(SipTlsScene, WhatIsOwedOnSuchAConnectionIsAnsweredAndWhatIsNewIsRefused) {
  const auto one = MakeEdge("one.example", {"two.example"});
  const auto two = MakeEdge("two.example", {"one.example"});
  Accept(*two);
  answers_at_once_ = false;
  std::vector<int> statuses;
  const auto send = [&] {
    const std::string port = two->tls.substr(two->tls.find(':'));
    ASSERT_TRUE(one->endpoint->SendRequest(
        Message("sip:two.example" + port + ";transport=tls", ++number_),
        [&statuses](const SipFinal& final) { statuses.push_back(final.status); }));
  };
  send();
  ASSERT_TRUE(Until([&] { return owed_.size() == 1; }));
  ASSERT_TRUE(Distrust(*two));
  send();
  ASSERT_TRUE(Until([&] { return statuses == std::vector{403}; }));
  EXPECT_EQ(Connections(*two), 1);
  owed_.front()(200);
  ASSERT_TRUE(Until([&] { return statuses == std::vector{403, 200}; }));
  EXPECT_TRUE(Until([&] { return Connections(*two) == 0; }));
  EXPECT_EQ(names_.size(), 1U);
}

TEST_F(SipTlsScene, AnAnswerToOurRequestIsTakenFromWhoIsTrustedNoMore) {
  const auto one = MakeEdge("one.example", {"two.example"});
  const auto two = MakeEdge("two.example", {"one.example"});
  Accept(*two);
  answers_at_once_ = false;
  std::vector<SipFinal> finals;
  const std::string next_hop =
      "sip:127.0.0.1" + two->tls.substr(two->tls.find(':')) + ";transport=tls";
  ASSERT_TRUE(one->endpoint->SendRequest(
      Message(next_hop, ++number_), [&finals](const SipFinal& final) { finals.push_back(final); }));
  ASSERT_TRUE(Until([&] { return owed_.size() == 1; }));
  ASSERT_TRUE(Distrust(*one));  // a numeric next hop must prove a trusted name
  owed_.front()(200);
  ASSERT_TRUE(Until([&] { return finals.size() == 1; }));
  EXPECT_EQ(finals[0].status, 200);
  EXPECT_TRUE(Until([&] { return Connections(*one) == 0; }));
  EXPECT_EQ(Send(*one, "127.0.0.1", *two).failure, SipFailure::kTlsIdentity);
}

TEST_F(SipTlsScene, AConnectionEndsWithThePeersCertificate) {
  CertificatePlan brief;
  brief.ends_in_days = 0;
  brief.ends_in_seconds = 2;
  const auto one = MakeEdge("one.example", {"two.example"}, brief);
  const auto two = MakeEdge("two.example", {"one.example"});
  Accept(*two);
  EXPECT_EQ(Send(*one, "two.example", *two).status, 200);
  EXPECT_EQ(Connections(*two), 1);
  EXPECT_TRUE(Until([&] { return Connections(*one) == 0 && Connections(*two) == 0; }));
  EXPECT_EQ(two->Metric("gatehouse_sip_untrusted_connections_total"), 1);
  EXPECT_NE(Send(*one, "two.example", *two).failure, SipFailure::kNone);
  EXPECT_EQ(names_.size(), 1U);
}

TEST_F(SipTlsScene, AServerThatRefusesOurCertificateIsLeftForTheNext) {
  const auto one = MakeEdge("one.example", {"beta.example"});
  CertificateMaker other_authority;
  const TlsFiles others = other_authority.Issue({});
  const Edge refusing(*loop_, "alpha.example", {"one.example"}, [&](WorkerConfig& config) {
    CertificatePlan plan;
    plan.dns_names = {"beta.example"};
    const TlsFiles files = maker_.Issue(plan);
    auto* tls = config.mutable_config()->mutable_tls();
    tls->set_chain_file(files.chain_file);
    tls->set_key_file(files.key_file);
    tls->set_trust(others.trust);
  });
  const auto good = MakeEdge("beta.example", {"one.example"});
  Accept(*good);
  dns_.Add("host.beta.example", DnsResponder::kA, std::string("\x7f\x00\x00\x01", 4));
  unsigned priority = 0;
  for (const std::string& address : {refusing.tls, good->tls})
    dns_.Add("_sips._tcp.beta.example", DnsResponder::kSrv,
             DnsResponder::Srv(++priority, 0, SocketAddress::Parse(address)->Port(),
                               "host.beta.example"));
  std::vector<SipFinal> finals;
  ASSERT_TRUE(
      one->endpoint->SendRequest(Message("sip:beta.example;transport=tls", 1),
                                 [&finals](const SipFinal& final) { finals.push_back(final); }));
  ASSERT_TRUE(Until([&] { return !finals.empty(); }));
  EXPECT_EQ(finals[0].status, 200);
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
