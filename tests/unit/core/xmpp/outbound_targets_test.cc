#include "core/xmpp/outbound_targets.h"

#include <gmock/gmock.h>

#include <map>
#include <random>

namespace gatehouse {
namespace {

using ::testing::ElementsAre;

DnsAnswer<SrvRecord> Records(std::vector<SrvRecord> records) {
  return {DnsStatus::kOk, std::move(records)};
}
DnsAnswer<SrvRecord> Nothing() {
  return {DnsStatus::kNoData, {}};
}
DnsAnswer<SrvRecord> Broken() {
  return {DnsStatus::kTemporary, {}};
}
DnsAnswer<SrvRecord> Declined() {
  return Records({{0, 0, 0, ""}});
}

RandomBelow Seeded(std::uint32_t seed) {
  return [engine = std::mt19937(seed)](std::uint32_t below) mutable {
    return std::uniform_int_distribution<std::uint32_t>(0, below - 1)(engine);
  };
}
RandomBelow Always(std::uint32_t value) {
  return [value](std::uint32_t below) { return std::min(value, below - 1); };
}
SocketAddress Address(const char* text) {
  return SocketAddress::Parse(text).value();
}

TEST(OutboundTargets, MergeBothServicesByPriority) {
  const TargetPlan plan = PlanTargets(
      "p.example", Records({{10, 0, 5269, "a.p.example"}, {30, 0, 5269, "c.p.example"}}),
      Records({{20, 0, 5270, "b.p.example"}}), Always(0));
  EXPECT_EQ(plan.kind, TargetPlan::Kind::kTargets);
  EXPECT_TRUE(plan.from_srv);
  EXPECT_THAT(plan.targets, ElementsAre(OutboundTarget{"a.p.example", 5269, false},
                                        OutboundTarget{"b.p.example", 5270, true},
                                        OutboundTarget{"c.p.example", 5269, false}));
}

TEST(OutboundTargets, OfOnePriorityComeFirstAsOftenAsTheirWeightSays) {
  const RandomBelow random = Seeded(7);
  std::map<std::string, int> first;
  constexpr int kRounds = 4000;
  for (int i = 0; i < kRounds; ++i) {
    const TargetPlan plan =
        PlanTargets("p.example", Records({{1, 60, 1, "a"}, {1, 30, 1, "b"}, {1, 0, 1, "z"}}),
                    Records({{1, 10, 1, "c"}}), random);
    ASSERT_EQ(plan.targets.size(), 4U);
    ++first[plan.targets.front().host];
  }
  EXPECT_NEAR(first["a"], kRounds * 0.60, kRounds * 0.03);
  EXPECT_NEAR(first["b"], kRounds * 0.30, kRounds * 0.03);
  EXPECT_NEAR(first["c"], kRounds * 0.10, kRounds * 0.03);
  EXPECT_GT(first["z"], 0);  // weight 0: a small chance, RFC 2782
  EXPECT_LT(first["z"], kRounds * 0.03);
}

TEST(OutboundTargets, AreAtMostEight) {
  std::vector<SrvRecord> many;
  for (std::uint16_t i = 0; i < 20; ++i) many.push_back({i, 1, 5269, "t" + std::to_string(i)});
  const TargetPlan plan = PlanTargets("p.example", Records(many), Nothing(), Seeded(1));
  EXPECT_EQ(plan.targets.size(), kMaxTargets);
  EXPECT_EQ(plan.targets.back().host, "t7");
}

TEST(OutboundTargets, FallBackToTheDomainWhenThereIsNoSrvAtAll) {
  const TargetPlan plan = PlanTargets("p.example", Nothing(), Nothing(), Always(0));
  EXPECT_EQ(plan.kind, TargetPlan::Kind::kTargets);
  EXPECT_FALSE(plan.from_srv);
  EXPECT_THAT(plan.targets, ElementsAre(OutboundTarget{"p.example", 5269, false}));
}

TEST(OutboundTargets, NeverFallBackAfterTrouble) {
  EXPECT_EQ(PlanTargets("p.example", Broken(), Nothing(), Always(0)).kind,
            TargetPlan::Kind::kTrouble);
  EXPECT_EQ(PlanTargets("p.example", Nothing(), Broken(), Always(0)).kind,
            TargetPlan::Kind::kTrouble);
}

TEST(OutboundTargets, UseTheServiceThatAnsweredWhenTheOtherLookupFailed) {
  const auto xmpp = Records({{0, 0, 5269, "a"}});
  EXPECT_EQ(PlanTargets("p.example", xmpp, Broken(), Always(0)).targets.size(), 1U);
}

TEST(OutboundTargets, AreNoneWhereTheServiceIsDeclined) {
  EXPECT_EQ(PlanTargets("p.example", Declined(), Nothing(), Always(0)).kind,
            TargetPlan::Kind::kNotFound);
  EXPECT_EQ(PlanTargets("p.example", Nothing(), Declined(), Always(0)).kind,
            TargetPlan::Kind::kNotFound);
  EXPECT_EQ(PlanTargets("p.example", Declined(), Declined(), Always(0)).kind,
            TargetPlan::Kind::kNotFound);
}

TEST(OutboundTargets, OfTheOtherServiceServeWhereOneIsDeclined) {
  EXPECT_THAT(PlanTargets("p.example", Declined(), Records({{0, 0, 5270, "d"}}), Always(0)).targets,
              ElementsAre(OutboundTarget{"d", 5270, true}));
  EXPECT_THAT(PlanTargets("p.example", Records({{0, 0, 5269, "s"}}), Declined(), Always(0)).targets,
              ElementsAre(OutboundTarget{"s", 5269, false}));
}

TEST(OutboundTargets, AreNamesOfHostsAndNotAddresses) {
  const auto plan =
      PlanTargets("p.example", Records({{0, 0, 5269, "192.0.2.1"}, {1, 0, 5269, "a.p.example"}}),
                  Records({{0, 0, 5270, "2001:db8::1"}}), Always(0));
  EXPECT_THAT(plan.targets, ElementsAre(OutboundTarget{"a.p.example", 5269, false}));
}

TEST(OutboundTargets, WeighBothServicesOfOnePriorityTogether) {
  const RandomBelow random = Seeded(11);
  int direct_first = 0;
  constexpr int kRounds = 4000;
  for (int i = 0; i < kRounds; ++i)
    direct_first += PlanTargets("p.example", Records({{5, 25, 5269, "a"}}),
                                Records({{5, 75, 5270, "a"}}), random)
                        .targets.front()
                        .direct_tls;
  EXPECT_NEAR(direct_first, kRounds * 0.75, kRounds * 0.03);
}

TEST(OutboundTargets, AreNotLookedUpForAddressesAndSingleLabels) {
  for (const char* domain : {"192.0.2.1", "::1", "localhost", "intranet", ""})
    EXPECT_FALSE(MayResolve(domain)) << domain;
  EXPECT_TRUE(MayResolve("partner.example"));
}

TEST(OutboundTargets, TellWhetherAHostNamesItsPort) {
  for (const char* host : {"a.example:1", "[::1]:1", "192.0.2.1:1"})
    EXPECT_TRUE(NamesItsPort(host));
  for (const char* host : {"a.example", "[::1]", "192.0.2.1", ""}) EXPECT_FALSE(NamesItsPort(host));
}

TEST(ProxyTarget, TakesHostAndPort) {
  EXPECT_EQ(*ProxyTarget("edge.p.example"), (OutboundTarget{"edge.p.example", 5269, false}));
  EXPECT_EQ(*ProxyTarget("edge.p.example:7000"), (OutboundTarget{"edge.p.example", 7000, false}));
  EXPECT_EQ(*ProxyTarget("[::1]:7000"), (OutboundTarget{"::1", 7000, false}));
  for (const char* bad : {"", ":1", "h:", "h:0", "h:70000", "h:1x", "[::1", "[::1]5"})
    EXPECT_FALSE(ProxyTarget(bad)) << bad;
}

TEST(TargetGuard, RefusesThisMachineAndItsLink) {
  const TargetGuard guard({}, false);
  for (const char* bad : {"127.0.0.1:5269", "127.9.9.9:1", "[::1]:5269", "169.254.1.1:5269",
                          "[fe80::1]:5269", "224.0.0.1:5269", "0.0.0.0:5269"})
    EXPECT_FALSE(guard.MayConnect(Address(bad))) << bad;
  EXPECT_TRUE(guard.MayConnect(Address("192.0.2.1:5269")));
}

TEST(TargetGuard, RefusesOurOwnListenerByAddressAndPort) {
  const TargetGuard guard({Address("127.0.0.1:5269"), Address("192.0.2.9:5269")}, true);
  EXPECT_FALSE(guard.MayConnect(Address("127.0.0.1:5269")));
  EXPECT_FALSE(guard.MayConnect(Address("192.0.2.9:5269")));
  EXPECT_TRUE(guard.MayConnect(Address("127.0.0.1:5299")));
  EXPECT_TRUE(guard.MayConnect(Address("127.0.0.2:5269")));
  EXPECT_FALSE(guard.MayConnect(Address("169.254.1.1:5269")));
}

TEST(TargetGuard, KnowsItselfBehindAWildcardListener) {
  const TargetGuard guard({Address("[::]:5269")}, true);
  EXPECT_TRUE(guard.IsOurselves(Address("192.0.2.9:40000"), Address("192.0.2.9:5269")));
  EXPECT_FALSE(guard.IsOurselves(Address("192.0.2.9:40000"), Address("192.0.2.9:5222")));
  EXPECT_FALSE(guard.IsOurselves(Address("192.0.2.9:40000"), Address("192.0.2.8:5269")));
}

}  // namespace
}  // namespace gatehouse
