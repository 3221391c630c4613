// What is wrong with the certificate files that a configuration names.
#pragma once

#include "core/config/yaml_config.h"

namespace gatehouse {

// Reads the files of `tls`, and the anchors of `acme`, as the workers will; their names are
// absolute. Warns of domains that the certificate does not carry.
//   fails  kConfig: "FILE:LINE: key 'tls.key_file': names 'key.pem', which does not belong to ..."
Result<void> CheckCertificate(YamlConfig& yaml);

}  // namespace gatehouse
