// Result, Error and the two macros that use them. Our code throws nothing.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace gatehouse {

enum class Fault {
  kPeer,     // a remote party broke its protocol: answer it in the protocol, count, keep running
  kTrouble,  // the world is in the way (DNS, disk, link down): retry with back-off or settle as
             // failed
  kConfig,   // the operator wrote something that cannot be: one line with the remedy
};

// `text` names the thing and the value: "topology: link 3: no worker named 'sip_translater'".
struct Error {
  Fault fault = Fault::kTrouble;
  std::string text;
};

template <class T, class E = Error>
using Result = std::expected<T, E>;

inline std::unexpected<Error> Trouble(std::string text) {
  return std::unexpected(Error{Fault::kTrouble, std::move(text)});
}
inline std::unexpected<Error> BadPeer(std::string text) {
  return std::unexpected(Error{Fault::kPeer, std::move(text)});
}
inline std::unexpected<Error> BadConfig(std::string text) {
  return std::unexpected(Error{Fault::kConfig, std::move(text)});
}

// Prints the place and aborts. The supervisor restarts the worker.
[[noreturn]] void CheckFailed(const char* expression, const char* file, int line) noexcept;

}  // namespace gatehouse

// A fact that only a bug of ours can break.
#define GATEHOUSE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::gatehouse::CheckFailed(#condition, __FILE__, __LINE__))

#define GATEHOUSE_JOIN_(a, b) a##b
#define GATEHOUSE_JOIN(a, b) GATEHOUSE_JOIN_(a, b)
#define GATEHOUSE_TRY_(temporary, target, call)                         \
  auto temporary = (call);                                              \
  if (!temporary) return std::unexpected(std::move(temporary).error()); \
  target = *std::move(temporary)  // NOLINT(bugprone-macro-parentheses)
// GATEHOUSE_TRY(const auto port, ParsePort(text)); returns the error early.
#define GATEHOUSE_TRY(target, call) \
  GATEHOUSE_TRY_(GATEHOUSE_JOIN(gatehouse_try_, __LINE__), target, call)
// The same for Result<void>.
#define GATEHOUSE_TRY_VOID(call)                             \
  if (auto gatehouse_try_void = (call); !gatehouse_try_void) \
  return std::unexpected(std::move(gatehouse_try_void).error())
