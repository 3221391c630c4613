#include "core/ctl/audit_text.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <string_view>

#include "core/base/time_word.h"
#include "core/base/utf8_check.h"
#include "core/config/data_yaml.h"
#include "core/ctl/text_table.h"
#include "core/ctl/time_text.h"
#include "proto/federation_data.pb.h"

namespace gatehouse::ctl {
namespace {

// A longer text, such as a certificate, is told by its size.
constexpr std::size_t kMaxShownBytes = 80;
constexpr std::size_t kMaxShownListBytes = 400;

std::string ValueText(const std::string& value) {
  if (value.empty()) return "(empty)";
  if (value.size() > kMaxShownBytes) return fmt::format("({} octets)", value.size());
  return Printable(value);
}

// "+a.example, -b.example": what was added to a list and taken from it.
bool IsListChange(const proto::ChangeView& change, const proto::FieldChange& field) {
  const auto* body = proto::Record::descriptor()->FindFieldByName(change.kind());
  if (change.verb() != proto::ChangeView::CHANGED || body == nullptr) return false;
  const auto* list = body->message_type()->FindFieldByName(field.field());
  return list != nullptr && list->is_repeated();
}

std::string ListChangeText(const std::string& items) {
  if (items.size() <= kMaxShownListBytes) return Printable(items);
  const std::string_view begin = BeginningOf(items, kMaxShownListBytes);
  const std::size_t end = begin.rfind(", ");
  return Printable(std::string(begin.substr(0, end))) +
         fmt::format(" and more ({} octets)", items.size());
}

// A time by the word that a file and a flag have for it.
proto::FieldChange InWords(proto::FieldChange field) {
  const std::string_view key = DataKey(field.field());
  if (key.size() == field.field().size()) return field;
  for (std::string* value : {field.mutable_before(), field.mutable_after()})
    if (const auto unix_s = ParseTimeWord(*value)) *value = TimeWord(*unix_s);
  field.set_field(std::string(key));
  return field;
}

std::string FieldsText(const proto::ChangeView& change) {
  std::string text;
  for (const proto::FieldChange& as_kept : change.fields()) {
    const proto::FieldChange field = InWords(as_kept);
    text += fmt::format("{}{} ", text.empty() ? "" : ", ", field.field());
    if (IsListChange(change, field))
      text += ListChangeText(field.after());
    else if (change.verb() == proto::ChangeView::CHANGED)
      text += fmt::format("{} -> {}", ValueText(field.before()), ValueText(field.after()));
    else
      text += ValueText(field.before().empty() ? field.after() : field.before());
  }
  return text;
}

std::string ChangeText(const proto::ChangeView& change) {
  const std::string name =
      Printable(change.key().empty() ? change.kind() : change.kind() + ' ' + change.key());
  // A record that is no more than its name has no fields to be told.
  const std::string_view colon = change.fields().empty() ? "" : ": ";
  switch (change.verb()) {
    case proto::ChangeView::ADDED:
      return fmt::format("{} added{}{}", name, colon, FieldsText(change));
    case proto::ChangeView::REMOVED:
      return fmt::format("{} removed{}{}", name, colon, FieldsText(change));
    default:
      return fmt::format("{}: {}", name, FieldsText(change));
  }
}

std::string UserText(const proto::AuditRecord& record) {
  if (record.uid() < 0) return Printable(record.user());
  return fmt::format("{} (uid {})", Printable(record.user()), record.uid());
}

std::string RevisionText(const proto::AuditRecord& record) {
  return record.revision() == 0 ? "-" : std::to_string(record.revision());
}

std::string ActionText(const proto::AuditRecord& record) {
  return record.action() + (record.subject().empty() ? "" : ' ' + record.subject());
}

}  // namespace

std::string ChangesText(const google::protobuf::RepeatedPtrField<proto::ChangeView>& changes,
                        std::string_view indent) {
  std::string text;
  for (const proto::ChangeView& change : changes)
    text += fmt::format("{}{}\n", indent, ChangeText(change));
  return text;
}

std::string ReportText(const proto::ChangeReport& report) {
  if (report.changes().empty()) return "no record differs\n";
  const std::string text = ChangesText(report.changes(), "");
  const int count = report.changes_size();
  const std::string records = count == 1 ? "1 record" : fmt::format("{} records", count);
  if (report.to() == 0) return text + fmt::format("{} would change\n", records);
  return text +
         fmt::format("{} changed from revision {} to {}\n", records, report.from(), report.to());
}

std::string AuditText(const proto::AuditRecords& audit) {
  std::string text;
  for (const proto::AuditRecord& record : audit.records()) {
    text += fmt::format("{}  revision {}  {}  {}\n", SecondText(record.at_unix_ms() / 1000),
                        RevisionText(record), UserText(record), Printable(ActionText(record)));
    if (!record.reason().empty()) text += fmt::format("  why: {}\n", Printable(record.reason()));
    text += ChangesText(record.changes(), "  ");
  }
  return text.empty() ? "nothing is noted\n" : text;
}

std::string HistoryText(const proto::AuditRecords& audit) {
  TextTable table({"REVISION", "AT", "USER", "WHAT", "RECORDS", "WHY"});
  for (const proto::AuditRecord& record : audit.records())
    table.Add({RevisionText(record), SecondText(record.at_unix_ms() / 1000), record.user(),
               ActionText(record), std::to_string(record.changes_size()), record.reason()});
  return table.ToText();
}

}  // namespace gatehouse::ctl
