#include "core/worker/sandbox.h"

#include <fmt/format.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace gatehouse {
namespace {

struct ReleaseFilter {
  void operator()(void* filter) const noexcept { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, ReleaseFilter>;

// AddressSanitizer's leak check traces its own process at exit, so tracing fails there instead of
// killing.
#ifdef __SANITIZE_ADDRESS__
constexpr std::uint32_t kOnTracing = SCMP_ACT_ERRNO(EPERM);
#else
constexpr std::uint32_t kOnTracing = SCMP_ACT_KILL_PROCESS;
#endif

// No worker of ours has a reason for one of these; whoever calls it is not us any more.
constexpr std::array kNeverCalled = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(mount),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(bpf),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(keyctl),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(open_by_handle_at),
};

int RefuseSockets(scmp_filter_ctx filter, int family) {
  return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
                          SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family)));
}

// Threads share CLONE_THREAD; a new process does not. What clone3 asks lies in memory, where no
// filter looks: it is told to be absent, and the C library falls back to clone.
int RefuseProcesses(scmp_filter_ctx filter) {
  int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  if (failed == 0)
    failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  if (failed == 0) failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fork), 0);
  if (failed == 0) failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(vfork), 0);
  return failed;
}

int AddRules(scmp_filter_ctx filter, NetworkRight network) {
  int failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
  for (const int call : kNeverCalled)
    if (failed == 0) failed = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0);
  if (failed == 0) failed = seccomp_rule_add(filter, kOnTracing, SCMP_SYS(ptrace), 0);
  if (failed == 0) failed = RefuseProcesses(filter);
  if (failed == 0) failed = RefuseSockets(filter, AF_PACKET);
  if (network == NetworkRight::kInternet) return failed;
  if (failed == 0) failed = RefuseSockets(filter, AF_INET);
  if (failed == 0) failed = RefuseSockets(filter, AF_INET6);
  return failed;
}

bool KernelHasFilters() {
  return ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 && seccomp_api_get() > 0;
}

}  // namespace

Result<bool> EnterSandbox(NetworkRight network) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return Trouble(fmt::format("sandbox: no_new_privs: {}", std::strerror(errno)));
  if (!KernelHasFilters()) return false;
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (filter == nullptr) return Trouble("sandbox: no memory for the filter");
  if (const int failed = AddRules(filter.get(), network); failed != 0)
    return Trouble(fmt::format("sandbox: building the filter: {}", std::strerror(-failed)));
  if (const int failed = seccomp_load(filter.get()); failed != 0)
    return Trouble(
        fmt::format("sandbox: the kernel refused the filter: {}", std::strerror(-failed)));
  return true;
}

}  // namespace gatehouse
