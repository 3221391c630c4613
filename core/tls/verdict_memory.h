// Chains that were judged good, so that a server that comes back costs one signature less. A
// verdict follows from the chain, the anchors and the time alone: a memory belongs to one context,
// whose anchors never change, and gives a verdict only within the validity of the whole chain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "core/tls/tls_session.h"

namespace gatehouse {

inline constexpr std::size_t kMaxKeptVerdicts = 512;  // about a KiB each

class VerdictMemory {
 public:
  // `chain`: the digest of what the peer sent. Null: it has to be judged.
  [[nodiscard]] const PeerCertificate* Find(const std::string& chain, std::int64_t now_unix) const;
  // Only a valid chain is kept; the oldest goes when there are too many.
  void Keep(const std::string& chain, const PeerCertificate& verdict);

 private:
  std::unordered_map<std::string, PeerCertificate> by_chain_;
  std::deque<std::string> oldest_first_;
};

}  // namespace gatehouse
