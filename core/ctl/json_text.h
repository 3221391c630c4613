// Messages as JSON for scripts: keys are the field names, every field is there, numbers are
// numbers, and enum values are the words the flags take ("not-supported").
#pragma once

#include <string>
#include <string_view>

namespace google::protobuf {
class Message;
}

namespace gatehouse::ctl {

// One line, no line end. Members of a oneof and sub-messages that are not set are left out.
[[nodiscard]] std::string JsonText(const google::protobuf::Message& message);
// The text in quotes, escaped.
[[nodiscard]] std::string JsonString(std::string_view text);

}  // namespace gatehouse::ctl
