#include "core/config/data_yaml.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "core/base/enum_words.h"
#include "core/base/time_word.h"
#include "core/policy/record_kinds.h"

namespace gatehouse {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The kind whose records are of this type; null for other messages.
const RecordKind* KindOfBody(const google::protobuf::Descriptor& type) {
  for (const RecordKind& kind : RecordKinds())
    if (proto::Record::descriptor()->FindFieldByNumber(kind.number)->message_type() == &type)
      return &kind;
  return nullptr;
}

constexpr std::string_view kContacts = "contacts";
// The fields of ContactViews and ContactView that are in no file.
constexpr std::array<std::string_view, 4> kOfAList = {"next", "seen_unix", "ends_unix", "ended"};

bool Hides(const FieldDescriptor& field) {
  const auto* const type = field.containing_type();
  if (type == proto::ContactViews::descriptor() || type == proto::ContactView::descriptor())
    return std::ranges::find(kOfAList, field.name()) != kOfAList.end();
  const RecordKind* const kind = KindOfBody(*field.containing_type());
  return kind != nullptr && IsKept(*kind, field);
}

void StartWithDefaults(Message& message) {
  const RecordKind* const kind = KindOfBody(*message.GetDescriptor());
  if (kind == nullptr) return;
  proto::Record record;
  kind->defaults(record);
  message.CopyFrom(BodyOf(record));
}

bool IsTime(const FieldDescriptor& field) {
  return DataKey(field.name()).size() < field.name().size();
}

std::string_view KeyOfField(const FieldDescriptor& field) {
  return DataKey(field.name());
}

// As the flag of gatehousectl gateway set has it.
YamlWord OutboundWord(const std::string& text) {
  const bool is_word = text == "allow" || text == "deny";
  return {is_word ? (text == "allow" ? "true" : "false") : "", "deny, allow, true or false"};
}

YamlWord WordOf(const FieldDescriptor& field, const std::string& text) {
  if (field.name() == "unverified_outbound_im") return OutboundWord(text);
  if (!IsTime(field)) return {};
  const auto unix_s = ParseTimeWord(text);
  return {unix_s ? std::to_string(*unix_s) : "", kTimeWords};
}

// What no YAML reader takes for anything but this text.
bool IsPlain(std::string_view text) {
  static constexpr std::array kWords = {"true", "false", "null", "yes", "no",
                                        "on",   "off",   "y",    "n"};
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (lower.empty() || lower.front() < 'a' || lower.front() > 'z') return false;
  if (std::ranges::find(kWords, lower) != kWords.end()) return false;
  return std::ranges::all_of(lower, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (byte < 0x20 || byte == 0x7f)
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    else
      out += c;
  }
  return out + '"';
}

// Lines of printable ASCII, such as a certificate, read best as they are.
bool IsBlock(std::string_view text) {
  if (!text.ends_with('\n') || text.ends_with("\n\n") || text.starts_with('\n')) return false;
  bool line_begins = true;
  for (const char c : text) {
    if (c != '\n' && (c < 0x20 || c > 0x7e)) return false;
    if (line_begins && c == ' ') return false;
    line_begins = c == '\n';
  }
  return true;
}

std::string TextScalar(const std::string& text, std::string_view indent) {
  if (IsPlain(text)) return text;
  if (!IsBlock(text)) return Quoted(text);
  std::string out = "|";
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    out += line.empty() ? "\n" : fmt::format("\n{}  {}", indent, line);
    rest.remove_prefix(line.size() + 1);
  }
  return out;
}

std::string Scalar(const Message& message, const FieldDescriptor& field, std::string_view indent) {
  const auto& of = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return TextScalar(of.GetString(message, &field), indent);
    case FieldDescriptor::CPPTYPE_BOOL:
      return of.GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return TextScalar(EnumWord(*of.GetEnum(message, &field)), indent);
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(of.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      if (IsTime(field)) return TextScalar(TimeWord(of.GetUInt64(message, &field)), indent);
      return std::to_string(of.GetUInt64(message, &field));
    default:
      break;
  }
  GATEHOUSE_CHECK(false);  // no record has such a field
  return {};
}

std::string ListText(const Message& message, const FieldDescriptor& field) {
  std::string text = "[";
  const auto& of = *message.GetReflection();
  for (int i = 0; i < of.FieldSize(message, &field); ++i) {
    const std::string item = of.GetRepeatedString(message, &field, i);
    text += (i > 0 ? ", " : "") + (IsPlain(item) ? item : Quoted(item));
  }
  return text + ']';
}

