// A scene for OutboundPairs: one partner, its server, what became of each stanza.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/policy/negotiation.h"
#include "core/xmpp/element.h"
#include "plugins/tls_listener/outbound_pairs.h"
#include "proto/link_listener_verifier.pb.h"
#include "tests/fakes/certificate_maker.h"
#include "tests/fakes/fake_data_links.h"
#include "tests/fakes/fake_dns.h"
#include "tests/fakes/fake_xmpp_server.h"
#include "tests/unit/core/loop/run_until.h"

namespace gatehouse {

inline constexpr const char* kOurs = "corp.example";
inline constexpr const char* kAlsoOurs = "sub.corp.example";
inline constexpr const char* kTheirs = "partner.example";

// Answers MakeKey with "key-STREAMID".
class FakeVerifier final : public ipc::AskClient {
 public:
  explicit FakeVerifier(Loop& loop) : loop_(loop) {}
  void AskBytes(std::string bytes, std::chrono::milliseconds, OnAnswer on_answer) override {
    proto::VerifierQuestion question;
    ASSERT_TRUE(question.ParseFromString(bytes));
    proto::VerifierAnswer answer;
    answer.set_key("key-" + question.make_key().stream_id());
    loop_.Post([bytes = answer.SerializeAsString(), on_answer = std::move(on_answer)] {
      on_answer(bytes);
    });
  }

 private:
  Loop& loop_;
};

inline CertificatePlan PlanFor(const std::string& name) {
  CertificatePlan plan;
  plan.dns_names = {name};
  return plan;
}

class OutboundPairsTest : public ::testing::Test {
 protected:
  OutboundPairsTest() {
    dns_.addresses["xmpp.partner.example"] = {"127.0.0.1"};
    dns_.srv["_xmpp-server._tcp.partner.example"] = {
        {0, 0, server_.port(), "xmpp.partner.example"}};
    pairs_.SetDomains({kOurs, kAlsoOurs});
    SetRow(proto::NOT_SUPPORTED, proto::NOT_SUPPORTED, true);
  }

  void SetRow(proto::Negotiation tls, proto::Negotiation sasl, bool dialback) {
    partner_.set_tls(tls);
    partner_.set_sasl(sasl);
    partner_.set_dialback(dialback);
    Publish();
  }
  void Publish() {
    proto::PolicySnapshot snapshot;
    partner_.set_id("p1");
    partner_.set_domain(kTheirs);
    partner_.set_enabled(true);
    *snapshot.add_partners() = partner_;
    const auto policy = std::make_shared<const PolicyView>(std::move(snapshot));
    intake_.SetPolicy(policy);
    pairs_.SetPolicy(policy);
  }
  // Certificates for both ends; `peer_name` is what the partner's proves.
  void SetUpTls(const std::string& peer_name = kTheirs) {
    const TlsFiles ours = maker_.Issue(PlanFor(kOurs));
    const TlsFiles theirs = maker_.Issue(PlanFor(peer_name));
    TlsContext::Options direct;
    direct.alpn = "xmpp-server";
    pairs_.SetTls({.starttls = TlsContext::Create(ours).value(),
                   .direct = TlsContext::Create(ours, direct).value(),
                   .shows_certificate = true});
    server_.tls = TlsContext::Create(theirs, direct).value();
  }
  void Send(const std::string& id, const std::string& local = kOurs,
            bool on_open_stream_only = false) {
    proto::OutboundStanza stanza;
    stanza.set_on_open_stream_only(on_open_stream_only);
    stanza.set_local_domain(local);
    stanza.set_remote_domain(kTheirs);
    *stanza.mutable_stanza() = MakeElement("message", ns::kServer);
    SetAttribute(*stanza.mutable_stanza(), "from", "ann@" + local);
    SetAttribute(*stanza.mutable_stanza(), "to", "bob@partner.example");
    SetAttribute(*stanza.mutable_stanza(), "id", id);
    AddText(AddChild(*stanza.mutable_stanza(), "body", ns::kServer), "Hi");
    ipc::Ticket ticket(
        [this, id](const ipc::Outcome& outcome) { outcomes_.emplace_back(id, outcome); }, 0);
    pairs_.Send(stanza, loop_->Now() + seconds{30}, std::move(ticket));
  }
  [[nodiscard]] bool Settled(std::size_t count) {
    return RunUntil(*loop_, [&] { return outcomes_.size() >= count; });
  }
  [[nodiscard]] std::vector<std::string> Delivered() const {
    std::vector<std::string> ids;
    for (const auto& [id, outcome] : outcomes_)
      if (outcome == ipc::Outcome::Delivered()) ids.push_back(id);
    return ids;
  }
  [[nodiscard]] proto::TestReport Test(const std::string& domain = kTheirs) {
    std::optional<proto::CtlResponse> response;
    proto::TestStream request;
    request.set_domain(domain);
    pairs_.Test(request, [&](proto::CtlResponse answer) { response = std::move(answer); });
    EXPECT_TRUE(RunUntil(*loop_, [&] { return response.has_value(); }));
    return response ? response->test() : proto::TestReport();
  }

  std::unique_ptr<Loop> loop_ = MakeLoop();
  Metrics metrics_;
  CertificateMaker maker_;
  FakeDns dns_{*loop_};
  FakeVerifier verifier_{*loop_};
  FakeXmppServer server_{*loop_, kTheirs};
  proto::Partner partner_;
  std::vector<std::pair<std::string, ipc::Outcome>> outcomes_;
  std::vector<proto::StreamRecord> records_;
  std::vector<std::string> refused_;  // "OURS to THEIRS: CODE, what its sender is told"
  FakeDataLink translator_{"sip_translator/0", 8};
  std::vector<std::string> own_;  // stanza errors of ours
  StanzaIntake intake_{{.loop = *loop_,
                        .metrics = metrics_,
                        .translator = translator_,
                        .send_own = [this](const proto::OutboundStanza& own) {
                          AppendXml(own_.emplace_back(), own.stanza());
                        }}};
  OutboundPairs pairs_{
      {.loop = *loop_,
       .metrics = metrics_,
       .dns = dns_,
       .verifier = verifier_,
       .own_addresses = {},
       .allow_loopback_targets = true,
       .inbound_streams = {},
       .note_stream = [this](proto::StreamRecord record) { records_.push_back(std::move(record)); },
       .note_refusal =
           [this](const StreamRefusal& refusal) {
             refused_.push_back(std::string(refusal.local) + " to " + std::string(refusal.remote) +
                                ": " + std::string(ReasonCode(refusal.reason)) + ", " +
                                std::string(refusal.answer));
             return NotedRefusal{"r" + std::to_string(refused_.size()), true};
           },
       .intake = &intake_}};
};

}  // namespace gatehouse
