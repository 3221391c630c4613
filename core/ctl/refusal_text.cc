#include "core/ctl/refusal_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <set>

#include "core/ctl/json_text.h"
#include "core/ctl/text_table.h"
#include "core/policy/reasons.h"

namespace gatehouse::ctl {
namespace {

std::string TimeText(std::uint64_t unix_ms) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(static_cast<std::time_t>(unix_ms / 1000)));
}

std::string Line(std::string_view name, std::string_view value) {
  return value.empty() ? std::string()
                       : fmt::format("{:<14}{}\n", name, Printable(std::string(value)));
}

std::string_view AnswerText(const proto::RefusalRecord& record) {
  return record.answer().empty() ? std::string_view("nothing is told") : record.answer();
}

std::string TableOf(const proto::RefusalRecords& records) {
  TextTable table({"ID", "AT", "FROM", "TO", "KIND", "REASON", "ANSWER"});
  for (const proto::RefusalRecord& record : records.refusals())
    table.Add({record.id(), TimeText(record.at_unix_ms()), record.from(), record.to(),
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
  return Line("verdict", verdict.decision()) + Line("rule", verdict.rule()) +
         Line("SIP user", verdict.sip_user()) + Line("contact", verdict.contact()) +
         Line("direction", verdict.direction()) + Line("kind", verdict.kind()) +
         Line("partner type",
              verdict.partner_type().empty() ? "(no partner)" : verdict.partner_type()) +
         Line("contact state", verdict.contact_state()) + Line("reason", verdict.reason()) +
         Line("", verdict.sentence()) + Line("remedy", verdict.remedy()) +
         Line("answer", verdict.reason().empty() || !verdict.answer().empty() ? verdict.answer()
                                                                              : "(nothing)");
}

std::string RefusalsText(const proto::RefusalRecords& records, bool in_full) {
  if (records.refusals().empty()) return "nothing was refused lately\n";
  if (!in_full) return TableOf(records) + "\n" + WordsOf(records);
  std::string text;
  for (const proto::RefusalRecord& record : records.refusals())
    text += Line("id", record.id()) + Line("at", TimeText(record.at_unix_ms())) +
            Line("partner", record.partner()) + Line("from", record.from()) +
            Line("to", record.to()) + Line("direction", record.direction()) +
            Line("kind", record.kind()) + Line("rule", record.rule()) +
            Line("reason", record.reason()) + Line("", record.sentence()) +
            Line("remedy", record.remedy()) + Line("answer", AnswerText(record));
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
