// The section `acme` of a configuration: a certificate that a CA renews (RFC 8555).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/yaml_config.h"

namespace gatehouse {

inline constexpr std::string_view kAcmeWorker = "acme_client";
inline constexpr std::string_view kHttpChallenge = "http-01";
inline constexpr std::string_view kDnsChallenge = "dns-01";
// Before the name, of the TXT record (RFC 8555 §8.4).
inline constexpr std::string_view kChallengeLabel = "_acme-challenge.";

// The names to be certified: A-labels in lower case, each once; those of our domains where the
// section names none.
//   fails  kConfig: one that no certificate can carry
Result<std::vector<std::string>> AcmeNames(const proto::Config& config);

// Makes names of files absolute. The worker and the section go together. Notes what is wrong, in
// one line that names the key, and what would be right.
void CheckAcme(YamlConfig& yaml);

}  // namespace gatehouse
