#include "core/base/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/base/utf8_check.h"

namespace gatehouse {
namespace {

struct LogState {
  std::string who = "gatehouse";
  LogFormat format = LogFormat::kText;
  LogLevel lowest = LogLevel::kInfo;
  std::shared_ptr<spdlog::logger> out;
};

// The one piece of process-wide state: standard error is process-wide too.
LogState& State() {
  static LogState state = [] {
    LogState first;
    first.out = std::make_shared<spdlog::logger>("gatehouse",
                                                 std::make_shared<spdlog::sinks::stderr_sink_st>());
    first.out->set_pattern("%v");
    return first;
  }();
  return state;
}

constexpr std::array<std::string_view, 5> kLevelNames = {"debug", "info", "notice", "warning",
                                                         "error"};

constexpr std::string_view kReplacement = "\uFFFD";

void AppendEscapedAscii(std::string& line, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    line += '\\';
    line += c;
  } else if (byte < 0x20 || byte == 0x7f) {
    fmt::format_to(std::back_inserter(line), "\\u{:04x}", byte);
  } else {
    line += c;
  }
}

// A byte that belongs to no UTF-8 character becomes U+FFFD: JSON is UTF-8.
void AppendEscaped(std::string& line, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    if (length == 0)
      line += kReplacement;
    else if (length == 1)
      AppendEscapedAscii(line, text.front());
    else
      line += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '\\' || c == '=' || c == 0x7f)
      return true;
  return !IsUtf8(text);
}

void AppendText(std::string& line, std::string_view text) {
  if (!NeedsQuotes(text)) {
    line += text;
    return;
  }
  line += '"';
  AppendEscaped(line, text);
  line += '"';
}

void AppendJsonPair(std::string& line, std::string_view key, std::string_view value) {
  line += line.size() == 1 ? "\"" : ",\"";
  AppendEscaped(line, key);
  line += "\":\"";
  AppendEscaped(line, value);
  line += '"';
}

std::string TimeNow() {
  const auto now = std::chrono::system_clock::now();
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms);
}

}  // namespace

void SetUpLog(std::string_view who, LogFormat format, LogLevel lowest) {
  State().who = who;
  State().format = format;
  State().lowest = lowest;
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  LogState& state = State();
  if (level < state.lowest) return;
  const std::string_view level_name = kLevelNames[static_cast<std::size_t>(level)];
  std::string line;
  if (state.format == LogFormat::kJson) {
    line = "{";
    AppendJsonPair(line, "time", TimeNow());
    AppendJsonPair(line, "level", level_name);
    AppendJsonPair(line, "worker", state.who);
    AppendJsonPair(line, "event", event);
    for (const LogField& field : fields) AppendJsonPair(line, field.key, field.value);
    line += '}';
  } else {
    line = fmt::format("{} {} {} {}", TimeNow(), level_name, state.who, event);
    for (const LogField& field : fields) {
      line += ' ';
      line += field.key;
      line += '=';
      AppendText(line, field.value);
    }
  }
  state.out->log(spdlog::level::critical, line);
  state.out->flush();
}

}  // namespace gatehouse
