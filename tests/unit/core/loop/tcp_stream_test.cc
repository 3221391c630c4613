#include "core/loop/tcp_stream.h"

#include <gmock/gmock.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <optional>

#include "core/loop/timer.h"
#include "tests/unit/core/loop/loopback_sockets.h"
#include "tests/unit/core/loop/run_until.h"

namespace gatehouse {
namespace {

using testing::HasSubstr;

struct Side {
  std::unique_ptr<TcpStream> stream;
  std::string received;
  int reads = 0;
  int drained = 0;
  std::optional<std::string> closed;

  void Start() {
    stream->Start({.on_bytes =
                       [this](std::span<const std::byte> bytes) {
                         received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                         ++reads;
                       },
                   .on_closed = [this](std::string_view why) { closed = why; },
                   .on_drained = [this] { ++drained; }});
  }
};

class Tcp : public testing::Test {
 protected:
  Tcp() : listener_(SOCK_STREAM) {
    listener_.Listen();
    acceptor_ = *TcpAcceptor::Create(*loop_, listener_.fd(),
                                     [this](auto stream) { server_.stream = std::move(stream); });
  }
  void Connect() {
    const auto attempt =
        TcpStream::Connect(*loop_, listener_.address(), seconds(5), [this](auto stream) {
          ASSERT_TRUE(stream) << stream.error().text;
          client_.stream = *std::move(stream);
        });
    ASSERT_TRUE(RunUntil(*loop_, [this] { return client_.stream && server_.stream; }));
  }
  void ConnectAndStart() {
    Connect();
    client_.Start();
    server_.Start();
  }

