// What a context remembers for resumption: sessions it may offer as client, and those its tickets
// as server stand for. Each is used once and bound to its server name (2.4 no. 4).
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gatehouse {

inline constexpr std::size_t kMaxKeptSessions = 512;  // of each role; some 2 KiB each
inline constexpr std::uint32_t kSessionSeconds = 3600;

class SessionVault {
 public:
  // Client. The one offered last for `server_name`, which leaves the vault; null: none.
  [[nodiscard]] bssl::UniquePtr<SSL_SESSION> TakeForClient(std::string_view server_name);
  // What the other end made no sense of is not offered again.
  void ForgetForClient(std::string_view server_name);
  void KeepForClient(std::string_view server_name, bssl::UniquePtr<SSL_SESSION> session);

  // Server. The state of a session stays here; gives the handle that goes into the ticket,
  // kHandleBytes long and unguessable.
  static constexpr std::size_t kHandleBytes = 32;
  [[nodiscard]] std::string KeepForServer(std::string_view server_name,
                                          std::span<const std::uint8_t> state);
  // Empty where the handle is unknown, was used, or stands for another server name.
  [[nodiscard]] std::string TakeForServer(std::string_view server_name, std::string_view handle);

 private:
  struct Kept {
    std::string server_name;
    std::string state;
  };
  // Oldest first; the time limit is in the session itself.
  std::deque<std::pair<std::string, bssl::UniquePtr<SSL_SESSION>>> for_client_;
  std::unordered_map<std::string, Kept> for_server_;  // by handle
  std::deque<std::string> handles_;                   // oldest first; some may be used
};

// Lets `ctx` resume by the vault of its BoringContext, which is its app data.
void EnableResumption(SSL_CTX* ctx);

}  // namespace gatehouse
