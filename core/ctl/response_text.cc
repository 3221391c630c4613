#include "core/ctl/response_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "core/base/one_line.h"
#include "core/ctl/audit_text.h"
#include "core/ctl/certificate_text.h"
#include "core/ctl/json_text.h"
#include "core/ctl/partner_text.h"
#include "core/ctl/policy_text.h"
#include "core/ctl/refusal_text.h"
#include "core/ctl/text_table.h"
#include "core/ctl/time_text.h"
#include "core/ctl/type_text.h"

namespace gatehouse::ctl {
namespace {

using Request = proto::CtlRequest;
using Response = proto::CtlResponse;

// The two largest units: "3d 4h", "5h 12m", "4m 10s", "12s".
std::string SpanText(std::uint64_t ms) {
  const std::uint64_t s = ms / 1000;
  if (s >= 86400) return fmt::format("{}d {}h", s / 86400, s % 86400 / 3600);
  if (s >= 3600) return fmt::format("{}h {}m", s / 3600, s % 3600 / 60);
  if (s >= 60) return fmt::format("{}m {}s", s / 60, s % 60);
  return fmt::format("{}s", s);
}

std::string WorkersText(const proto::StatusReport& report) {
  TextTable table({"WORKER", "PID", "STATE", "RESTARTS", "UPTIME", "QUEUE"});
  for (const proto::WorkerStatus& worker : report.workers())
    table.Add({worker.name(), worker.pid() > 0 ? std::to_string(worker.pid()) : "-", worker.state(),
               std::to_string(worker.restarts()), SpanText(worker.uptime_ms()),
               std::to_string(worker.queue_depth())});
  return table.ToText();
}

std::string StatusText(const proto::StatusReport& report) {
  std::string text = fmt::format("Gatehouse {}\ndomains    {}\n", report.version(),
                                 Printable(fmt::format("{}", fmt::join(report.domains(), ", "))));
  for (const proto::ListenerStatus& listener : report.listeners())
    text += fmt::format("listening  {} {}\n", listener.kind(), Printable(listener.address()));
  text += fmt::format("streams    {}\npartners   {}\n", report.streams(), report.partners());
  for (const std::string& notice : report.notices())
    text += fmt::format("notice     {}\n", Printable(notice));
  return text + '\n' + WorkersText(report);
}

std::string TestText(const proto::TestReport& report) {
  TextTable table({"STEP", "", "AT", "DETAIL"});
  for (const proto::TestStep& step : report.steps())
    table.Add({step.step(), step.ok() ? "ok" : "FAILED",
               fmt::format("{:.1f} ms", static_cast<double>(step.at_us()) / 1000.0),
               step.detail()});
  return table.ToText() + (report.ok() ? "passed\n" : "failed\n");
}

std::string ContactsText(const proto::ContactViews& views) {
  TextTable table({"SIP USER", "CONTACT", "STATE", "SEEN", "ENDS"});
  for (const proto::ContactView& view : views.contacts())
    table.Add({view.sip_user(), view.contact(), view.state() + (view.ended() ? " (ended)" : ""),
               MinuteText(view.seen_unix()),
               view.ends_unix() == 0 ? "never" : MinuteText(view.ends_unix())});
  std::string text = table.ToText();
  if (!views.next().empty())
    text += fmt::format("there are more; go on with --after '{}'\n", Printable(views.next()));
  return text;
}

// `new`, `set`, `get` and `explain` are about one partner; `list` is about all of them.
bool IsAboutOne(const Request& request) {
  return !request.has_partner_list();
}

std::string PartnersText(const Request& request, const proto::PartnerViews& partners) {
  if (!IsAboutOne(request) || partners.partners().empty()) return PartnerListText(partners);
  const proto::PartnerView& view = partners.partners(0);
  if (request.has_partner_explain()) return ExplanationText(view);
  if (request.has_partner_new() || request.has_partner_accept())
    return fmt::format("partner '{}' is added\n{}", view.partner().domain(), RowText(view));
  if (request.has_partner_set())
    return fmt::format("partner '{}' is set\n{}", view.partner().domain(), RowText(view));
  return PartnerText(view);
}

std::string DeniedText(const proto::DeniedDomains& denied) {
  if (denied.domains().empty()) return "no domain is denied\n";
  std::string text;
  for (const std::string& domain : denied.domains()) text += Printable(domain) + '\n';
  return text;
}

// "would be imported" where nothing was written; "unchanged" is so either way.
std::string ResultText(const proto::ImportResult& result, bool written) {
  if (result.result() == "refused") return "refused: " + result.why();
  return written || result.result() == "unchanged" ? result.result()
                                                   : "would be " + result.result();
}

// One line for each record and, indented, what is to be said of it.
std::string ImportText(bool dry_run, const proto::ImportReport& report) {
  std::string text;
  const std::string_view would = report.written() ? "" : "would be ";
  std::map<std::string, int> counts;
  for (const proto::ImportResult& result : report.results()) {
    ++counts[result.result()];
    const std::string name = result.name().empty() ? "" : " '" + AsSentence(result.name()) + "'";
    text += fmt::format("{}{} of {}: {}\n", result.kind(), name, Printable(result.from()),
                        AsSentence(ResultText(result, report.written())));
    for (const std::string& note : result.notes()) text += "  " + AsSentence(note) + '\n';
  }
  const std::string good =
      fmt::format("{} {}imported, {} {}replaced, {} unchanged", counts["imported"], would,
                  counts["replaced"], would, counts["unchanged"]);
  if (report.written()) return text + good + '\n';
  if (dry_run && counts["refused"] == 0)  // one that is refused keeps all of them out
    return text + good + "; this was a dry run\n";
  return text;
}

// `policy list` without a name is about all of them.
bool IsAboutOnePolicy(const Request& request, const proto::AccessPolicies& policies) {
  const bool all = request.has_policy_list() && request.policy_list().name().empty();
  return !all && policies.policies_size() == 1;
}

std::string PoliciesText(const Request& request, const proto::AccessPolicies& policies) {
  if (!IsAboutOnePolicy(request, policies)) return PolicyListText(policies);
  const proto::AccessPolicy& policy = policies.policies(0);
  if (request.has_policy_new())
    return fmt::format("access policy '{}' is added\n{}", policy.name(), PolicyText(policy));
  return PolicyText(policy);
}

std::string WorkersJson(const proto::StatusReport& report) {
  std::string text = "{\"workers\":[";
  for (const proto::WorkerStatus& worker : report.workers()) {
    if (text.back() != '[') text += ',';
    text += JsonText(worker);
  }
  return text + "]}";
}

}  // namespace

std::string ResponseText(const Request& request, const Response& response) {
  switch (response.result_case()) {
    case Response::kStatus:
      return request.has_worker() ? WorkersText(response.status()) : StatusText(response.status());
    case Response::kPartners:
      return PartnersText(request, response.partners());
    case Response::kGateway:
      return GatewayText(response.gateway());
    case Response::kTest:
      return TestText(response.test());
    case Response::kContacts:
      return ContactsText(response.contacts());
    case Response::kAudit:
      return request.audit_get().revisions_only() ? HistoryText(response.audit())
                                                  : AuditText(response.audit());
    case Response::kChanges:
      return ReportText(response.changes());
    case Response::kFederationData:
    case Response::kBackup:
      return {};  // files, not texts
    case Response::kApplyPlan:
      return {};  // of use to `apply` alone
    case Response::kVerdict:
      return VerdictText(response.verdict());
    case Response::kRefusals:
      return RefusalsText(response.refusals(), !request.why().id().empty());
    case Response::kDone:
      return Printable(response.done()) + '\n';
    case Response::kPolicies:
      return PoliciesText(request, response.policies());
    case Response::kPartnerTypes:
      return TypeListText(response.partner_types());
    case Response::kDenied:
      return DeniedText(response.denied());
    case Response::kStrangers:
      return StrangersText(response.strangers());
    case Response::kImported:
      return ImportText(request.import().dry_run(), response.imported());
    case Response::kCertificates:
      return CertificatesText(request, response.certificates(), std::time(nullptr));
    case Response::kCertificateKey:
      return {};  // a file, not a text
    case Response::kRenewal:
      return RenewalText(response.renewal(), std::time(nullptr));
    case Response::RESULT_NOT_SET:
      break;
  }
  return "done\n";
}

std::string ResponseJson(const Request& request, const Response& response) {
  switch (response.result_case()) {
    case Response::kStatus:
      return request.has_worker() ? WorkersJson(response.status()) : JsonText(response.status());
    case Response::kPartners:
      if (IsAboutOne(request) && !response.partners().partners().empty())
        return JsonText(response.partners().partners(0));
      return JsonText(response.partners());
    case Response::kGateway:
      return JsonText(response.gateway());
    case Response::kTest:
      return JsonText(response.test());
    case Response::kContacts:
      return JsonText(response.contacts());
    case Response::kAudit:
      return JsonText(response.audit());
    case Response::kChanges:
      return JsonText(response.changes());
    case Response::kFederationData:
      return JsonText(response.federation_data());
    case Response::kBackup:
    case Response::kApplyPlan:
      return {};
    case Response::kVerdict:
      return JsonText(response.verdict());
    case Response::kRefusals:
      return JsonText(response.refusals());
    case Response::kDone:
      return fmt::format("{{\"done\":{}}}", JsonString(response.done()));
    case Response::kPolicies:
      if (IsAboutOnePolicy(request, response.policies()))
        return JsonText(response.policies().policies(0));
      return JsonText(response.policies());
    case Response::kPartnerTypes:
      if (!request.has_partner_type_list()) return JsonText(response.partner_types().types(0));
      return JsonText(response.partner_types());
    case Response::kDenied:
      return JsonText(response.denied());
    case Response::kStrangers:
      return JsonText(response.strangers());
    case Response::kImported:
      return JsonText(response.imported());
    case Response::kCertificates:
      if (IsAboutOneCertificate(request, response.certificates()))
        return JsonText(response.certificates().certificates(0));
      return JsonText(response.certificates());
    case Response::kCertificateKey:
      return {};
    case Response::kRenewal:
      return JsonText(response.renewal());
    case Response::RESULT_NOT_SET:
      break;
  }
  return "{}";
}

}  // namespace gatehouse::ctl
