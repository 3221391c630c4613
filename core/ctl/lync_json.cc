// ConvertTo-Json: one object or a list of them.
#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <cmath>

#include "core/ctl/lync_export.h"

namespace gatehouse::ctl {
namespace {

using JsonValue = google::protobuf::Value;

std::string NumberText(double number) {
  if (std::abs(number) < 1e15 && number == std::floor(number))
    return std::to_string(static_cast<std::int64_t>(number));
  return fmt::format("{}", number);
}

LyncValue ValueOf(const JsonValue& json);

LyncValue ListOf(const google::protobuf::ListValue& list) {
  LyncValue value;
  for (const JsonValue& item : list.values())
    for (std::string& text : ValueOf(item).items) value.items.push_back(std::move(text));
  return value;
}

LyncValue ValueOf(const JsonValue& json) {
  switch (json.kind_case()) {
    case JsonValue::kNumberValue:
      return {{NumberText(json.number_value())}, false, false};
    case JsonValue::kBoolValue:
      return {{json.bool_value() ? "true" : "false"}, false, false};
    case JsonValue::kStringValue:
      return json.string_value().empty() ? LyncValue{}
                                         : LyncValue{{json.string_value()}, false, false};
    case JsonValue::kListValue:
      return ListOf(json.list_value());
    case JsonValue::kStructValue: {
      // PowerShell 5 writes some lists as {"value":[...],"Count":2}, and enums as {"value":1,...}.
      const auto& fields = json.struct_value().fields();
      const auto inner = fields.find("value");
      return inner == fields.end() ? LyncValue{} : ValueOf(inner->second);
    }
    case JsonValue::kNullValue:
    case JsonValue::KIND_NOT_SET:
      break;
  }
  return {};
}

LyncObject ObjectOf(const google::protobuf::Struct& json) {
  LyncObject object;
  for (const auto& [name, value] : json.fields()) object.values.emplace(name, ValueOf(value));
  return object;
}

// What PowerShell 5 puts around a list: {"value":[...],"Count":2}. Else `json` itself.
const JsonValue& Unwrapped(const JsonValue& json) {
  const auto& fields = json.struct_value().fields();
  const auto inner = fields.find("value");
  return inner != fields.end() && fields.contains("Count") ? inner->second : json;
}

}  // namespace

Result<std::vector<LyncObject>> ReadLyncJson(std::string_view text) {
  JsonValue whole;
  const auto status = google::protobuf::util::JsonStringToMessage(
      {text.data(), text.size()}, &whole, google::protobuf::util::JsonParseOptions());
  if (!status.ok())
    return BadConfig("the file is not well-formed JSON; write it again with ConvertTo-Json");
  const JsonValue& json = Unwrapped(whole);
  std::vector<LyncObject> objects;
  if (json.has_struct_value()) objects.push_back(ObjectOf(json.struct_value()));
  for (const JsonValue& item : json.list_value().values())
    if (item.has_struct_value()) objects.push_back(ObjectOf(item.struct_value()));
  return objects;
}

}  // namespace gatehouse::ctl
