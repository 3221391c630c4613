// Loads the one plugin of this process.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/worker/plugin_abi.h"
#include "core/worker/worker.h"

namespace gatehouse {

// The descriptor of the shared object at `path`, which is never unloaded.
//   fails  kConfig: no such file, no shared object, a symbol that is missing, no descriptor
Result<const PluginDescriptor*> OpenPlugin(const std::string& path);

// Whether this host may run it: same ABI, same build, and the name that was asked for.
//   fails  kConfig with what was found and what would be right
Result<void> CheckDescriptor(const PluginDescriptor& descriptor, const std::string& path,
                             std::string_view name);

// Both, and then the worker itself.
Result<std::unique_ptr<Worker>> LoadWorker(const std::string& path, std::string_view name);

}  // namespace gatehouse
