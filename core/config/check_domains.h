// The `domains:` of a configuration.
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "core/config/yaml_config.h"

namespace gatehouse {

// Notes what is wrong: no domain, a name that is none or is there twice, a next hop that is no SIP
// URI. A dot at the end of a name is taken away.
void CheckDomains(YamlConfig& yaml);
// Whether `name` is one or more labels, such as "contoso.example" or "pool"; no address, no port,
// no dot at its end. Octets above 127 belong to an internationalised name.
[[nodiscard]] bool IsDomain(std::string_view name);

}  // namespace gatehouse
