#include "core/loop/udp_socket.h"

#include <gtest/gtest.h>

#include "tests/unit/core/loop/loopback_sockets.h"
#include "tests/unit/core/loop/run_until.h"

namespace gatehouse {
namespace {

std::string Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(UdpSocket, CarriesDatagramsWithTheirSender) {
  const auto loop = MakeLoop();
  LoopbackSocket a(SOCK_DGRAM);
  LoopbackSocket b(SOCK_DGRAM);
  std::string answer;
  std::unique_ptr<UdpSocket> right;
  right = *UdpSocket::Create(*loop, b.fd(), [&](auto bytes, const SocketAddress& from) {
    EXPECT_EQ(from.ToText(), a.address().ToText());
    EXPECT_TRUE(right->Send(from, "re: " + Text(bytes)));
  });
  const auto left =
      *UdpSocket::Create(*loop, a.fd(), [&](auto bytes, const auto&) { answer += Text(bytes); });
  EXPECT_TRUE(left->Send(b.address(), "ping"));
  EXPECT_TRUE(RunUntil(*loop, [&] { return answer == "re: ping"; }));
}

TEST(UdpSocket, MayBeDestroyedInsideItsCallback) {
  const auto loop = MakeLoop();
  LoopbackSocket a(SOCK_DGRAM);
  LoopbackSocket b(SOCK_DGRAM);
  bool after = false;
  std::unique_ptr<UdpSocket> right;
  right = *UdpSocket::Create(*loop, b.fd(), [&](auto, const auto&) {
    right.reset();
    after = true;
  });
  const auto left = *UdpSocket::Create(*loop, a.fd(), [](auto, const auto&) {});
  left->Send(b.address(), "one");
  left->Send(b.address(), "two");
  EXPECT_TRUE(RunUntil(*loop, [&] { return after; }));
}

TEST(UdpSocket, RefusesADescriptorThatIsNone) {
  const auto loop = MakeLoop();
  EXPECT_FALSE(UdpSocket::Create(*loop, 4711, [](auto, const auto&) {}));
}

}  // namespace
}  // namespace gatehouse
