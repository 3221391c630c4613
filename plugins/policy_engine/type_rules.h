// What partner types of an operator's own must be, and whose partners may be of which.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "plugins/policy_engine/data_limits.h"
#include "plugins/policy_engine/domain_owners.h"
#include "proto/ctl.pb.h"
#include "proto/federation_data.pb.h"

namespace gatehouse::policy_engine {

using PartnerTypes = google::protobuf::RepeatedPtrField<proto::PartnerType>;

inline constexpr std::size_t kMaxTypeNameBytes = 32;

// Null where `types` have none of that name.
[[nodiscard]] const proto::PartnerType* FindType(const PartnerTypes& types, std::string_view name);
// That a partner may be of it: one that is there always, or one of `types`.
//   fails  kConfig with the names there are, and how to make another
Result<void> CheckTypeIsKnown(const std::string& name, const PartnerTypes& types,
                              DomainOwners::Remedy remedy);
// All that is wrong with them, each with the key of its field and one sentence with the remedy: a
// name that is none, is there already or stands twice, a description of more than a line, too many.
[[nodiscard]] std::vector<proto::Mistake> TypeMistakes(const PartnerTypes& types, std::size_t held,
                                                       const DataLimits& limits);
// The first of them.
Result<void> CheckTypes(const PartnerTypes& types, std::size_t held, const DataLimits& limits);

}  // namespace gatehouse::policy_engine
