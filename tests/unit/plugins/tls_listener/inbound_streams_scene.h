// The scene of every test of InboundStreams: over loopback, with a peer of ours, and a translator,
// a verifier and a borrower that the test plays.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/xmpp/element.h"
#include "core/xmpp/xml_writer.h"
#include "plugins/tls_listener/inbound_streams.h"
#include "tests/fakes/certificate_maker.h"
#include "tests/unit/core/xmpp/stream_scene.h"

namespace gatehouse {

class FakeTranslator final : public ipc::DataLink {
 public:
  struct Offered {
    std::string share_key;
    proto::InboundStanza body;
    OnSettled settled;
  };
  [[nodiscard]] const std::string& instance() const override { return instance_; }
  void Offer(std::string_view share_key, std::string body, Deadline, OnSettled settled) override {
    Offered& offered = offers.emplace_back();
    offered.share_key = share_key;
    EXPECT_TRUE(offered.body.ParseFromString(body));
    offered.settled = std::move(settled);
  }
  [[nodiscard]] bool HasRoom(std::string_view) const override { return offers.size() < room; }
  void WhenRoom(std::string_view, std::function<void()> callback) override {
    resume.push_back(std::move(callback));
  }
  [[nodiscard]] std::size_t unsettled() const override { return offers.size(); }
  [[nodiscard]] bool gone() const override { return false; }

  std::vector<Offered> offers;
  std::vector<std::function<void()>> resume;
  std::size_t room = 1000;

