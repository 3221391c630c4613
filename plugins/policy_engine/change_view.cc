#include "plugins/policy_engine/change_view.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "core/base/enum_words.h"
#include "core/policy/record_kinds.h"

namespace gatehouse::policy_engine {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string ScalarText(const Message& body, const FieldDescriptor& field) {
  const auto& of = *body.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return of.GetString(body, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return of.GetBool(body, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumWord(*of.GetEnum(body, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(of.GetUInt32(body, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return std::to_string(of.GetUInt64(body, &field));
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;  // no record has one
  }
  return {};
}

std::string FieldText(const proto::Record& record, const FieldDescriptor& field) {
  if (record.body_case() == proto::Record::BODY_NOT_SET) return {};
  const Message& body = BodyOf(record);
  if (!field.is_repeated()) return ScalarText(body, field);
  std::string text;
  for (int i = 0; i < body.GetReflection()->FieldSize(body, &field); ++i)
    text += (i > 0 ? ", " : "") + body.GetReflection()->GetRepeatedString(body, &field, i);
  return text;
}

void AddField(std::string name, std::string before, std::string after, proto::ChangeView& view) {
  if (before == after) return;
  proto::FieldChange& one = *view.add_fields();
  one.set_field(std::move(name));
  one.set_before(std::move(before));
  one.set_after(std::move(after));
}

std::vector<std::string> Items(const proto::Record& record, const FieldDescriptor& field) {
  const Message& body = BodyOf(record);
  const int count = body.GetReflection()->FieldSize(body, &field);
  std::vector<std::string> items;
  items.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    items.push_back(body.GetReflection()->GetRepeatedString(body, &field, i));
  std::ranges::sort(items);
  return items;
}

// "+x" for each of `list` that `other` has not; both in order.
std::string OnlyIn(const std::vector<std::string>& list, const std::vector<std::string>& other,
                   char sign) {
  std::vector<std::string> only;
  std::ranges::set_difference(list, other, std::back_inserter(only));
  std::string text;
  for (const std::string& item : only) {
    if (!text.empty()) text += ", ";
    text += sign + item;
  }
  return text;
}

void AddList(const proto::RecordChange& change, const FieldDescriptor& field,
             proto::ChangeView& view) {
  const std::vector<std::string> was = Items(change.before(), field);
  const std::vector<std::string> is = Items(change.after(), field);
  const std::string added = OnlyIn(is, was, '+');
  const std::string taken = OnlyIn(was, is, '-');
  AddField(field.name(), {}, added + (added.empty() || taken.empty() ? "" : ", ") + taken, view);
}

proto::ChangeView::Verb VerbOf(bool was_there, bool is_there) {
  if (!was_there) return proto::ChangeView::ADDED;
  return is_there ? proto::ChangeView::CHANGED : proto::ChangeView::REMOVED;
}

std::map<std::string, std::string> FieldsOf(const std::string& json) {
  google::protobuf::Struct object;
  std::map<std::string, std::string> fields;
  if (json.empty() || !google::protobuf::util::JsonStringToMessage(json, &object).ok())
    return fields;
  for (const auto& [name, value] : object.fields()) {
    std::string& text = fields[name];
    if (value.kind_case() == google::protobuf::Value::kStringValue)
      text = value.string_value();
    else
      static_cast<void>(google::protobuf::util::MessageToJsonString(value, &text));
  }
  return fields;
}

}  // namespace

proto::ChangeView ChangeViewOf(const proto::RecordChange& change) {
  const proto::Record& named = change.has_after() ? change.after() : change.before();
  proto::ChangeView view;
  view.set_kind(std::string(KindWord(named)));
  view.set_key(KeyOf(named));
  view.set_verb(VerbOf(change.has_before(), change.has_after()));
  if (named.body_case() == proto::Record::BODY_NOT_SET) return view;
  const auto& type = *BodyOf(named).GetDescriptor();
  const RecordKind* const kind = FindKind(named);
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (kind != nullptr && (field.name() == kind->key || IsKept(*kind, field))) continue;
    if (field.is_repeated() && view.verb() == proto::ChangeView::CHANGED)
      AddList(change, field, view);
    else
      AddField(field.name(), FieldText(change.before(), field), FieldText(change.after(), field),
               view);
  }
  return view;
}

proto::ChangeView ChangeViewOf(std::string_view kind, std::string_view key,
                               const std::string& before, const std::string& after) {
  proto::ChangeView view;
  view.set_kind(std::string(kind));
  view.set_key(std::string(key));
  view.set_verb(VerbOf(!before.empty(), !after.empty()));
  std::map<std::string, std::string> was = FieldsOf(before);
  std::map<std::string, std::string> is = FieldsOf(after);
  for (const auto& [name, value] : was) is.try_emplace(name);
  for (const auto& [name, value] : is) AddField(name, was[name], value, view);
  return view;
}

void AddSlotChanges(const std::string& before, const std::string& after,
                    proto::AuditRecord& record) {
  std::map<std::string, std::string> was = FieldsOf(before);
  std::map<std::string, std::string> is = FieldsOf(after);
  for (const auto& [name, value] : was) is.try_emplace(name);
  for (const auto& [name, value] : is) {
    proto::ChangeView view;
    view.set_kind("slot");
    view.set_key(name);
    view.set_verb(proto::ChangeView::CHANGED);
    AddField("certificate", was[name], value, view);
    if (!view.fields().empty()) *record.add_changes() = std::move(view);
  }
}

}  // namespace gatehouse::policy_engine
