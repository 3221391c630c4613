#include "plugins/policy_engine/publication.h"

#include <gtest/gtest.h>

#include <vector>

#include "proto/link_policy.pb.h"

namespace gatehouse::policy_engine {
namespace {

proto::PolicySnapshot SnapshotOf(const std::string& hash) {
  proto::PolicySnapshot snapshot;
  snapshot.set_hash(hash);
  return snapshot;
}

// What an asker hears: the hash of each snapshot, or "error".
struct Asker {
  std::vector<std::string> heard;
  Publication::Reply Reply() {
    return [this](Result<std::string> bytes) {
      proto::PolicyAnswer answer;
      const bool good = bytes && answer.ParseFromString(*bytes);
      heard.push_back(good ? answer.snapshot().hash() : "error");
    };
  }
};

TEST(Publication, AnswersAtOnceWhenTheHashIsAnother) {
  Publication publication;
  publication.Publish(SnapshotOf("one"));
  Asker asker;
  publication.Ask("tls_listener/0", "", asker.Reply());
  EXPECT_EQ(asker.heard, std::vector<std::string>{"one"});
  EXPECT_EQ(publication.waiting(), 0U);
}

TEST(Publication, HoldsTheQuestionUntilThereIsAnotherSnapshot) {
  Publication publication;
  publication.Publish(SnapshotOf("one"));
  Asker asker;
  publication.Ask("tls_listener/0", "one", asker.Reply());
  publication.Publish(SnapshotOf("one"));
  EXPECT_TRUE(asker.heard.empty());
  publication.Publish(SnapshotOf("two"));
  EXPECT_EQ(asker.heard, std::vector<std::string>{"two"});
}

TEST(Publication, HoldsQuestionsFromBeforeTheFirstSnapshot) {
  Publication publication;
  Asker asker;
  publication.Ask("tls_listener/0", "", asker.Reply());
  EXPECT_TRUE(asker.heard.empty());
  publication.Publish(SnapshotOf("one"));
  EXPECT_EQ(asker.heard, std::vector<std::string>{"one"});
}

TEST(Publication, KeepsOneQuestionPerInstanceAndLetsTheOlderGo) {
  Publication publication;
  publication.Publish(SnapshotOf("one"));
  Asker older;
  Asker newer;
  Asker other;
  publication.Ask("tls_listener/0", "one", older.Reply());
  publication.Ask("tls_listener/1", "one", other.Reply());
  publication.Ask("tls_listener/0", "one", newer.Reply());
  EXPECT_EQ(older.heard, std::vector<std::string>{"error"});
  EXPECT_EQ(publication.waiting(), 2U);
  publication.Publish(SnapshotOf("two"));
  EXPECT_EQ(newer.heard, std::vector<std::string>{"two"});
  EXPECT_EQ(other.heard, std::vector<std::string>{"two"});
}

TEST(Publication, ServesAnAskerThatAsksAgainFromItsAnswer) {
  Publication publication;
  int answers = 0;
  std::function<void(Result<std::string>)> again = [&](const Result<std::string>& bytes) {
    ++answers;
    proto::PolicyAnswer answer;
    ASSERT_TRUE(bytes && answer.ParseFromString(*bytes));
    publication.Ask("tls_listener/0", answer.snapshot().hash(), again);
  };
  publication.Ask("tls_listener/0", "", again);
  publication.Publish(SnapshotOf("one"));
  publication.Publish(SnapshotOf("two"));
  EXPECT_EQ(answers, 2);
  EXPECT_EQ(publication.waiting(), 1U);
}

TEST(Publication, LetsEveryQuestionGoAtTheEnd) {
  Publication publication;
  Asker asker;
  publication.Ask("tls_listener/0", "", asker.Reply());
  publication.Close();
  EXPECT_EQ(asker.heard, std::vector<std::string>{"error"});
}

}  // namespace
}  // namespace gatehouse::policy_engine