  LoopbackSocket listener_;
  std::unique_ptr<Loop> loop_ = MakeLoop();
  std::unique_ptr<TcpAcceptor> acceptor_;
  Side client_;
  Side server_;
};

TEST_F(Tcp, CarriesBytesBothWays) {
  ConnectAndStart();
  client_.stream->Write("hello");
  server_.stream->Write("welcome");
  EXPECT_TRUE(RunUntil(
      *loop_, [this] { return server_.received == "hello" && client_.received == "welcome"; }));
  EXPECT_EQ(client_.stream->peer().ToText(), listener_.address().ToText());
  EXPECT_EQ(server_.stream->peer().ToText(), client_.stream->local().ToText());
  EXPECT_EQ(client_.stream->queued_bytes(), 0U);
}

TEST_F(Tcp, WritesOfOneTurnLeaveTogether) {
  ConnectAndStart();
  for (int i = 0; i < 100; ++i) client_.stream->Write("stanza");
  EXPECT_EQ(client_.stream->queued_bytes(), 600U);
  EXPECT_TRUE(RunUntil(*loop_, [this] { return server_.received.size() == 600; }));
  EXPECT_EQ(server_.reads, 1);
}

TEST_F(Tcp, WhatIsWrittenBeforeStartWaitsForIt) {
  Connect();
  server_.Start();
  client_.stream->Write("early");
  loop_->RunOnce();
  EXPECT_EQ(client_.stream->queued_bytes(), 5U);
  client_.Start();
  EXPECT_TRUE(RunUntil(*loop_, [this] { return server_.received == "early"; }));
}

TEST_F(Tcp, AFullQueueDrainsAndTellsSo) {
  ConnectAndStart();
  server_.stream->PauseReading();
  const std::string megabytes(8 * 1024 * 1024, 'x');
  client_.stream->Write(megabytes);
  for (int i = 0; i < 5; ++i) loop_->RunOnce();
  EXPECT_GT(client_.stream->queued_bytes(), TcpStream::kHighWater);
  EXPECT_EQ(client_.drained, 0);
  EXPECT_EQ(server_.received.size(), 0U);
  client_.stream->Write("tail");
  server_.stream->ResumeReading();
  EXPECT_TRUE(RunUntil(*loop_, [&] { return server_.received.size() == megabytes.size() + 4; }));
  EXPECT_TRUE(server_.received.ends_with("xtail"));
  EXPECT_EQ(client_.drained, 1);
}

TEST_F(Tcp, ABusyStreamLeavesTheTurnToTheOthers) {
  ConnectAndStart();
  int turns = 0;
  std::vector<int> turn_of_read;
  server_.stream->Start({.on_bytes =
                             [&](std::span<const std::byte> bytes) {
                               server_.received.append(bytes.size(), 'x');
                               turn_of_read.push_back(turns);
                             },
                         .on_closed = [](auto) {}});
  const std::size_t much = 1024 * 1024;
  client_.stream->Write(std::string(much, 'x'));
  EXPECT_TRUE(RunUntil(*loop_, [&] {
    ++turns;
    return server_.received.size() == much;
  }));
  EXPECT_EQ(std::adjacent_find(turn_of_read.begin(), turn_of_read.end()), turn_of_read.end());
}

TEST_F(Tcp, EndOfFileIsToldOnceWithoutAReason) {
  ConnectAndStart();
  client_.stream.reset();
  EXPECT_TRUE(RunUntil(*loop_, [this] { return server_.closed.has_value(); }));
  EXPECT_EQ(*server_.closed, "");
}

TEST_F(Tcp, AResetIsToldWithItsReason) {
  ConnectAndStart();
  client_.stream->Write("unread");
  loop_->RunOnce();
  server_.stream.reset();  // with octets unread: the kernel resets
  EXPECT_TRUE(RunUntil(*loop_, [this] { return client_.closed.has_value(); }));
  EXPECT_THAT(*client_.closed, HasSubstr("reset"));
}

TEST_F(Tcp, CloseFlushesAndWaitsForThePeersEnd) {
  ConnectAndStart();
  const std::string much(4 * 1024 * 1024, 'x');
  client_.stream->Write(much);
  client_.stream->CloseAfterWrites();
  client_.stream->Write("not any more");
  EXPECT_TRUE(RunUntil(*loop_, [this] { return server_.closed.has_value(); }));
  EXPECT_EQ(server_.received.size(), much.size());
  EXPECT_FALSE(client_.closed.has_value());
  server_.stream->CloseAfterWrites();
  server_.stream.reset();
  EXPECT_TRUE(RunUntil(*loop_, [this] { return client_.closed.has_value(); }));
  EXPECT_EQ(*client_.closed, "");
}

TEST_F(Tcp, WhatWasWrittenInTheTurnOfThePeersEndStillLeaves) {
  ConnectAndStart();
  server_.stream->Start({.on_bytes = [this](auto) { server_.stream->Write("answer"); },
                         .on_closed = [this](std::string_view why) { server_.closed = why; },
                         .on_drained = {}});
  client_.stream->Write("question");
  client_.stream->CloseAfterWrites();
  EXPECT_TRUE(RunUntil(*loop_, [this] { return server_.closed.has_value(); }));
  EXPECT_EQ(server_.stream->queued_bytes(), 0U);
}

TEST_F(Tcp, MayBeDestroyedInsideItsCallbacks) {
  ConnectAndStart();
  bool after = false;
  server_.stream->Start({.on_bytes =
                             [this, &after](auto) {
                               server_.stream->Write("lost");
                               server_.stream.reset();
                               after = true;
                             },
                         .on_closed = {},
                         .on_drained = {}});
  client_.stream->Start({.on_bytes = [](auto) {},
                         .on_closed = [this](auto) { client_.stream.reset(); },
                         .on_drained = {}});
  client_.stream->Write("x");
  EXPECT_TRUE(RunUntil(*loop_, [this] { return client_.stream == nullptr; }));
  EXPECT_TRUE(after);
}

TEST_F(Tcp, TheSocketHasKeepaliveAndNoDelay) {
  Connect();
  // The descriptor is the newest one of this process that is connected to the listener.
  int found = 0;
  for (int fd = 3; fd < 256; ++fd) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (SocketAddress::From(reinterpret_cast<sockaddr*>(&peer)).ToText() !=
        listener_.address().ToText())
      continue;
    const auto option = [fd](int level, int name) {
      int value = 0;
      socklen_t length = sizeof value;
      getsockopt(fd, level, name, &value, &length);
      return value;
    };
    EXPECT_NE(option(IPPROTO_TCP, TCP_NODELAY), 0);
    EXPECT_NE(option(SOL_SOCKET, SO_KEEPALIVE), 0);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 60);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
    ++found;
  }
  EXPECT_EQ(found, 1);
}

