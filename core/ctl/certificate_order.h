// What `cert request` is to make.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/certificate/certificate_request.h"
#include "core/certificate/private_key.h"

namespace gatehouse::ctl {

enum class Signer : std::uint8_t {
  kLater,      // a CA to which the operator sends the request
  kAuthority,  // at once, a CA whose key is at hand
  kSelf,       // at once, its own key
};

struct CertificateOrder {
  std::string name;  // in the store; empty: the operator is asked, for all the rest as well
  std::string friendly_name;
  KeyType key_type = KeyType::kP256;
  bool exportable = false;
  RequestDetails subject;              // without its names
  std::vector<std::string> domains;    // in place of those we serve
  std::vector<std::string> own_names;  // besides those of the domains
  bool srv_ids = false;
  std::string out;  // file for the request, or offline for what is signed; empty: printed
  Signer signer = Signer::kLater;
  std::string ca_file;
  std::string ca_key_file;
  int days = 365;
  bool offline = false;  // without a supervisor: the key goes to `key_out`
  std::string key_out;
  std::string config;  // offline: says which domains we serve
};

}  // namespace gatehouse::ctl
