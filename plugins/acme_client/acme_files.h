// What acme_client keeps in the state folder: the account's key, and what it remembers.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/tls/es256_key.h"
#include "plugins/acme_client/jws.h"
#include "proto/acme.pb.h"

namespace gatehouse::acme {

// Reads the P-256 key in `path`, or makes one there where there is no such file: 0600, on the disk
// before it returns.
//   fails  kTrouble: cannot be read or written; kConfig: is none, or others may read it
Result<Es256Key> OpenAccountKey(const std::string& path);

// Empty where there is no such file.
//   fails  kTrouble: cannot be read; kConfig: damaged
Result<proto::AcmeMemory> ReadMemory(const std::string& path);
// Whole or not at all; on the disk when this returns well.
//   fails  kTrouble
Result<void> WriteMemory(const std::string& path, const proto::AcmeMemory& memory);

// The key that a CA has given for an external account.
//   fails  kTrouble: cannot be read; kConfig: no base64url, or others may read it
Result<ExternalAccount> ReadExternalAccount(const std::string& key_id, const std::string& file);

}  // namespace gatehouse::acme
