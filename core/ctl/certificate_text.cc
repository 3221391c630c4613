#include "core/ctl/certificate_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <vector>

#include "core/ctl/text_table.h"
#include "core/ctl/time_text.h"

namespace gatehouse::ctl {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::size_t kShownNames = 3;

std::string StateText(const proto::CertificateView& view) {
  if (!view.issued()) return "requested";
  return view.request_pending() ? "issued, renewal requested" : "issued";
}

std::string SlotsText(const proto::CertificateView& view) {
  std::string text;
  for (const int slot : view.slots()) {
    if (!text.empty()) text += ", ";
    text += slot == proto::SLOT_SIP ? "sip" : "xmpp";
  }
  return text.empty() ? "-" : text;
}

std::string DaysText(const proto::CertificateView& view, std::int64_t now) {
  if (!view.issued()) return "-";
  if (view.not_after_unix() <= now) return "expired";
  return std::to_string((view.not_after_unix() - now) / kDay);
}

std::string NamesText(const proto::CertificateView& view) {
  std::vector<std::string> names(view.names().begin(), view.names().end());
  const std::size_t more = names.size() > kShownNames ? names.size() - kShownNames : 0;
  names.resize(names.size() - more);
  std::string text = names.empty() ? "-" : fmt::format("{}", fmt::join(names, ", "));
  return more == 0 ? text : fmt::format("{} and {} more", text, more);
}

// What became of the one that was changed.
std::string_view Verb(const proto::CtlRequest& request) {
  if (request.has_certificate_requested()) return "has a new key and a request";
  if (request.has_certificate_import()) return "is imported";
  if (request.has_certificate_assign()) return "is assigned";
  return {};
}

class Lines {
 public:
  void Add(std::string_view what, const std::string& value) {
    if (!value.empty()) text_ += fmt::format("{:<20}{}\n", what, Printable(value));
  }
  void AddPem(const std::string& pem) { text_ += Printable(pem, '\n'); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void AddChain(const proto::CertificateView& view, Lines& lines) {
  for (int i = 0; i < view.chain_size(); ++i) {
    const proto::CertificateLink& link = view.chain(i);
    lines.Add(i == 0 ? "chain" : "", fmt::format("{} by {}, until {}", link.subject(),
                                                 link.issuer(), MinuteText(link.not_after_unix())));
  }
}

}  // namespace

std::string CertificateListText(const proto::CertificateViews& views, std::int64_t now) {
  if (views.certificates().empty())
    return "there is no certificate; request one with gatehousectl cert request\n";
  TextTable table({"NAME", "STATE", "SLOTS", "CAME BY", "KEY", "NAMES", "ENDS", "DAYS LEFT"});
  for (const proto::CertificateView& view : views.certificates())
    table.Add({view.name(), StateText(view), SlotsText(view), view.source(), view.key_type(),
               NamesText(view), view.issued() ? MinuteText(view.not_after_unix()) : "-",
               DaysText(view, now)});
  std::string text = table.ToText();
  for (const proto::CertificateView& view : views.certificates())
    for (const std::string& warning : view.warnings())
      text += Printable(fmt::format("warning: {}: {}", view.name(), warning)) + '\n';
  return text;
}

std::string CertificateText(const proto::CertificateView& view, std::int64_t now) {
  Lines lines;
  lines.Add("name", view.name());
  lines.Add("friendly name", view.friendly_name());
  lines.Add("state", StateText(view));
  lines.Add("slots", SlotsText(view));
  lines.Add("came by", view.source());
  lines.Add("key", view.key_type() + (view.exportable() ? ", may be exported" : ""));
  lines.Add("subject", view.subject());
  for (const std::string& name : view.names()) lines.Add("names it", name);
  lines.Add("serial", view.serial());
  lines.Add("sha-256", view.sha256());
  if (view.issued()) {
    lines.Add("begins", MinuteText(view.not_before_unix()));
    lines.Add("ends", MinuteText(view.not_after_unix()));
    lines.Add("days left", DaysText(view, now));
  }
  AddChain(view, lines);
  for (const std::string& warning : view.warnings()) lines.Add("warning", warning);
  if (view.request_pending()) lines.AddPem(view.request());
  return lines.text();
}

bool IsAboutOneCertificate(const proto::CtlRequest& request, const proto::CertificateViews& views) {
  const bool all = request.has_certificate_get() && request.certificate_get().name().empty();
  return !all && views.certificates_size() == 1;
}

std::string CertificatesText(const proto::CtlRequest& request, const proto::CertificateViews& views,
                             std::int64_t now) {
  if (!IsAboutOneCertificate(request, views)) return CertificateListText(views, now);
  const proto::CertificateView& view = views.certificates(0);
  const std::string_view verb = Verb(request);
  if (verb.empty()) return CertificateText(view, now);
  std::string text = Printable(fmt::format("certificate '{}' {}", view.name(), verb)) + '\n';
  for (const std::string& warning : view.warnings())
    text += "warning: " + Printable(warning) + '\n';
  return text;
}

std::string RenewalText(const proto::RenewalView& view, std::int64_t now) {
  const auto ends = [&view, now] {
    if (view.not_after_unix() == 0) return std::string("there is none yet");
    if (view.not_after_unix() <= now) return std::string("it has expired");
    return fmt::format("{}, {} days left", MinuteText(view.not_after_unix()),
                       (view.not_after_unix() - now) / kDay);
  };
  Lines lines;
  lines.Add("certificate", view.certificate());
  lines.Add("names", fmt::format("{}", fmt::join(view.names(), ", ")));
  lines.Add("directory", view.directory());
  lines.Add("challenge", view.challenge());
  lines.Add("ends", ends());
  const bool waits = view.state() == "waiting";
  lines.Add("next attempt", !waits ? "it is being renewed now"
                            : view.next_attempt_unix() <= now
                                ? std::string("now")
                                : MinuteText(view.next_attempt_unix()));
  lines.Add("last attempt",
            view.last_attempt_unix() == 0 ? "none yet" : MinuteText(view.last_attempt_unix()));
  lines.Add("last result", view.last_result());
  lines.Add("why", view.last_error());
  lines.Add("failures in a row", std::to_string(view.failures()));
  return lines.text();
}

}  // namespace gatehouse::ctl
