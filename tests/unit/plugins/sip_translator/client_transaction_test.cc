#include "plugins/sip_translator/client_transaction.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/fakes/fake_clock.h"

namespace gatehouse {
namespace {

using namespace std::chrono_literals;

constexpr TransactionTimes kUdp{};
constexpr TransactionTimes kStream{.reliable = true};

// Lets time pass from deadline to deadline; notes when (in ms from the start) each action fell due.
struct Noted {
  milliseconds at;
  int actions;
  bool operator==(const Noted&) const = default;
};
std::vector<Noted> LetRun(ClientTransaction& transaction, TimePoint start, TimePoint until) {
  std::vector<Noted> noted;
  while (transaction.NextDeadline() <= until) {
    const TimePoint now = transaction.NextDeadline();
    const int actions = transaction.OnTime(now);
    noted.push_back({std::chrono::duration_cast<milliseconds>(now - start), actions});
  }
  return noted;
}

TEST(ClientTransaction, NonInviteOverUdpRetransmitsUpToT2AndTimesOutAt32Seconds) {
  FakeClock clock;
  ClientTransaction transaction(TransactionKind::kNonInvite, kUdp, clock.Now());
  const auto noted = LetRun(transaction, clock.Now(), clock.In(60s));
  const std::vector<Noted> expected = {
      {500ms, kSendRequest},   {1500ms, kSendRequest},  {3500ms, kSendRequest},
      {7500ms, kSendRequest},  {11500ms, kSendRequest}, {15500ms, kSendRequest},
      {19500ms, kSendRequest}, {23500ms, kSendRequest}, {27500ms, kSendRequest},
      {31500ms, kSendRequest}, {32000ms, kTellTimeOut}};
  EXPECT_EQ(noted, expected);
  EXPECT_EQ(transaction.state(), ClientState::kTerminated);
}

TEST(ClientTransaction, NothingIsRetransmittedOnAStream) {
  FakeClock clock;
  ClientTransaction transaction(TransactionKind::kNonInvite, kStream, clock.Now());
  EXPECT_EQ(LetRun(transaction, clock.Now(), clock.In(60s)),
            (std::vector<Noted>{{32000ms, kTellTimeOut}}));
}

TEST(ClientTransaction, AfterAProvisionalResponseItRetransmitsEveryT2) {
  FakeClock clock;
  ClientTransaction transaction(TransactionKind::kNonInvite, kUdp, clock.Now());
  EXPECT_EQ(transaction.On(ClientEvent::kProvisional, clock.In(100ms)), kPassResponse);
  EXPECT_EQ(transaction.state(), ClientState::kProceeding);
  const auto noted = LetRun(transaction, clock.Now(), clock.In(9s));
  EXPECT_EQ(noted, (std::vector<Noted>{
                       {500ms, kSendRequest}, {4500ms, kSendRequest}, {8500ms, kSendRequest}}));
}

TEST(ClientTransaction, FinalResponseIsPassedOnceAndItsCopiesAreAbsorbedForT4) {
  FakeClock clock;
  ClientTransaction transaction(TransactionKind::kNonInvite, kUdp, clock.Now());
  EXPECT_EQ(transaction.On(ClientEvent::kSuccess, clock.In(1s)), kPassResponse);
  EXPECT_EQ(transaction.On(ClientEvent::kSuccess, clock.In(2s)), kClientNothing);
  EXPECT_EQ(transaction.state(), ClientState::kCompleted);
  EXPECT_EQ(transaction.NextDeadline(), clock.In(6s));
  EXPECT_EQ(transaction.OnTime(clock.In(6s)), kClientNothing);
  EXPECT_EQ(transaction.state(), ClientState::kTerminated);
}

TEST(ClientTransaction, EndsAtOnceWithTheFinalResponseOnAStream) {
  FakeClock clock;
  ClientTransaction transaction(TransactionKind::kNonInvite, kStream, clock.Now());
  EXPECT_EQ(transaction.On(ClientEvent::kFailure, clock.In(1s)), kPassResponse);
  EXPECT_EQ(transaction.state(), ClientState::kTerminated);
  EXPECT_EQ(transaction.NextDeadline(), kNever);
}

TEST(ClientTransaction, TransportErrorIsToldUntilTheFinalResponse) {
  FakeClock clock;
  ClientTransaction early(TransactionKind::kNonInvite, kUdp, clock.Now());
  EXPECT_EQ(early.On(ClientEvent::kTransportError, clock.Now()), kTellTransportError);
  ClientTransaction late(TransactionKind::kNonInvite, kUdp, clock.Now());
  late.On(ClientEvent::kSuccess, clock.Now());
  EXPECT_EQ(late.On(ClientEvent::kTransportError, clock.Now()), kClientNothing);
}

TEST(ClientTransaction, InviteDoublesTimerAWithoutBound) {
  FakeClock clock;
  ClientTransaction transaction(TransactionKind::kInvite, kUdp, clock.Now());
  const auto noted = LetRun(transaction, clock.Now(), clock.In(60s));
  const std::vector<Noted> expected = {{500ms, kSendRequest},   {1500ms, kSendRequest},
                                       {3500ms, kSendRequest},  {7500ms, kSendRequest},
                                       {15500ms, kSendRequest}, {31500ms, kSendRequest},
                                       {32000ms, kTellTimeOut}};
  EXPECT_EQ(noted, expected);
}

TEST(ClientTransaction, RingingInviteWaitsForEver) {
  FakeClock clock;
  ClientTransaction transaction(TransactionKind::kInvite, kUdp, clock.Now());
  transaction.On(ClientEvent::kProvisional, clock.In(100ms));
  EXPECT_EQ(transaction.NextDeadline(), kNever);
}

TEST(ClientTransaction, RejectedInviteIsAcknowledgedEachTime) {
  FakeClock clock;
  ClientTransaction transaction(TransactionKind::kInvite, kUdp, clock.Now());
  EXPECT_EQ(transaction.On(ClientEvent::kFailure, clock.Now()), kSendAck | kPassResponse);
  EXPECT_EQ(transaction.On(ClientEvent::kFailure, clock.In(1s)), kSendAck);
  EXPECT_EQ(transaction.NextDeadline(), clock.In(32s));
}

TEST(ClientTransaction, AcceptedInvitePassesEvery2xxFor64T1) {
  FakeClock clock;
  ClientTransaction transaction(TransactionKind::kInvite, kStream, clock.Now());
  EXPECT_EQ(transaction.On(ClientEvent::kSuccess, clock.Now()), kPassResponse);
  EXPECT_EQ(transaction.On(ClientEvent::kSuccess, clock.In(1s)), kPassResponse);
  EXPECT_EQ(transaction.On(ClientEvent::kFailure, clock.In(1s)), kClientNothing);
  EXPECT_EQ(transaction.NextDeadline(), clock.In(32s));
  transaction.OnTime(clock.In(32s));
  EXPECT_EQ(transaction.state(), ClientState::kTerminated);
}

}  // namespace
}  // namespace gatehouse
