#include "core/config/yaml_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <unistd.h>
#include <yaml-cpp/exceptions.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <exception>
#include <limits>
#include <set>
#include <span>

#include "core/base/enum_words.h"
#include "core/base/one_line.h"
#include "core/base/text_encoding.h"
#include "core/config/yaml_config.h"
#include "core/config/yaml_tree.h"

namespace gatehouse {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::string Join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string_view SectionOf(std::string_view key) {
  return key.substr(0, key.find_first_of(".["));
}

std::string WithCommas(std::string words) {
  for (std::size_t at = words.find(' '); at != std::string::npos; at = words.find(' ', at + 2))
    words.replace(at, 1, ", ");
  return words;
}

std::string_view KindOf(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a group of keys";
  }
  return "something unknown";
}

std::string WrongType(const YamlNode& node, std::string_view right) {
  if (!node.IsScalar()) return fmt::format("is {}; would be right: {}", KindOf(node), right);
  return fmt::format("is '{}'; would be right: {}", node.scalar, right);
}

}  // namespace

std::string_view NameOf(const FieldDescriptor& field) {
  return field.name();
}

int YamlPlaces::LineOf(std::string_view key) const {
  for (std::string_view at = key; !at.empty();) {
    if (const auto known = lines.find(at); known != lines.end()) return known->second;
    const std::size_t end = at.find_last_of(".[");
    at = end == std::string_view::npos ? std::string_view() : at.substr(0, end);
  }
  return 1;
}

bool YamlPlaces::HasSectionOf(std::string_view key) const {
  return lines.contains(SectionOf(key));
}

bool YamlPlaces::IsUnread(std::string_view key) const {
  for (auto at = unread_keys.lower_bound(key); at != unread_keys.end() && at->starts_with(key);
       ++at)
    if (at->size() == key.size() || (*at)[key.size()] == '.' || (*at)[key.size()] == '[')
      return true;
  return false;
}

Error YamlPlaces::At(std::string_view key, std::string_view what) const {
  const auto as = written.find(key);
  return At(LineOf(key), as == written.end() ? key : std::string_view(as->second), what);
}

Error YamlPlaces::At(int line, std::string_view key, std::string_view what) const {
  return Error{Fault::kConfig, fmt::format("{}:{}: key '{}': {}", AsSentence(file), line,
                                           AsSentence(key), AsSentence(what))};
}

std::vector<Error> YamlReader::Read(std::string_view text, Message& into, Message* beside) {
  beside_ = beside;
  const Result<std::string, NoText> sound = DecodeText(text);
  if (!sound) {
    Mistake(sound.error().line, fmt::format("{}; {}", sound.error().what, kWriteUtf8));
    return std::move(mistakes_);
  }
  try {
    ReadDocument(*sound, into);
  } catch (const YAML::Exception& error) {
    Mistake(error.mark.is_null() ? 1 : error.mark.line + 1,
            fmt::format("is not well-formed YAML: {}; indentation must be blanks, lists begin with "
                        "'- ', keys end with ': '",
                        error.msg));
  } catch (const std::exception& error) {
    Mistake(1, fmt::format("cannot be read as YAML: {}", error.what()));
  }
  return std::move(mistakes_);
}

void YamlReader::ReadDocument(std::string_view text, Message& into) {
  const YamlTree tree = ReadYamlTree(text);
  const std::vector<const YamlNode*>& documents = tree.documents;
  if (tree.too_much_line != 0)
    return Mistake(tree.too_much_line,
                   fmt::format("the aliases up to here (such as '*name') stand for more than {} "
                               "octets, or for what they stand in; write out what they repeat",
                               kMaxRepeatedOctets));
  if (documents.size() > 1)
    return Mistake(documents[1]->line,
                   fmt::format("holds {} YAML documents; would be right: one", documents.size()));
  if (documents.empty() || documents[0]->IsNull()) return;
  if (!documents[0]->IsMap())
    return Mistake(1, fmt::format("is {}; would be right: a group of keys such as '{}:'",
                                  KindOf(*documents[0]), into.GetDescriptor()->field(0)->name()));
  ReadMapping(*documents[0], "", into);
}

