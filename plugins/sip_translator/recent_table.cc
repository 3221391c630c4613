#include "plugins/sip_translator/recent_table.h"

#include <cstring>

#include "core/tls/crypto.h"

namespace gatehouse::translator {

std::uint64_t KeyOf(std::string_view first, std::string_view second, std::string_view third) {
  std::string whole;
  whole.reserve(first.size() + second.size() + third.size() + 2);
  whole.append(first).append(1, '\0').append(second).append(1, '\0').append(
      third);  // no address holds a NUL
  const std::string digest = Sha256(whole);
  std::uint64_t key = 0;
  std::memcpy(&key, digest.data(), sizeof key);
  return key;
}

}  // namespace gatehouse::translator
