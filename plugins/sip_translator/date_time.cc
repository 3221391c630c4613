#include "plugins/sip_translator/date_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/address/ascii.h"

namespace gatehouse::translator {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Reads a text from left to right; the first thing that does not fit makes `ok` false for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  int Number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = value * 10 + Digit();
    return value;
  }
  void Literal(std::string_view text) {
    if (!rest_.starts_with(text)) return Fail();
    rest_.remove_prefix(text.size());
  }
  template <std::size_t N>
  unsigned Word(const std::array<std::string_view, N>& words) {
    const auto found =
        std::ranges::find_if(words, [this](auto word) { return rest_.starts_with(word); });
    if (found == words.end()) return Fail(), 0;
    rest_.remove_prefix(found->size());
    return static_cast<unsigned>(found - words.begin());
  }
  // ".123", or nothing.
  void Fraction() {
    if (!rest_.starts_with('.')) return;
    rest_.remove_prefix(1);
    Number(1);
    while (!rest_.empty() && ascii::IsDigit(rest_.front())) rest_.remove_prefix(1);
  }
  // "Z", "+01:00" or "-05:30": what to subtract.
  std::chrono::minutes Zone() {
    if (rest_.starts_with('Z')) return Literal("Z"), 0min;
    const int sign = rest_.starts_with('-') ? -1 : 1;
    Literal(sign < 0 ? "-" : "+");
    const int hours = Number(2);
    Literal(":");
    return sign * (std::chrono::hours(hours) + std::chrono::minutes(Number(2)));
  }
  [[nodiscard]] bool AtEnd() const { return ok_ && rest_.empty(); }

 private:
  int Digit() {
    if (rest_.empty() || !ascii::IsDigit(rest_.front())) return Fail(), 0;
    const int digit = rest_.front() - '0';
    rest_.remove_prefix(1);
    return digit;
  }
  void Fail() {
    ok_ = false;
    rest_ = {};
  }
  std::string_view rest_;
  bool ok_ = true;
};

struct Fields {
  int year = 0;
  unsigned month = 0;  // 1 to 12
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

std::optional<WallTime> TimeOf(const Fields& fields) {
  const std::chrono::year_month_day date{std::chrono::year(fields.year),
                                         std::chrono::month(fields.month),
                                         std::chrono::day(static_cast<unsigned>(fields.day))};
  if (!date.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 60)
    return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(fields.hour) +
         std::chrono::minutes(fields.minute) + std::chrono::seconds(fields.second);
}

Fields FieldsOf(WallTime time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count())};
}

void ReadClock(Scanner& scan, Fields& fields) {
  fields.hour = scan.Number(2);
  scan.Literal(":");
  fields.minute = scan.Number(2);
  scan.Literal(":");
  fields.second = scan.Number(2);
}

}  // namespace

std::optional<WallTime> ParseStamp(std::string_view text) {
  Scanner scan(text);
  Fields fields;
  fields.year = scan.Number(4);
  scan.Literal("-");
  fields.month = static_cast<unsigned>(scan.Number(2));
  scan.Literal("-");
  fields.day = scan.Number(2);
  scan.Literal("T");
  ReadClock(scan, fields);
  scan.Fraction();
  const auto offset = scan.Zone();
  const auto local = scan.AtEnd() ? TimeOf(fields) : std::nullopt;
  return local ? std::optional(*local - offset) : std::nullopt;
}

std::string WriteStamp(WallTime time) {
  const Fields f = FieldsOf(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", f.year, f.month, f.day, f.hour,
                     f.minute, f.second);
}

std::optional<WallTime> ParseSipDate(std::string_view text) {
  Scanner scan(ascii::Trim(text));
  Fields fields;
  scan.Word(kDays);
  scan.Literal(", ");
  fields.day = scan.Number(2);
  scan.Literal(" ");
  fields.month = scan.Word(kMonths) + 1;
  scan.Literal(" ");
  fields.year = scan.Number(4);
  scan.Literal(" ");
  ReadClock(scan, fields);
  scan.Literal(" GMT");
  return scan.AtEnd() ? TimeOf(fields) : std::nullopt;
}

std::string WriteSipDate(WallTime time) {
  const Fields f = FieldsOf(time);
  const std::chrono::weekday day(std::chrono::floor<std::chrono::days>(time));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[day.c_encoding()], f.day,
                     kMonths[f.month - 1], f.year, f.hour, f.minute, f.second);
}

}  // namespace gatehouse::translator
