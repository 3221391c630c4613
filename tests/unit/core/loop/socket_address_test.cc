#include "core/loop/socket_address.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

TEST(SocketAddress, TextGoesBothWays) {
  for (const char* text :
       {"127.0.0.1:5269", "[::1]:5269", "0.0.0.0:0", "[::]:65535", "[2001:db8::1]:5061"}) {
    const auto address = SocketAddress::Parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->ToText(), text);
  }
}

TEST(SocketAddress, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                           "::1:5269", "[127.0.0.1]:5269", "[::1]", "[::1]5269", "localhost:5269",
                           "1.2.3:1", "127.0.0.1:1x", "[]:1", ":1"}) {
    const auto address = SocketAddress::Parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_NE(address.error().text.find(text), std::string::npos);
  }
}

TEST(SocketAddress, ShowsAMappedAddressAsIpv4) {
  const auto mapped = SocketAddress::FromIp("::ffff:192.0.2.7", 5060);
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped->ToText(), "192.0.2.7:5060");
  EXPECT_EQ(mapped->Ip(), "192.0.2.7");
  EXPECT_EQ(mapped->Port(), 5060);
}

// 3.1
TEST(SocketAddress, KnowsWhatIsNoTargetOfFederation) {
  for (const char* ip :
       {"127.0.0.1", "127.255.0.9", "::1", "0.0.0.0", "::", "169.254.1.1", "fe80::1", "224.0.0.1",
        "255.255.255.255", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.1.1"})
    EXPECT_TRUE(SocketAddress::FromIp(ip, 1)->IsForbiddenTarget()) << ip;
  for (const char* ip : {"192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1", "fd00::1"})
    EXPECT_FALSE(SocketAddress::FromIp(ip, 1)->IsForbiddenTarget()) << ip;
  EXPECT_TRUE(SocketAddress::FromIp("::ffff:127.0.0.1", 1)->IsLoopback());
  EXPECT_FALSE(SocketAddress::FromIp("169.254.1.1", 1)->IsLoopback());
}

struct NetworkCase {
  const char* network;
  const char* ip;
  bool inside;
};

TEST(Network, ContainsByPrefix) {
  for (const NetworkCase& c :
       {NetworkCase{"192.0.2.0/24", "192.0.2.255", true},
        NetworkCase{"192.0.2.0/24", "192.0.3.0", false},
        NetworkCase{"192.0.2.128/25", "192.0.2.127", false},
        NetworkCase{"192.0.2.128/25", "192.0.2.200", true},
        NetworkCase{"192.0.2.7", "192.0.2.7", true}, NetworkCase{"192.0.2.7", "192.0.2.6", false},
        NetworkCase{"0.0.0.0/0", "203.0.113.9", true},
        NetworkCase{"0.0.0.0/0", "2001:db8::1", false},
        NetworkCase{"192.0.2.0/24", "::ffff:192.0.2.9", true},
        NetworkCase{"::ffff:192.0.2.0/120", "192.0.2.9", true},
        NetworkCase{"2001:db8::/33", "2001:db8:7fff::1", true},
        NetworkCase{"2001:db8::/33", "2001:db8:8000::1", false},
        NetworkCase{"::1/128", "::1", true}})
    EXPECT_EQ(Network::Parse(c.network)->Contains(*SocketAddress::FromIp(c.ip, 9)), c.inside)
        << c.network << " " << c.ip;
}

TEST(Network, RefusesWhatIsNoNetwork) {
  for (const char* text :
       {"", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/", "192.0.2/24", "::/129", "pool.example"})
    EXPECT_FALSE(Network::Parse(text)) << text;
}

}  // namespace
}  // namespace gatehouse
