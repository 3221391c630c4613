// What inbound streams may hold: the limits of 2.11.
#include "core/base/limits.h"
#include "tests/unit/plugins/tls_listener/inbound_streams_scene.h"

namespace gatehouse {
namespace {

TEST_F(InboundStreamsTest, LeavesAPartnersRoomAloneUntilAStreamHasProvenItself) {
  proto::Partner partner = PartnerOfRow(9);
  partner.set_connection_limit(1);
  streams_->SetPolicy(MakePolicy({partner}));
  for (int stranger = 0; stranger < 3; ++stranger) Say(Connect(), Header(), "features");
  EXPECT_EQ(streams_->StreamsOf("p-partner.example"), 0U);
  ConnectByExternal();
  EXPECT_EQ(streams_->StreamsOf("p-partner.example"), 1U);
  Say(Connect(), Header(), "resource-constraint");
  EXPECT_EQ(refused_,
            std::vector<std::string>{"partner.example from 127.0.0.1: partner-connection-limit"});
}

TEST_F(InboundStreamsTest, ClosesTheEleventhSilentConnectionOfAnAddressWithoutAWord) {
  for (int i = 0; i < 10; ++i) Connect();
  Peer& last = Connect();
  Until([&last] { return last.Saw("closed"); });
  EXPECT_EQ(last.seen, "closed ");
  EXPECT_EQ(streams_->size(), 10U);
  EXPECT_EQ(refused_, std::vector<std::string>{" from 127.0.0.1: address-limit"});
}

TEST_F(InboundStreamsTest, RefusesConnectionsAboveTheLimitWithAWord) {
  UseConnectionLimit(1);
  Peer& first = ConnectByExternal();
  Peer& second = Connect();
  Until([&second] { return second.Saw("resource-constraint"); });
  EXPECT_FALSE(first.Saw("footer"));
  EXPECT_EQ(Refused("connection_limit"), 1);
  EXPECT_TRUE(second.Saw("too many connections (r1)")) << second.seen;
  EXPECT_EQ(refused_, std::vector<std::string>{" from 127.0.0.1: connection-limit"});
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

TEST_F(InboundStreamsTest, GivesUpTheLongestSilentStrangersForWantOfMemoryAndNobodyElse) {
  Peer& proven = ConnectByExternal();
  Peer& silent = Connect();
  Peer& talking = Connect();
  Say(talking, Header(), "features");
  streams_->GiveUpIdlest();
  Until([&silent] { return silent.Saw("resource-constraint"); });
  EXPECT_FALSE(proven.Saw("footer") || talking.Saw("footer"));
  streams_->GiveUpIdlest();
  Until([&talking] { return talking.Saw("resource-constraint"); });
  streams_->GiveUpIdlest();
  EXPECT_FALSE(proven.Saw("footer"));
  EXPECT_EQ(Refused("memory"), 2);
}

TEST_F(InboundStreamsTest, EndsTheStreamOfAPeerThatAsksAndDoesNotRead) {
  streams_->SetPolicy(MakePolicy({WithBidi(PartnerOfRow(9))}));
  Peer& peer = ConnectByExternal(kAskForOurs);
  peer.transport->PauseReading();
  borrower_.lent->Write(std::string(16 * 1024 * 1024, ' '));  // more than the kernel takes
  Say(peer, "<iq from='partner.example' to='corp.example' type='get' id='a'/>", "");
  Until([this] { return Ended("resource-constraint") == 1; });
}

TEST_F(InboundStreamsTest, CountsNoStreamForNobody) {
  proto::Partner nameless = PartnerOfRow(9);
  nameless.clear_id();
  streams_->SetPolicy(MakePolicy({nameless}));
  ConnectByExternal();
  streams_->ForEachProven([](std::string_view partner_id, std::size_t streams) {
    ADD_FAILURE() << streams << " streams of '" << partner_id << "'";
  });
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

TEST_F(InboundStreamsTest, ReadsStanzasThatAreTooLargeNoFasterEither) {
  proto::Limits limits;
  limits.set_stanzas_per_second(1);
  limits.set_stanza_burst(2);
  streams_->SetLimits(limits);
  Peer& peer = ConnectByExternal();
  const std::string oversized =
      "<message from='bob@partner.example' to='ann@corp.example' id='m1'><body>" +
      std::string(kMaxStanzaBytes, 'x') + "</body></message>";
  peer.transport->Send(oversized + oversized);
  Until([this] { return own_.size() == 2; });
  peer.transport->Send(Message());
  for (int i = 0; i < 30; ++i) loop_->RunOnce();
  EXPECT_TRUE(translator_.offers.empty());
}

}  // namespace
}  // namespace gatehouse
