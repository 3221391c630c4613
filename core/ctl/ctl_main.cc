// gatehousectl: the operator's command line. All logic is in the workers; here words become
// requests, and responses become text.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <ranges>
#include <string>
#include <vector>

#include "core/config/check_config.h"
#include "core/config/check_domains.h"
#include "core/config/yaml_config.h"
#include "core/ctl/carry_out.h"
#include "core/ctl/command_line.h"
#include "core/ctl/interruption.h"
#include "core/ctl/text_table.h"
#include "core/dnscheck/zone_lookup.h"
#include "core/supervisor/runtime_paths.h"
#include "core/supervisor/topology.h"
#include "ipc/ctl_link.h"

namespace gatehouse::ctl {
namespace {

// As many as an operator mends before he asks again.
constexpr std::size_t kMostMistakes = 20;

Result<std::vector<std::string>> CheckConfigFile(const std::string& file) {
  GATEHOUSE_TRY(const InstallLayout layout, InstallLayout::OfThisProgram());
  GATEHOUSE_TRY(const proto::Topology topology, ReadTopologyFile(layout.topology_file));
  GATEHOUSE_TRY(const YamlConfig yaml, ReadAndCheck(file, topology));
  const std::vector<Error>& mistakes = yaml.mistakes();
  if (mistakes.empty()) return yaml.warnings();
  std::string all;
  for (const Error& mistake : mistakes | std::views::take(kMostMistakes))
    all += (all.empty() ? "" : "\n") + mistake.text;
  if (mistakes.size() > kMostMistakes)
    all += fmt::format("\nand {} more; mend these first", mistakes.size() - kMostMistakes);
  return BadConfig(std::move(all));
}

// Not its files: a certificate that is still to be requested may be among them.
Result<EdgeNames> NamesInConfig(const std::string& file) {
  GATEHOUSE_TRY(YamlConfig yaml, YamlConfig::ReadFile(file));
  CheckDomains(yaml);
  GATEHOUSE_TRY_VOID(yaml.FirstMistake());
  EdgeNames names;
  for (const proto::Domain& domain : yaml.config().domains())
    names.domains.push_back(domain.name());
  names.sip_host = yaml.config().sip().host();
  return names;
}

// Standard output may be a pipe that takes the request.
std::optional<std::string> AskAtTerminal(const std::string& prompt) {
  std::fputs(prompt.c_str(), stderr);
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return line;
}

Result<proto::Config> ReadConfig(const std::string& file) {
  GATEHOUSE_TRY(YamlConfig yaml, YamlConfig::ReadFile(file));
  std::string& chain = *yaml.config().mutable_tls()->mutable_chain_file();
  if (!chain.empty())
    chain = (std::filesystem::absolute(file).parent_path() / chain).lexically_normal().string();
  return yaml.config();
}

Result<std::vector<std::string>> SystemResolvers() {
  GATEHOUSE_TRY(const auto loop, Loop::Create());
  return SystemDnsServers(*loop);
}

Result<std::optional<proto::CtlResponse>> Call(const std::string& runtime_dir,
                                               const proto::CtlRequest& request,
                                               milliseconds limit) {
  std::error_code ignored;
  const RuntimePaths paths{std::filesystem::absolute(runtime_dir, ignored).string()};
  return ipc::CallSupervisor(paths.CtlAddress(), request, limit);
}

int Main(const std::vector<std::string>& arguments) {
  Result<Invocation> invocation = ParseCommandLine(arguments);
  if (!invocation) {
    std::fprintf(stderr, "%s\n", Printable(invocation.error().text, '\n').c_str());
    return kWrongUsage;
  }
  invocation->request.set_id(1);
  const std::string& runtime_dir = invocation->runtime_dir;
  Outside outside = {
      .call = [&runtime_dir](const proto::CtlRequest& request,
                             milliseconds limit) { return Call(runtime_dir, request, limit); },
      .check_config = CheckConfigFile,
      .play_matrix = selftest::RunMatrix,
      .read_config = ReadConfig,
      .look_up = dnscheck::LookUpZone,
      .system_resolvers = SystemResolvers,
      .when_interrupted = SayWhenInterrupted,
      .say = [](const std::string& text) { std::fputs(text.c_str(), stderr); },
      .names_in_config = NamesInConfig};
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1) outside.ask = AskAtTerminal;
  const Ending ending = CarryOut(*invocation, outside);
  const bool shown = std::fputs(ending.out.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  const int why = errno;
  // A file may have put anything into a sentence about it.
  std::fputs(Printable(ending.err, '\n').c_str(), stderr);
  if (shown || ending.exit_code != kDone) return ending.exit_code;
  std::fprintf(stderr, "it is done, but what it says cannot be written: %s\n", std::strerror(why));
  return kRefused;
}

}  // namespace
}  // namespace gatehouse::ctl

int main(int argc, char** argv) {
  return gatehouse::ctl::Main({argv + 1, argv + argc});
}
