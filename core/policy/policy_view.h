// A PolicySnapshot with an index: what workers look things up in. Immutable.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "core/policy/partner_type.h"
#include "core/policy/pattern_index.h"
#include "core/policy/reasons.h"
#include "proto/policy_snapshot.pb.h"

namespace gatehouse {

// The access policy that holds for who was granted no other.
inline constexpr std::string_view kGlobalPolicy = "global";

// SHA-256 (32 raw octets) over the serialised snapshot without its `hash`.
[[nodiscard]] std::string SnapshotHash(proto::PolicySnapshot snapshot);

class PolicyView {
 public:
  explicit PolicyView(proto::PolicySnapshot snapshot);
  PolicyView(const PolicyView&) = delete;  // the index points into the snapshot
  PolicyView& operator=(const PolicyView&) = delete;
  // The partner that `domain` (prepared) belongs to: the one that lists it, else the one with the
  // longest "*." that it is below (1.4: subdomains are not implied). Null where that one is not
  // enabled, whoever has a wider "*."; for a denied domain, and for every one where federation is
  // off.
  [[nodiscard]] const proto::Partner* FindPartner(std::string_view domain) const;
  // The same without regard to what keeps it from being one now: disabled, expired, denied.
  [[nodiscard]] const proto::Partner* FindListed(std::string_view domain) const;
  // Why FindPartner gives none for `domain` (prepared).
  [[nodiscard]] Reason WhyNoPartner(std::string_view domain) const;
  // Somebody of `domain` (prepared) is blocked for one of our users.
  [[nodiscard]] bool HasBlockedContact(std::string_view domain) const {
    return blocked_domains_.contains(domain);
  }
  // What contacts of a partner of that type may do; the least for a name that nobody has given.
  [[nodiscard]] Permissions PermissionsOf(std::string_view type) const;
  // Whether the deny list has it, or a "*." that it is below.
  [[nodiscard]] bool IsDenied(std::string_view domain) const;
  // The access policy granted to this very user (prepared bare JID), to a pattern he fits (his
  // localpart and domain, prepared), or to this domain (prepared); or null. What holds for a user
  // in the end says access.h.
  [[nodiscard]] const proto::AccessPolicy* PolicyOfUser(std::string_view user) const;
  [[nodiscard]] const proto::AccessPolicy* PolicyByPattern(std::string_view local,
                                                           std::string_view domain) const {
    return by_pattern_.Find(local, domain);
  }
  [[nodiscard]] const proto::AccessPolicy* PolicyOfDomain(std::string_view domain) const;
  // Null in a snapshot without one, as the empty one is.
  [[nodiscard]] const proto::AccessPolicy* GlobalPolicy() const { return global_; }
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
  template <class Record>
  using Index = std::unordered_map<std::string_view, const Record*, Hash, std::equal_to<>>;

  proto::PolicySnapshot snapshot_;
  // By domains, and by what follows the "*." of wildcards.
  struct Partners {
    Index<proto::Partner> by_domain, by_base;
    void Add(const proto::Partner& partner);
    [[nodiscard]] const proto::Partner* Find(std::string_view domain) const;
  };
  [[nodiscard]] bool IsOff() const {
    return snapshot_.gateway().federation() == proto::GatewaySettings::OFF;
  }
  Partners listed_;
  std::unordered_set<std::string, Hash, std::equal_to<>> blocked_domains_;
  std::unordered_set<std::string_view> denied_;
  std::unordered_set<std::string_view> denied_below_;
  Index<proto::PartnerType> types_;
  Index<proto::AccessPolicy> by_user_;
  PatternIndex by_pattern_;
  Index<proto::AccessPolicy> by_own_domain_;
  const proto::AccessPolicy* global_ = nullptr;
};
using PolicyPointer = std::shared_ptr<const PolicyView>;

}  // namespace gatehouse
