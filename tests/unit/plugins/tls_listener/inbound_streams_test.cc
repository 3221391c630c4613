// What an inbound stream does with what its peer says, from its first octet to its end.
#include <fstream>
#include <iterator>

#include "tests/unit/plugins/tls_listener/inbound_streams_scene.h"

namespace gatehouse {
namespace {

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
            "<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>"
            "not delivered (7f3kq2mx)</text></error></message>");
  EXPECT_EQ(unserved_, std::vector<std::string>{"partner.example: expired"});
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
            "<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>"
            "not delivered (7f3kq2mx)</text></error></message>");
  EXPECT_NE(own_[1].find("<internal-server-error"), std::string::npos);
  EXPECT_EQ(unserved_, (std::vector<std::string>{"partner.example: too-large",
                                                 "partner.example: worker-away"}));
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

// A peer whose idle stream we leave may come anew before it has closed its own side of that.
TEST_F(InboundStreamsTest, LetsAPairHaveItsOneStreamAgainOnceWeLeaveTheFirst) {
  proto::PolicySnapshot snapshot;
  *snapshot.add_partners() = PartnerOfRow(9);
  snapshot.mutable_gateway()->set_one_stream_per_pair(true);
  streams_->SetPolicy(std::make_shared<const PolicyView>(std::move(snapshot)));
  Peer& first = ConnectByExternal();
  streams_->CheckClocks(loop_->Now() + seconds{601});
  Until([&first] { return first.Saw("footer"); });
  Peer& again = ConnectByExternal();
  again.transport->Send(Message());
  Until([this] { return translator_.offers.size() == 1; });
}

// --- a stream that is lent (2.14)

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
  closing.transport.reset();
  Peer& vanishing = ConnectByExternal(kAskForOurs);
  vanishing.transport.reset();
  Until([this] { return borrower_.ended == 2; });
  Until([this] { return streams_->size() == 0; });
  EXPECT_EQ(borrower_.ended, 2);
}

