// A change of a record as an operator reads it: which fields, from what to what.
#pragma once

#include <string>
#include <string_view>

#include "proto/ctl.pb.h"
#include "proto/federation_data.pb.h"

namespace gatehouse::policy_engine {

// Values are the words the flags take; a list is joined with ", ", and of one that was changed
// `after` says what was added and taken, "+a.example, -b.example", and `before` nothing. Of a
// record that was added or removed every field that says something is shown. What the engine keeps
// by itself is left out.
[[nodiscard]] proto::ChangeView ChangeViewOf(const proto::RecordChange& change);
// The same for what is no record, such as a "contact": JSON objects, empty where there was or is
// nothing.
[[nodiscard]] proto::ChangeView ChangeViewOf(std::string_view kind, std::string_view key,
                                             const std::string& before, const std::string& after);
// "slot xmpp: certificate old -> new" for each slot of two JSON objects, {"xmpp":"old"}; empty
// where nothing was or is assigned.
void AddSlotChanges(const std::string& before, const std::string& after,
                    proto::AuditRecord& record);

}  // namespace gatehouse::policy_engine
