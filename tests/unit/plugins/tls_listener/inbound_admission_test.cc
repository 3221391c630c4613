#include "plugins/tls_listener/inbound_admission.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace gatehouse {
namespace {

using std::chrono::minutes;

TEST(InboundAdmission, AdmitsTenUnauthenticatedConnectionsOfOneAddress) {
  FakeClock clock;
  InboundAdmission admission;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(admission.Admit("192.0.2.1", clock.Now()), Admission::kAdmitted);
  EXPECT_EQ(admission.Admit("192.0.2.1", clock.Now()), Admission::kTooManyUnauthenticated);
  EXPECT_EQ(admission.Admit("192.0.2.2", clock.Now()), Admission::kAdmitted);
  admission.Settled("192.0.2.1");
  EXPECT_EQ(admission.Admit("192.0.2.1", clock.Now()), Admission::kAdmitted);
}

TEST(InboundAdmission, AdmitsThirtyNewConnectionsAMinute) {
  FakeClock clock;
  InboundAdmission admission;
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(admission.Admit("192.0.2.1", clock.Now()), Admission::kAdmitted);
    admission.Settled("192.0.2.1");
  }
  EXPECT_EQ(admission.Admit("192.0.2.1", clock.Now()), Admission::kTooManyAMinute);
  clock.Advance(minutes{1});
  EXPECT_EQ(admission.Admit("192.0.2.1", clock.Now()), Admission::kAdmitted);
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
  EXPECT_EQ(admission.Admit("192.0.2.1", clock.Now()), Admission::kAdmitted);
  EXPECT_EQ(admission.Admit("192.0.2.1", clock.Now()), Admission::kTooManyUnauthenticated);
}

TEST(InboundAdmission, TakesTheNetworkOfAnIpv6HostForOneAddress) {
  EXPECT_EQ(InboundAdmission::AddressOf("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(InboundAdmission::AddressOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(InboundAdmission::AddressOf("2001:db8:1:2::/64"), "2001:db8:1:2::/64");
  FakeClock clock;
  InboundAdmission admission;
  admission.SetLimits({.unauthenticated_per_address = 1});
  EXPECT_EQ(admission.Admit("2001:db8::1", clock.Now()), Admission::kAdmitted);
  EXPECT_EQ(admission.Admit("2001:db8::2", clock.Now()), Admission::kTooManyUnauthenticated);
  EXPECT_EQ(admission.Admit("2001:db8:0:1::1", clock.Now()), Admission::kAdmitted);
}

TEST(InboundAdmission, HoldsTheSumOverAllListenersToTheLimits) {
  FakeClock clock;
  AddressCounts others;
  InboundAdmission admission([&others](const std::string&) { return others; });
  others = {.connections = 29, .verifies = 199, .unauthenticated = 9};
  EXPECT_TRUE(admission.AdmitVerify("192.0.2.1", 1, clock.Now()));
  EXPECT_FALSE(admission.AdmitVerify("192.0.2.1", 1, clock.Now()));
  EXPECT_EQ(admission.Admit("192.0.2.1", clock.Now()), Admission::kAdmitted);
  EXPECT_EQ(admission.Admit("192.0.2.1", clock.Now()), Admission::kTooManyAMinute);
  others.connections = 0;
  EXPECT_EQ(admission.Admit("192.0.2.1", clock.Now()), Admission::kTooManyUnauthenticated);
}

TEST(InboundAdmission, GivesUpItsPartOfWhatIsTooMuch) {
  FakeClock clock;
  AddressCounts others;
  InboundAdmission admission([&others](const std::string&) { return others; });
  for (int i = 0; i < 8; ++i) admission.Admit("192.0.2.1", clock.Now());
  EXPECT_EQ(admission.SurplusOf("192.0.2.1"), 0U);
  others.unauthenticated = 2;
  EXPECT_EQ(admission.SurplusOf("192.0.2.1"), 0U);
  others.unauthenticated = 8;
  EXPECT_EQ(admission.SurplusOf("192.0.2.1"), 3U);
  EXPECT_EQ(admission.SurplusOf("192.0.2.2"), 0U);
}

TEST(InboundAdmission, TellsOfEachAddressWhatCountsNow) {
  FakeClock clock;
  InboundAdmission admission;
  admission.Admit("192.0.2.1", clock.Now());
  const auto told = [&](TimePoint now) {
    std::string text;
    admission.ForEach(now, [&text](const std::string& address, const AddressCounts& counts) {
      text += address + " " + std::to_string(counts.connections) + " " +
              std::to_string(counts.unauthenticated);
    });
    return text;
  };
  EXPECT_EQ(told(clock.Now()), "192.0.2.1 1 1");
  EXPECT_EQ(told(clock.In(minutes{1})), "192.0.2.1 0 1");
  admission.Settled("192.0.2.1");
  EXPECT_EQ(told(clock.In(minutes{1})), "");
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
