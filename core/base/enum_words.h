// The operator's words for enums of messages: NOT_SUPPORTED is "not-supported".
#pragma once

#include <string>
#include <string_view>

namespace google::protobuf {
class EnumDescriptor;
class EnumValueDescriptor;
}  // namespace google::protobuf

namespace gatehouse {

[[nodiscard]] std::string EnumWord(const google::protobuf::EnumValueDescriptor& value);
// Null for a word that is none of the enum's.
[[nodiscard]] const google::protobuf::EnumValueDescriptor* FindEnumWord(
    const google::protobuf::EnumDescriptor& type, std::string_view word);
// "required, optional, not-supported".
[[nodiscard]] std::string EnumWords(const google::protobuf::EnumDescriptor& type);

}  // namespace gatehouse
