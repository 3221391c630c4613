#include "plugins/tls_listener/inbound_admission.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace gatehouse {
namespace {

using std::chrono::minutes;

TEST(InboundAdmission, AdmitsTenUnauthenticatedConnectionsOfOneAddress) {
  FakeClock clock;
  InboundAdmission admission;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(admission.Admit("192.0.2.1", clock.Now()));
  EXPECT_FALSE(admission.Admit("192.0.2.1", clock.Now()));
  EXPECT_TRUE(admission.Admit("192.0.2.2", clock.Now()));
  admission.Settled("192.0.2.1");
  EXPECT_TRUE(admission.Admit("192.0.2.1", clock.Now()));
}

TEST(InboundAdmission, AdmitsThirtyNewConnectionsAMinute) {
  FakeClock clock;
  InboundAdmission admission;
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(admission.Admit("192.0.2.1", clock.Now()));
    admission.Settled("192.0.2.1");
  }
  EXPECT_FALSE(admission.Admit("192.0.2.1", clock.Now()));
  clock.Advance(minutes{1});
  EXPECT_TRUE(admission.Admit("192.0.2.1", clock.Now()));
}

TEST(InboundAdmission, CountsVerifyRequestsOfStrangersDouble) {
  FakeClock clock;
  InboundAdmission admission;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(admission.AdmitVerify("192.0.2.1", 2, clock.Now()));
  EXPECT_FALSE(admission.AdmitVerify("192.0.2.1", 1, clock.Now()));
  clock.Advance(minutes{1});
  EXPECT_TRUE(admission.AdmitVerify("192.0.2.1", 1, clock.Now()));
}

TEST(InboundAdmission, TakesLimitsFromTheConfiguration) {
  FakeClock clock;
  InboundAdmission admission;
  admission.SetLimits({.connections_per_minute = 2,
                       .unauthenticated_per_address = 1,
                       .verify_requests_per_minute = 1});
  EXPECT_TRUE(admission.Admit("192.0.2.1", clock.Now()));
  EXPECT_FALSE(admission.Admit("192.0.2.1", clock.Now()));
}

TEST(InboundAdmission, ForgetsAddressesThatHoldNothing) {
  FakeClock clock;
  InboundAdmission admission;
  admission.Admit("192.0.2.1", clock.Now());
  admission.Admit("192.0.2.2", clock.Now());
  admission.Settled("192.0.2.2");
  admission.Sweep(clock.In(minutes{1}));
  EXPECT_EQ(admission.addresses(), 1U);
}

}  // namespace
}  // namespace gatehouse
