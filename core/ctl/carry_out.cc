#include "core/ctl/carry_out.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "core/base/one_line.h"
#include "core/ctl/apply_data.h"
#include "core/ctl/certificate_files.h"
#include "core/ctl/contact_pages.h"
#include "core/ctl/data_files.h"
#include "core/ctl/dns_work.h"
#include "core/ctl/fresh_file.h"
#include "core/ctl/json_text.h"
#include "core/ctl/lync_export.h"
#include "core/ctl/lync_mapping.h"
#include "core/ctl/matrix_text.h"
#include "core/ctl/partner_text.h"
#include "core/ctl/request_certificate.h"
#include "core/ctl/response_text.h"
#include "core/ctl/sip_work.h"
#include "core/policy/partner_view.h"
#include "core/supervisor/command_route.h"

namespace gatehouse::ctl {
namespace {

constexpr std::size_t kMaxPassphraseBytes = 4096;
// Shorter ones can be guessed (1.4).
constexpr std::size_t kGoodPassphraseBytes = 16;

// A test that failed says where and what to do; its steps are printed all the same.
std::string Complaint(const proto::CtlResponse& response) {
  if (!response.error().empty()) return response.error() + '\n';
  if (!response.has_test() || response.test().ok()) return {};
  const proto::TestReport& test = response.test();
  return test.reason() + (test.remedy().empty() ? "" : "; " + test.remedy()) + '\n';
}

Ending Ask(const Invocation& invocation, const proto::CtlRequest& request, const Outside& outside) {
  const auto response = Call(invocation, request, outside);
  if (!response) return response.error();
  Ending ending;
  ending.exit_code = static_cast<int>(response->exit_code());
  ending.err = Complaint(*response);
  const bool test_failed = response->has_test() && !response->test().ok();
  if (ending.exit_code == kDone && test_failed) ending.exit_code = kRefused;
  const bool has_result = response->result_case() != proto::CtlResponse::RESULT_NOT_SET;
  if (ending.exit_code == kDone || has_result) ending.out = Shown(invocation, request, *response);
  return ending;
}

Ending SetPassphrase(const Invocation& invocation, const Outside& outside) {
  const Result<std::string> passphrase = ReadPassphrase(invocation.passphrase_file);
  if (!passphrase) return Refused(passphrase.error().text);
  proto::CtlRequest request;
  request.set_reason(invocation.request.reason());
  request.mutable_dialback_secret_set()->set_passphrase(*passphrase);
  outside.when_interrupted(fmt::format("interrupted, {}\n", kSecretDoubt));
  Ending ending = Ask(invocation, request, outside);
  if (ending.exit_code == kDone && passphrase->size() < kGoodPassphraseBytes)
    ending.err +=
        fmt::format("warning: the passphrase is shorter than {} octets; use a longer one\n",
                    kGoodPassphraseBytes);
  return ending;
}

// A CA may take its time.
void SayWhatIsAwaited(const Outside& outside) {
  outside.say(
      "waiting for the CA, a quarter of an hour at most; gatehousectl cert renewal in another "
      "terminal says how it stands\n");
  outside.when_interrupted(
      "interrupted: the attempt goes on without you; see gatehousectl cert renewal\n");
}

// The settings first: when they are refused the secret stays as it was.
Ending AskAll(const Invocation& invocation, const Outside& outside) {
  if (invocation.passphrase_file.empty()) return Ask(invocation, invocation.request, outside);
  if (invocation.request.command_case() == proto::CtlRequest::COMMAND_NOT_SET)
    return SetPassphrase(invocation, outside);
  Ending first = Ask(invocation, invocation.request, outside);
  if (first.exit_code != kDone) return first;
  const Ending second = SetPassphrase(invocation, outside);
  return {second.exit_code, first.out, first.err + second.err};
}

Ending Explain(const Invocation& invocation) {
  const proto::PartnerView view = ViewOf(invocation.partner);
  Ending ending;
  ending.out = invocation.json ? JsonText(view) + '\n' : ExplanationText(view);
  if (!view.methods().empty()) return ending;
  ending.exit_code = kRefused;
  ending.err =
      fmt::format("this combination is not valid, {}; no partner can have it\n", view.warnings(0));
  return ending;
}

Ending CheckConfig(const Invocation& invocation, const Outside& outside) {
  const auto warnings = outside.check_config(invocation.file);
  if (!warnings) return Refused(warnings.error().text);
  std::string warned;
  for (const std::string& warning : *warnings) warned += fmt::format("warning: {}\n", warning);
  const std::string done = fmt::format("'{}' is valid", invocation.file);
  proto::CtlResponse response;
  response.set_done(done);
  return {kDone, Shown(invocation, {}, response), std::move(warned)};
}

Ending ImportLync(const Invocation& invocation, const Outside& outside) {
  proto::CtlRequest request = invocation.request;
  for (const std::string& file : invocation.files) {
    // One octet more than may be shows that there are too many.
    const Result<std::string> bytes = ReadFileHead(file, kMaxExportBytes + 1);
    if (!bytes) return Refused(bytes.error().text);
    const auto objects = ReadLyncExport(*bytes);
    if (!objects) return {kRefused, {}, fmt::format("'{}': {}\n", file, objects.error().text)};
    for (const LyncObject& object : *objects)
      *request.mutable_import()->add_records() = RecordOfLync(object, file);
  }
  return Ask(invocation, request, outside);
}

Ending PlayMatrix(const Invocation& invocation, const Outside& outside) {
  const Result<selftest::MatrixReport> report = outside.play_matrix(invocation.matrix);
  if (!report)
    return {kRefused, {}, fmt::format("the matrix could not be played: {}\n", report.error().text)};
  Ending ending;
  ending.out =
      invocation.json ? MatrixJson(*report) + '\n' : MatrixText(*report, invocation.every_cell);
  if (const std::size_t differ = CellsThatDiffer(*report); differ > 0) {
    ending.exit_code = kRefused;
    ending.err = fmt::format("{} cells are not as specified\n", differ);
  }
  return ending;
}

}  // namespace

Ending Refused(const std::string& text) {
  return {kRefused, {}, text + '\n'};
}

std::expected<proto::CtlResponse, Ending> Call(const Invocation& invocation,
                                               const proto::CtlRequest& request,
                                               const Outside& outside) {
  const seconds limit = std::max(invocation.limit, PatienceFor(request.command_case()));
  Result<std::optional<proto::CtlResponse>> response = outside.call(request, limit);
  if (response && *response) {
    proto::CtlResponse answer = **std::move(response);
    // It may quote what a file has.
    if (!answer.error().empty()) answer.set_error(AsSentence(answer.error()));
    return answer;
  }
  const std::string why =
      response ? fmt::format("no response within {} s", limit.count()) : response.error().text;
  const std::string_view doubt = DoubtOver(request);
  if (response && !doubt.empty())
    return std::unexpected(Ending{kRefused, {}, fmt::format("{}, {}\n", why, doubt)});
  if (!response && response.error().fault == Fault::kConfig)
    return std::unexpected(Ending{kUnreachable, {}, why + '\n'});
  return std::unexpected(
      Ending{kUnreachable,
             {},
             fmt::format("the supervisor cannot be reached in '{}': {}; is gatehoused running, and "
                         "is --runtime-dir its own?\n",
                         invocation.runtime_dir, why)});
}

std::string Shown(const Invocation& invocation, const proto::CtlRequest& request,
                  const proto::CtlResponse& response) {
  return invocation.json ? ResponseJson(request, response) + '\n' : ResponseText(request, response);
}

std::expected<proto::CtlResponse, Ending> GoodAnswer(const Invocation& invocation,
                                                     const proto::CtlRequest& request,
                                                     const Outside& outside) {
  auto response = Call(invocation, request, outside);
  if (!response) return response;
  if (response->exit_code() != kDone)
    return std::unexpected(
        Ending{static_cast<int>(response->exit_code()), {}, response->error() + '\n'});
  return *std::move(response);
}

Result<std::string> ReadPassphrase(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    return BadConfig(
        fmt::format("the passphrase file '{}' cannot be read: {}", file, std::strerror(errno)));
  std::string text(kMaxPassphraseBytes + 2, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty())
    return BadConfig(
        fmt::format("the passphrase file '{}' is empty; write the secret into it", file));
  if (text.size() > kMaxPassphraseBytes)
    return BadConfig(
        fmt::format("the passphrase file '{}' has more than {} octets", file, kMaxPassphraseBytes));
  return text;
}

Ending CarryOut(const Invocation& invocation, const Outside& outside) {
  if (invocation.changes)
    outside.when_interrupted(
        "interrupted: the change may be done or not; see gatehousectl audit before you try "
        "again\n");
  switch (invocation.action) {
    case Action::kPrint:
      return {kDone, invocation.text, {}};
    case Action::kAsk:
      if (invocation.request.has_certificate_renew()) SayWhatIsAwaited(outside);
      return AskAll(invocation, outside);
    case Action::kListContacts:
      return ListContacts(invocation, outside);
    case Action::kExplainRow:
      return Explain(invocation);
    case Action::kCheckConfig:
      return CheckConfig(invocation, outside);
    case Action::kExport:
      return ExportData(invocation, outside);
    case Action::kApply:
      return ApplyData(invocation, outside);
    case Action::kBackup:
      return BackUp(invocation, outside);
    case Action::kRestore:
      return Restore(invocation, outside);
    case Action::kPlayMatrix:
      return PlayMatrix(invocation, outside);
    case Action::kImportLync:
      return ImportLync(invocation, outside);
    case Action::kRequestCertificate:
      return RequestCertificate(invocation, outside);
    case Action::kImportCertificate:
      return ImportCertificate(invocation, outside);
    case Action::kExportKey:
      return ExportKey(invocation, outside);
    case Action::kCheckDns:
      return CheckDns(invocation, outside);
    case Action::kPlanDns:
      return PlanDns(invocation, outside);
    case Action::kPlanSip:
      return PlanSip(invocation, outside);
  }
  return {kWrongUsage, {}, {}};
}

}  // namespace gatehouse::ctl
