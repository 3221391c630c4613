// The files of a TlsContext, looked at before anybody uses them.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/tls/revocation_lists.h"
#include "core/tls/tls_context.h"
#include "core/tls/tls_session.h"

namespace gatehouse {

struct BadTlsFile {
  enum class Which { kChain, kKey, kTrust, kRevoked };
  Which which;
  std::string file;
  std::string problem;  // "does not belong to the certificate in 'chain.pem'"
};

// Reads all of them as TlsContext::Create does.
//   gives  the names that our certificate, where there is one, shows to a peer, and nothing else of
//          it
//   fails  with the first that Create would refuse
[[nodiscard]] Result<PeerCertificate, BadTlsFile> CheckTlsFiles(const TlsFiles& files);

// Who has signed the revocation lists in `crl_file`, by `trust`; nothing where there are none.
//   fails  where one of the two files cannot be read
[[nodiscard]] Result<ListSigners, BadTlsFile> CheckListSigners(const TlsFiles& files);

}  // namespace gatehouse
