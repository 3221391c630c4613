// What a partner's type lets its contacts do (5.1). A type is nothing but a set of permissions; the
// three that Lync knows are presets nobody can change.
#pragma once

#include "proto/policy_snapshot.pb.h"

namespace gatehouse {

// An unlisted contact is one whom the SIP user in question has not authorised (5.4).
struct Permissions {
  bool may_subscribe = false;         // an unlisted contact may watch a SIP user
  bool auto_approve = false;          // whoever may subscribe is told `subscribed` at once
  bool may_message_unlisted = false;  // messages with an unlisted contact, both ways
  bool sees_note = false;             // the note of a SIP user reaches the partner (9.8)
  bool sees_rich_activity = false;    // and so does what he is busy with, beyond open and closed
  bool operator==(const Permissions&) const = default;
};

inline constexpr Permissions kFederatedPermissions{.may_subscribe = true,
                                                   .auto_approve = true,
                                                   .may_message_unlisted = true,
                                                   .sees_note = true,
                                                   .sees_rich_activity = true};
inline constexpr Permissions kPublicVerifiedPermissions{.may_subscribe = true,
                                                        .auto_approve = true,
                                                        .may_message_unlisted = true,
                                                        .sees_note = false,
                                                        .sees_rich_activity = true};
inline constexpr Permissions kPublicUnverifiedPermissions{.may_subscribe = false,
                                                          .auto_approve = false,
                                                          .may_message_unlisted = false,
                                                          .sees_note = false,
                                                          .sees_rich_activity = true};

// Total: a value outside the enum gets the least.
[[nodiscard]] constexpr Permissions PermissionsOf(proto::PartnerType type) {
  if (type == proto::FEDERATED) return kFederatedPermissions;
  if (type == proto::PUBLIC_VERIFIED) return kPublicVerifiedPermissions;
  return kPublicUnverifiedPermissions;
}

}  // namespace gatehouse
