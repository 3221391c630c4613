// A PolicySnapshot with an index: what workers look things up in. Immutable.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "proto/policy_snapshot.pb.h"

namespace gatehouse {

// SHA-256 (32 raw octets) over the serialised snapshot without its `hash`.
[[nodiscard]] std::string SnapshotHash(proto::PolicySnapshot snapshot);

class PolicyView {
 public:
  explicit PolicyView(proto::PolicySnapshot snapshot);
  PolicyView(const PolicyView&) = delete;  // the index points into the snapshot
  PolicyView& operator=(const PolicyView&) = delete;
  // The enabled partner that `domain` (prepared) belongs to, by its primary or an additional
  // domain; or null. Matched exactly: a subdomain belongs to nobody unless it is listed (1.4).
  [[nodiscard]] const proto::Partner* FindPartner(std::string_view domain) const;
  // Somebody of `domain` (prepared) is blocked for one of our users.
  [[nodiscard]] bool HasBlockedContact(std::string_view domain) const {
    return blocked_domains_.contains(domain);
  }
  [[nodiscard]] const proto::GatewaySettings& gateway() const { return snapshot_.gateway(); }
  [[nodiscard]] const std::string& hash() const { return snapshot_.hash(); }
  [[nodiscard]] const proto::PolicySnapshot& snapshot() const { return snapshot_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  proto::PolicySnapshot snapshot_;
  std::unordered_map<std::string, const proto::Partner*, Hash, std::equal_to<>> by_domain_;
  std::unordered_set<std::string, Hash, std::equal_to<>> blocked_domains_;
};
using PolicyPointer = std::shared_ptr<const PolicyView>;

}  // namespace gatehouse
