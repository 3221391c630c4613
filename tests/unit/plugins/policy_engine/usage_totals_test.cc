#include "plugins/policy_engine/usage_totals.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace gatehouse::policy_engine {
namespace {

proto::Usage UsageOf(std::uint32_t connections, std::string_view partner,
                     std::string_view address) {
  proto::Usage usage;
  usage.set_connections(connections);
  proto::PartnerUsage& of_partner = *usage.add_partners();
  of_partner.set_partner_id(std::string(partner));
  of_partner.set_streams(connections);
  proto::AddressUsage& of_address = *usage.add_addresses();
  of_address.set_address(std::string(address));
  of_address.set_unauthenticated(connections);
  of_address.set_connections(2 * connections);
  of_address.set_verifies(3 * connections);
  return usage;
}

TEST(UsageTotals, TellsNothingToAListenerThatIsAlone) {
  FakeClock clock;
  UsageTotals totals;
  EXPECT_EQ(
      totals.Tell("tls_listener/0", UsageOf(3, "p", "192.0.2.1"), clock.Now()).SerializeAsString(),
      "");
}

TEST(UsageTotals, TellsTheSumOfTheOthers) {
  FakeClock clock;
  UsageTotals totals;
  totals.Tell("tls_listener/0", UsageOf(1, "p", "192.0.2.1"), clock.Now());
  totals.Tell("tls_listener/1", UsageOf(10, "p", "192.0.2.1"), clock.Now());
  const proto::Usage others =
      totals.Tell("tls_listener/2", UsageOf(100, "q", "192.0.2.2"), clock.Now());
  EXPECT_EQ(others.connections(), 11U);
  ASSERT_EQ(others.partners_size(), 1);
  EXPECT_EQ(others.partners(0).streams(), 11U);
  ASSERT_EQ(others.addresses_size(), 1);
  EXPECT_EQ(others.addresses(0).address(), "192.0.2.1");
  EXPECT_EQ(others.addresses(0).unauthenticated(), 11U);
  EXPECT_EQ(others.addresses(0).connections(), 22U);
  EXPECT_EQ(others.addresses(0).verifies(), 33U);
}

TEST(UsageTotals, CountsWhatAListenerSaidLast) {
  FakeClock clock;
  UsageTotals totals;
  totals.Tell("tls_listener/0", UsageOf(9, "p", "192.0.2.1"), clock.Now());
  totals.Tell("tls_listener/0", UsageOf(4, "p", "192.0.2.1"), clock.Now());
  EXPECT_EQ(totals.Tell("tls_listener/1", {}, clock.Now()).connections(), 4U);
}

TEST(UsageTotals, ForgetsAListenerThatIsSilentForThreeSeconds) {
  FakeClock clock;
  UsageTotals totals;
  totals.Tell("tls_listener/0", UsageOf(9, "p", "192.0.2.1"), clock.Now());
  clock.Advance(milliseconds{2999});
  EXPECT_EQ(totals.Tell("tls_listener/1", {}, clock.Now()).connections(), 9U);
  clock.Advance(milliseconds{1});
  EXPECT_EQ(totals.Tell("tls_listener/1", {}, clock.Now()).connections(), 0U);
  EXPECT_EQ(totals.instances(), 1U);
}

}  // namespace
}  // namespace gatehouse::policy_engine
