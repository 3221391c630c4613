#include "core/xmpp/outbound_dane.h"

#include <utility>

#include "core/base/log.h"

namespace gatehouse {
namespace {

std::string_view ModeName(DaneMode mode) {
  switch (mode) {
    case DaneMode::kOff:
      return "off";
    case DaneMode::kReport:
      return "report";
    case DaneMode::kEnforce:
      return "enforce";
  }
  std::unreachable();
}

// What each stream to an unsigned zone would say is counted only, but for those whose operator
// wants records to decide: there it is news that they did not.
bool IsWorthALine(DaneMode mode, DaneResult result) {
  return mode == DaneMode::kEnforce || result == DaneResult::kUnusable ||
         result == DaneResult::kLookupFailed || result == DaneResult::kMatched ||
         result == DaneResult::kMismatched;
}

}  // namespace

DaneMode DaneModeOf(const proto::Partner& partner) {
  if (partner.tls() == proto::NOT_SUPPORTED || partner.dane() == proto::OFF) return DaneMode::kOff;
  return partner.dane() == proto::ENFORCE ? DaneMode::kEnforce : DaneMode::kReport;
}

std::string_view DaneResultName(DaneResult result) {
  switch (result) {
    case DaneResult::kNotAsked:
      return "not-asked";
    case DaneResult::kInsecure:
      return "insecure";
    case DaneResult::kNoRecords:
      return "no-records";
    case DaneResult::kUnusable:
      return "unusable";
    case DaneResult::kLookupFailed:
      return "lookup-failed";
    case DaneResult::kFound:
      return "found";
    case DaneResult::kMatched:
      return "matched";
    case DaneResult::kMismatched:
      return "mismatched";
  }
  std::unreachable();
}

std::string TlsaName(std::string_view host, std::uint16_t port) {
  return "_" + std::to_string(port) + "._tcp." + std::string(host);
}

void TakeTlsa(const DnsAnswer<TlsaRecord>& answer, TargetDane& dane) {
  if (answer.status == DnsStatus::kTemporary) {
    dane.result = DaneResult::kLookupFailed;
    return;
  }
  dane.result = DaneResult::kNoRecords;
  if (answer.status == DnsStatus::kNoData || !answer.secure) return;
  dane.records = UsableTlsa(answer.records);
  dane.result = dane.records.empty() ? DaneResult::kUnusable : DaneResult::kFound;
}

void NoteDane(Metrics& metrics, std::string_view remote, const DaneReport& report) {
  const std::string_view result = DaneResultName(report.result);
  ++metrics.Value("gatehouse_dane_total", "{mode=\"" + std::string(ModeName(report.mode)) +
                                              "\",result=\"" + std::string(result) + "\"}");
  if (!IsWorthALine(report.mode, report.result)) return;
  const bool fine = report.result == DaneResult::kMatched;
  Log(fine ? LogLevel::kInfo : LogLevel::kNotice, "stream-out-dane",
      {{"remote", remote},
       {"mode", ModeName(report.mode)},
       {"result", result},
       {"detail", report.detail}});
}

}  // namespace gatehouse