// The keys of one record, the first behind `first`, the others behind `indent`.
std::string RecordText(const Message& message, const std::string& first,
                       const std::string& indent) {
  const auto& of = *message.GetReflection();
  std::string text;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (Hides(field)) continue;
    const bool is_list = field.is_repeated();
    const bool is_text = !is_list && field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    if (is_list && of.FieldSize(message, &field) == 0) continue;
    if (is_text && of.GetString(message, &field).empty()) continue;
    text += fmt::format("{}{}: {}\n", text.empty() ? first : indent, DataKey(field.name()),
                        is_list ? ListText(message, field) : Scalar(message, field, indent));
  }
  return text;
}

std::string SectionText(const Message& data, const FieldDescriptor& field) {
  const auto& of = *data.GetReflection();
  const bool is_list = field.is_repeated();
  if (is_list && of.FieldSize(data, &field) == 0) return field.name() + ": []\n";
  std::string text = field.name() + ":\n";
  if (!is_list) text += RecordText(of.GetMessage(data, &field), "  ", "  ");
  for (int i = 0; is_list && i < of.FieldSize(data, &field); ++i) {
    const std::string record = RecordText(of.GetRepeatedMessage(data, &field, i), "  - ", "    ");
    text += record.empty() ? "  - {}\n" : record;
  }
  return text;
}

const FieldDescriptor& ContactsField() {
  return *proto::ContactViews::descriptor()->FindFieldByName(std::string(kContacts));
}

}  // namespace

std::string_view DataKey(std::string_view field) {
  constexpr std::string_view kTimeSuffix = "_unix";
  if (field.ends_with(kTimeSuffix)) field.remove_suffix(kTimeSuffix.size());
  return field;
}

std::string DataYaml(const proto::FederationData& data) {
  std::string text;
  for (const RecordKind& kind : RecordKinds())
    text += SectionText(data, *data.GetDescriptor()->FindFieldByNumber(kind.number));
  return text;
}

std::string ContactsYaml(const proto::ContactViews& contacts) {
  return SectionText(contacts, ContactsField());
}

namespace {

// Whether the line says by itself that a list is empty: "denied: []". A key whose list was lost in
// editing must not mean that all of it goes.
bool SaysEmpty(std::string_view text, int number) {
  for (; number > 1; --number) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::size_t colon = line.find(':');
  return colon != std::string_view::npos && line.find('[', colon) != std::string_view::npos;
}

// A list whose key is there, but not even as an empty one.
void CheckNotLost(const Message& message, const FieldDescriptor& field, std::string_view text,
                  DataFile& read) {
  if (message.GetReflection()->FieldSize(message, &field) > 0 || !read.mistakes.empty() ||
      SaysEmpty(text, read.places.LineOf(field.name())))
    return;
  read.places.unread.emplace(field.name());
  read.mistakes.push_back(read.places.At(
      field.name(),
      fmt::format("has nothing below it; write '{}: []' to remove all there is", field.name())));
}

}  // namespace

DataFile ReadDataYaml(std::string_view text, std::string_view file) {
  DataFile read;
  read.places.file = file;
  const YamlShape shape{
      .hides = Hides, .start = StartWithDefaults, .key = KeyOfField, .word = WordOf};
  read.mistakes = YamlReader(read.places, shape).Read(text, read.data, &read.contacts);
  const auto& of = *read.data.GetReflection();
  for (const RecordKind& kind : RecordKinds()) {
    const FieldDescriptor& field = *read.data.GetDescriptor()->FindFieldByNumber(kind.number);
    if (!read.places.lines.contains(field.name())) continue;
    read.sections.push_back(field.name());
    if (field.is_repeated()) CheckNotLost(read.data, field, text, read);
    if (!field.is_repeated() && !of.HasField(read.data, &field))  // "gateway:" with nothing below
      StartWithDefaults(*of.MutableMessage(&read.data, &field));
  }
  read.has_contacts = read.places.lines.contains(kContacts);
  if (read.has_contacts) CheckNotLost(read.contacts, ContactsField(), text, read);
  if (!read.mistakes.empty() || !read.sections.empty() || read.has_contacts) return read;
  read.mistakes.push_back({Fault::kConfig, fmt::format("{}:1: holds no data; would be right: a "
                                                       "group of keys such as 'partners:'",
                                                       file)});
  return read;
}

}  // namespace gatehouse
