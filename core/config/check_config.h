// What is wrong with a configuration that reads well: values, files, workers the topology does not
// know, and workers that another one needs and that are not there.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/config/yaml_config.h"

namespace gatehouse::proto {
class Topology;
}

namespace gatehouse {

// How many instances `count: auto` and an operator may ask for.
inline constexpr unsigned kMaxInstances = 64;

// Opens nothing but the named files, so it works offline. Names of files become absolute: they are
// relative to the folder of the configuration.
// What hangs on something that is wrong itself is not checked.
//   gives  in yaml.mistakes(), each in one line as YamlConfig says
void FindMistakes(YamlConfig& yaml, const proto::Topology& topology);
// The same for one that reads well.
//   fails  kConfig with the first mistake
Result<void> CheckConfig(YamlConfig& yaml, const proto::Topology& topology);

// Reads and checks, what is in the certificate files too: all that `gatehousectl config check FILE`
// does.
//   gives  yaml.mistakes(): those that can be told apart
//   fails  kConfig where the file cannot be opened
Result<YamlConfig> ReadAndCheck(const std::string& path, const proto::Topology& topology);
// The same for who needs a good one.
//   fails  kConfig with the first mistake
Result<YamlConfig> LoadConfig(const std::string& path, const proto::Topology& topology);

// The number a pool's `count` stands for: empty is 1, "auto" one a core.
//   fails  kConfig: "is 'x'; would be right: ..."
Result<unsigned> InstanceCount(const std::string& count);

}  // namespace gatehouse
