#include "core/ctl/refusal_text.h"

#include <fmt/format.h>

#include <set>

#include "core/ctl/json_text.h"
#include "core/ctl/text_table.h"
#include "core/ctl/time_text.h"
#include "core/policy/reasons.h"

namespace gatehouse::ctl {
namespace {

std::string RefusalLine(std::string_view name, std::string_view value) {
  return value.empty() ? std::string()
                       : fmt::format("{:<14}{}\n", name, Printable(std::string(value)));
}

std::string_view AnswerText(const proto::RefusalRecord& record) {
  return record.answer().empty() ? std::string_view("nothing is told") : record.answer();
}

std::string TableOf(const proto::RefusalRecords& records) {
  TextTable table({"ID", "AT", "FROM", "TO", "KIND", "REASON", "ANSWER"});
  for (const proto::RefusalRecord& record : records.refusals())
    table.Add({record.id(), SecondText(record.at_unix_ms() / 1000), record.from(), record.to(),
               record.kind(), record.reason(), std::string(AnswerText(record))});
  return table.ToText();
}

// Each reason once, as its latest refusal has it.
std::string WordsOf(const proto::RefusalRecords& records) {
  std::string text;
  std::set<std::string_view> told;
  for (const proto::RefusalRecord& record : records.refusals()) {
    if (!told.insert(record.reason()).second) continue;
    text += fmt::format("{}\n    {}\n", Printable(record.reason()), Printable(record.sentence()));
    if (!record.remedy().empty())
      text += fmt::format("    remedy: {}\n", Printable(record.remedy()));
  }
  return text;
}

}  // namespace

std::string VerdictText(const proto::PolicyVerdict& verdict) {
  return RefusalLine("verdict", verdict.decision()) + RefusalLine("rule", verdict.rule()) +
         RefusalLine("SIP user", verdict.sip_user()) + RefusalLine("contact", verdict.contact()) +
         RefusalLine("direction", verdict.direction()) + RefusalLine("kind", verdict.kind()) +
         RefusalLine("partner type",
                     verdict.partner_type().empty() ? "(no partner)" : verdict.partner_type()) +
         RefusalLine("contact state", verdict.contact_state()) +
         RefusalLine("reason", verdict.reason()) + RefusalLine("", verdict.sentence()) +
         RefusalLine("remedy", verdict.remedy()) +
         RefusalLine("answer", verdict.reason().empty() || !verdict.answer().empty()
                                   ? verdict.answer()
                                   : "(nothing)");
}

std::string RefusalsText(const proto::RefusalRecords& records, bool in_full) {
  if (records.refusals().empty()) return "nothing was refused lately\n";
  if (!in_full) return TableOf(records) + "\n" + WordsOf(records);
  std::string text;
  for (const proto::RefusalRecord& record : records.refusals())
    text += RefusalLine("id", record.id()) +
            RefusalLine("at", SecondText(record.at_unix_ms() / 1000)) +
            RefusalLine("partner", record.partner()) + RefusalLine("from", record.from()) +
            RefusalLine("to", record.to()) + RefusalLine("direction", record.direction()) +
            RefusalLine("kind", record.kind()) + RefusalLine("rule", record.rule()) +
            RefusalLine("reason", record.reason()) + RefusalLine("", record.sentence()) +
            RefusalLine("remedy", record.remedy()) + RefusalLine("answer", AnswerText(record));
  return text;
}

std::string ReasonsText() {
  std::string text;
  for (const ReasonEntry& entry : Reasons()) {
    text += fmt::format("{}\n    {}\n", entry.code, entry.sentence);
    if (!entry.remedy.empty()) text += fmt::format("    remedy: {}\n", entry.remedy);
  }
  return text;
}

std::string ReasonsJson() {
  std::string text = "{\"reasons\":[";
  for (const ReasonEntry& entry : Reasons()) {
    if (text.back() != '[') text += ',';
    text += fmt::format(R"({{"code":{},"sentence":{},"remedy":{}}})", JsonString(entry.code),
                        JsonString(entry.sentence), JsonString(entry.remedy));
  }
  return text + "]}\n";
}

}  // namespace gatehouse::ctl
