#include "core/supervisor/runtime_paths.h"

#include <fmt/format.h>

#include <filesystem>

namespace gatehouse {

InstallLayout InstallLayout::Beside(const std::string& program) {
  const std::filesystem::path bin = std::filesystem::path(program).parent_path();
  const std::filesystem::path root = bin.parent_path();
  return InstallLayout{.worker_program = (bin / "gatehouse-worker").string(),
                       .plugin_dir = (root / "lib/gatehouse").string(),
                       .topology_file = (root / "share/gatehouse/topology.textproto").string()};
}

Result<InstallLayout> InstallLayout::OfThisProgram() {
  std::error_code failed;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return Trouble(fmt::format("/proc/self/exe: {}", failed.message()));
  return Beside(program.string());
}

std::string RuntimePaths::LinkDir(std::string_view from, std::string_view to) const {
  return fmt::format("{}/{}-{}", dir, from, to);
}

std::string RuntimePaths::LinkAddress(std::string_view from, std::string_view to,
                                      unsigned to_index) const {
  return fmt::format("ipc://{}/{}.sock", LinkDir(from, to), to_index);
}

}  // namespace gatehouse
