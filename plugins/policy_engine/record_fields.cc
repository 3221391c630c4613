#include "plugins/policy_engine/record_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <vector>

#include "core/base/one_line.h"

namespace gatehouse::policy_engine {

Result<void> ReplaceFields(const google::protobuf::RepeatedPtrField<std::string>& names,
                           std::span<const std::string_view> allowed,
                           const google::protobuf::Message& from, google::protobuf::Message& to) {
  if (names.empty())
    return BadConfig(
        fmt::format("nothing is named to be set; name one of {}", fmt::join(allowed, ", ")));
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  for (const std::string& name : names) {
    const auto* field = to.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr || std::ranges::find(allowed, name) == allowed.end())
      return BadConfig(
          fmt::format("'{}' cannot be set; what can be set is {}", name, fmt::join(allowed, ", ")));
    fields.push_back(field);
  }
  // Swapping with a copy works for every kind of field, repeated or not.
  const std::unique_ptr<google::protobuf::Message> copy(from.New());
  copy->CopyFrom(from);
  to.GetReflection()->SwapFields(&to, copy.get(), fields);
  return {};
}

Result<void> CheckDescription(const std::string& text) {
  if (text.size() > kMaxDescriptionBytes)
    return BadConfig(fmt::format("the description has {} octets; at most {} are possible",
                                 text.size(), kMaxDescriptionBytes));
  if (HasControls(text))
    return BadConfig("the description has control characters; write it on one line");
  return {};
}

std::string RecordJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  // Fails for wrong UTF-8 only, which no record that passed the rules has.
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return {};
  return text;
}

}  // namespace gatehouse::policy_engine
