#include "core/tls/session_vault.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "core/tls/boring_context.h"
#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

constexpr std::string_view kSessionContext = "gatehouse";

SessionVault& VaultOf(SSL* ssl) {
  return *static_cast<BoringContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->vault;
}

std::string_view ServerNameOf(SSL* ssl) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : name;
}

int OnNewSession(SSL* ssl, SSL_SESSION* session) noexcept {
  bssl::UniquePtr<SSL_SESSION> owned(session);
  if (KeepsTickets(ssl)) VaultOf(ssl).KeepForClient(ServerNameOf(ssl), std::move(owned));
  return 1;  // taken
}

size_t MaxOverhead(SSL* /*ssl*/) noexcept {
  return SessionVault::kHandleBytes;
}

// The ticket is as long as the session it stands for: BoringSSL gives no more room than that for
// what is behind it.
int Seal(SSL* ssl, std::uint8_t* out, std::size_t* out_size, std::size_t room,
         const std::uint8_t* in, std::size_t in_size) noexcept {
  const std::size_t size = std::max(in_size, SessionVault::kHandleBytes);
  if (size > room) return 0;
  const std::string handle = VaultOf(ssl).KeepForServer(ServerNameOf(ssl), {in, in_size});
  std::memset(out, 0, size);
  std::ranges::copy(handle, out);
  *out_size = size;
  return 1;
}

ssl_ticket_aead_result_t Open(SSL* ssl, std::uint8_t* out, std::size_t* out_size, std::size_t room,
                              const std::uint8_t* in, std::size_t in_size) noexcept {
  if (in_size < SessionVault::kHandleBytes) return ssl_ticket_aead_ignore_ticket;
  const std::string_view handle(reinterpret_cast<const char*>(in), SessionVault::kHandleBytes);
  const std::string state = VaultOf(ssl).TakeForServer(ServerNameOf(ssl), handle);
  if (state.empty() || state.size() > room) return ssl_ticket_aead_ignore_ticket;
  std::ranges::copy(state, out);
  *out_size = state.size();
  return ssl_ticket_aead_success;
}

constexpr SSL_TICKET_AEAD_METHOD kTickets = {&MaxOverhead, &Seal, &Open};

}  // namespace

bssl::UniquePtr<SSL_SESSION> SessionVault::TakeForClient(std::string_view server_name) {
  const auto found = std::find_if(for_client_.rbegin(), for_client_.rend(),
                                  [&](const auto& each) { return each.first == server_name; });
  if (found == for_client_.rend()) return nullptr;
  bssl::UniquePtr<SSL_SESSION> session = std::move(found->second);
  for_client_.erase(std::next(found).base());
  return session;
}

void SessionVault::ForgetForClient(std::string_view server_name) {
  std::erase_if(for_client_, [&](const auto& each) { return each.first == server_name; });
}

void SessionVault::KeepForClient(std::string_view server_name,
                                 bssl::UniquePtr<SSL_SESSION> session) {
  if (server_name.empty()) return;
  if (for_client_.size() >= kMaxKeptSessions) for_client_.pop_front();
  for_client_.emplace_back(server_name, std::move(session));
}

std::string SessionVault::KeepForServer(std::string_view server_name,
                                        std::span<const std::uint8_t> state) {
  if (handles_.size() >= kMaxKeptSessions) {
    for_server_.erase(handles_.front());
    handles_.pop_front();
  }
  std::string handle = RandomBytes(kHandleBytes);
  for_server_[handle] = {std::string(server_name),
                         std::string(reinterpret_cast<const char*>(state.data()), state.size())};
  handles_.push_back(handle);
  return handle;
}

std::string SessionVault::TakeForServer(std::string_view server_name, std::string_view handle) {
  const auto found = for_server_.find(std::string(handle));
  if (found == for_server_.end()) return {};
  Kept kept = std::move(found->second);
  for_server_.erase(found);
  return kept.server_name == server_name ? std::move(kept.state) : std::string();
}

void EnableResumption(SSL_CTX* ctx) {
  SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ctx, &OnNewSession);
  SSL_CTX_set_ticket_aead_method(ctx, &kTickets);
  SSL_CTX_set_num_tickets(ctx, 1);
  SSL_CTX_set_timeout(ctx, kSessionSeconds);
  SSL_CTX_set_session_psk_dhe_timeout(ctx, kSessionSeconds);
  SSL_CTX_set_session_id_context(ctx, reinterpret_cast<const std::uint8_t*>(kSessionContext.data()),
                                 kSessionContext.size());
}

}  // namespace gatehouse
