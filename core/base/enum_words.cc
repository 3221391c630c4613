#include "core/base/enum_words.h"

#include <google/protobuf/descriptor.h>

namespace gatehouse {

std::string EnumWord(const google::protobuf::EnumValueDescriptor& value) {
  std::string word = value.name();
  for (char& c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = '-';
  }
  return word;
}

const google::protobuf::EnumValueDescriptor* FindEnumWord(
    const google::protobuf::EnumDescriptor& type, std::string_view word) {
  for (int i = 0; i < type.value_count(); ++i)
    if (EnumWord(*type.value(i)) == word) return type.value(i);
  return nullptr;
}

std::string EnumWords(const google::protobuf::EnumDescriptor& type) {
  std::string words;
  for (int i = 0; i < type.value_count(); ++i)
    words += (i > 0 ? ", " : "") + EnumWord(*type.value(i));
  return words;
}

}  // namespace gatehouse
