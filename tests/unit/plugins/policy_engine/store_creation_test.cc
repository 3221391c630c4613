// The first start, and what is left of one that was cut off.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "plugins/policy_engine/store.h"
#include "plugins/policy_engine/store_file.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {
namespace {

using ::testing::HasSubstr;

// Stops at each system call, on its way in and out, and is killed at stop number `moment`. False:
// it was done before.
bool IsKilledWhileItOpens(const std::string& path, int moment) {
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
    static_cast<void>(::raise(SIGSTOP));
    ::_exit(Store::Open(path) ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  for (int stops = 0; WIFSTOPPED(status); ++stops) {
    if (stops == moment) ::kill(child, SIGKILL);
    static_cast<void>(::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr));
    EXPECT_EQ(::waitpid(child, &status, 0), child);
  }
  return WIFSIGNALED(status);
}

// As root puts a backup there.
TEST(StoreCreation, AFileOfSomebodyElseIsNamedSoWithTheRemedy) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  ASSERT_TRUE(Store::Open(path));
  const bool is_root = ::geteuid() == 0;
  constexpr uid_t kNobody = 65534;
  const std::string parent = std::filesystem::path(path).parent_path().string();
  if (is_root) {
    ASSERT_EQ(::chown(parent.c_str(), kNobody, kNobody), 0);
    ASSERT_EQ(::seteuid(kNobody), 0);
  } else {
    ASSERT_EQ(::chmod(path.c_str(), 0400), 0);
  }
  const Result<Store> opened = Store::Open(path);
  ASSERT_EQ(::seteuid(is_root ? 0 : ::geteuid()), 0);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().text,
            "policy store '" + path +
                "': is there, but this user may not write it; it must belong to the user "
                "gatehoused runs as: chown --reference=" +
                parent + " " + path);
}

TEST(StoreCreation, AFirstStartThatIsKilledAtAnyMomentIsMadeUpForByTheNext) {
  int killed = 0;
  for (int moment = 2;; moment += 23, ++killed) {
    const ScratchFolder folder;
    const std::string path = folder.File("policy.db");
    const bool was_killed = IsKilledWhileItOpens(path, moment);
    const Result<Store> next = Store::Open(path);
    ASSERT_TRUE(next.has_value()) << "killed at stop " << moment << ": " << next.error().text;
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
    EXPECT_FALSE(std::filesystem::exists(path + ".new-journal"));
    if (!was_killed) break;
  }
  EXPECT_GT(killed, 10);
}

// The journal of a file that was moved away would be played into the new one.
TEST(StoreCreation, WhatIsLeftOfEarlierTriesDoesNotReachANewFile) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  for (const char* end : {".new", ".new-journal", ".new-wal", "-journal"})
    std::ofstream(path + end) << std::string(512, 'x');
  Result<Store> store = Store::Open(path);
  ASSERT_TRUE(store.has_value()) << store.error().text;
  EXPECT_TRUE(store->Read()->data.partners().empty());
  for (const char* end : {".new", ".new-journal", ".new-wal", "-journal"})
    EXPECT_FALSE(std::filesystem::exists(path + end)) << end;
}

// Whoever starts without his store would lock everybody out, and not know why.
TEST(StoreCreation, AStoreThatWasMadeOnceAndIsGoneIsNotMadeAnew) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  ASSERT_TRUE(Store::Open(path).has_value());
  std::filesystem::remove(path);
  const Result<Store> refused = Store::Open(path);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().text, HasSubstr("the file is gone, though it was made once"));
  EXPECT_THAT(refused.error().text, HasSubstr("remove '" + path + ".made'"));
  EXPECT_FALSE(std::filesystem::exists(path));
  std::filesystem::remove(path + ".made");
  EXPECT_TRUE(Store::Open(path).has_value());
}

// Written by a version that made no mark, or put there by hand.
TEST(StoreCreation, AStoreWithoutItsMarkGetsOne) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  ASSERT_TRUE(Store::Open(path).has_value());
  std::filesystem::remove(path + ".made");
  ASSERT_TRUE(Store::Open(path).has_value());
  EXPECT_TRUE(std::filesystem::exists(path + ".made"));
}

}  // namespace
}  // namespace gatehouse::policy_engine
