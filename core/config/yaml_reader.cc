#include "core/config/yaml_reader.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <exception>
#include <set>

namespace gatehouse {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::string Join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string KeysOf(const Descriptor& type) {
  std::string keys;
  for (int i = 0; i < type.field_count(); ++i) {
    if (i > 0) keys += ' ';
    keys += type.field(i)->name();
  }
  return keys;
}

std::string WithCommas(std::string words) {
  for (std::size_t at = words.find(' '); at != std::string::npos; at = words.find(' ', at + 2))
    words.replace(at, 1, ", ");
  return words;
}

std::string UnknownKey(std::string_view key, const Descriptor& type) {
  const std::string keys = KeysOf(type);
  const std::string_view nearest = NearestWord(key, keys);
  if (!nearest.empty()) return fmt::format("is not known; did you mean '{}'?", nearest);
  return fmt::format("is not known; would be right here: {}", WithCommas(keys));
}

std::string_view KindOf(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      return "nothing";
    case YAML::NodeType::Scalar:
      return "a single value";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a group of keys";
  }
  return "something unknown";
}

// yaml-cpp marks a quoted scalar with the tag "!".
bool IsQuoted(const YAML::Node& node) {
  return node.Tag() == "!";
}

std::string WrongType(const YAML::Node& node, std::string_view right) {
  if (!node.IsScalar()) return fmt::format("is {}; would be right: {}", KindOf(node), right);
  return fmt::format("is '{}'; would be right: {}", node.Scalar(), right);
}

}  // namespace

Result<void> YamlReader::Read(std::string_view text) {
  try {
    return ReadDocument(text);
  } catch (const YAML::Exception& error) {
    const int line = error.mark.is_null() ? 1 : error.mark.line + 1;
    return BadConfig(
        fmt::format("{}:{}: is not well-formed YAML: {}; indentation must be blanks, lists begin "
                    "with '- ', keys end with ': '",
                    into_.file_, line, error.msg));
  } catch (const std::exception& error) {
    return BadConfig(fmt::format("{}:1: cannot be read as YAML: {}", into_.file_, error.what()));
  }
}

Result<void> YamlReader::ReadDocument(std::string_view text) {
  const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
  if (documents.size() > 1)
    return BadConfig(fmt::format("{}:{}: holds {} YAML documents; would be right: one", into_.file_,
                                 documents[1].Mark().line + 1, documents.size()));
  if (documents.empty() || documents[0].IsNull()) return {};
  if (!documents[0].IsMap())
    return BadConfig(fmt::format("{}:1: is {}; would be right: a group of keys such as 'domains:'",
                                 into_.file_, KindOf(documents[0])));
  return ReadMapping(documents[0], "", into_.config_);
}

Result<void> YamlReader::ReadMapping(const YAML::Node& node, const std::string& path,
                                     Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  std::set<std::string, std::less<>> seen;
  for (const auto& entry : node) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
    const std::string full = Join(path, key);
    const bool repeated = !seen.insert(key).second;
    if (!repeated) Remember(entry.first, full);
    const int line = entry.first.Mark().line + 1;
    if (repeated)
      return BadConfig(
          fmt::format("{}:{}: key '{}': is given twice, first in line {}; would be "
                      "right: once",
                      into_.file_, line, full, into_.lines_[full]));
    const FieldDescriptor* const field = type.FindFieldByName(key);
    if (field == nullptr) return std::unexpected(into_.At(full, UnknownKey(key, type)));
    GATEHOUSE_TRY_VOID(ReadField(entry.second, full, message, *field));
  }
  return {};
}

Result<void> YamlReader::ReadField(const YAML::Node& node, const std::string& path,
                                   Message& message, const Field& field) {
  if (field.is_repeated()) return ReadList(node, path, message, field);
  if (field.cpp_type() != Field::CPPTYPE_MESSAGE) return ReadScalar(node, path, message, field);
  if (node.IsNull()) return {};  // "sip:" with nothing below it
  if (!node.IsMap()) return std::unexpected(into_.At(path, WrongType(node, "a group of keys")));
  return ReadMapping(node, path, *message.GetReflection()->MutableMessage(&message, &field));
}

Result<void> YamlReader::ReadList(const YAML::Node& node, const std::string& path, Message& message,
                                  const Field& field) {
  if (node.IsNull()) return {};
  if (!node.IsSequence()) return std::unexpected(into_.At(path, WrongType(node, "a list")));
  for (std::size_t i = 0; i < node.size(); ++i) {
    const std::string item = fmt::format("{}[{}]", path, i);
    Remember(node[i], item);
    if (field.cpp_type() != Field::CPPTYPE_MESSAGE) {
      GATEHOUSE_TRY_VOID(ReadScalar(node[i], item, message, field));
      continue;
    }
    if (!node[i].IsMap())
      return std::unexpected(into_.At(
          item, WrongType(node[i], fmt::format("a group of keys ({})",
                                               WithCommas(KeysOf(*field.message_type()))))));
    GATEHOUSE_TRY_VOID(
        ReadMapping(node[i], item, *message.GetReflection()->AddMessage(&message, &field)));
  }
  return {};
}

Result<void> YamlReader::ReadScalar(const YAML::Node& node, const std::string& path,
                                    Message& message, const Field& field) {
  const auto& set = *message.GetReflection();
  if (field.cpp_type() == Field::CPPTYPE_STRING) {
    if (!node.IsScalar()) return std::unexpected(into_.At(path, WrongType(node, "a text")));
    field.is_repeated() ? set.AddString(&message, &field, node.Scalar())
                        : set.SetString(&message, &field, node.Scalar());
    return {};
  }
  const std::string text = node.IsScalar() && !IsQuoted(node) ? node.Scalar() : "";
  if (field.cpp_type() == Field::CPPTYPE_BOOL) {
    if (text != "true" && text != "false")
      return std::unexpected(into_.At(path, WrongType(node, "true or false")));
    set.SetBool(&message, &field, text == "true");
    return {};
  }
  GATEHOUSE_CHECK(field.cpp_type() == Field::CPPTYPE_UINT32);
  std::uint32_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size())
    return std::unexpected(into_.At(path, WrongType(node, "a number from 0 to 4294967295")));
  set.SetUInt32(&message, &field, number);
  return {};
}

void YamlReader::Remember(const YAML::Node& node, const std::string& path) {
  into_.lines_[path] = node.Mark().line + 1;
}

}  // namespace gatehouse
