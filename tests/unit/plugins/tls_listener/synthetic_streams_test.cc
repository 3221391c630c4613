#include "plugins/tls_listener/synthetic_streams.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "tests/unit/core/loop/run_until.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint32_t kInterval = 60;

class Synthetic : public testing::Test {
 protected:
  void UseInterval(std::uint32_t interval) {
    policy_.mutable_gateway()->set_synthetic_interval_s(interval);
    streams_.SetPolicy(std::make_shared<PolicyView>(policy_));
  }
  void AddPartner(const std::string& domain) {
    proto::Partner& partner = *policy_.add_partners();
    partner.set_id("id-" + domain);
    partner.set_domain(domain);
    partner.set_enabled(true);
  }
  // Every second of the interval that follows.
  void PassInterval() {
    for (std::uint32_t i = 0; i <= kInterval; ++i) streams_.Look(now_ += seconds{1});
  }
  void Answer(const std::string& domain, bool ok) {
    proto::CtlResponse response;
    response.mutable_test()->set_ok(ok);
    if (!ok) response.mutable_test()->set_reason("tls-failed: the handshake failed");
    auto answer = std::move(open_.at(domain));
    open_.erase(domain);
    answer(response);
  }
  double Counted(const std::string& domain, const std::string& result) {
    return metrics_.Value("gatehouse_synthetic_stream",
                          "{partner=\"" + domain + "\",result=\"" + result + "\"}");
  }

  std::unique_ptr<Loop> loop_ = MakeLoop();
  Metrics metrics_;
  TimePoint now_ = loop_->Now();
  proto::PolicySnapshot policy_;
  std::vector<std::string> tried_;
  std::map<std::string, std::function<void(proto::CtlResponse)>> open_;
  std::set<std::string> live_;
  SyntheticStreams streams_{
      {.loop = *loop_,
       .metrics = metrics_,
       .test =
           [this](const std::string& domain, std::function<void(proto::CtlResponse)> answer) {
             tried_.push_back(domain);
             open_[domain] = std::move(answer);
           },
       .is_live = [this](const std::string& id) { return live_.contains(id); }}};
};

TEST_F(Synthetic, ByDefaultNobodyIsTried) {
  AddPartner("partner.example");
  UseInterval(0);
  PassInterval();
  EXPECT_THAT(tried_, IsEmpty());
}

TEST_F(Synthetic, EachPartnerIsTriedOnceInAnInterval) {
  AddPartner("partner.example");
  UseInterval(kInterval);
  PassInterval();
  EXPECT_THAT(tried_, ElementsAre("partner.example"));
  Answer("partner.example", true);
  PassInterval();
  EXPECT_THAT(tried_, SizeIs(2));
  Answer("partner.example", false);
  EXPECT_EQ(Counted("partner.example", "ok"), 1);
  EXPECT_EQ(Counted("partner.example", "failed"), 1);
}

TEST_F(Synthetic, ManyPartnersAreSpreadAndNeverTriedAllAtOnce) {
  for (int i = 0; i < 40; ++i) AddPartner("p" + std::to_string(i) + ".example");
  UseInterval(kInterval);
  streams_.Look(now_);
  EXPECT_LT(tried_.size(), 4U);
  PassInterval();
  EXPECT_THAT(tried_, SizeIs(SyntheticStreams::kAtOnce)) << "nobody has answered";
}

TEST_F(Synthetic, AnOpenStreamCountsAsReached) {
  AddPartner("partner.example");
  live_.insert("id-partner.example");
  UseInterval(kInterval);
  PassInterval();
  EXPECT_THAT(tried_, IsEmpty());
  EXPECT_GE(Counted("partner.example", "ok"), 1);
}

TEST_F(Synthetic, WhoIsNoPartnerForNowIsNotTried) {
  AddPartner("partner.example");
  policy_.mutable_partners(0)->set_enabled(false);
  UseInterval(kInterval);
  PassInterval();
  EXPECT_THAT(tried_, IsEmpty());
}

// Also where its answer comes late.
TEST_F(Synthetic, OfAPartnerThatIsGoneNothingIsCounted) {
  AddPartner("partner.example");
  UseInterval(kInterval);
  PassInterval();
  policy_.clear_partners();
  UseInterval(kInterval);
  Answer("partner.example", true);
  EXPECT_EQ(Counted("partner.example", "ok"), 0);
}

}  // namespace
}  // namespace gatehouse
