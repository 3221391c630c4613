#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/base/one_line.h"
#include "core/supervisor/supervisor.h"

namespace gatehouse {
namespace {

constexpr int kExitWrong = 2;
// Workers allocate for many stanzas in one turn and free them in another: a longer thread cache
// keeps the C library from its slow path, a sixth of a busy translator's time. Read by it at start
// only.
constexpr const char* kAllocatorTuning = "glibc.malloc.tcache_count=1000:glibc.malloc.mxfast=0";

// `text` is one line, whatever was put into it.
int Complain(const std::string& text) {
  static_cast<void>(std::fprintf(stderr, "gatehoused: %s\n", OneLine(text).c_str()));
  return kExitWrong;
}

struct CommandLine {
  Supervisor::Options options;
  std::string log_format = "text";
};

void Describe(CLI::App& app, CommandLine& line) {
  Supervisor::Options& options = line.options;
  app.set_version_flag("--version", std::string("gatehoused ") + GATEHOUSE_VERSION);
  app.add_option("--config", options.config_file, "The file gatehouse.yaml")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--state-dir", options.state_dir, "Where partners and keys are kept")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--runtime-dir", options.runtime_dir, "Where its sockets lie")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--log-format", line.log_format, "text, or json: one object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_option("--plugin-dir", options.layout.plugin_dir, "Where the workers' plugins lie")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--topology", options.layout.topology_file,
                 "What each kind of worker may touch, and who talks to whom")
      ->type_name("FILE")
      ->capture_default_str();
  app.footer(
      "It runs in the foreground and logs to standard error. SIGTERM drains and ends it, SIGHUP\n"
      "reads the configuration again. Exit codes: 0 stopped, 2 something is wrong with the\n"
      "configuration or its surroundings; one line says what.");
}

int RunSupervisor(CommandLine line) {
  line.options.log_format = line.log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  SetUpLog("gatehoused", line.options.log_format);
  auto supervisor = Supervisor::Create(line.options);
  if (!supervisor) return Complain(supervisor.error().text);
  if (const auto ran = (*supervisor)->Run(); !ran) return Complain(ran.error().text);
  return 0;
}

int Main(int argument_count, char** arguments) {
  setenv("GLIBC_TUNABLES", kAllocatorTuning, 0);  // for the workers; an operator's own stays
  auto layout = InstallLayout::OfThisProgram();
  if (!layout) return Complain(layout.error().text);
  CommandLine line;
  line.options = {.config_file = std::string(kDefaultConfigFile),
                  .state_dir = std::string(kDefaultStateDir),
                  .runtime_dir = std::string(kDefaultRuntimeDir),
                  .layout = *std::move(layout)};
  CLI::App app("gatehoused, the supervisor of Gatehouse", "gatehoused");
  Describe(app, line);
  try {
    app.parse(argument_count, arguments);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    return Complain(error.what());
  }
  return RunSupervisor(std::move(line));
}

}  // namespace
}  // namespace gatehouse

int main(int argument_count, char** arguments) {
  return gatehouse::Main(argument_count, arguments);
}
