#include "core/ctl/json_text.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>

#include <cmath>
#include <iterator>

#include "core/base/enum_words.h"

namespace gatehouse::ctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void AppendString(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendDouble(std::string& out, double value) {
  if (std::isfinite(value))
    fmt::format_to(std::back_inserter(out), "{}", value);
  else
    out += "null";
}

void AppendMessage(std::string& out, const Message& message);

// One value: the field itself, or element `index` of a repeated one.
struct Value {
  const Message& message;
  const FieldDescriptor& field;
  int index;

  template <class Single, class Repeated>
  auto Get(Single single, Repeated repeated) const {
    const google::protobuf::Reflection& of = *message.GetReflection();
    return field.is_repeated() ? (of.*repeated)(message, &field, index)
                               : (of.*single)(message, &field);
  }
};

void AppendValue(std::string& out, const Value& value) {
  using Of = google::protobuf::Reflection;
  const auto number = [&out](auto n) { fmt::format_to(std::back_inserter(out), "{}", n); };
  switch (value.field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return number(value.Get(&Of::GetInt32, &Of::GetRepeatedInt32));
    case FieldDescriptor::CPPTYPE_INT64:
      return number(value.Get(&Of::GetInt64, &Of::GetRepeatedInt64));
    case FieldDescriptor::CPPTYPE_UINT32:
      return number(value.Get(&Of::GetUInt32, &Of::GetRepeatedUInt32));
    case FieldDescriptor::CPPTYPE_UINT64:
      return number(value.Get(&Of::GetUInt64, &Of::GetRepeatedUInt64));
    case FieldDescriptor::CPPTYPE_BOOL:
      return number(value.Get(&Of::GetBool, &Of::GetRepeatedBool));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return AppendDouble(out, value.Get(&Of::GetDouble, &Of::GetRepeatedDouble));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return AppendDouble(out, value.Get(&Of::GetFloat, &Of::GetRepeatedFloat));
    case FieldDescriptor::CPPTYPE_STRING:
      return AppendString(out, value.Get(&Of::GetString, &Of::GetRepeatedString));
    case FieldDescriptor::CPPTYPE_ENUM:
      return AppendString(out, EnumWord(*value.Get(&Of::GetEnum, &Of::GetRepeatedEnum)));
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const Of& of = *value.message.GetReflection();
      return AppendMessage(out,
                           value.field.is_repeated()
                               ? of.GetRepeatedMessage(value.message, &value.field, value.index)
                               : of.GetMessage(value.message, &value.field));
    }
  }
}

void AppendField(std::string& out, const Message& message, const FieldDescriptor& field) {
  AppendString(out, field.name());
  out += ':';
  if (!field.is_repeated()) return AppendValue(out, {message, field, 0});
  out += '[';
  const int size = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < size; ++i) {
    if (i > 0) out += ',';
    AppendValue(out, {message, field, i});
  }
  out += ']';
}

void AppendMessage(std::string& out, const Message& message) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  out += '{';
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.has_presence() && !message.GetReflection()->HasField(message, &field)) continue;
    if (out.back() != '{') out += ',';
    AppendField(out, message, field);
  }
  out += '}';
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string out;
  AppendString(out, text);
  return out;
}

std::string JsonText(const Message& message) {
  std::string out;
  AppendMessage(out, message);
  return out;
}

}  // namespace gatehouse::ctl