TEST_F(Tcp, ARefusedConnectionNamesTheAddress) {
  LoopbackSocket bound_only(SOCK_STREAM);
  std::optional<std::string> failure;
  const auto attempt =
      TcpStream::Connect(*loop_, bound_only.address(), seconds(5), [&](auto stream) {
        ASSERT_FALSE(stream);
        failure = stream.error().text;
      });
  EXPECT_FALSE(failure);
  EXPECT_TRUE(RunUntil(*loop_, [&] { return failure.has_value(); }));
  EXPECT_THAT(*failure, HasSubstr(bound_only.address().ToText()));
  EXPECT_THAT(*failure, HasSubstr("refused"));
}

TEST_F(Tcp, AnAttemptMeetsItsLimit) {
  // A full accept queue answers no more: the attempt hangs.
  LoopbackSocket full(SOCK_STREAM);
  GATEHOUSE_CHECK(listen(full.fd(), 0) == 0);
  LoopbackSocket filler(SOCK_STREAM);
  LoopbackSocket second(SOCK_STREAM);
  static_cast<void>(connect(filler.fd(), full.address().raw(), full.address().size()));
  static_cast<void>(connect(second.fd(), full.address().raw(), full.address().size()));
  std::optional<std::string> failure;
  const auto attempt = TcpStream::Connect(
      *loop_, full.address(), milliseconds(30),
      [&](auto stream) { failure = stream ? "connected" : stream.error().text; });
  EXPECT_TRUE(RunUntil(*loop_, [&] { return failure.has_value(); }));
  EXPECT_THAT(*failure, HasSubstr("timed out"));
}

TEST_F(Tcp, ADestroyedAttemptStaysSilent) {
  bool called = false;
  auto attempt =
      TcpStream::Connect(*loop_, listener_.address(), seconds(5), [&](auto) { called = true; });
  attempt.reset();
  bool later = false;
  Timer timer(*loop_, [&] { later = true; });
  timer.Start(milliseconds(20));
  EXPECT_TRUE(RunUntil(*loop_, [&] { return later; }));
  EXPECT_FALSE(called);
}

TEST_F(Tcp, AnAttemptMayBeDestroyedInItsCallback) {
  std::unique_ptr<TcpStream::Connecting> attempt;
  bool after = false;
  attempt = TcpStream::Connect(*loop_, listener_.address(), seconds(5), [&](auto stream) {
    client_.stream = *std::move(stream);
    attempt.reset();
    after = true;
  });
  EXPECT_TRUE(RunUntil(*loop_, [&] { return after; }));
}

TEST_F(Tcp, APausedAcceptorLeavesConnectionsInTheQueue) {
  acceptor_->Pause();
  bool connected = false;
  const auto attempt =
      TcpStream::Connect(*loop_, listener_.address(), seconds(5), [&](auto stream) {
        connected = stream.has_value();
        if (stream) client_.stream = *std::move(stream);
      });
  EXPECT_TRUE(RunUntil(*loop_, [&] { return connected; }));
  for (int i = 0; i < 5; ++i) loop_->RunOnce();
  EXPECT_EQ(server_.stream, nullptr);
  acceptor_->Resume();
  EXPECT_TRUE(RunUntil(*loop_, [&] { return server_.stream != nullptr; }));
}

TEST_F(Tcp, AnAcceptorLeavesTheListeningSocketOpenForItsSuccessor) {
  acceptor_.reset();
  bool connected = false;
  const auto attempt =
      TcpStream::Connect(*loop_, listener_.address(), seconds(5), [&](auto stream) {
        connected = stream.has_value();
        if (stream) client_.stream = *std::move(stream);
      });
  EXPECT_TRUE(RunUntil(*loop_, [&] { return connected; }));
  acceptor_ = *TcpAcceptor::Create(*loop_, listener_.fd(),
                                   [this](auto stream) { server_.stream = std::move(stream); });
  EXPECT_TRUE(RunUntil(*loop_, [&] { return server_.stream != nullptr; }));
}

}  // namespace
}  // namespace gatehouse
