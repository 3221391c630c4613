// A certificate of ours with its key, read once and shown by any number of contexts.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"

namespace gatehouse {

class OwnCertificate {
 public:
  // Both in PEM: the chain leaf first, the key without a pass phrase. Neither text is kept.
  //   fails  kConfig with one line: no certificate, no key, or the key of another certificate
  static Result<std::shared_ptr<const OwnCertificate>> Parse(const std::string& chain_pem,
                                                             const std::string& key_pem);
  virtual ~OwnCertificate() = default;
};

// Overwrites a secret before its memory is given back.
void Wipe(std::string& secret);

}  // namespace gatehouse
