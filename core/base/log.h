// One line per event to standard error: text, or one JSON object with LogFormat::kJson.
// Never give it a secret or a message body.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace gatehouse {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kNotice, kWarning, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

struct LogField {
  LogField(std::string_view field_key, std::string_view field_value)
      : key(field_key), value(field_value) {}
  LogField(std::string_view field_key, std::int64_t field_value)
      : key(field_key), value(std::to_string(field_value)) {}
  std::string_view key;
  std::string value;
};

// Sets what every line of this process carries. `who` is "gatehoused" or an instance name.
void SetUpLog(std::string_view who, LogFormat format, LogLevel lowest = LogLevel::kInfo);

// `event` is a stable word such as "stream-closed"; fields follow in order. Control characters are
// escaped.
//   Log(LogLevel::kInfo, "stream-open", {{"peer", domain}, {"method", "sasl_tls"}});
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace gatehouse
