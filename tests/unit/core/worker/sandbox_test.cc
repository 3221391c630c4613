// Each test enters the sandbox in a child of its own: it cannot be left again.
#include "core/worker/sandbox.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <thread>

namespace gatehouse {
namespace {

// The wait status of a child that ran `act` in the sandbox and ended with what it gave.
int InSandbox(NetworkRight network, const std::function<int()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto entered = EnterSandbox(network);
    ::_exit(entered && *entered ? act() : 99);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

int ExitOf(NetworkRight network, const std::function<int()>& act) {
  const int status = InSandbox(network, act);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int ErrnoOfSocket(int family) {
  return ::socket(family, SOCK_STREAM, 0) >= 0 ? 0 : errno;
}

TEST(Sandbox, KillsWhoStartsAProgram) {
  EXPECT_EQ(ExitOf(NetworkRight::kInternet,
                   [] { return ::execl("/bin/true", "true", static_cast<char*>(nullptr)); }),
            -SIGSYS);
}

TEST(Sandbox, KillsWhoMounts) {
  EXPECT_EQ(ExitOf(NetworkRight::kInternet, [] { return ::mount("x", "/x", "tmpfs", 0, nullptr); }),
            -SIGSYS);
}

TEST(Sandbox, RefusesNewProcessesButNotThreads) {
  EXPECT_EQ(ExitOf(NetworkRight::kNone, [] { return ::fork() < 0 ? errno : 0; }), EPERM);
  EXPECT_EQ(ExitOf(NetworkRight::kNone,
                   [] {
                     int result = 1;
                     std::thread([&result] { result = 7; }).join();
                     return result;
                   }),
            7);
}

TEST(Sandbox, LetsOnlyWorkersWithNetworkMakeInternetSockets) {
  for (const int family : {AF_INET, AF_INET6}) {
    EXPECT_EQ(ExitOf(NetworkRight::kInternet, [family] { return ErrnoOfSocket(family); }), 0);
    EXPECT_EQ(ExitOf(NetworkRight::kNone, [family] { return ErrnoOfSocket(family); }), EPERM);
  }
  EXPECT_EQ(ExitOf(NetworkRight::kNone, [] { return ErrnoOfSocket(AF_UNIX); }), 0);
}

TEST(Sandbox, HoldsForEveryThread) {
  EXPECT_EQ(ExitOf(NetworkRight::kNone,
                   [] {
                     int result = 0;
                     std::thread([&result] { result = ErrnoOfSocket(AF_INET); }).join();
                     return result;
                   }),
            EPERM);
}

TEST(Sandbox, KeepsProgramsFromGainingRights) {
  EXPECT_EQ(ExitOf(NetworkRight::kNone, [] { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }),
            1);
}

}  // namespace
}  // namespace gatehouse
