#include "plugins/sip_translator/server_transaction.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

constexpr TransactionTimes kServerUdp{};
constexpr TransactionTimes kServerStream{.reliable = true};

TEST(ServerTransaction, RepeatedRequestIsAbsorbedUntilThereIsAnAnswer) {
  FakeClock clock;
  ServerTransaction transaction(TransactionKind::kNonInvite, kServerUdp, clock.Now());
  EXPECT_EQ(transaction.On(ServerEvent::kRequest, clock.In(500ms)), kServerNothing);
  EXPECT_EQ(transaction.On(ServerEvent::kSuccess, clock.In(1s)), kSendResponse);
  EXPECT_EQ(transaction.On(ServerEvent::kRequest, clock.In(2s)), kResend);
  EXPECT_TRUE(transaction.answered());
}

TEST(ServerTransaction, SecondAnswerIsIgnored) {
  FakeClock clock;
  ServerTransaction transaction(TransactionKind::kNonInvite, kServerUdp, clock.Now());
  transaction.On(ServerEvent::kFailure, clock.Now());
  EXPECT_EQ(transaction.On(ServerEvent::kSuccess, clock.Now()), kServerNothing);
}

TEST(ServerTransaction, AnswerLingersFor32SecondsOverUdpAndNotOnAStream) {
  FakeClock clock;
  ServerTransaction udp(TransactionKind::kNonInvite, kServerUdp, clock.Now());
  udp.On(ServerEvent::kSuccess, clock.Now());
  EXPECT_EQ(udp.NextDeadline(), clock.In(32s));
  udp.OnTime(clock.In(32s));
  EXPECT_EQ(udp.state(), ServerState::kTerminated);
  ServerTransaction stream(TransactionKind::kNonInvite, kServerStream, clock.Now());
  EXPECT_EQ(stream.On(ServerEvent::kSuccess, clock.Now()), kSendResponse);
  EXPECT_EQ(stream.state(), ServerState::kTerminated);
}

TEST(ServerTransaction, TryingIsSentOnceTheClientsTimerEReachesT2) {
  FakeClock clock;
  ServerTransaction transaction(TransactionKind::kNonInvite, kServerUdp, clock.Now());
  EXPECT_EQ(transaction.NextDeadline(), clock.In(3500ms));
  EXPECT_EQ(transaction.OnTime(clock.In(3499ms)), kServerNothing);
  EXPECT_EQ(transaction.OnTime(clock.In(3500ms)), kSendTrying);
  EXPECT_EQ(transaction.On(ServerEvent::kRequest, clock.In(4s)), kResend);
  EXPECT_EQ(transaction.NextDeadline(), kNever);
}

TEST(ServerTransaction, RejectedInviteIsRepeatedUntilAck) {
  FakeClock clock;
  ServerTransaction transaction(TransactionKind::kInvite, kServerUdp, clock.Now());
  EXPECT_EQ(transaction.On(ServerEvent::kFailure, clock.Now()), kSendResponse);
  EXPECT_EQ(transaction.NextDeadline(), clock.In(500ms));
  EXPECT_EQ(transaction.OnTime(clock.In(500ms)), kResend);
  EXPECT_EQ(transaction.NextDeadline(), clock.In(1500ms));
  EXPECT_EQ(transaction.On(ServerEvent::kAck, clock.In(1s)), kServerNothing);
  EXPECT_EQ(transaction.state(), ServerState::kConfirmed);
  EXPECT_EQ(transaction.NextDeadline(), clock.In(6s));
}

TEST(ServerTransaction, RejectedInviteWithoutAckIsToldAfter64T1) {
  FakeClock clock;
  ServerTransaction transaction(TransactionKind::kInvite, kServerStream, clock.Now());
  transaction.On(ServerEvent::kFailure, clock.Now());
  EXPECT_EQ(transaction.NextDeadline(), clock.In(32s));
  EXPECT_EQ(transaction.OnTime(clock.In(32s)), kTellNoAck);
}

TEST(ServerTransaction, AcceptedInviteAbsorbsRequestsAndPassesAcks) {
  FakeClock clock;
  ServerTransaction transaction(TransactionKind::kInvite, kServerUdp, clock.Now());
  EXPECT_EQ(transaction.On(ServerEvent::kProvisional, clock.Now()), kSendResponse);
  EXPECT_EQ(transaction.On(ServerEvent::kRequest, clock.Now()), kResend);
  EXPECT_EQ(transaction.On(ServerEvent::kSuccess, clock.Now()), kSendResponse);
  EXPECT_EQ(transaction.On(ServerEvent::kRequest, clock.Now()), kServerNothing);
  EXPECT_EQ(transaction.On(ServerEvent::kAck, clock.Now()), kPassAck);
  EXPECT_EQ(transaction.On(ServerEvent::kSuccess, clock.Now()), kSendResponse);
  EXPECT_EQ(transaction.NextDeadline(), clock.In(32s));
}

}  // namespace
}  // namespace gatehouse
