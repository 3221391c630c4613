// A stage for link tests: one loop, one ZeroMQ context, a folder for sockets, and the ends of links
// on it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/loop/loop.h"
#include "ipc/links.h"
#include "proto/link_control.pb.h"

namespace gatehouse::ipc {

// A new folder below the temporary one, gone with its owner.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "gh-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] std::string Address(const std::string& name) const {
    return "ipc://" + (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

struct LinkScene : ::testing::Test {
  LinkScene() : loop(Loop::Create().value()), context(ZmqContext::Create().value()) {}

  // Turns the loop until `done`, at most ten seconds.
  ::testing::AssertionResult Until(const std::function<bool()>& done) const {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit)
        return ::testing::AssertionFailure() << "did not come about";
      loop->RunOnce();
    }
    return ::testing::AssertionSuccess();
  }
  // For what should not come about.
  void Turns(int count) const {
    for (int i = 0; i < count; ++i) loop->RunOnce();
  }

  ScratchFolder folder;
  std::unique_ptr<Loop> loop;
  std::unique_ptr<ZmqContext> context;
};

// One life of one worker, with its links. Its end says nothing to anybody, as kill -9.
class Life {
 public:
  Life(LinkScene& scene, std::string instance, std::uint64_t epoch)
      : instance_(std::move(instance)),
        epoch_(epoch),
        context_(ZmqContext::Create().value()),
        links_(std::make_unique<Links>(
            *scene.loop, *context_, metrics, Identity{instance_, epoch_},
            Links::Options{.conditions = {.lost = 6, .too_large = 7}, .linger = milliseconds{0}},
            [this](std::string_view sibling, std::string_view what) {
              malformed.emplace_back(sibling, what);
            })) {}

  // Tells this life of `other`, whose sockets are at `address`.
  void HearOf(const Life& other, const std::string& address = {}, std::uint32_t count = 1) {
    proto::Sibling sibling;
    sibling.set_plugin(other.instance_.substr(0, other.instance_.find('/')));
    sibling.set_instance(other.instance_);
    sibling.set_epoch(other.epoch_);
    sibling.set_address(address);
    sibling.set_instance_count(count);
    links_->SiblingUp(sibling);
  }
  Links& links() { return *links_; }
  [[nodiscard]] const std::string& instance() const { return instance_; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

  Metrics metrics;
  std::vector<std::pair<std::string, std::string>> malformed;

 private:
  std::string instance_;
  std::uint64_t epoch_;
  std::unique_ptr<ZmqContext>
      context_;  // its end waits until the sockets are gone, as the end of a process does
  std::unique_ptr<Links> links_;
};

}  // namespace gatehouse::ipc
