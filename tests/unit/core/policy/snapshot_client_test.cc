#include "core/policy/snapshot_client.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/policy/expiry.h"
#include "proto/link_policy.pb.h"
#include "tests/unit/core/policy/fake_worker_context.h"

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

using FakeContext = FakeWorkerContext<FakeEngine>;

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

// A partner for a day, one for two days, one for good. The engine is dead after its first answer
// unless the test says otherwise.
class ExpiringPartnersTest : public testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'800'000'000;
  static constexpr std::int64_t kDay = 86'400;

  static proto::PolicySnapshot Snapshot(std::uint64_t revision = 1) {
    proto::PolicySnapshot snapshot;
    snapshot.set_revision(revision);
    for (const auto& [domain, expires] : {std::pair{"day.example", kNow + kDay},
                                          {"two.example", kNow + 2 * kDay},
                                          {"good.example", 0L}}) {
      proto::Partner& partner = *snapshot.add_partners();
      partner.set_domain(domain);
      partner.set_sasl(proto::REQUIRED);
      partner.set_enabled(true);
      partner.set_expires_unix(static_cast<std::uint64_t>(expires));
    }
    return Hashed(std::move(snapshot));
  }
  static proto::PolicySnapshot Hashed(proto::PolicySnapshot snapshot) {
    snapshot.set_hash(SnapshotHash(snapshot));
    return snapshot;
  }
  // As the engine publishes it at that time.
  static proto::PolicySnapshot SnapshotAt(std::int64_t now) {
    proto::PolicySnapshot snapshot = Snapshot();
    DisableExpired(snapshot, now);
    return Hashed(std::move(snapshot));
  }
  [[nodiscard]] std::string Partners() const {
    std::string known;
    for (const char* domain : {"day.example", "two.example", "good.example"})
      if (held_->FindPartner(domain) != nullptr) known += std::string(domain) + ' ';
    return known;
  }
  void CheckAt(std::int64_t now) {
    now_ = now;
    client_.CheckExpiry();
  }

  FakeContext context_;
  std::int64_t now_ = kNow;
  PolicyPointer held_;
  int handed_on_ = 0;
  SnapshotClient client_{context_,
                         [this](PolicyPointer policy) {
                           held_ = std::move(policy);
                           ++handed_on_;
                         },
                         [this] { return now_; }};
};

TEST_F(ExpiringPartnersTest, GoAtTheirTimeWhateverTheEngineDoes) {
  context_.engine.Answer(Snapshot());
  CheckAt(kNow + kDay - 1);
  EXPECT_EQ(Partners(), "day.example two.example good.example ");
  EXPECT_EQ(handed_on_, 1);
  CheckAt(kNow + kDay);
  EXPECT_EQ(Partners(), "two.example good.example ");
  EXPECT_EQ(held_->WhyNoPartner("day.example"), Reason::kPartnerExpired);
  EXPECT_EQ(client_.current(), held_);
  CheckAt(kNow + 3 * kDay);
  EXPECT_EQ(Partners(), "good.example ");
  CheckAt(kNow + 4 * kDay);
  EXPECT_EQ(handed_on_, 3);
}

TEST_F(ExpiringPartnersTest, ComeBackWithAClockThatWasWrongAndIsSetBack) {
  context_.engine.Answer(Snapshot());
  CheckAt(kNow + 9 * kDay);
  EXPECT_EQ(Partners(), "good.example ");
  CheckAt(kNow);
  EXPECT_EQ(Partners(), "day.example two.example good.example ");
  EXPECT_EQ(held_->hash(), Snapshot().hash());
}

TEST_F(ExpiringPartnersTest, AreTakenAwayByATimer) {
  now_ = kNow + kDay - 1;
  context_.engine.Answer(Snapshot());
  now_ = kNow + kDay;
  while (handed_on_ < 2) context_.loop().RunOnce();
  EXPECT_EQ(Partners(), "two.example good.example ");
}

TEST_F(ExpiringPartnersTest, AreNotTakenFromASnapshotThatComesLate) {
  now_ = kNow + kDay;
  context_.engine.Answer(Snapshot());
  EXPECT_EQ(Partners(), "two.example good.example ");
  EXPECT_EQ(handed_on_, 1);
}

TEST_F(ExpiringPartnersTest, LeaveTheEnginesSnapshotTheOneThatIsHeld) {
  context_.engine.Answer(Snapshot());
  CheckAt(kNow + kDay);
  EXPECT_NE(held_->hash(), Snapshot().hash());
  EXPECT_EQ(held_->hash(), SnapshotHash(held_->snapshot()));
  context_.engine.Fail();
  while (context_.engine.held_hashes.size() < 3) context_.loop().RunOnce();
  EXPECT_EQ(context_.engine.held_hashes[2], Snapshot().hash());
}

TEST_F(ExpiringPartnersTest, AreNoNewsFromAnEngineThatComesToTheSame) {
  context_.engine.Answer(Snapshot());
  CheckAt(kNow + kDay);
  context_.engine.Answer(SnapshotAt(kNow + kDay));
  EXPECT_EQ(handed_on_, 2);
  EXPECT_EQ(context_.engine.held_hashes.back(), SnapshotAt(kNow + kDay).hash());
  CheckAt(kNow + 2 * kDay);
  EXPECT_EQ(Partners(), "good.example ");
}

TEST_F(ExpiringPartnersTest, StayWithAnotherEndThatTheEngineKnowsOf) {
  context_.engine.Answer(Snapshot());
  proto::PolicySnapshot longer = Snapshot(2);
  longer.mutable_partners(0)->clear_expires_unix();
  context_.engine.Answer(Hashed(longer));
  CheckAt(kNow + kDay);
  EXPECT_EQ(Partners(), "day.example two.example good.example ");
}

TEST_F(ExpiringPartnersTest, AreLookedForOnlyOnceThereIsASnapshot) {
  CheckAt(kNow + 9 * kDay);
  EXPECT_EQ(handed_on_, 0);
}

}  // namespace
}  // namespace gatehouse
