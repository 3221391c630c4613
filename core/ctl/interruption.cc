#include "core/ctl/interruption.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/ctl/carry_out.h"

namespace gatehouse::ctl {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

// A signal's handler has nothing else it may read. Written while the signals are held back.
std::array<char, kMaxInterruptionBytes> words;
std::size_t length = 0;

void OnSignal(int /*number*/) noexcept {
  static_cast<void>(!::write(STDERR_FILENO, words.data(), length));
  ::_exit(kRefused);
}

}  // namespace

void SayWhenInterrupted(std::string_view text) {
  sigset_t held;
  sigset_t before;
  ::sigemptyset(&held);
  for (const int number : kSignals) ::sigaddset(&held, number);
  ::sigprocmask(SIG_BLOCK, &held, &before);
  length = std::min(text.size(), words.size());
  std::copy_n(text.begin(), length, words.begin());
  struct sigaction action{};
  action.sa_handler = OnSignal;
  action.sa_mask = held;
  for (const int number : kSignals) {
    struct sigaction now{};
    ::sigaction(number, nullptr, &now);
    // nohup and a shell's '&' have them ignored; that stays.
    if (now.sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace gatehouse::ctl
