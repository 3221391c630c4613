// Owners with callbacks of their own (compare uv_handle.h): what a handle's callbacks use dies in
// its close callback.
#pragma once

#include <uv.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/loop/loop.h"
#include "core/loop/uv_handle.h"

namespace gatehouse {

// Gives up `state`, which holds `handle`. The memory, and so every callback stored in it, lives
// until libuv has let go of the handle: an owner may therefore be destroyed inside its own
// callbacks. A callback that finds the handle closing returns at once.
template <class State, class Handle>
void DeleteWithHandle(std::unique_ptr<State> state, Handle& handle) noexcept {
  auto* any = reinterpret_cast<uv_handle_t*>(&handle);
  any->data = state.release();
  uv_close(any, [](uv_handle_t* closed) { delete static_cast<State*>(closed->data); });
}

template <class Handle>
[[nodiscard]] bool IsClosing(const Handle& handle) noexcept {
  return uv_is_closing(reinterpret_cast<const uv_handle_t*>(&handle)) != 0;
}

// "connect: connection refused".
[[nodiscard]] inline std::string UvText(std::string_view what, int code) {
  return std::string(what) + ": " + uv_strerror(code);
}

// Where sockets of one loop are read into: the loop has one thread, and no callback keeps the
// bytes.
using ReadBuffer = std::array<char, 64 * 1024>;
[[nodiscard]] ReadBuffer& ReadBufferOf(uv_loop_t* loop) noexcept;
// For uv_udp_recv_start.
void OfferReadBuffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept;

}  // namespace gatehouse
