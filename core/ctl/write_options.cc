#include "core/ctl/write_options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <limits>

#include "core/ctl/number_check.h"

namespace gatehouse::ctl {

void AddWriteOptions(CLI::App& command, Invocation& invocation) {
  command.parse_complete_callback([&invocation] { invocation.changes = true; });
  command
      .add_option_function<std::string>(
          "--reason", [&invocation](const std::string& text) { invocation.reason = text; },
          "Why, for the audit")
      ->type_name("TEXT");
  command
      .add_option_function<std::uint64_t>(
          "--if-revision",
          [&invocation](const std::uint64_t& number) { invocation.if_revision = number; },
          "Refused when the store is at another revision: somebody was faster")
      ->type_name("N")
      ->check(NumberCheck(std::numeric_limits<std::uint64_t>::max()));
}

}  // namespace gatehouse::ctl