std::string YamlReader::KeysOf(const Descriptor& type) const {
  std::string keys;
  for (int i = 0; i < type.field_count(); ++i)
    if (!shape_.hides(*type.field(i)))
      keys.append(keys.empty() ? "" : " ").append(shape_.key(*type.field(i)));
  return keys;
}

std::string YamlReader::UnknownKey(std::string_view key, std::string_view keys) {
  const std::string_view nearest = NearestWord(key, keys);
  if (!nearest.empty()) return fmt::format("is not known; did you mean '{}'?", nearest);
  return fmt::format("is not known; would be right here: {}", WithCommas(std::string(keys)));
}

const FieldDescriptor* YamlReader::FindField(const Message& message, const std::string& key) const {
  const Descriptor& type = *message.GetDescriptor();
  const FieldDescriptor* field = type.FindFieldByName(key);
  for (int i = 0; field == nullptr && i < type.field_count(); ++i)
    if (shape_.key(*type.field(i)) == key) field = type.field(i);
  return field == nullptr || shape_.hides(*field) ? nullptr : field;
}

void YamlReader::ReadMapping(const YamlNode& node, const std::string& path, Message& message) {
  shape_.start(message);
  Message* const beside = path.empty() ? beside_ : nullptr;
  std::string keys = KeysOf(*message.GetDescriptor());
  if (beside != nullptr) keys += ' ' + KeysOf(*beside->GetDescriptor());
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const YamlNode& name = *node.items[i];
    const std::string key = name.IsScalar() ? name.scalar : "?";
    const FieldDescriptor* const field = FindField(message, key);
    const FieldDescriptor* const further = beside == nullptr ? nullptr : FindField(*beside, key);
    const std::string full = Join(path, field == nullptr ? key : field->name());
    if (field != nullptr && field->name() != key) places_.written[full] = Join(path, key);
    if (!seen.insert(full).second) {
      NoteUnread(full);
      mistakes_.push_back(places_.At(name.line, full,
                                     fmt::format("is given twice, first in line {}; would be "
                                                 "right: once",
                                                 places_.lines[full])));
      continue;
    }
    Remember(name, full);
    if (field != nullptr)
      ReadField(*node.items[i + 1], full, message, *field);
    else if (further != nullptr)
      ReadField(*node.items[i + 1], full, *beside, *further);
    else
      Mistake(full, UnknownKey(key, keys));
    if (path.empty() && field == nullptr && further == nullptr) places_.unread.emplace();
  }
}

void YamlReader::ReadField(const YamlNode& node, const std::string& path, Message& message,
                           const Field& field) {
  if (field.is_repeated()) return ReadList(node, path, message, field);
  if (field.cpp_type() != Field::CPPTYPE_MESSAGE) return ReadScalar(node, path, message, field);
  if (node.IsNull()) return;  // "sip:" with nothing below it
  if (!node.IsMap()) return Mistake(path, WrongType(node, "a group of keys"));
  ReadMapping(node, path, *message.GetReflection()->MutableMessage(&message, &field));
}

void YamlReader::ReadList(const YamlNode& node, const std::string& path, Message& message,
                          const Field& field) {
  if (node.IsNull()) return;
  if (!node.IsList()) return Mistake(path, WrongType(node, "a list"));
  std::size_t i = 0;
  for (const YamlNode* const element : node.items) {
    const std::string item = fmt::format("{}[{}]", path, i++);
    Remember(*element, item);
    if (field.cpp_type() != Field::CPPTYPE_MESSAGE) {
      ReadScalar(*element, item, message, field);
      continue;
    }
    // One that cannot be read keeps its place, so that the places of those behind it are right.
    Message& one = *message.GetReflection()->AddMessage(&message, &field);
    if (element->IsMap())
      ReadMapping(*element, item, one);
    else
      Mistake(item, WrongType(*element, fmt::format("a group of keys ({})",
                                                    WithCommas(KeysOf(*field.message_type())))));
  }
}

