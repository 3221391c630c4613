// gatehousectl: the operator's command line. All logic is in the workers; here words become
// requests, and responses become text.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "core/config/check_config.h"
#include "core/ctl/carry_out.h"
#include "core/ctl/command_line.h"
#include "core/ctl/interruption.h"
#include "core/dnscheck/zone_lookup.h"
#include "core/supervisor/runtime_paths.h"
#include "core/supervisor/topology.h"
#include "ipc/ctl_link.h"

namespace gatehouse::ctl {
namespace {

Result<void> CheckConfigFile(const std::string& file) {
  GATEHOUSE_TRY(const InstallLayout layout, InstallLayout::OfThisProgram());
  GATEHOUSE_TRY(const proto::Topology topology, ReadTopologyFile(layout.topology_file));
  GATEHOUSE_TRY([[maybe_unused]] const YamlConfig yaml, LoadConfig(file, topology));
  return {};
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
    std::fprintf(stderr, "%s\n", invocation.error().text.c_str());
    return kWrongUsage;
  }
  invocation->request.set_id(1);
  const std::string& runtime_dir = invocation->runtime_dir;
  const Outside outside = {
      .call = [&runtime_dir](const proto::CtlRequest& request,
                             milliseconds limit) { return Call(runtime_dir, request, limit); },
      .check_config = CheckConfigFile,
      .play_matrix = selftest::RunMatrix,
      .read_config = ReadConfig,
      .look_up = dnscheck::LookUpZone,
      .system_resolvers = SystemResolvers,
      .when_interrupted = SayWhenInterrupted};
  const Ending ending = CarryOut(*invocation, outside);
  std::fputs(ending.out.c_str(), stdout);
  std::fflush(stdout);
  std::fputs(ending.err.c_str(), stderr);
  return ending.exit_code;
}

}  // namespace
}  // namespace gatehouse::ctl

int main(int argc, char** argv) {
  return gatehouse::ctl::Main({argv + 1, argv + argc});
}
