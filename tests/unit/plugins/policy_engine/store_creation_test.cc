// The first start, and what is left of one that was cut off.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "plugins/policy_engine/store.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {
namespace {

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

}  // namespace
}  // namespace gatehouse::policy_engine
