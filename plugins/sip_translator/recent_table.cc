#include "plugins/sip_translator/recent_table.h"

#include <cstring>

#include "core/tls/crypto.h"

namespace gatehouse::translator {

std::uint64_t KeyOf(std::string_view first, std::string_view second, std::string_view third) {
  constexpr std::string_view kEnd("\0", 1);  // no address holds a NUL
  const Sha256Digest digest = Sha256Of({first, kEnd, second, kEnd, third});
  std::uint64_t key = 0;
  std::memcpy(&key, digest.data(), sizeof key);
  return key;
}

}  // namespace gatehouse::translator
