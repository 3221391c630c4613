// The section `acme` of gatehouse.yaml as this worker uses it.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/certificate/private_key.h"
#include "proto/config.pb.h"

namespace gatehouse::acme {

struct AcmeSettings {
  std::string directory;
  std::string contact;             // may be empty
  std::string certificate;         // its name in the store
  std::vector<std::string> names;  // A-labels, in lower case; those of our domains by default
  KeyType key = KeyType::kP256;
  std::string challenge;  // "http-01", "dns-01"
  std::string trust;      // as of TlsFiles
  std::string crl_file;   // the same
  std::string key_id;     // of an external account; empty: none
  std::string key_file;
  bool allow_inside = false;  // the CA's URLs may lead to loopback and the like

  // What a certificate must be renewed for where it changes.
  [[nodiscard]] std::string WhatIsWanted() const;
};

// `config` has passed CheckConfig.
//   fails  kConfig: a name that no certificate can carry
Result<AcmeSettings> AcmeSettingsOf(const proto::Config& config);

}  // namespace gatehouse::acme
