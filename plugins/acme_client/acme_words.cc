#include "plugins/acme_client/acme_words.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "core/base/one_line.h"
#include "core/base/utf8_check.h"

namespace gatehouse::acme {
namespace {

constexpr std::size_t kMaxSentenceBytes = 600;
constexpr int kMaxSubproblems = 5;
constexpr std::int64_t kWeek = 7 * 86'400;

}  // namespace

std::string Told(std::string_view text) {
  const std::string cut(text.substr(0, kMaxSentenceBytes));
  return OneLine(AsUtf8(cut));
}

bool ReadJson(std::string_view text, google::protobuf::Message& into) {
  if (text.size() > kMaxJsonBytes) return false;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  return google::protobuf::util::JsonStringToMessage(
             google::protobuf::StringPiece(text.data(), text.size()), &into, options)
      .ok();
}

std::string_view ProblemKind(const proto::AcmeProblem& problem) {
  constexpr std::string_view kOurs = "urn:ietf:params:acme:error:";
  std::string_view kind = problem.type();
  if (kind.starts_with(kOurs)) kind.remove_prefix(kOurs.size());
  return kind;
}

std::string ProblemText(const proto::AcmeProblem& problem) {
  const std::string kind = Told(ProblemKind(problem));
  std::string text = Told(problem.detail());
  if (text.empty())
    text = kind;
  else if (!kind.empty())
    text += fmt::format(" ({})", kind);
  for (int i = 0; i < std::min(problem.subproblems_size(), kMaxSubproblems); ++i) {
    const proto::AcmeSubproblem& sub = problem.subproblems(i);
    text += fmt::format("; {}: {}", Told(sub.identifier().value()), Told(sub.detail()));
  }
  if (text.empty()) text = "no reason given";
  return Told(text);
}

std::string RefusalText(unsigned status, std::string_view body) {
  proto::AcmeProblem problem;
  if (ReadJson(body, problem) && (!problem.type().empty() || !problem.detail().empty()))
    return ProblemText(problem);
  return fmt::format("HTTP status {}", status);
}

std::chrono::seconds RetryAfter(std::string_view header, std::int64_t now_unix) {
  std::int64_t wait = 0;
  const auto [end, failed] = std::from_chars(header.data(), header.data() + header.size(), wait);
  if (failed != std::errc() || end != header.data() + header.size()) {
    const std::string text(header);
    std::tm date{};
    const char* const rest = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (rest == nullptr || *rest != '\0') return std::chrono::seconds{0};
    wait = static_cast<std::int64_t>(::timegm(&date)) - now_unix;
  }
  return std::chrono::seconds{std::clamp<std::int64_t>(wait, 0, kWeek)};
}

}  // namespace gatehouse::acme
