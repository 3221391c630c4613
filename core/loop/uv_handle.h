// libuv closes later than C++ destroys: the handle lives on its own and dies in its close callback,
// while `data` is cleared when its owner goes. Only for core/loop and ipc.
#pragma once

#include <uv.h>

#include <memory>

namespace gatehouse {

struct CloseThenDelete {
  template <class H>
  void operator()(H* handle) const noexcept {
    handle->data = nullptr;  // callbacks still in flight find no owner and return
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<H*>(closed); });
  }
};
template <class H>
using UvHandle = std::unique_ptr<H, CloseThenDelete>;

}  // namespace gatehouse
