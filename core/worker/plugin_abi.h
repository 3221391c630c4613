// The only symbol a plugin exports.
#pragma once

#include <cstdint>

namespace gatehouse {

class Worker;

inline constexpr std::uint32_t kPluginAbi = 1;

struct PluginDescriptor {
  std::uint32_t abi;     // kPluginAbi
  const char* build_id;  // GATEHOUSE_BUILD_ID; must equal the host's: C++ types cross this border
  const char* name;      // "sip_translator"
  Worker* (*create)() noexcept;  // the host takes ownership
};

}  // namespace gatehouse

extern "C" const gatehouse::PluginDescriptor gatehouse_worker_plugin;

// Defines it: GATEHOUSE_PLUGIN("echo", EchoWorker)
#define GATEHOUSE_PLUGIN(plugin_name, WorkerType)                          \
  extern "C" const gatehouse::PluginDescriptor gatehouse_worker_plugin = { \
      gatehouse::kPluginAbi, GATEHOUSE_BUILD_ID, plugin_name,              \
      []() noexcept -> gatehouse::Worker* { return new WorkerType; } /* NOLINT */}