 private:
  std::string instance_ = "sip_translator/0";
};

class FakeVerifier final : public ipc::AskClient {
 public:
  void AskBytes(std::string question, milliseconds, OnAnswer on_answer) override {
    EXPECT_TRUE(questions.emplace_back().ParseFromString(question));
    answers.push_back(std::move(on_answer));
  }
  void Answer(proto::DialbackVerdict verdict) {
    proto::VerifierAnswer answer;
    answer.set_verdict(verdict);
    answers.back()(answer.SerializeAsString());
  }
  std::vector<proto::VerifierQuestion> questions;
  std::vector<OnAnswer> answers;
};

class FakeBorrower final : public Borrower {
 public:
  LoanId Lend(LentStream& stream, LoanId so_far, const std::string& local,
              const std::string& remote) override {
    lent = &stream;
    pairs.push_back(local + " to " + remote);
    return so_far == LoanId{} ? LoanId{7} : so_far;
  }
  void OnWritable(LoanId) override {}
  std::optional<std::uint64_t> OnAcknowledged(LoanId, std::uint32_t h) override {
    if (h > sent) return sent;
    return std::nullopt;
  }
  [[nodiscard]] bool HasUnsent(LoanId) const override { return unsent; }
  void EndLoan(LoanId loan) override {
    EXPECT_EQ(loan, LoanId{7});
    lent = nullptr;
    ++ended;
  }
  LentStream* lent = nullptr;
  std::vector<std::string> pairs;
  std::uint64_t sent = 0;
  int ended = 0;
  bool unsent = false;
};

inline constexpr std::string_view kAskForOurs = "<bidi xmlns='urn:xmpp:bidi'/>";  // 2.14

// The peer's end of one connection.
struct Peer {
  std::unique_ptr<TcpStream::Connecting> connecting;
  std::unique_ptr<StreamTransport> transport;
  // "header", each element, "blank", "footer", "tls", "closed", with a space behind.
  std::string seen;
  [[nodiscard]] bool Saw(std::string_view what) const {
    return seen.find(what) != std::string::npos;
  }
};

class InboundStreamsTest : public testing::Test {
 protected:
  void SetUp() override {
    loop_ = *Loop::Create();
    CertificatePlan ours;
    ours.dns_names = {"corp.example"};
    CertificatePlan theirs;
    theirs.dns_names = {"partner.example"};
    server_tls_ = *TlsContext::Create(maker_.Issue(ours));
    client_tls_ = *TlsContext::Create(maker_.Issue(theirs));
    intake_.emplace(StanzaIntake::Setup{
        .loop = *loop_,
        .metrics = metrics_,
        .translator = translator_,
        .send_own =
            [this](const proto::OutboundStanza& own) {
              std::string xml = own.local_domain() + " to " + own.remote_domain() + " ";
              AppendXml(xml, own.stanza());
              own_.push_back(xml);
              own_id_ = Attribute(own.stanza(), "id");
            },
        .note_error =
            [this](std::string_view remote, const proto::Element&, Reason why) {
              unserved_.push_back(std::string(remote) + ": " + std::string(ReasonCode(why)));
              return NotedRefusal{"7f3kq2mx", true};
            }});
    streams_.emplace(InboundStreams::Setup{
        .loop = *loop_,
        .metrics = metrics_,
        .verifier = verifier_,
        .intake = *intake_,
        .outbound_streams = [this](std::string_view) { return outbound_; },
        .others = [this]() -> const OtherListeners& { return others_; },
        .note_stream = {},
        .note_refusal = [this](const StreamRefusal& refusal) { return Note(refusal); },
        .is_away = [this](std::string_view plugin) { return plugin == away_; },
        .borrower = &borrower_});
    streams_->SetDomains({"corp.example"});
    streams_->SetTls({.starttls = server_tls_, .direct = server_tls_});
    UseRow(9);
    Listen();
  }
  void TearDown() override {
    peers_.clear();
    acceptor_.reset();
    streams_.reset();
  }
  void UseRow(int row) { streams_->SetPolicy(MakePolicy({PartnerOfRow(row)})); }
  void UseConnectionLimit(std::uint32_t limit) {
    proto::PolicySnapshot snapshot;
    *snapshot.add_partners() = PartnerOfRow(9);
    snapshot.mutable_gateway()->set_connection_limit(limit);
    streams_->SetPolicy(std::make_shared<const PolicyView>(snapshot));
  }
  // What other listeners hold: connections, streams of the partner, half-open ones of this address.
  static proto::Usage UsageOf(std::uint32_t connections, std::uint32_t streams,
                              std::uint32_t unauthenticated) {
    proto::Usage usage;
    usage.set_connections(connections);
    proto::PartnerUsage& partner = *usage.add_partners();
    partner.set_partner_id("p-partner.example");
    partner.set_streams(streams);
    proto::AddressUsage& address = *usage.add_addresses();
    address.set_address("127.0.0.1");
    address.set_unauthenticated(unauthenticated);
    return usage;
  }
  double Refused(const std::string& reason) {
    return metrics_.Value("gatehouse_connections_refused_total",
                          "{direction=\"in\",reason=\"" + reason + "\"}");
  }
  double Ended(const std::string& reason) {
    return metrics_.Value("gatehouse_streams_ended_total",
                          "{direction=\"in\",reason=\"" + reason + "\"}");
  }
  NotedRefusal Note(const StreamRefusal& refusal) {
    refused_.push_back(std::string(refusal.remote) + " from " + std::string(refusal.address) +
                       ": " + std::string(ReasonCode(refusal.reason)));
    return {"r" + std::to_string(refused_.size()), true};
  }
  void Listen() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(listen(fd, 64), 0);
    ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    address_ = SocketAddress::From(reinterpret_cast<sockaddr*>(&address));
    acceptor_ = *TcpAcceptor::Create(*loop_, fd, [this](std::unique_ptr<TcpStream> tcp) {
      streams_->Accept(std::move(tcp), false);
    });
  }
  // Turns the loop until `done`, for 5 s at most.
  void Until(const std::function<bool()>& done) {
    const TimePoint end = loop_->Now() + seconds{5};
    while (!done() && loop_->Now() < end) loop_->RunOnce();
    EXPECT_TRUE(done()) << "the last peer saw: " << (peers_.empty() ? "" : peers_.back()->seen);
  }
  Peer& Connect() {
    Peer& peer = *peers_.emplace_back(std::make_unique<Peer>());
    peer.connecting = TcpStream::Connect(
        *loop_, address_, seconds{5}, [this, &peer](Result<std::unique_ptr<TcpStream>> tcp) {
          ASSERT_TRUE(tcp);
          peer.transport = StreamTransport::Create(*loop_, *std::move(tcp), EventsOf(peer));
        });
    Until([&peer] { return peer.transport != nullptr; });
    return peer;
  }
  static StreamTransport::Events EventsOf(Peer& peer) {
    return {.on_header = [&peer](const StreamHeader&) { peer.seen += "header "; },
            .on_element =
                [&peer](proto::Element& element, std::size_t) {
                  AppendXml(peer.seen, element);
                  peer.seen += ' ';
                },
            .on_oversized = {},
            .on_footer = [&peer] { peer.seen += "footer "; },
            .on_bad_xml = [](StreamCondition) {},
            .on_tls = [&peer](const Result<void>& done) { peer.seen += done ? "tls " : "no-tls "; },
            .on_closed = [&peer](std::string_view) { peer.seen += "closed "; },
            .on_writable = {},
            .on_whitespace = [&peer](std::size_t) { peer.seen += "blank "; }};
  }
  void Say(Peer& peer, std::string_view xml, std::string_view until) {
    peer.seen.clear();
    peer.transport->Send(xml);
    if (!until.empty()) Until([&] { return peer.Saw(until); });
  }
  static std::string Header() { return StreamScene::HeaderXml("partner.example", "corp.example"); }
  // A peer authenticated by its certificate.
  Peer& ConnectByExternal(std::string_view before_auth = {}) {
    Peer& peer = Connect();
    Say(peer, Header(), "features");
    Say(peer, kStartTls, "proceed");
    peer.transport->StartTls(client_tls_, TlsSession::Role::kClient, "corp.example");
    Until([&peer] { return peer.Saw("tls "); });
    Say(peer, Header(), "EXTERNAL");
    Say(peer, std::string(before_auth) + Auth("="), "success");
    peer.transport->RestartXml();
    Say(peer, Header(), "features");
    return peer;
  }

  CertificateMaker maker_;
  std::shared_ptr<const TlsContext> server_tls_, client_tls_;
  std::unique_ptr<Loop> loop_;
  Metrics metrics_;
  FakeVerifier verifier_;
  FakeTranslator translator_;
  FakeBorrower borrower_;
  std::vector<std::string> refused_;  // "DOMAIN from ADDRESS: CODE"
  std::vector<std::string> own_;      // stanzas of our own
  std::string own_id_;                // of the last
  std::size_t outbound_ = 0;          // streams to the partner
  OtherListeners others_;
  std::string away_;                   // a plugin
  std::vector<std::string> unserved_;  // "DOMAIN: CODE", stanzas that the intake answered itself
  std::optional<StanzaIntake> intake_;
  std::optional<InboundStreams> streams_;
  SocketAddress address_;
  std::unique_ptr<TcpAcceptor> acceptor_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

}  // namespace gatehouse
