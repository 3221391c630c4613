// Inbound streams over loopback: a peer of ours, a translator and a verifier that the test plays.
#include "plugins/tls_listener/inbound_streams.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>
#include <iterator>
#include <optional>

#include "core/xmpp/element.h"
#include "core/xmpp/xml_writer.h"
#include "tests/fakes/certificate_maker.h"
#include "tests/unit/core/xmpp/stream_scene.h"

namespace gatehouse {
namespace {

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

// The peer's end of one connection.
struct Peer {
  std::unique_ptr<TcpStream::Connecting> connecting;
  std::unique_ptr<StreamTransport> transport;
  std::string seen;  // "header", each element, "footer", "tls", "closed", with a space behind
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
    intake_.emplace(StanzaIntake::Setup{.loop = *loop_,
                                        .metrics = metrics_,
                                        .translator = translator_,
                                        .send_own = [this](const proto::OutboundStanza& own) {
                                          std::string xml = own.local_domain() + " to " +
                                                            own.remote_domain() + " ";
                                          AppendXml(xml, own.stanza());
                                          own_.push_back(xml);
                                          own_id_ = Attribute(own.stanza(), "id");
                                        }});
    streams_.emplace(
        InboundStreams::Setup{.loop = *loop_,
                              .metrics = metrics_,
                              .verifier = verifier_,
                              .intake = *intake_,
                              .outbound_streams = [this](std::string_view) { return outbound_; },
                              .others = [this]() -> const OtherListeners& { return others_; },
                              .note_stream = {},
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
            .on_whitespace = {}};
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
  std::vector<std::string> own_;  // stanzas of our own
  std::string own_id_;            // of the last
  std::size_t outbound_ = 0;      // streams to the partner
  OtherListeners others_;
  std::optional<StanzaIntake> intake_;
  std::optional<InboundStreams> streams_;
  SocketAddress address_;
  std::unique_ptr<TcpAcceptor> acceptor_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

TEST_F(InboundStreamsTest, OffersTheStanzasOfAnAuthenticatedPeer) {
  Peer& peer = ConnectByExternal();
  peer.transport->Send(Message() + Message("eva@partner.example"));
  Until([this] { return translator_.offers.size() == 2; });
  const proto::InboundStanza& body = translator_.offers[0].body;
  EXPECT_EQ(translator_.offers[0].share_key, "partner.example corp.example");
  EXPECT_EQ(body.from_domain(), "partner.example");
  EXPECT_EQ(body.to_domain(), "corp.example");
  EXPECT_EQ(body.method(), proto::SASL_TLS);
  EXPECT_EQ(body.snapshot_hash(), "hash");
  EXPECT_EQ(TextOf(*FindChild(body.stanza(), "body", ns::kServer)), "Hi");
  EXPECT_EQ(Attribute(translator_.offers[1].body.stanza(), "from"), "eva@partner.example");
  EXPECT_EQ(streams_->StreamsOf("p-partner.example"), 1U);
}

// 2.5: the partner's own anchors in place of ours, from the moment they are set.
TEST_F(InboundStreamsTest, JudgesAPartnerByItsOwnAnchorsWhereItHasSome) {
  const auto anchors_of = [](const CertificateMaker& maker) {
    std::ifstream stream(maker.trust());
    return std::string{std::istreambuf_iterator<char>(stream), {}};
  };
  proto::Partner partner = PartnerOfRow(8);
  partner.set_trust_anchors(anchors_of(maker_));
  streams_->SetPolicy(MakePolicy({partner}));
  Peer& peer = ConnectByExternal();
  EXPECT_EQ(streams_->StreamsOf("p-partner.example"), 1U);
  const CertificateMaker others;
  partner.set_trust_anchors(anchors_of(others));
  streams_->SetPolicy(MakePolicy({partner}));
  Until([&peer] { return peer.Saw("reset"); });
  // The same certificate again, which our own anchors would take.
  Peer& again = Connect();
  Say(again, Header(), "features");
  Say(again, kStartTls, "proceed");
  again.transport->StartTls(client_tls_, TlsSession::Role::kClient, "corp.example");
  Until([&again] { return again.Saw("tls "); });
  Say(again, Header(), "not-authorized");
}

TEST_F(InboundStreamsTest, LeavesAPartnersRoomAloneUntilAStreamHasProvenItself) {
  proto::Partner partner = PartnerOfRow(9);
  partner.set_connection_limit(1);
  streams_->SetPolicy(MakePolicy({partner}));
  for (int stranger = 0; stranger < 3; ++stranger) Say(Connect(), Header(), "features");
  EXPECT_EQ(streams_->StreamsOf("p-partner.example"), 0U);
  ConnectByExternal();
  EXPECT_EQ(streams_->StreamsOf("p-partner.example"), 1U);
  Say(Connect(), Header(), "resource-constraint");
}

TEST_F(InboundStreamsTest, OffersStanzasOnceTheVerifierHasProvenTheKey) {
  UseRow(17);
  Peer& peer = Connect();
  Say(peer, Header(), "features");
  Say(peer, Key(), "");
  Until([this] { return verifier_.questions.size() == 1; });
  EXPECT_EQ(verifier_.questions[0].prove().sender_domain(), "partner.example");
  EXPECT_EQ(verifier_.questions[0].prove().stream_id().size(), 32U);
  verifier_.Answer(proto::DIALBACK_VALID);
  Until([&peer] { return peer.Saw("type='valid'"); });
  Say(peer, Message(), "");
  Until([this] { return translator_.offers.size() == 1; });
  EXPECT_EQ(translator_.offers[0].body.method(), proto::TCP_DIALBACK);
}

TEST_F(InboundStreamsTest, DropsAProofWhoseStreamIsGone) {
  UseRow(17);
  Peer& peer = Connect();
  Say(peer, Header(), "features");
  Say(peer, Key(), "");
  Until([this] { return verifier_.questions.size() == 1; });
  peer.transport.reset();
  Until([this] { return streams_->size() == 0; });
  verifier_.Answer(proto::DIALBACK_VALID);
  EXPECT_TRUE(translator_.offers.empty());
}

TEST_F(InboundStreamsTest, AnswersVerifyRequests) {
  Peer& peer = Connect();
  Say(peer, Header(), "features");
  Say(peer, "<db:verify from='partner.example' to='corp.example' id='D60'>k</db:verify>", "");
  Until([this] { return verifier_.questions.size() == 1; });
  EXPECT_EQ(verifier_.questions[0].judge().originating_domain(), "corp.example");
  verifier_.Answer(proto::DIALBACK_INVALID);
  Until([&peer] { return peer.Saw("type='invalid' id='D60'"); });
}

TEST_F(InboundStreamsTest, LeavesAStreamUnreadWhileTheTranslatorHasNoRoom) {
  Peer& peer = ConnectByExternal();
  translator_.room = 1;
  peer.transport->Send(Message());
  Until([this] { return translator_.resume.size() == 1; });
  peer.transport->Send(Message());
  for (int i = 0; i < 30; ++i) loop_->RunOnce();
  EXPECT_EQ(translator_.offers.size(), 1U);
  translator_.room = 1000;
  translator_.resume[0]();
  Until([this] { return translator_.offers.size() == 2; });
}

TEST_F(InboundStreamsTest, TellsTheSenderItselfOnlyWhenNobodyElseCan) {
  Peer& peer = ConnectByExternal();
  peer.transport->Send(Message() + Message() + Message() +
                       "<message from='b@partner.example' to='a@corp.example' type='error'/>");
  Until([this] { return translator_.offers.size() == 4; });
  translator_.offers[0].settled(ipc::Outcome::Delivered());
  translator_.offers[1].settled(ipc::Outcome::Failed(proto::ITEM_NOT_FOUND));
  EXPECT_TRUE(own_.empty());
  translator_.offers[2].settled(ipc::Outcome::Expired());
  translator_.offers[3].settled(ipc::Outcome::Expired());
  ASSERT_EQ(own_.size(), 1U);
  EXPECT_EQ(own_[0],
            "corp.example to partner.example <message from='ann@corp.example' "
            "to='bob@partner.example/home' id='m1' type='error'><error type='wait'>"
            "<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
            "</message>");
}

TEST_F(InboundStreamsTest, TellsTheSenderOfAStanzaThatTheLinkGaveUp) {
  Peer& peer = ConnectByExternal();
  peer.transport->Send(Message() + Message() +
                       "<message from='b@partner.example' to='a@corp.example' type='error'/>");
  Until([this] { return translator_.offers.size() == 3; });
  translator_.offers[0].settled(ipc::Outcome::GivenUp(proto::POLICY_VIOLATION, "too large"));
  translator_.offers[1].settled(ipc::Outcome::GivenUp(proto::INTERNAL_SERVER_ERROR, "lost"));
  translator_.offers[2].settled(ipc::Outcome::GivenUp(proto::INTERNAL_SERVER_ERROR, "lost"));
  ASSERT_EQ(own_.size(), 2U) << "an error is never answered";
  EXPECT_EQ(own_[0],
            "corp.example to partner.example <message from='ann@corp.example' "
            "to='bob@partner.example/home' id='m1' type='error'><error type='modify'>"
            "<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
  EXPECT_NE(own_[1].find("<internal-server-error"), std::string::npos);
}

TEST_F(InboundStreamsTest, EndsASecondStreamOfAPairOnlyWhereOneIsToBeEnough) {
  ConnectByExternal();
  Peer& allowed = ConnectByExternal();
  proto::PolicySnapshot snapshot;
  *snapshot.add_partners() = PartnerOfRow(9);
  snapshot.mutable_gateway()->set_one_stream_per_pair(true);
  streams_->SetPolicy(std::make_shared<const PolicyView>(std::move(snapshot)));
  Peer& second = ConnectByExternal();
  second.transport->Send(Message());
  Until([&second] { return second.Saw("<conflict"); });
  EXPECT_FALSE(allowed.Saw("footer"));
  EXPECT_TRUE(translator_.offers.empty());
  EXPECT_EQ(Ended("conflict"), 1);
}

TEST_F(InboundStreamsTest, LetsAPairHaveItsOneStreamAgainOnceTheFirstHasEnded) {
  proto::PolicySnapshot snapshot;
  *snapshot.add_partners() = PartnerOfRow(9);
  snapshot.mutable_gateway()->set_one_stream_per_pair(true);
  streams_->SetPolicy(std::make_shared<const PolicyView>(std::move(snapshot)));
  Say(ConnectByExternal(), kStreamFooter, "closed");
  Peer& again = ConnectByExternal();
  again.transport->Send(Message());
  Until([this] { return translator_.offers.size() == 1; });
}

// --- a stream that is lent (2.14)

constexpr std::string_view kAskForOurs = "<bidi xmlns='urn:xmpp:bidi'/>";

TEST_F(InboundStreamsTest, LendsAStreamWhosePeerTakesOurs) {
  streams_->SetPolicy(MakePolicy({WithBidi(PartnerOfRow(9))}));
  Peer& peer = ConnectByExternal(kAskForOurs);
  ASSERT_NE(borrower_.lent, nullptr);
  EXPECT_EQ(borrower_.pairs, std::vector<std::string>{"corp.example to partner.example"});
  bool written = false;
  borrower_.lent->Write(Message("ann@corp.example", "bob@partner.example"));
  borrower_.lent->WhenWritten([&] { written = true; });
  Until([&] { return written && peer.Saw("from='ann@corp.example'"); });
  Say(peer, Message(), "");
  Until([this] { return translator_.offers.size() == 1; });
}

TEST_F(InboundStreamsTest, LendsNoOther) {
  streams_->SetPolicy(MakePolicy({WithBidi(PartnerOfRow(9))}));
  ConnectByExternal();
  EXPECT_EQ(borrower_.lent, nullptr);
}

TEST_F(InboundStreamsTest, EndsTheLoanOnceWhetherThePeerClosesOrVanishes) {
  streams_->SetPolicy(MakePolicy({WithBidi(PartnerOfRow(9))}));
  Peer& closing = ConnectByExternal(kAskForOurs);
  Say(closing, kStreamFooter, "closed");
  EXPECT_EQ(borrower_.ended, 1);
  Peer& vanishing = ConnectByExternal(kAskForOurs);
  vanishing.transport.reset();
  Until([this] { return borrower_.ended == 2; });
  Until([this] { return streams_->size() == 0; });
  EXPECT_EQ(borrower_.ended, 2);
}

TEST_F(InboundStreamsTest, EndsALentStreamForAnAcknowledgementOfWhatWasNeverSent) {
  streams_->SetPolicy(MakePolicy({WithBidi(PartnerOfRow(9))}));
  Peer& peer = ConnectByExternal(kAskForOurs);
  borrower_.sent = 2;
  Say(peer, "<enable xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='2'/>", "enabled");
  EXPECT_TRUE(borrower_.lent->counts_ours());
  Say(peer, "<a xmlns='urn:xmpp:sm:3' h='3'/>", "undefined-condition");
  EXPECT_TRUE(peer.Saw("send-count='2'"));
}

TEST_F(InboundStreamsTest, KeepsALentStreamWhileThePeerOwesAnAcknowledgement) {
  streams_->SetPolicy(MakePolicy({WithBidi(PartnerOfRow(9))}));
  Peer& peer = ConnectByExternal(kAskForOurs);
  borrower_.unsent = true;
  streams_->CheckClocks(loop_->Now() + seconds{700});
  for (int i = 0; i < 10; ++i) loop_->RunOnce();
  EXPECT_FALSE(peer.Saw("footer"));
  borrower_.unsent = false;
  streams_->CheckClocks(loop_->Now() + seconds{700});
  Until([&peer] { return peer.Saw("footer"); });
}

TEST_F(InboundStreamsTest, ClosesTheEleventhSilentConnectionOfAnAddressWithoutAWord) {
  for (int i = 0; i < 10; ++i) Connect();
  Peer& last = Connect();
  Until([&last] { return last.Saw("closed"); });
  EXPECT_EQ(last.seen, "closed ");
  EXPECT_EQ(streams_->size(), 10U);
}

TEST_F(InboundStreamsTest, RefusesConnectionsAboveTheLimitWithAWord) {
  UseConnectionLimit(1);
  Peer& first = ConnectByExternal();
  Peer& second = Connect();
  Until([&second] { return second.Saw("resource-constraint"); });
  EXPECT_FALSE(first.Saw("footer"));
  EXPECT_EQ(Refused("connection_limit"), 1);
}

TEST_F(InboundStreamsTest, GivesTheRoomOfItsOldestHalfOpenStreamToANewcomer) {
  UseConnectionLimit(3);
  Peer& proven = ConnectByExternal();
  Peer& oldest = Connect();
  Peer& younger = Connect();
  Peer& newcomer = ConnectByExternal();
  Until([&oldest] { return oldest.Saw("resource-constraint"); });
  EXPECT_FALSE(proven.Saw("footer") || younger.Saw("footer") || newcomer.Saw("footer"));
  EXPECT_EQ(Refused("evicted"), 1);
  EXPECT_EQ(Refused("connection_limit"), 0);
}

TEST_F(InboundStreamsTest, KeepsToALimitLoweredWhileStreamsLiveWithoutTouchingProvenOnes) {
  Peer& proven = ConnectByExternal();
  Peer& half_open = Connect();
  Peer& second = ConnectByExternal();
  UseConnectionLimit(1);
  Until([&half_open] { return half_open.Saw("resource-constraint"); });
  EXPECT_FALSE(proven.Saw("footer") || second.Saw("footer"));
}

TEST_F(InboundStreamsTest, CountsTheConnectionsOfTheOtherListeners) {
  UseConnectionLimit(10);
  others_ = OtherListeners(UsageOf(10, 0, 0));
  Peer& peer = Connect();
  Until([&peer] { return peer.Saw("resource-constraint"); });
  EXPECT_EQ(Refused("connection_limit"), 1);
}

TEST_F(InboundStreamsTest, CountsThePartnersStreamsAtTheOtherListeners) {
  others_ = OtherListeners(UsageOf(0, 20, 0));
  Say(Connect(), Header(), "resource-constraint");
  EXPECT_EQ(Refused("partner_limit"), 1);
}

TEST_F(InboundStreamsTest, CountsWhatAnAddressHoldsAtTheOtherListeners) {
  others_ = OtherListeners(UsageOf(0, 0, 9));
  Peer& first = Connect();
  Peer& second = Connect();
  Until([&second] { return second.Saw("closed"); });
  EXPECT_FALSE(first.Saw("closed"));
  EXPECT_EQ(Refused("unauthenticated_of_address"), 1);
}

TEST_F(InboundStreamsTest, GivesUpItsPartOfASurplusOnceItIsKnown) {
  Peer& proven = ConnectByExternal();
  for (int i = 0; i < 8; ++i) Connect();
  others_ = OtherListeners(UsageOf(0, 0, 8));
  streams_->KeepToLimits();
  Until([this] { return peers_.back()->Saw("policy-violation"); });
  EXPECT_EQ(Refused("unauthenticated_of_address"), 3) << "half of the six too many";
  others_ = OtherListeners(UsageOf(0, 0, 5));
  streams_->KeepToLimits();
  EXPECT_EQ(Refused("unauthenticated_of_address"), 3) << "though their peers have not gone yet";
  EXPECT_FALSE(proven.Saw("footer"));
}

TEST_F(InboundStreamsTest, TellsWhatItHolds) {
  ConnectByExternal();
  Connect();
  proto::Usage usage;
  streams_->AddUsage(usage);
  EXPECT_EQ(usage.connections(), 2U);
  ASSERT_EQ(usage.addresses_size(), 1);
  EXPECT_EQ(usage.addresses(0).address(), "127.0.0.1");
  EXPECT_EQ(usage.addresses(0).unauthenticated(), 1U);
  EXPECT_EQ(usage.addresses(0).connections(), 2U);
}

TEST_F(InboundStreamsTest, TakesNewTimesForStreamsThatLiveAlready) {
  Peer& silent = Connect();
  proto::PolicySnapshot snapshot;
  *snapshot.add_partners() = PartnerOfRow(9);
  snapshot.mutable_gateway()->set_stream_establishment_timeout_s(5);
  streams_->SetPolicy(std::make_shared<const PolicyView>(snapshot));
  streams_->CheckClocks(loop_->Now() + seconds{5});
  Until([&silent] { return silent.Saw("closed"); });
}

TEST_F(InboundStreamsTest, EndsAStreamThatFloods) {
  proto::Limits limits;
  limits.set_stanzas_per_second(1);
  limits.set_stanza_burst(1);
  streams_->SetLimits(limits);
  Peer& peer = ConnectByExternal();
  std::string flood;
  for (int i = 0; i < 110; ++i) flood += Message();
  Say(peer, flood, "policy-violation");
  EXPECT_EQ(Ended("policy-violation"), 1);
}

TEST_F(InboundStreamsTest, CountsTheAnswersToDialbackByResult) {
  UseRow(17);
  Peer& peer = Connect();
  Say(peer, Header(), "features");
  Say(peer, "<db:result from='partner.example' to='other.example'>k</db:result>", "item-not-found");
  Say(peer, "<db:result from='stranger.example' to='corp.example'>k</db:result>", "not-allowed");
  EXPECT_EQ(
      metrics_.Value("gatehouse_dialbacks_total", "{direction=\"in\",result=\"item-not-found\"}"),
      1);
  EXPECT_EQ(
      metrics_.Value("gatehouse_dialbacks_total", "{direction=\"in\",result=\"not-allowed\"}"), 1);
}

TEST_F(InboundStreamsTest, HoldsAPartnerToItsOwnLimit) {
  proto::Partner partner = PartnerOfRow(9);
  partner.set_connection_limit(1);
  streams_->SetPolicy(MakePolicy({partner}));
  ConnectByExternal();
  Peer& second = Connect();
  Say(second, Header(), "resource-constraint");
}

TEST_F(InboundStreamsTest, ReadsNoFasterThanTheRateOfTheConfiguration) {
  proto::Limits limits;
  limits.set_stanzas_per_second(1);
  limits.set_stanza_burst(2);
  streams_->SetLimits(limits);
  Peer& peer = ConnectByExternal();
  peer.transport->Send(Message() + Message());
  Until([this] { return translator_.offers.size() == 2; });
  peer.transport->Send(Message());
  for (int i = 0; i < 30; ++i) loop_->RunOnce();
  EXPECT_EQ(translator_.offers.size(), 2U);
}

TEST_F(InboundStreamsTest, EndsStreamsThatANewSnapshotPermitsNoMore) {
  Peer& peer = ConnectByExternal();
  UseRow(13);
  Until([&peer] { return peer.Saw("<reset"); });
}

TEST_F(InboundStreamsTest, ClosesEveryStreamAtTheEnd) {
  Peer& peer = ConnectByExternal();
  streams_->Shutdown();
  Until([&peer] { return peer.Saw("<system-shutdown") && peer.Saw("footer"); });
  peer.transport->Close();
  Until([this] { return streams_->size() == 0; });
}

TEST_F(InboundStreamsTest, EndsWhatIsNotEstablishedInTime) {
  Peer& silent = Connect();
  Peer& headed = Connect();
  Say(headed, Header(), "features");
  Peer& open = ConnectByExternal();
  streams_->CheckClocks(loop_->Now() + seconds{59});
  EXPECT_EQ(streams_->size(), 3U);
  streams_->CheckClocks(loop_->Now() + seconds{60});
  Until([&] { return silent.Saw("closed") && headed.Saw("connection-timeout"); });
  EXPECT_FALSE(open.Saw("footer"));
}

TEST_F(InboundStreamsTest, DropsAHandshakeThatTakes15Seconds) {
  Peer& peer = Connect();
  Say(peer, Header(), "features");
  Say(peer, kStartTls, "proceed");
  streams_->CheckClocks(loop_->Now() + seconds{15});
  Until([&peer] { return peer.Saw("closed"); });
  EXPECT_FALSE(peer.Saw("footer"));
}

TEST_F(InboundStreamsTest, ClosesAStreamWithoutStanzasAfterTenMinutes) {
  Peer& peer = ConnectByExternal();
  streams_->CheckClocks(loop_->Now() + seconds{590});
  EXPECT_FALSE(peer.Saw("footer"));
  streams_->CheckClocks(loop_->Now() + seconds{600});
  Until([&peer] { return peer.Saw("footer"); });
  EXPECT_FALSE(peer.Saw("stream:error"));
}

PolicyPointer KeepAlivePolicy() {
  proto::Partner partner = PartnerOfRow(9);
  partner.set_keep_alive(true);
  return MakePolicy({partner});
}

TEST_F(InboundStreamsTest, PingsASilentPeerAndEndsTheStreamOfADeadOne) {
  streams_->SetPolicy(KeepAlivePolicy());
  outbound_ = 1;
  Peer& peer = ConnectByExternal();
  const TimePoint start = loop_->Now();
  streams_->CheckClocks(start + seconds{290});
  EXPECT_TRUE(own_.empty());
  streams_->CheckClocks(start + seconds{301});
  streams_->CheckClocks(start + seconds{302});
  ASSERT_EQ(own_.size(), 1U);
  EXPECT_TRUE(own_[0].find("<ping xmlns='urn:xmpp:ping'/>") != std::string::npos);
  streams_->CheckClocks(start + seconds{362});
  Until([&peer] { return peer.Saw("connection-timeout"); });
}

TEST_F(InboundStreamsTest, TakesTheAnswerToItsPingForItself) {
  streams_->SetPolicy(KeepAlivePolicy());
  outbound_ = 1;
  Peer& peer = ConnectByExternal();
  const TimePoint start = loop_->Now();
  streams_->CheckClocks(start + seconds{301});
  Say(peer,
      "<iq from='partner.example' to='corp.example' type='result' id='" + own_id_ + "'/>" +
          Message(),
      "");
  Until([this] { return translator_.offers.size() == 1; });
  EXPECT_EQ(translator_.offers[0].body.stanza().name(), "message");
}

TEST_F(InboundStreamsTest, ProbesByWhiteSpaceWhereItHasNoStreamAndEndsNothingOverIt) {
  streams_->SetPolicy(KeepAlivePolicy());
  Peer& peer = ConnectByExternal();
  streams_->CheckClocks(loop_->Now() + seconds{301});
  streams_->CheckClocks(loop_->Now() + seconds{400});
  for (int i = 0; i < 30; ++i) loop_->RunOnce();
  EXPECT_TRUE(own_.empty());
  EXPECT_FALSE(peer.Saw("footer"));
}

TEST_F(InboundStreamsTest, HoldsNoSilenceAgainstAPeerItDoesNotReadFrom) {
  streams_->SetPolicy(KeepAlivePolicy());
  outbound_ = 1;
  Peer& peer = ConnectByExternal();
  translator_.room = 1;
  peer.transport->Send(Message());
  Until([this] { return translator_.resume.size() == 1; });
  const TimePoint start = loop_->Now();
  streams_->CheckClocks(start + seconds{301});
  streams_->CheckClocks(start + seconds{362});
  streams_->CheckClocks(start + seconds{601});
  for (int i = 0; i < 30; ++i) loop_->RunOnce();
  EXPECT_TRUE(own_.empty()) << "nor asks it whether it lives";
  EXPECT_FALSE(peer.Saw("footer"));
  translator_.room = 1000;
  translator_.resume[0]();
  streams_->CheckClocks(loop_->Now() + seconds{599});
  EXPECT_FALSE(peer.Saw("footer"));
  streams_->CheckClocks(loop_->Now() + seconds{600});
  Until([&peer] { return peer.Saw("footer"); });
}

TEST_F(InboundStreamsTest, AnswersPlaintextBehindStartTlsWithNothing) {
  Peer& peer = Connect();
  Say(peer, Header(), "features");
  Say(peer, std::string(kStartTls) + "<auth/>", "closed");
  EXPECT_EQ(peer.seen, "closed ");
}

}  // namespace
}  // namespace gatehouse
