// How SIP users write their own user part (6.5). Pure, bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gatehouse::translator {

class AorSpellings {
 public:
  static constexpr std::size_t kMaxUsers = 65536;
  // `uri` is the From of a request its peer was trusted with, `bare` the JID it became.
  void Learn(const std::string& bare, std::string_view uri);
  // The SIP URI `canonical` of `bare`, with the user part spelled as last learned.
  [[nodiscard]] std::string Spell(const std::string& bare, std::string canonical) const;

 private:
  std::unordered_map<std::string, std::string>
      user_parts_;  // only those that differ from the canonical one
};

}  // namespace gatehouse::translator
