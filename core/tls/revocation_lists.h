// The certificate revocation lists (CRLs) of authorities, as the operator has fetched them (2.5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace gatehouse {

inline constexpr std::size_t kMaxRevocationBytes = 32 * 1024 * 1024;  // lists of large authorities

// Of lists that nobody in a trust file has signed, their issuers: "CN=Corp CA".
struct ListSigners {
  std::vector<std::string> unknown;  // none has that name; a CA in a partner's chain may
  std::vector<std::string> others;   // one has, and has not signed it or must not
};

class RevocationLists {
 public:
  // PEM, one list at least.
  //   fails  kConfig: "holds no PEM certificate revocation list", without the file's name
  static Result<std::shared_ptr<const RevocationLists>> Parse(const std::string& pem);
  // The same from a file; null where `file` is empty. Of one that is in use already and has not
  // been written since, the same object.
  //   fails  kConfig: cannot be read, or as Parse
  static Result<std::shared_ptr<const RevocationLists>> Read(const std::string& file);
  virtual ~RevocationLists() = default;

  // SHA-256 in lower-case hex of each certificate in `chain_pem` that a list of its issuer's name
  // has: the issuer itself, who would vouch for the list, need not be there.
  [[nodiscard]] virtual std::vector<std::string> Listed(const std::string& chain_pem) const = 0;
  // The issuers of lists that should have been replaced by now: "CN=Corp CA". Such a list counts
  // all the same.
  [[nodiscard]] virtual std::vector<std::string> Outdated(std::int64_t now_unix) const = 0;
};

}  // namespace gatehouse
