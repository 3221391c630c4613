// Fields that records of several kinds have, and the replacing of named ones, which `partner set`,
// `gateway set` and their like are made of.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace google::protobuf {
class Message;
template <class Element>
class RepeatedPtrField;
}  // namespace google::protobuf

namespace gatehouse::policy_engine {

// Copies each field of `names` from `from` to `to`, messages of the same type; an empty field
// empties.
//   fails  kConfig for no names, or a name outside `allowed`
Result<void> ReplaceFields(const google::protobuf::RepeatedPtrField<std::string>& names,
                           std::span<const std::string_view> allowed,
                           const google::protobuf::Message& from, google::protobuf::Message& to);

// One line for people. Fails (kConfig) with the remedy.
Result<void> CheckDescription(const std::string& text);

// The record as the audit keeps it: JSON on one line, every field there.
[[nodiscard]] std::string RecordJson(const google::protobuf::Message& record);

}  // namespace gatehouse::policy_engine
