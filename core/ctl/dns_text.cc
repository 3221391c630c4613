#include "core/ctl/dns_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/ctl/json_text.h"
#include "core/ctl/text_table.h"

namespace gatehouse::ctl {
namespace {

using dnscheck::Finding;
using dnscheck::Weight;
using dnscheck::ZonePicture;

std::string_view WeightWord(Weight weight) {
  switch (weight) {
    case Weight::kMistake:
      return "mistake";
    case Weight::kWarning:
      return "warning";
    case Weight::kNote:
      break;
  }
  return "note";
}

std::size_t Count(const DomainReport& report, Weight weight) {
  return static_cast<std::size_t>(std::ranges::count(report.findings, weight, &Finding::weight));
}

std::vector<std::string> AnswersTo(const ZonePicture& picture,
                                   const dnscheck::ZoneQuestion& question) {
  std::vector<std::string> answers;
  for (const DnsRecord& record : picture.Records(question.name, question.type))
    answers.push_back(DnsDataText(record));
  std::ranges::sort(answers);
  return answers;
}

std::string SaidWord(const DnsSection& section) {
  switch (section.said) {
    case DnsSaid::kRecords:
      return "records";
    case DnsSaid::kNoRecords:
      return "none";
    case DnsSaid::kNoSuchName:
      return "no such name";
    case DnsSaid::kFailure:
    case DnsSaid::kSilence:
      break;
  }
  return section.trouble;
}

// What is not there is told of the records that matter only.
bool IsWorthARow(const DomainReport& report, const dnscheck::ZoneQuestion& question,
                 const DnsSection& section) {
  if (section.said == DnsSaid::kRecords || !section.IsFact()) return true;
  return question.name == dnscheck::XmppService(report.domain) ||
         (question.name == report.domain && question.type != kDnsCaa);
}

std::string RecordsText(const DomainReport& report) {
  TextTable table({"NAME", "TYPE", "SIGNED", "ANSWER"});
  const ZonePicture& picture = report.pictures.front();
  for (const auto& [question, section] : picture.sections) {
    if (!IsWorthARow(report, question, section)) continue;
    const auto answers = AnswersTo(picture, question);
    table.Add({question.name, DnsTypeWord(question.type),
               section.authentic    ? "validated"
               : section.IsSigned() ? "signed"
                                    : "-",
               answers.empty() ? SaidWord(section) : answers.front()});
    for (std::size_t i = 1; i < answers.size(); ++i) table.Add({"", "", "", answers[i]});
  }
  return table.ToText();
}

std::string FindingText(const Finding& finding) {
  std::string text = Printable(fmt::format(
      "{} {}: {}: {}{}", WeightWord(finding.weight), finding.code, finding.name, finding.sentence,
      finding.resolver.empty() ? "" : fmt::format(" (only {} says so)", finding.resolver)));
  if (!finding.line.empty()) text += "\n  " + Printable(finding.line);
  return text + '\n';
}

std::string DomainText(const DomainReport& report) {
  std::string text = fmt::format("{} ({})\n{}", report.domain,
                                 report.ours ? "one of ours" : "not ours: what we look up there",
                                 RecordsText(report));
  for (const Finding& finding : report.findings) text += FindingText(finding);
  return text + fmt::format("mistakes: {}, warnings: {}\n", Count(report, Weight::kMistake),
                            Count(report, Weight::kWarning));
}

template <class Items, class ToText>
std::string JsonList(const Items& items, ToText to_text) {
  std::string text = "[";
  for (const auto& item : items) {
    if (text.size() > 1) text += ',';
    text += to_text(item);
  }
  return text + ']';
}

std::string RecordsJson(const ZonePicture& picture) {
  return JsonList(picture.sections, [&picture](const auto& entry) {
    const auto& [question, section] = entry;
    return fmt::format(
        R"({{"resolver":{},"name":{},"type":{},"said":{},"signed":{},"validated":{},"answers":{}}})",
        JsonString(picture.resolver), JsonString(question.name),
        JsonString(DnsTypeWord(question.type)), JsonString(SaidWord(section)), section.IsSigned(),
        section.authentic, JsonList(AnswersTo(picture, question), JsonString));
  });
}

std::string FindingJson(const Finding& finding) {
  return fmt::format(R"({{"code":{},"weight":{},"name":{},"sentence":{},"line":{},"resolver":{}}})",
                     JsonString(finding.code), JsonString(WeightWord(finding.weight)),
                     JsonString(finding.name), JsonString(finding.sentence),
                     JsonString(finding.line), JsonString(finding.resolver));
}

std::string DomainJson(const DomainReport& report) {
  std::string records = "[";
  for (const ZonePicture& picture : report.pictures) {
    const std::string list = RecordsJson(picture);
    if (records.size() > 1 && list.size() > 2) records += ',';
    records += list.substr(1, list.size() - 2);
  }
  return fmt::format(
      R"({{"domain":{},"ours":{},"mistakes":{},"warnings":{},"findings":{},"records":{}]}})",
      JsonString(report.domain), report.ours, Count(report, Weight::kMistake),
      Count(report, Weight::kWarning), JsonList(report.findings, FindingJson), records);
}

}  // namespace

std::size_t MistakesIn(const DnsReport& report) {
  std::size_t mistakes = 0;
  for (const DomainReport& domain : report.domains) mistakes += Count(domain, Weight::kMistake);
  return mistakes;
}

std::string DnsText(const DnsReport& report) {
  std::string text =
      fmt::format("asked {}; of us by {}\n", fmt::join(report.resolvers, " and "), report.source);
  if (report.resolvers.size() == 1)
    text +=
        "only one resolver was asked, so nothing could be compared; name another with "
        "--resolver\n";
  for (const DomainReport& domain : report.domains) text += '\n' + DomainText(domain);
  return text;
}

std::string DnsJson(const DnsReport& report) {
  return fmt::format(R"({{"ok":{},"source":{},"resolvers":{},"domains":{}}})",
                     MistakesIn(report) == 0, JsonString(report.source),
                     JsonList(report.resolvers, JsonString), JsonList(report.domains, DomainJson));
}

std::string PlanJson(const std::vector<dnscheck::PlannedZone>& zones) {
  return fmt::format(R"({{"zones":{}}})", JsonList(zones, [](const dnscheck::PlannedZone& zone) {
                       return fmt::format(
                           R"({{"zone":{},"lines":{}}})", JsonString(zone.name),
                           JsonList(zone.lines, [](const dnscheck::PlannedLine& line) {
                             return fmt::format(R"({{"line":{},"why":{},"hint":{}}})",
                                                JsonString(line.line), JsonString(line.why),
                                                line.hint);
                           }));
                     }));
}

}  // namespace gatehouse::ctl
