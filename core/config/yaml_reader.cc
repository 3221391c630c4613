#include "core/config/yaml_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <exception>
#include <limits>
#include <set>
#include <span>

#include "core/base/enum_words.h"
#include "core/base/utf8_check.h"
#include "core/config/yaml_config.h"

namespace gatehouse {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::string Join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string WithCommas(std::string words) {
  for (std::size_t at = words.find(' '); at != std::string::npos; at = words.find(' ', at + 2))
    words.replace(at, 1, ", ");
  return words;
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

int YamlPlaces::LineOf(std::string_view key) const {
  for (std::string_view at = key; !at.empty();) {
    if (const auto known = lines.find(at); known != lines.end()) return known->second;
    const std::size_t end = at.find_last_of(".[");
    at = end == std::string_view::npos ? std::string_view() : at.substr(0, end);
  }
  return 1;
}

Error YamlPlaces::At(std::string_view key, std::string_view what) const {
  return Error{Fault::kConfig, fmt::format("{}:{}: key '{}': {}", file, LineOf(key), key, what)};
}

std::vector<Error> YamlReader::Read(std::string_view text, Message& into, Message* beside) {
  beside_ = beside;
  const auto whole = [this](int line, std::string_view what) {
    mistakes_.push_back({Fault::kConfig, fmt::format("{}:{}: {}", places_.file, line, what)});
  };
  Utf8Check check;
  const std::size_t sound = check.Feed(std::as_bytes(std::span(text)));
  if (sound < text.size() || !check.complete()) {
    const auto line = std::ranges::count(text.substr(0, sound), '\n');
    whole(static_cast<int>(line) + 1, "is not in UTF-8; write the file in UTF-8");
    return std::move(mistakes_);
  }
  try {
    ReadDocument(text, into);
  } catch (const YAML::Exception& error) {
    whole(error.mark.is_null() ? 1 : error.mark.line + 1,
          fmt::format("is not well-formed YAML: {}; indentation must be blanks, lists begin with "
                      "'- ', keys end with ': '",
                      error.msg));
  } catch (const std::exception& error) {
    whole(1, fmt::format("cannot be read as YAML: {}", error.what()));
  }
  return std::move(mistakes_);
}

void YamlReader::ReadDocument(std::string_view text, Message& into) {
  const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
  const auto whole = [this](int line, const std::string& what) {
    mistakes_.push_back({Fault::kConfig, fmt::format("{}:{}: {}", places_.file, line, what)});
  };
  if (documents.size() > 1)
    return whole(documents[1].Mark().line + 1,
                 fmt::format("holds {} YAML documents; would be right: one", documents.size()));
  if (documents.empty() || documents[0].IsNull()) return;
  if (!documents[0].IsMap())
    return whole(1, fmt::format("is {}; would be right: a group of keys such as '{}:'",
                                KindOf(documents[0]), into.GetDescriptor()->field(0)->name()));
  ReadMapping(documents[0], "", into);
}

std::string YamlReader::KeysOf(const Descriptor& type) const {
  std::string keys;
  for (int i = 0; i < type.field_count(); ++i)
    if (!shape_.hides(*type.field(i))) keys += (keys.empty() ? "" : " ") + type.field(i)->name();
  return keys;
}

std::string YamlReader::UnknownKey(std::string_view key, std::string_view keys) {
  const std::string_view nearest = NearestWord(key, keys);
  if (!nearest.empty()) return fmt::format("is not known; did you mean '{}'?", nearest);
  return fmt::format("is not known; would be right here: {}", WithCommas(std::string(keys)));
}

const FieldDescriptor* YamlReader::FindField(const Message& message, const std::string& key) const {
  const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(key);
  return field == nullptr || shape_.hides(*field) ? nullptr : field;
}

void YamlReader::ReadMapping(const YAML::Node& node, const std::string& path, Message& message) {
  shape_.start(message);
  Message* const beside = path.empty() ? beside_ : nullptr;
  std::string keys = KeysOf(*message.GetDescriptor());
  if (beside != nullptr) keys += ' ' + KeysOf(*beside->GetDescriptor());
  std::set<std::string, std::less<>> seen;
  for (const auto& entry : node) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
    const std::string full = Join(path, key);
    if (!seen.insert(key).second) {
      mistakes_.push_back(
          {Fault::kConfig,
           fmt::format("{}:{}: key '{}': is given twice, first in line {}; would be right: once",
                       places_.file, entry.first.Mark().line + 1, full, places_.lines[full])});
      continue;
    }
    Remember(entry.first, full);
    const FieldDescriptor* const field = FindField(message, key);
    const FieldDescriptor* const further = beside == nullptr ? nullptr : FindField(*beside, key);
    if (field != nullptr)
      ReadField(entry.second, full, message, *field);
    else if (further != nullptr)
      ReadField(entry.second, full, *beside, *further);
    else
      Mistake(full, UnknownKey(key, keys));
  }
}

void YamlReader::ReadField(const YAML::Node& node, const std::string& path, Message& message,
                           const Field& field) {
  if (field.is_repeated()) return ReadList(node, path, message, field);
  if (field.cpp_type() != Field::CPPTYPE_MESSAGE) return ReadScalar(node, path, message, field);
  if (node.IsNull()) return;  // "sip:" with nothing below it
  if (!node.IsMap()) return Mistake(path, WrongType(node, "a group of keys"));
  ReadMapping(node, path, *message.GetReflection()->MutableMessage(&message, &field));
}

void YamlReader::ReadList(const YAML::Node& node, const std::string& path, Message& message,
                          const Field& field) {
  if (node.IsNull()) return;
  if (!node.IsSequence()) return Mistake(path, WrongType(node, "a list"));
  std::size_t i = 0;
  for (const auto& element : node) {
    const std::string item = fmt::format("{}[{}]", path, i++);
    Remember(element, item);
    if (field.cpp_type() != Field::CPPTYPE_MESSAGE) {
      ReadScalar(element, item, message, field);
      continue;
    }
    // One that cannot be read keeps its place, so that the places of those behind it are right.
    Message& one = *message.GetReflection()->AddMessage(&message, &field);
    if (element.IsMap())
      ReadMapping(element, item, one);
    else
      Mistake(item, WrongType(element, fmt::format("a group of keys ({})",
                                                   WithCommas(KeysOf(*field.message_type())))));
  }
}

void YamlReader::ReadEnum(const YAML::Node& node, const std::string& path, Message& message,
                          const Field& field) {
  const auto* const value =
      node.IsScalar() ? FindEnumWord(*field.enum_type(), node.Scalar()) : nullptr;
  if (value == nullptr) return Mistake(path, WrongType(node, EnumWords(*field.enum_type())));
  message.GetReflection()->SetEnum(&message, &field, value);
}

void YamlReader::ReadScalar(const YAML::Node& node, const std::string& path, Message& message,
                            const Field& field) {
  const auto& set = *message.GetReflection();
  if (field.cpp_type() == Field::CPPTYPE_STRING) {
    if (!node.IsScalar()) return Mistake(path, WrongType(node, "a text"));
    return field.is_repeated() ? set.AddString(&message, &field, node.Scalar())
                               : set.SetString(&message, &field, node.Scalar());
  }
  if (field.cpp_type() == Field::CPPTYPE_ENUM) return ReadEnum(node, path, message, field);
  const std::string text = node.IsScalar() && !IsQuoted(node) ? node.Scalar() : "";
  if (field.cpp_type() == Field::CPPTYPE_BOOL) {
    if (text != "true" && text != "false") return Mistake(path, WrongType(node, "true or false"));
    return set.SetBool(&message, &field, text == "true");
  }
  const bool is_long = field.cpp_type() == Field::CPPTYPE_UINT64;
  GATEHOUSE_CHECK(is_long || field.cpp_type() == Field::CPPTYPE_UINT32);
  const std::uint64_t most = is_long ? std::numeric_limits<std::uint64_t>::max()
                                     : std::numeric_limits<std::uint32_t>::max();
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size() || number > most)
    return Mistake(path, WrongType(node, fmt::format("a number from 0 to {}", most)));
  if (is_long)
    set.SetUInt64(&message, &field, number);
  else
    set.SetUInt32(&message, &field, static_cast<std::uint32_t>(number));
}

void YamlReader::Mistake(std::string_view key, std::string_view what) {
  mistakes_.push_back(places_.At(key, what));
}

void YamlReader::Remember(const YAML::Node& node, const std::string& path) {
  places_.lines[path] = node.Mark().line + 1;
}

namespace {

Result<std::string> ReadAll(int fd, const std::string& path, std::size_t most_bytes) {
  std::string text;
  std::string chunk(std::size_t{64} * 1024, '\0');
  while (true) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return BadConfig(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
    if (got == 0) return text;
    text.append(chunk, 0, static_cast<std::size_t>(got));
    if (text.size() > most_bytes)
      return BadConfig(fmt::format("{}: is larger than {} bytes", path, most_bytes));
  }
}

}  // namespace

Result<std::string> ReadTextFile(const std::string& path, std::size_t most_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return BadConfig(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  Result<std::string> text = ReadAll(fd, path, most_bytes);
  ::close(fd);
  return text;
}

}  // namespace gatehouse
