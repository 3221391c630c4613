#include "core/policy/snapshot_client.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/worker/worker.h"
#include "proto/link_policy.pb.h"

namespace gatehouse {
namespace {

// An engine's end of the link that answers when the test says so.
class FakeEngine final : public ipc::AskClient {
 public:
  void AskBytes(std::string question, milliseconds limit, OnAnswer on_answer) override {
    proto::PolicyQuestion parsed;
    EXPECT_TRUE(parsed.ParseFromString(question));
    held_hashes.push_back(parsed.snapshot().held_hash());
    limits.push_back(limit);
    open_ = std::move(on_answer);
  }
  void Answer(const proto::PolicySnapshot& snapshot) {
    proto::PolicyAnswer answer;
    *answer.mutable_snapshot() = snapshot;
    std::exchange(open_, nullptr)(answer.SerializeAsString());
  }
  void Fail() { std::exchange(open_, nullptr)(Trouble("no answer in time")); }

  std::vector<std::string> held_hashes;
  std::vector<milliseconds> limits;

 private:
  OnAnswer open_;
};

class FakeContext final : public WorkerContext {
 public:
  FakeContext() : loop_(*Loop::Create()) {}
  Loop& loop() override { return *loop_; }
  Metrics& metrics() override { return metrics_; }
  const WorkerConfig& config() const override { return config_; }
  ipc::AskClient* AskLinkTo(std::string_view plugin) override {
    return plugin == "policy_engine" ? &engine : nullptr;
  }
  void AnswerAsks(ipc::AskServer::Handler) override {}
  ipc::DataLinkSet* DataLinksWith(std::string_view) override { return nullptr; }
  milliseconds AwayFor(std::string_view) const override { return {}; }
  void ReportMalformed(std::string_view instance, std::string_view) override {
    malformed.emplace_back(instance);
  }
  void OnCtl(std::function<void(const proto::CtlRequest&, CtlAnswer)>) override {}
  void OnReconfigure(std::function<void(const proto::Config&)>) override {}
  void StillBusy() override {}
  void Fail(std::string_view) override {}

  FakeEngine engine;
  std::vector<std::string> malformed;

 private:
  std::unique_ptr<Loop> loop_;
  Metrics metrics_;
  WorkerConfig config_;
};

proto::PolicySnapshot SnapshotOf(std::uint64_t revision) {
  proto::PolicySnapshot snapshot;
  snapshot.set_revision(revision);
  snapshot.set_hash(SnapshotHash(snapshot));
  return snapshot;
}

class SnapshotClientTest : public testing::Test {
 protected:
  SnapshotClientTest()
      : client_(std::make_unique<SnapshotClient>(context_, [this](const PolicyPointer& policy) {
          revisions_.push_back(policy->snapshot().revision());
        })) {}

  FakeContext context_;
  std::vector<std::uint64_t> revisions_;
  std::unique_ptr<SnapshotClient> client_;
};

TEST_F(SnapshotClientTest, AsksForAnySnapshotFirstAndThenForAnotherThanTheOneItHolds) {
  EXPECT_EQ(client_->current(), nullptr);
  const proto::PolicySnapshot one = SnapshotOf(1);
  context_.engine.Answer(one);
  context_.engine.Answer(SnapshotOf(2));
  EXPECT_EQ(revisions_, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(client_->current()->snapshot().revision(), 2U);
  EXPECT_EQ(context_.engine.held_hashes,
            (std::vector<std::string>{"", one.hash(), SnapshotOf(2).hash()}));
  EXPECT_EQ(context_.engine.limits[0], seconds(30));
}

TEST_F(SnapshotClientTest, KeepsTheLastSnapshotAndAsksAgainWhenTheEngineIsSilent) {
  context_.engine.Answer(SnapshotOf(1));
  context_.engine.Fail();
  EXPECT_EQ(client_->current()->snapshot().revision(), 1U);
  while (context_.engine.held_hashes.size() < 3) context_.loop().RunOnce();
  context_.engine.Answer(SnapshotOf(2));
  EXPECT_EQ(client_->current()->snapshot().revision(), 2U);
}

TEST_F(SnapshotClientTest, DoesNotTakeASnapshotWhoseHashDoesNotFit) {
  proto::PolicySnapshot forged = SnapshotOf(1);
  forged.add_partners()->set_domain("stranger.example");
  context_.engine.Answer(forged);
  EXPECT_EQ(client_->current(), nullptr);
  EXPECT_TRUE(revisions_.empty());
  EXPECT_EQ(context_.malformed, std::vector<std::string>{"policy_engine/0"});
}

TEST_F(SnapshotClientTest, IgnoresAnAnswerThatComesAfterItsEnd) {
  client_.reset();
  context_.engine.Answer(SnapshotOf(1));
  EXPECT_TRUE(revisions_.empty());
}

}  // namespace
}  // namespace gatehouse
