// Words between supervisor and worker, and between gatehousectl and supervisor.
#include "ipc/control_link.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <pwd.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "ipc/ctl_link.h"
#include "ipc/zmq_socket.h"
#include "tests/unit/ipc/link_scene.h"

namespace gatehouse::ipc {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct ControlLinkTest : LinkScene {
  std::string address = folder.Address("control.sock");
  std::vector<std::string> heard;      // by the supervisor
  std::vector<std::string> malformed;  // to the supervisor
  std::vector<std::uint64_t> pings;    // by the worker

  std::unique_ptr<ControlServer> Supervisor() {
    return ControlServer::Create(
               *loop, *context, address,
               {[this](std::string_view from, const proto::FromWorker& word) {
                  heard.push_back(std::string(from) + " " + std::to_string(word.epoch()));
                },
                [this](std::string_view from, std::string_view) { malformed.emplace_back(from); }})
        .value();
  }
  std::unique_ptr<ControlClient> Worker(std::uint64_t epoch) {
    return ControlClient::Create(
               *loop, *context, address, "listener/0", epoch,
               [this](const proto::FromSupervisor& word) { pings.push_back(word.ping()); })
        .value();
  }
  static proto::FromWorker Ready() {
    proto::FromWorker word;
    word.set_ready(true);
    return word;
  }
};

TEST_F(ControlLinkTest, CarriesWordsBothWays) {
  const auto supervisor = Supervisor();
  proto::FromSupervisor ping;
  ping.set_ping(5);
  EXPECT_FALSE(supervisor->Send("listener/0", ping));
  const auto worker = Worker(21);
  ASSERT_TRUE(worker->Send(Ready()));
  ASSERT_TRUE(Until([&] { return !heard.empty(); }));
  EXPECT_THAT(heard, ElementsAre("listener/0 21"));
  ASSERT_TRUE(supervisor->Send("listener/0", ping));
  ASSERT_TRUE(Until([&] { return !pings.empty(); }));
  EXPECT_THAT(pings, ElementsAre(5));
}

TEST_F(ControlLinkTest, ABusyWorkerTakesPingsAndHearsTheRestLaterInItsOrder) {
  const auto supervisor = Supervisor();
  std::vector<std::string> words;
  std::vector<std::uint64_t> taken;
  std::unique_ptr<ControlClient> worker;
  const auto on_word = [&](const proto::FromSupervisor& word) {
    words.push_back(word.has_drain()  ? "drain"
                    : word.has_ping() ? fmt::format("ping {}", word.ping())
                                      : fmt::format("ctl {}", word.ctl().id()));
    if (!word.has_drain()) return;
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (taken.size() < 2 && std::chrono::steady_clock::now() < limit)
      worker->TakePings([&](std::uint64_t ping) { taken.push_back(ping); });
  };
  worker = ControlClient::Create(*loop, *context, address, "listener/0", 21, on_word).value();
  ASSERT_TRUE(worker->Send(Ready()));
  ASSERT_TRUE(Until([&] { return !heard.empty(); }));
  const auto say = [&](const std::function<void(proto::FromSupervisor&)>& what) {
    proto::FromSupervisor word;
    what(word);
    ASSERT_TRUE(supervisor->Send("listener/0", word));
  };
  say([](auto& word) { word.set_drain(true); });
  say([](auto& word) { word.mutable_ctl()->set_id(1); });
  say([](auto& word) { word.set_ping(7); });
  say([](auto& word) { word.mutable_ctl()->set_id(2); });
  say([](auto& word) { word.set_ping(8); });
  ASSERT_TRUE(Until([&] { return words.size() == 3; }));
  EXPECT_THAT(taken, ElementsAre(7, 8));
  say([](auto& word) { word.set_ping(9); });
  ASSERT_TRUE(Until([&] { return words.size() == 4; }));
  EXPECT_THAT(words, ElementsAre("drain", "ctl 1", "ctl 2", "ping 9"));
}

TEST_F(ControlLinkTest, ANewLifeTakesOverItsName) {
  const auto supervisor = Supervisor();
  auto worker = Worker(21);
  ASSERT_TRUE(worker->Send(Ready()));
  ASSERT_TRUE(Until([&] { return heard.size() == 1; }));
  worker = Worker(22);
  ASSERT_TRUE(worker->Send(Ready()));
  ASSERT_TRUE(Until([&] { return heard.size() == 2; }));
  EXPECT_EQ(heard[1], "listener/0 22");
  proto::FromSupervisor ping;
  ping.set_ping(6);
  ASSERT_TRUE(supervisor->Send("listener/0", ping));
  ASSERT_TRUE(Until([&] { return !pings.empty(); }));
}

TEST_F(ControlLinkTest, AMalformedWordIsToldAndHarmsNobody) {
  const auto supervisor = Supervisor();
  ZmqSocket::Options options;
  options.routing_id = "rogue/0";
  const auto rogue = ZmqSocket::Create(*context, ZmqKind::kDealer, options).value();
  ASSERT_TRUE(rogue->Connect(address));
  ZmqMessage message(3);
  std::copy_n("\xFF\xFF\xFF", 3, message.data());
  ASSERT_EQ(rogue->Send({}, message), ZmqSocket::Sent::kSent);
  ASSERT_TRUE(Until([&] { return !malformed.empty(); }));
  EXPECT_THAT(malformed, ElementsAre("rogue/0"));
  const auto worker = Worker(21);
  ASSERT_TRUE(worker->Send(Ready()));
  ASSERT_TRUE(Until([&] { return !heard.empty(); }));
}

TEST_F(ControlLinkTest, TheLastWordLeavesThoughTheWorkerEnds) {
  const auto supervisor = Supervisor();
  {
    const auto own = ZmqContext::Create().value();
    const auto worker = ControlClient::Create(*loop, *own, address, "listener/0", 21, {}).value();
    proto::FromWorker word;
    word.set_fatal("cannot go on");
    ASSERT_TRUE(worker->Send(word));
  }
  ASSERT_TRUE(Until([&] { return !heard.empty(); }));
}

struct CtlLinkTest : LinkScene {
  std::string address = folder.Address("ctl.sock");

