#include "plugins/tls_listener/stream_reports.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/core/loop/run_until.h"

namespace gatehouse {
namespace {

// Keeps every question until the test answers it.
class FakeEngine final : public ipc::AskClient {
 public:
  void AskBytes(std::string bytes, std::chrono::milliseconds, OnAnswer on_answer) override {
    proto::PolicyQuestion question;
    ASSERT_TRUE(question.ParseFromString(bytes));
    questions.push_back(question.streams());
    answer_ = std::move(on_answer);
  }
  void Noted() {
    proto::PolicyAnswer answer;
    answer.set_noted(true);
    answer_(answer.SerializeAsString());
  }
  void Dies() { answer_(Trouble("gone")); }

  std::vector<proto::StreamsSeen> questions;

 private:
  OnAnswer answer_;
};

proto::StreamRecord Record(const std::string& peer) {
  proto::StreamRecord record;
  record.set_peer(peer);
  return record;
}

class StreamReportsTest : public ::testing::Test {
 protected:
  bool Asked(std::size_t count) {
    return RunUntil(*loop_, [&] { return engine_.questions.size() == count; });
  }

  std::unique_ptr<Loop> loop_ = MakeLoop();
  FakeEngine engine_;
  StreamReports reports_{*loop_, engine_};
};

TEST_F(StreamReportsTest, GoInOneQuestionWhenTheyComeTogether) {
  reports_.Add(Record("a"));
  reports_.Add(Record("b"));
  ASSERT_TRUE(Asked(1));
  ASSERT_EQ(engine_.questions[0].streams_size(), 2);
  engine_.Noted();
  EXPECT_EQ(reports_.waiting(), 0);
}

TEST_F(StreamReportsTest, AreToldAgainInOrderWhenTheEngineDiedOverThem) {
  reports_.Add(Record("a"));
  ASSERT_TRUE(Asked(1));
  reports_.Add(Record("b"));
  engine_.Dies();
  ASSERT_TRUE(Asked(2));
  ASSERT_EQ(engine_.questions[1].streams_size(), 2);
  EXPECT_EQ(engine_.questions[1].streams(0).peer(), "a");
  EXPECT_EQ(engine_.questions[1].streams(1).peer(), "b");
}

TEST_F(StreamReportsTest, HoldTheNewestWhenTooManyWait) {
  for (std::size_t i = 0; i < StreamReports::kMaxWaiting + 5; ++i)
    reports_.Add(Record(std::to_string(i)));
  EXPECT_EQ(reports_.waiting(), static_cast<int>(StreamReports::kMaxWaiting));
  ASSERT_TRUE(Asked(1));
  EXPECT_EQ(engine_.questions[0].streams(0).peer(), "5");
}

}  // namespace
}  // namespace gatehouse
