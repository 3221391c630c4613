#include "core/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace gatehouse {

void CheckFailed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "gatehouse: check failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace gatehouse
