#include "core/supervisor/command_route.h"

#include <gtest/gtest.h>

#include "core/supervisor/topology.h"

namespace gatehouse {
namespace {

TEST(CommandRoute, EveryCommandHasOne) {
  const auto& commands = *proto::CtlRequest::descriptor()->oneof_decl(0);
  for (int i = 0; i < commands.field_count(); ++i) {
    const auto command = static_cast<proto::CtlRequest::CommandCase>(commands.field(i)->number());
    EXPECT_NE(FindRoute(command), nullptr) << commands.field(i)->name();
  }
  EXPECT_EQ(FindRoute(proto::CtlRequest::COMMAND_NOT_SET), nullptr);
}

TEST(CommandRoute, WhatIsOnlyAskedOrTriedLeavesNoDoubt) {
  proto::CtlRequest request;
  request.mutable_partner_list();
  EXPECT_FALSE(Changes(request));
  request.mutable_partner_accept();
  EXPECT_TRUE(Changes(request));
  request.mutable_apply();
  EXPECT_TRUE(Changes(request));
  request.mutable_apply()->set_dry_run(true);
  EXPECT_FALSE(Changes(request));
  EXPECT_FALSE(Changes({}));
  request.mutable_certificate_renew();
  EXPECT_TRUE(Changes(request));
}

TEST(CommandRoute, TheSupervisorGivesUpBeforeGatehousectl) {
  for (const CommandRoute& route : kCommandRoutes)
    EXPECT_GT(PatienceFor(route.command), route.limit);
}

TEST(CommandRoute, EveryPluginIsInTheTopology) {
  const auto topology = ReadTopologyFile(GATEHOUSE_TOPOLOGY_FILE);
  ASSERT_TRUE(topology);
  for (const CommandRoute& route : kCommandRoutes)
    EXPECT_TRUE(route.plugin.empty() || FindWorkerKind(*topology, route.plugin) != nullptr)
        << route.plugin;
  for (const std::string_view plugin : kRefusers)
    EXPECT_NE(FindWorkerKind(*topology, plugin), nullptr) << plugin;
}

}  // namespace
}  // namespace gatehouse
