#include "core/supervisor/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config/yaml_config.h"
#include "core/supervisor/topology.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const RuntimePaths kPaths{"/run/gatehouse"};

Plan PlanOf(std::string_view yaml) {
  const auto topology = ParseTopology(
      "worker { name: 'answerer' plugin: 'answerer.so' }\n"
      "worker { name: 'front' plugin: 'front.so' listen: XMPP scalable: true }\n"
      "worker { name: 'other' plugin: 'other.so' listen: SIP }\n"
      "link { kind: ASK from: 'front' to: 'answerer' deadline_ms: 7 max_message_bytes: 9 }\n"
      "link { kind: DATA from: 'front' to: 'other' window: 8 max_message_bytes: 9 }\n");
  return MakePlan(YamlConfig::Parse(yaml, "g.yaml")->config(), *topology);
}

TEST(Plan, HasThePoolsInTheTopologysOrderWithTheirAddresses) {
  const Plan plan = PlanOf(
      "listen: {xmpp: ['[::]:5269', '127.0.0.1:0'], sip: ['udp:[::]:5060']}\n"
      "workers: [{plugin: front, count: 3}, {plugin: answerer}]\n");
  ASSERT_EQ(plan.pools.size(), 2U);
  EXPECT_EQ(plan.pools[0].name(), "answerer");
  EXPECT_EQ(plan.pools[1].count, 3U);
  ASSERT_EQ(plan.pools[1].listen.size(), 2U);
  EXPECT_EQ(plan.pools[1].listen[1].key, "listen.xmpp[1]");
  EXPECT_EQ(plan.Find("other"), nullptr);
}

TEST(Plan, KnowsTheSameWishAtAnotherPlaceOfTheList) {
  const Plan one =
      PlanOf("listen: {xmpp: ['[::]:1', '[::]:2', '[::]:0']}\nworkers: [{plugin: front}]\n");
  const Plan two =
      PlanOf("listen: {xmpp: ['[::]:0', '[::]:2', '[::]:0']}\nworkers: [{plugin: front}]\n");
  EXPECT_EQ(one.pools[0].listen[1].id, two.pools[0].listen[1].id);
  EXPECT_EQ(one.pools[0].listen[2].id, two.pools[0].listen[0].id);
  EXPECT_NE(two.pools[0].listen[0].id, two.pools[0].listen[2].id);
}

TEST(Plan, GivesBothEndsOfALinkTheSameSocket) {
  const Plan plan =
      PlanOf("workers: [{plugin: front, count: 2}, {plugin: answerer}, {plugin: other}]\n");
  const auto front = LinkEndsOf(plan, kPaths, "front", 1);
  ASSERT_EQ(front.size(), 2U);
  EXPECT_FALSE(front[0].binds());
  EXPECT_TRUE(front[0].asks());
  EXPECT_EQ(front[0].deadline_ms(), 7U);
  EXPECT_EQ(front[0].sibling_plugin(), "answerer");
  EXPECT_EQ(front[1].window(), 8U);
  const auto answerer = LinkEndsOf(plan, kPaths, "answerer", 0);
  ASSERT_EQ(answerer.size(), 1U);
  EXPECT_TRUE(answerer[0].binds());
  EXPECT_FALSE(answerer[0].asks());
  EXPECT_EQ(answerer[0].address(), front[0].address());
  EXPECT_EQ(answerer[0].address(), "ipc:///run/gatehouse/front-answerer/0.sock");
}

TEST(Plan, LeavesOutLinksWithAPluginThatDoesNotRun) {
  const Plan plan = PlanOf("workers: [{plugin: front}, {plugin: other}]\n");
  const auto ends = LinkEndsOf(plan, kPaths, "front", 0);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].sibling_plugin(), "other");
  ASSERT_EQ(PluginsLinkedWith(plan, "front").size(), 1U);
  EXPECT_EQ(PluginsLinkedWith(plan, "front")[0].plugin, "other");
  EXPECT_EQ(PluginsLinkedWith(plan, "other")[0].plugin, "front");
}

TEST(Plan, RefusesAFolderWhoseSocketsHaveTooLongNames) {
  const Plan plan = PlanOf("");
  const std::string fixed = "/front-answerer/63.sock";
  EXPECT_TRUE(CheckPathLengths(plan.topology, {std::string(107 - fixed.size(), 'x')}));
  const auto refused = CheckPathLengths(plan.topology, {std::string(109 - fixed.size(), 'x')});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("takes 109 bytes, a socket's path holds 107; shorten "
                                              "the folder by 2"));
}

TEST(InstallLayout, FindsEverythingBesideTheProgram) {
  const InstallLayout layout = InstallLayout::Beside("/opt/gatehouse/bin/gatehoused");
  EXPECT_EQ(layout.worker_program, "/opt/gatehouse/bin/gatehouse-worker");
  EXPECT_EQ(layout.plugin_dir, "/opt/gatehouse/lib/gatehouse");
  EXPECT_EQ(layout.topology_file, "/opt/gatehouse/share/gatehouse/topology.textproto");
}

}  // namespace
}  // namespace gatehouse
