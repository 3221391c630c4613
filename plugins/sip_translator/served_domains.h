// The SIP domains this edge speaks for, as the translator needs them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/result.h"
#include "proto/config.pb.h"

namespace gatehouse::translator {

struct ServedDomain {
  std::string next_hop;           // SIP URI; empty: RFC 3263 on the domain
  std::size_t page_mode_max = 0;  // octets of a whole MESSAGE (8.2.4)
};

class ServedDomains {
 public:
  // Fails (kConfig) for a name that is no domain. A page_mode_max above 1300 counts only where the
  // next hop is TCP or TLS: RFC 3428 §8 wants positive knowledge of the whole path.
  static Result<ServedDomains> Read(const proto::Config& config);
  // `domain` is prepared (6.2). Null: not ours.
  [[nodiscard]] const ServedDomain* Find(const std::string& domain) const;

 private:
  std::unordered_map<std::string, ServedDomain> by_name_;
};

}  // namespace gatehouse::translator
