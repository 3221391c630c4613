// How SIP users write their own user part (6.5). Pure, bounded.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/xmpp/jid.h"

namespace gatehouse::translator {

class AorSpellings {
 public:
  static constexpr std::size_t kMaxUsers = 65536;
  // `uri` is the From of a request its peer was trusted with, `jid` what it became.
  void Learn(const Jid& jid, std::string_view uri);
  // The SIP URI `canonical` of `bare`, with the user part spelled as last learned.
  [[nodiscard]] std::string Spell(std::string_view bare, std::string canonical) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  // Only those that differ from the canonical one.
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> user_parts_;
};

}  // namespace gatehouse::translator