TEST_F(InboundStreamsTest, CountsStreamsWhoseConnectionIsLost) {
  ConnectByExternal().transport.reset();
  Until([this] { return Ended("connection-lost") == 1; });
  Peer& in_handshake = Connect();
  Say(in_handshake, Header(), "features");
  Say(in_handshake, kStartTls, "proceed");
  in_handshake.transport.reset();
  Until([this] { return Ended("connection-lost") == 2; });
  EXPECT_EQ(metrics_.Value("gatehouse_handshakes_total", "{direction=\"in\",result=\"failed\"}"),
            1);
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

TEST_F(InboundStreamsTest, TakesNewTimesForStreamsThatLiveAlready) {
  Peer& silent = Connect();
  proto::PolicySnapshot snapshot;
  *snapshot.add_partners() = PartnerOfRow(9);
  snapshot.mutable_gateway()->set_stream_establishment_timeout_s(5);
  streams_->SetPolicy(std::make_shared<const PolicyView>(snapshot));
  streams_->CheckClocks(loop_->Now() + seconds{5});
  Until([&silent] { return silent.Saw("closed"); });
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

TEST_F(InboundStreamsTest, EndsStreamsWhileNobodyTakesTheirStanzas) {
  Peer& open = ConnectByExternal();
  away_ = "sip_translator";
  streams_->CheckClocks(loop_->Now());
  Until([&open] { return open.Saw("internal-server-error"); });
  Peer& newcomer = Connect();
  Until([&newcomer] { return newcomer.Saw("internal-server-error"); });
  away_.clear();
  ConnectByExternal();
}

TEST_F(InboundStreamsTest, EndsOnlyStreamsThatNeedTheVerifierWhileItIsAway) {
  UseRow(17);
  Peer& undecided = Connect();
  Say(undecided, Header(), "features");
  Peer& waiting = Connect();
  Say(waiting, Header(), "features");
  Say(waiting, Key(), "");
  Until([this] { return verifier_.questions.size() == 1; });
  away_ = "dialback_verifier";
  streams_->CheckClocks(loop_->Now());
  Until([&waiting] { return waiting.Saw("internal-server-error"); });
  Peer& late = Connect();
  Say(late, Header(), "features");
  Say(late, Key(), "internal-server-error");
  Peer& asking = Connect();
  Say(asking, Header(), "features");
  Say(asking, "<db:verify from='partner.example' to='corp.example' id='D60'>k</db:verify>",
      "internal-server-error");
  EXPECT_EQ(verifier_.questions.size(), 1U);
  EXPECT_FALSE(undecided.Saw("footer"));
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
  Peer& peer = ConnectByExternal();
  const TimePoint start = loop_->Now();
  streams_->CheckClocks(start + seconds{290});
  EXPECT_TRUE(translator_.offers.empty());
  streams_->CheckClocks(start + seconds{301});
  streams_->CheckClocks(start + seconds{302});
  ASSERT_EQ(translator_.offers.size(), 1U);
  const proto::OutboundStanza& own = translator_.offers[0].body.own();
  EXPECT_EQ(own.local_domain() + " to " + own.remote_domain(), "corp.example to partner.example");
  EXPECT_TRUE(own.on_open_stream_only());
  EXPECT_NE(FindChild(own.stanza(), "ping", ns::kPing), nullptr);
  translator_.offers[0].settled(ipc::Outcome::Delivered());
  streams_->CheckClocks(start + seconds{303});
  streams_->CheckClocks(start + seconds{362});
  EXPECT_FALSE(peer.Saw("footer"));
  streams_->CheckClocks(start + seconds{363});
  Until([&peer] { return peer.Saw("connection-timeout"); });
}

TEST_F(InboundStreamsTest, TakesTheAnswerToItsPingForItself) {
  streams_->SetPolicy(KeepAlivePolicy());
  Peer& peer = ConnectByExternal();
  const TimePoint start = loop_->Now();
  streams_->CheckClocks(start + seconds{301});
  ASSERT_EQ(translator_.offers.size(), 1U);
  const std::string id(Attribute(translator_.offers[0].body.own().stanza(), "id"));
  Say(peer,
      "<iq from='partner.example' to='corp.example' type='result' id='" + id + "'/>" + Message(),
      "");
  Until([this] { return translator_.offers.size() == 2; });
  EXPECT_EQ(translator_.offers[1].body.stanza().name(), "message");
  translator_.offers[0].settled(ipc::Outcome::Delivered());
  streams_->CheckClocks(start + seconds{302});  // the peer has spoken: another ping, no dead line
  EXPECT_EQ(translator_.offers.size(), 3U);
}

TEST_F(InboundStreamsTest, PingsOnAStreamThatIsLentWithoutAskingAnybody) {
  proto::Partner partner = WithBidi(PartnerOfRow(9));
  partner.set_keep_alive(true);
  streams_->SetPolicy(MakePolicy({partner}));
  Peer& peer = ConnectByExternal(kAskForOurs);
  const TimePoint start = loop_->Now();
  streams_->CheckClocks(start + seconds{301});
  ASSERT_EQ(own_.size(), 1U);
  EXPECT_TRUE(own_[0].contains("<ping xmlns='urn:xmpp:ping'/>"));
  EXPECT_TRUE(translator_.offers.empty());
  streams_->CheckClocks(start + seconds{302});
  streams_->CheckClocks(start + seconds{362});
  Until([&peer] { return peer.Saw("connection-timeout"); });
}

TEST_F(InboundStreamsTest, ProbesByWhiteSpaceWhereItHasNoStreamAndEndsNothingOverIt) {
  streams_->SetPolicy(KeepAlivePolicy());
  Peer& peer = ConnectByExternal();
  streams_->CheckClocks(loop_->Now() + seconds{301});
  ASSERT_EQ(translator_.offers.size(), 1U);
  translator_.offers[0].settled(ipc::Outcome::Failed(proto::RECIPIENT_UNAVAILABLE));
  streams_->CheckClocks(loop_->Now() + seconds{302});
  streams_->CheckClocks(loop_->Now() + seconds{400});
  Until([&peer] { return peer.Saw("blank"); });
  EXPECT_EQ(translator_.offers.size(), 1U);
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
