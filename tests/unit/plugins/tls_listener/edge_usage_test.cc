#include "plugins/tls_listener/edge_usage.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

namespace gatehouse {
namespace {

class FakeEngine final : public ipc::AskClient {
 public:
  void AskBytes(std::string question, milliseconds, OnAnswer on_answer) override {
    EXPECT_TRUE(questions.emplace_back().ParseFromString(question));
    on_answer_ = std::move(on_answer);
  }
  void Answer(std::uint32_t connections) {
    proto::PolicyAnswer answer;
    proto::Usage& others = *answer.mutable_usage_of_others();
    others.set_connections(connections);
    others.add_partners()->set_partner_id("p");
    others.mutable_partners(0)->set_streams(7);
    others.add_addresses()->set_address("192.0.2.1");
    others.mutable_addresses(0)->set_unauthenticated(3);
    std::exchange(on_answer_, nullptr)(answer.SerializeAsString());
  }
  void AnswerNothing() {
    proto::PolicyAnswer answer;
    answer.mutable_usage_of_others();
    std::exchange(on_answer_, nullptr)(answer.SerializeAsString());
  }
  void Fail() { std::exchange(on_answer_, nullptr)(Trouble("gone")); }
  std::vector<proto::PolicyQuestion> questions;

 private:
  OnAnswer on_answer_;
};

class EdgeUsageTest : public testing::Test {
 protected:
  std::unique_ptr<Loop> loop_ = *Loop::Create();
  FakeEngine engine_;
  std::uint32_t own_ = 1;
  int told_ = 0;
  EdgeUsage usage_{{.loop = *loop_,
                    .engine = engine_,
                    .own =
                        [this] {
                          proto::Usage usage;
                          usage.set_connections(own_);
                          return usage;
                        },
                    .on_told = [this] { ++told_; }}};
  TimePoint now_ = loop_->Now();
};

TEST_F(EdgeUsageTest, TellsItsOwnAndLearnsWhatTheOthersHold) {
  usage_.Tell(now_);
  ASSERT_EQ(engine_.questions.size(), 1U);
  EXPECT_EQ(engine_.questions[0].usage().connections(), 1U);
  engine_.Answer(42);
  EXPECT_EQ(told_, 1);
  EXPECT_EQ(usage_.others().connections(), 42U);
  EXPECT_EQ(usage_.others().StreamsOf("p"), 7U);
  EXPECT_EQ(usage_.others().StreamsOf("q"), 0U);
  EXPECT_EQ(usage_.others().At("192.0.2.1").unauthenticated, 3U);
  EXPECT_EQ(usage_.others().At("192.0.2.2").unauthenticated, 0U);
}

TEST_F(EdgeUsageTest, TellsOnceASecondWhileNobodyHoldsAnything) {
  own_ = 0;
  usage_.Tell(now_);
  engine_.AnswerNothing();
  usage_.Tell(now_ + milliseconds{999});
  EXPECT_EQ(engine_.questions.size(), 1U);
  usage_.Tell(now_ + milliseconds{1000});
  EXPECT_EQ(engine_.questions.size(), 2U);
  engine_.Answer(1);
  usage_.Tell(now_ + milliseconds{1250});
  EXPECT_EQ(engine_.questions.size(), 3U) << "the others hold something";
  engine_.AnswerNothing();
  own_ = 1;
  usage_.Tell(now_ + milliseconds{1500});
  EXPECT_EQ(engine_.questions.size(), 4U) << "it holds something itself";
}

TEST_F(EdgeUsageTest, AsksNothingWhileAnAnswerIsOutstanding) {
  usage_.Tell(now_);
  own_ = 2;
  usage_.Tell(now_ + seconds{5});
  EXPECT_EQ(engine_.questions.size(), 1U);
}

TEST_F(EdgeUsageTest, TellsAgainAtTheNextTurnWhenTheEngineGaveNoAnswer) {
  usage_.Tell(now_);
  engine_.Fail();
  usage_.Tell(now_ + milliseconds{250});
  EXPECT_EQ(engine_.questions.size(), 2U);
}

TEST_F(EdgeUsageTest, HoldsOnToWhatItKnowsForTenSecondsWithoutTheEngine) {
  usage_.Tell(now_);
  engine_.Answer(42);
  const TimePoint answered = loop_->Now();
  usage_.Tell(answered + seconds{9});
  EXPECT_EQ(usage_.others().connections(), 42U);
  engine_.Fail();
  usage_.Tell(answered + seconds{10});
  EXPECT_EQ(usage_.others().connections(), 0U);
}

}  // namespace
}  // namespace gatehouse
