// What a partner's type lets its contacts do (5.1). A type is nothing but a name for a set of
// permissions; three are there always, and operators may make more (proto::PartnerType).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "proto/policy_snapshot.pb.h"

namespace gatehouse {

// An unlisted contact is one whom the SIP user in question has not authorised (5.4).
struct Permissions {
  bool may_subscribe = false;         // an unlisted contact may watch a SIP user
  bool auto_approve = false;          // whoever may subscribe is told `subscribed` at once
  bool may_message_unlisted = false;  // messages with an unlisted contact, both ways
  bool sees_note = false;             // the note of a SIP user reaches the partner (9.8), and
                                      // headlines of the partner's reach him (8.9)
  bool sees_rich_activity = false;    // and so does what he is busy with, beyond open and closed
  bool operator==(const Permissions&) const = default;
};

inline constexpr const char* kFederated = "federated";
inline constexpr const char* kPublicVerified = "public-verified";
inline constexpr const char* kPublicUnverified = "public-unverified";

struct PresetType {
  const char* name;
  Permissions permissions;
};
// Those that Lync knows; nobody can change them. From the most to the least.
inline constexpr std::array kPresetTypes = {
    PresetType{kFederated,
               {.may_subscribe = true,
                .auto_approve = true,
                .may_message_unlisted = true,
                .sees_note = true,
                .sees_rich_activity = true}},
    PresetType{kPublicVerified,
               {.may_subscribe = true,
                .auto_approve = true,
                .may_message_unlisted = true,
                .sees_note = false,
                .sees_rich_activity = true}},
    PresetType{kPublicUnverified, {.sees_rich_activity = true}},
};

// Null for a name of an operator's own, or nobody's.
[[nodiscard]] constexpr const PresetType* FindPreset(std::string_view name) {
  const auto* const found = std::ranges::find(kPresetTypes, name, &PresetType::name);
  return found == kPresetTypes.end() ? nullptr : found;
}

[[nodiscard]] inline Permissions PermissionsOf(const proto::PartnerType& type) {
  return {.may_subscribe = type.may_subscribe(),
          .auto_approve = type.auto_approve(),
          .may_message_unlisted = type.may_message_unlisted(),
          .sees_note = type.sees_note(),
          .sees_rich_activity = type.sees_rich_activity()};
}

}  // namespace gatehouse
