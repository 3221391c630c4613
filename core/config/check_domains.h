// The `domains:` of a configuration.
#pragma once

#include "core/base/result.h"
#include "core/config/yaml_config.h"

namespace gatehouse {

//   fails  kConfig: no domain, a name that is none or is there twice, a next hop that is no SIP URI
Result<void> CheckDomains(const YamlConfig& yaml);

}  // namespace gatehouse
