#include "core/loop/accept_gate.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

#include "core/loop/owned_fd.h"
#include "tests/unit/core/loop/run_until.h"

namespace gatehouse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

OwnedFd Take() {
  return OwnedFd(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
}

class AcceptGateTest : public ::testing::Test {
 protected:
  AcceptGateTest() { getrlimit(RLIMIT_NOFILE, &before_); }
  ~AcceptGateTest() override { setrlimit(RLIMIT_NOFILE, &before_); }
  // So many descriptors are left beside the reserve.
  static void LeaveFree(int count) {
    std::vector<OwnedFd> taken;  // the numbers that are free need not follow each other
    for (int i = 0; i <= count; ++i) taken.push_back(Take());
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(taken.back().get() + AcceptGate::kReservedDescriptors);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  double Stopped(const std::string& reason) {
    return metrics_.Value("gatehouse_accepting_stopped_total", "{reason=\"" + reason + "\"}");
  }

  rlimit before_{};
  std::unique_ptr<Loop> loop_ = MakeLoop();
  Metrics metrics_;
  std::vector<bool> applied_;
  AcceptGate gate_{*loop_, metrics_, [this](bool accept) { applied_.push_back(accept); }};
};

TEST_F(AcceptGateTest, ClosesBeforeTheReserveIsTouchedAndOpensOnceThereIsRoom) {
  LeaveFree(2);
  OwnedFd first = Take();
  gate_.OnAccepted();
  EXPECT_THAT(applied_, IsEmpty());
  OwnedFd second = Take();
  gate_.OnAccepted();
  gate_.OnAccepted();
  EXPECT_THAT(applied_, ElementsAre(false));
  const OwnedFd ours = Take();
  EXPECT_GE(ours.get(), 0) << "the reserve is there for what is not a newcomer";
  first = OwnedFd();
  ASSERT_TRUE(RunUntil(*loop_, [this] { return applied_.size() == 2; }));
  EXPECT_TRUE(gate_.is_open());
  EXPECT_EQ(Stopped("descriptors"), 1);
}

TEST_F(AcceptGateTest, OpensOnlyOnceNothingIsShort) {
  gate_.SetMemoryShort(true);
  gate_.SetMemoryShort(true);
  LeaveFree(0);
  gate_.OnAccepted();
  EXPECT_THAT(applied_, ElementsAre(false));
  gate_.SetMemoryShort(false);
  EXPECT_THAT(applied_, ElementsAre(false));
  LeaveFree(1);
  ASSERT_TRUE(RunUntil(*loop_, [this] { return applied_.size() == 2; }));
  EXPECT_THAT(applied_, ElementsAre(false, true));
  EXPECT_EQ(Stopped("memory"), 1);
}

}  // namespace
}  // namespace gatehouse