void YamlReader::ReadEnum(const YamlNode& node, const std::string& path, Message& message,
                          const Field& field) {
  const auto* const value =
      node.IsScalar() ? FindEnumWord(*field.enum_type(), node.scalar) : nullptr;
  if (value == nullptr) return Mistake(path, WrongType(node, EnumWords(*field.enum_type())));
  message.GetReflection()->SetEnum(&message, &field, value);
}

void YamlReader::ReadScalar(const YamlNode& node, const std::string& path, Message& message,
                            const Field& field) {
  const auto& set = *message.GetReflection();
  if (field.cpp_type() == Field::CPPTYPE_STRING) {
    if (!node.IsScalar()) return Mistake(path, WrongType(node, "a text"));
    return field.is_repeated() ? set.AddString(&message, &field, node.scalar)
                               : set.SetString(&message, &field, node.scalar);
  }
  if (field.cpp_type() == Field::CPPTYPE_ENUM) return ReadEnum(node, path, message, field);
  const YamlWord word = shape_.word(field, node.scalar);
  std::string text = node.IsScalar() && !node.is_quoted ? node.scalar : "";
  if (!word.plain.empty()) text = word.plain;
  if (field.cpp_type() == Field::CPPTYPE_BOOL) {
    if (text != "true" && text != "false")
      return Mistake(path, WrongType(node, word.right.empty() ? "true or false" : word.right));
    return set.SetBool(&message, &field, text == "true");
  }
  const bool is_long = field.cpp_type() == Field::CPPTYPE_UINT64;
  GATEHOUSE_CHECK(is_long || field.cpp_type() == Field::CPPTYPE_UINT32);
  const std::uint64_t most = is_long ? std::numeric_limits<std::uint64_t>::max()
                                     : std::numeric_limits<std::uint32_t>::max();
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size() || number > most)
    return Mistake(path,
                   WrongType(node, word.right.empty() ? fmt::format("a number from 0 to {}", most)
                                                      : word.right));
  if (is_long)
    set.SetUInt64(&message, &field, number);
  else
    set.SetUInt32(&message, &field, static_cast<std::uint32_t>(number));
}

void YamlReader::NoteUnread(std::string_view key) {
  places_.unread.emplace(SectionOf(key));
  places_.unread_keys.emplace(key);
}

void YamlReader::Mistake(std::string_view key, std::string_view what) {
  NoteUnread(key);
  mistakes_.push_back(places_.At(key, what));
}

void YamlReader::Mistake(int line, std::string_view what) {
  places_.unread.emplace();
  mistakes_.push_back(
      {Fault::kConfig, fmt::format("{}:{}: {}", AsSentence(places_.file), line, AsSentence(what))});
}

void YamlReader::Remember(const YamlNode& node, const std::string& path) {
  places_.lines[path] = node.line;
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
      return BadConfig(
          fmt::format("{}: has more than {} octets; name a smaller file", path, most_bytes));
  }
}

}  // namespace

Result<std::string> ReadTextFile(const std::string& path, std::size_t most_bytes) {
  // A named pipe that nobody writes to is opened without waiting, and then reads as empty.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return BadConfig(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  static_cast<void>(::fcntl(fd, F_SETFL, 0));
  const Result<std::string> bytes = ReadAll(fd, path, most_bytes);
  ::close(fd);
  if (!bytes) return bytes;
  Result<std::string, NoText> text = DecodeText(*bytes);
  if (text) return *std::move(text);
  return BadConfig(
      fmt::format("{}:{}: {}; {}", path, text.error().line, text.error().what, kWriteUtf8));
}

}  // namespace gatehouse
