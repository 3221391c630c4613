// The one test of the supervisor that opens sockets: on loopback, ports from the kernel.
#include "core/supervisor/listening_sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "core/config/yaml_config.h"
#include "core/supervisor/topology.h"

namespace gatehouse {
namespace {

using testing::HasSubstr;

Plan ListenPlanOf(const std::string& listen, unsigned count) {
  const auto topology = ParseTopology(
      "worker { name: 'front' plugin: 'front.so' listen: XMPP listen: SIP scalable: true }");
  const auto yaml =
      YamlConfig::Parse("listen: {" + listen +
                            "}\nworkers: [{plugin: front, count: " + std::to_string(count) + "}]\n",
                        "g.yaml");
  return MakePlan(yaml->config(), *topology);
}

bool Nobody(const ListeningSockets::Instance& /*instance*/) {
  return false;
}

int Option(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(fd, SOL_SOCKET, option, &value, &size), 0);
  return value;
}

TEST(ListeningSockets, GiveEveryInstanceItsOwnSocketOnOnePort) {
  const Plan plan = ListenPlanOf("xmpp: ['127.0.0.1:0']", 3);
  ListeningSockets sockets;
  ASSERT_TRUE(sockets.Open(plan, Nobody));
  ASSERT_EQ(sockets.All().size(), 1U);
  EXPECT_EQ(sockets.All()[0].kind, "xmpp");
  std::set<int> descriptors;
  for (unsigned index = 0; index < 3; ++index) {
    const auto handed = sockets.Of(plan.pools[0], index);
    ASSERT_EQ(handed.size(), 1U);
    EXPECT_EQ(handed[0].description.address(), sockets.All()[0].address);
    EXPECT_EQ(Option(handed[0].fd, SO_ACCEPTCONN), 1);
    EXPECT_EQ(Option(handed[0].fd, SO_REUSEPORT), 1);
    descriptors.insert(handed[0].fd);
  }
  EXPECT_EQ(descriptors.size(), 3U);
}

TEST(ListeningSockets, NameTheKeyOfAnOccupiedPort) {
  ListeningSockets other;
  ASSERT_TRUE(other.Open(ListenPlanOf("xmpp: ['127.0.0.1:0']", 1), Nobody));
  const std::string address = other.All()[0].address;
  ListeningSockets sockets;
  const auto opened =
      sockets.Open(ListenPlanOf("xmpp: ['127.0.0.1:0', '" + address + "']", 1), Nobody);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().key, "listen.xmpp[1]");
  EXPECT_THAT(opened.error().what, HasSubstr(address + " is occupied by another program"));
  EXPECT_TRUE(sockets.All().empty());
}

TEST(ListeningSockets, KeepTheSameSocketWhenThePlanChangesAroundIt) {
  const Plan before = ListenPlanOf("xmpp: ['127.0.0.1:0', '[::1]:0']", 2);
  ListeningSockets sockets;
  ASSERT_TRUE(sockets.Open(before, Nobody));
  const int kept = sockets.Of(before.pools[0], 0)[0].fd;
  const Plan after = ListenPlanOf("xmpp: ['127.0.0.1:0'], sip: ['udp:127.0.0.1:0']", 1);
  ASSERT_TRUE(sockets.Open(after, Nobody));
  sockets.CloseUnwanted(after);
  EXPECT_EQ(sockets.Of(after.pools[0], 0)[0].fd, kept);
  EXPECT_EQ(sockets.All().size(), 2U);
  EXPECT_TRUE(sockets.Of(after.pools[0], 1).empty());
}

TEST(ListeningSockets, MoveFromOneAddressToAWiderOneOnTheSamePort) {
  ListeningSockets sockets;
  ASSERT_TRUE(sockets.Open(ListenPlanOf("xmpp: ['127.0.0.1:0']", 1), Nobody));
  const std::string address = sockets.All()[0].address;
  const Plan wider = ListenPlanOf("xmpp: ['[::]" + address.substr(address.rfind(':')) + "']", 1);
  ASSERT_TRUE(sockets.Open(wider, Nobody));
  sockets.CloseUnwanted(wider);
  ASSERT_EQ(sockets.All().size(), 1U);
  EXPECT_EQ(sockets.All()[0].address, "[::]" + address.substr(address.rfind(':')));
}

TEST(ListeningSockets, GiveNoneToAnInstanceThatIsOut) {
  const Plan plan = ListenPlanOf("sip: ['tcp:127.0.0.1:0', 'udp:127.0.0.1:0']", 2);
  ListeningSockets sockets;
  ASSERT_TRUE(sockets.Open(plan, [](const auto& instance) { return instance.second == 1; }));
  EXPECT_EQ(sockets.Of(plan.pools[0], 0).size(), 2U);
  EXPECT_TRUE(sockets.Of(plan.pools[0], 1).empty());
  sockets.CloseInstance({"front", 0});
  EXPECT_TRUE(sockets.All().empty());
}

}  // namespace
}  // namespace gatehouse
