// The `domains:` of a configuration.
#pragma once

#include "core/base/result.h"
#include "core/config/yaml_config.h"

namespace gatehouse {

// Notes what is wrong: no domain, a name that is none or is there twice, a next hop that is no SIP
// URI.
void CheckDomains(YamlConfig& yaml);

}  // namespace gatehouse
