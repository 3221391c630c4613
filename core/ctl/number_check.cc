#include "core/ctl/number_check.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <charconv>
#include <string>

namespace gatehouse::ctl {

CLI::Validator NumberCheck(std::uint64_t most) {
  const auto check = [most](const std::string& text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [read_to, code] = std::from_chars(text.data(), end, number);
    if (code == std::errc() && read_to == end && number <= most) return std::string();
    return fmt::format("'{}' is no number from 0 to {}; write one in digits", text, most);
  };
  return {check, ""};
}

}  // namespace gatehouse::ctl
