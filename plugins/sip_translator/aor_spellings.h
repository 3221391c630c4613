// How SIP users write their own user part (6.5). Pure, bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/string_hash.h"
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
  // Only those that differ from the canonical one.
  StringMap<std::string> user_parts_;
};

}  // namespace gatehouse::translator
