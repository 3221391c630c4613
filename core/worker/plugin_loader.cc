#include "core/worker/plugin_loader.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace gatehouse {
namespace {

constexpr const char* kDescriptorSymbol = "gatehouse_worker_plugin";

// dlerror() leads with the path as often as not.
std::string WhyNotLoaded(const std::string& path) {
  const char* const text = ::dlerror();
  std::string why = text != nullptr ? text : "unknown reason";
  if (why.starts_with(path + ": ")) why.erase(0, path.size() + 2);
  return why;
}

std::string_view OrNothing(const char* text) {
  return text != nullptr ? std::string_view(text) : std::string_view("nothing");
}

}  // namespace

Result<const PluginDescriptor*> OpenPlugin(const std::string& path) {
  void* const object = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr)
    return BadConfig(fmt::format("plugin {}: cannot be loaded: {}", path, WhyNotLoaded(path)));
  void* const symbol = ::dlsym(object, kDescriptorSymbol);
  if (symbol == nullptr)
    return BadConfig(fmt::format("plugin {}: exports no {}; define it with GATEHOUSE_PLUGIN", path,
                                 kDescriptorSymbol));
  return static_cast<const PluginDescriptor*>(symbol);
}

Result<void> CheckDescriptor(const PluginDescriptor& descriptor, const std::string& path,
                             std::string_view name) {
  if (descriptor.abi != kPluginAbi)
    return BadConfig(fmt::format("plugin {}: has ABI {}; this gatehouse-worker takes ABI {}", path,
                                 descriptor.abi, kPluginAbi));
  if (OrNothing(descriptor.build_id) != GATEHOUSE_BUILD_ID)
    return BadConfig(
        fmt::format("plugin {}: is of build '{}'; this gatehouse-worker is of build '{}': "
                    "build both together",
                    path, OrNothing(descriptor.build_id), GATEHOUSE_BUILD_ID));
  if (OrNothing(descriptor.name) != name)
    return BadConfig(fmt::format("plugin {}: is named '{}'; the topology calls its worker '{}'",
                                 path, OrNothing(descriptor.name), name));
  if (descriptor.create == nullptr)
    return BadConfig(fmt::format("plugin {}: has no function to create its worker", path));
  return {};
}

Result<std::unique_ptr<Worker>> LoadWorker(const std::string& path, std::string_view name) {
  GATEHOUSE_TRY(const PluginDescriptor* const descriptor, OpenPlugin(path));
  GATEHOUSE_TRY_VOID(CheckDescriptor(*descriptor, path, name));
  std::unique_ptr<Worker> worker(descriptor->create());
  if (worker == nullptr) return Trouble(fmt::format("plugin {}: created no worker", path));
  return worker;
}

}  // namespace gatehouse
