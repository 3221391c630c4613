// What is in a certificate, and the chain that is sent with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace gatehouse {

struct CertificateFacts {
  std::string subject;  // "CN=corp.example,O=Corp"
  std::string issuer;
  std::string serial;           // hex
  std::string sha256;           // of the DER, hex
  std::string public_key_hash;  // SHA-256 of SubjectPublicKeyInfo: 32 octets, not hex
  std::string key_type;         // "rsa-2048", "p-256"
  // "corp.example", "srv:_xmpp-server.corp.example", "xmpp:corp.example", "uri:sip:corp.example";
  // "cn:corp.example" only where there is no subjectAltName (for SIP, 11.8)
  std::vector<std::string> names;
  std::int64_t not_before = 0;  // Unix time
  std::int64_t not_after = 0;
  bool has_eku = false;  // without one it is good for everything
  bool server_eku = false;
  bool client_eku = false;
  bool any_eku = false;
  bool sip_domain_eku = false;  // RFC 5924
  bool may_sign = true;         // key usage: digitalSignature, or none at all
  bool is_ca = false;           // by basicConstraints
  bool self_signed = false;
  bool signature_ok = true;         // false: SHA-1, MD5 or unknown (2.5)
  std::string signature_algorithm;  // "ecdsa-sha256", "rsa-sha1", "rsa-pss", "ed25519"
};

// Of one certificate in DER.
//   fails  kConfig: it is none, or its names cannot be read
Result<CertificateFacts> FactsOf(const std::string& der);
// Of a request in PEM: its subject, names and key; nothing else is set.
//   fails  kConfig: it is none, or its names cannot be read
Result<CertificateFacts> FactsOfRequest(const std::string& request_pem);

struct BuiltChain {
  std::string pem;                      // leaf first, without the root
  std::vector<CertificateFacts> links;  // as in `pem`
  std::vector<std::string> notes;       // a sentence each: what was left out, and why
  bool root_seen = false;               // its root was among the certificates
};

// Finds the leaf whose key is `public_key_hash` (where several are: the one that is valid at `now`
// and longest), and its issuers by name and signature, in any order. Of several ways the one
// without expired certificates is taken. Roots, repetitions and strangers are left out, and an
// expired cross-signed root at the upper end.
//   fails  kConfig: none has that key, or one cannot be read
Result<BuiltChain> BuildChain(const std::vector<std::string>& certificates_der,
                              std::string_view public_key_hash, std::int64_t now);

}  // namespace gatehouse