  // The call blocks, so it has a thread of its own.
  Result<std::optional<proto::CtlResponse>> Call(const proto::CtlRequest& request,
                                                 milliseconds limit) const {
    Result<std::optional<proto::CtlResponse>> response;
    std::atomic<bool> done = false;
    std::thread caller([&] {
      response = CallSupervisor(address, request, limit);
      done = true;
    });
    EXPECT_TRUE(Until([&] { return done.load(); }));
    caller.join();
    return response;
  }
};

TEST_F(CtlLinkTest, AnswersARequestNowOrLater) {
  CtlServer::Reply kept;
  const auto server =
      CtlServer::Create(*loop, *context, address,
                        [&](const proto::CtlRequest& request, CtlServer::Reply reply) {
                          EXPECT_TRUE(request.has_status());
                          kept = std::move(reply);
                          loop->Post([&kept] {
                            proto::CtlResponse response;
                            response.set_done("as you say");
                            kept(response);
                          });
                        })
          .value();
  proto::CtlRequest request;
  request.set_id(77);
  request.mutable_status();
  const auto response = Call(request, 5s);
  ASSERT_TRUE(response) << response.error().text;
  ASSERT_TRUE(response->has_value());
  EXPECT_EQ((*response)->id(), 77U);
  EXPECT_EQ((*response)->done(), "as you say");
}

TEST_F(CtlLinkTest, TheUserIsWhomTheSocketProvesNotWhomTheClientNames) {
  proto::CtlRequest heard;
  const auto server =
      CtlServer::Create(*loop, *context, address,
                        [&](const proto::CtlRequest& request, const CtlServer::Reply& reply) {
                          heard = request;
                          reply({});
                        })
          .value();
  proto::CtlRequest request;
  request.set_actor("somebody else");
  request.set_actor_uid(::geteuid() + 1);
  const auto response = Call(request, 5s);
  ASSERT_TRUE(response && *response);
  EXPECT_EQ(heard.actor_uid(), ::geteuid());
  const passwd* const entry = ::getpwuid(::geteuid());
  EXPECT_EQ(heard.actor(), entry != nullptr ? entry->pw_name : fmt::format("uid {}", ::geteuid()));
}

TEST_F(CtlLinkTest, SaysAtOnceThatNobodyListens) {
  const auto response = CallSupervisor(address, {}, 10s);
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().text, HasSubstr("nobody listens"));
}

TEST_F(CtlLinkTest, WaitsNoLongerThanTheLimit) {
  const auto server = CtlServer::Create(*loop, *context, address,
                                        [](const proto::CtlRequest&, const CtlServer::Reply&) {})
                          .value();
  const auto response = Call({}, 30ms);
  ASSERT_TRUE(response) << response.error().text;
  EXPECT_FALSE(response->has_value()) << "sent, and nobody knows what came of it";
}

}  // namespace
}  // namespace gatehouse::ipc
