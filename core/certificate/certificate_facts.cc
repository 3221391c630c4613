#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/x509v3.h>

#include <string>
#include <string_view>

#include "core/certificate/boring_objects.h"
#include "core/certificate/certificate_chain.h"
#include "core/tls/certificate_names.h"
#include "core/tls/certificate_strength.h"
#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

std::string SerialText(X509* certificate) {
  const bssl::UniquePtr<BIGNUM> number(
      ASN1_INTEGER_to_BN(X509_get_serialNumber(certificate), nullptr));
  if (!number) return {};
  const bssl::UniquePtr<char> text(BN_bn2hex(number.get()));
  return text ? text.get() : "";
}

void ReadPurposes(const X509* certificate, CertificateFacts& facts) {
  const KeyPurposes purposes = PurposesOf(certificate);
  facts.has_eku = purposes.are_given;
  facts.server_eku = purposes.server;
  facts.client_eku = purposes.client;
  facts.any_eku = purposes.any;
  facts.sip_domain_eku = purposes.sip_domain;
}

std::string_view DigestWord(int digest) {
  switch (digest) {
    case NID_sha256:
      return "sha256";
    case NID_sha384:
      return "sha384";
    case NID_sha512:
      return "sha512";
    case NID_sha224:
      return "sha224";
    case NID_sha1:
      return "sha1";
    case NID_md5:
      return "md5";
    default:
      return "unknown";
  }
}

void ReadSignature(const X509* certificate, CertificateFacts& facts) {
  const int algorithm = X509_get_signature_nid(certificate);
  facts.signature_ok = IsStrongSignature(certificate);
  if (algorithm == NID_ED25519) return void(facts.signature_algorithm = "ed25519");
  if (algorithm == NID_rsassaPss) return void(facts.signature_algorithm = "rsa-pss");
  int digest = NID_undef;
  int key = NID_undef;
  if (OBJ_find_sigid_algs(algorithm, &digest, &key) != 1) digest = NID_undef;
  const std::string_view word = DigestWord(digest);
  facts.signature_algorithm = key == NID_rsaEncryption ? "rsa-" : "ecdsa-";
  facts.signature_algorithm += word;
  if (digest == NID_undef) facts.signature_algorithm = word;
}

Result<void> ReadNamesInto(X509* certificate, CertificateFacts& facts) {
  PeerCertificate presented;
  const std::string_view wrong = ReadNames(certificate, presented);
  if (!wrong.empty())
    return BadConfig("certificate '" + facts.subject + "': " + std::string(wrong));
  facts.names = std::move(presented.dns_names);
  for (const std::string& name : presented.srv_names) facts.names.push_back("srv:" + name);
  for (const std::string& name : presented.xmpp_addrs) facts.names.push_back("xmpp:" + name);
  for (const std::string& name : presented.uris) facts.names.push_back("uri:" + name);
  if (!presented.common_name.empty()) facts.names.push_back("cn:" + presented.common_name);
  return {};
}

}  // namespace

Result<CertificateFacts> FactsOf(const std::string& der) {
  const CertificateObject certificate = ParseCertificate(der);
  if (!certificate) return BadConfig("a certificate cannot be read; have it written anew");
  X509* const of = certificate.get();
  CertificateFacts facts;
  facts.subject = NameText(X509_get_subject_name(of));
  facts.issuer = NameText(X509_get_issuer_name(of));
  facts.serial = SerialText(of);
  facts.sha256 = Hex(Sha256(der));
  const KeyObject key(X509_get_pubkey(of));
  if (key) {
    facts.public_key_hash = KeyHashOf(key.get());
    facts.key_type = KeyTypeWord(key.get());
    facts.self_signed = X509_NAME_cmp(X509_get_subject_name(of), X509_get_issuer_name(of)) == 0 &&
                        X509_verify(of, key.get()) == 1;
  } else {
    facts.key_type = "unknown";
  }
  ERR_clear_error();
  facts.not_before = UnixTimeOf(X509_get0_notBefore(of));
  facts.not_after = UnixTimeOf(X509_get0_notAfter(of));
  facts.is_ca = X509_check_ca(of) == 1;
  facts.may_sign = (X509_get_key_usage(of) & KU_DIGITAL_SIGNATURE) != 0;  // all bits where absent
  ReadPurposes(of, facts);
  ReadSignature(of, facts);
  GATEHOUSE_TRY_VOID(ReadNamesInto(of, facts));
  return facts;
}

Result<CertificateFacts> FactsOfRequest(const std::string& request_pem) {
  GATEHOUSE_TRY(const RequestObject request, ReadRequest(request_pem));
  CertificateFacts facts;
  facts.subject = NameText(X509_REQ_get_subject_name(request.get()));
  const KeyObject key(X509_REQ_get_pubkey(request.get()));
  facts.public_key_hash = KeyHashOf(key.get());
  facts.key_type = KeyTypeWord(key.get());
  // Names are read where certificates have them.
  const CertificateObject asked(X509_new());
  const bssl::UniquePtr<STACK_OF(X509_EXTENSION)> extensions(
      X509_REQ_get_extensions(request.get()));
  bool read =
      asked && X509_set_subject_name(asked.get(), X509_REQ_get_subject_name(request.get())) == 1;
  if (extensions)
    for (X509_EXTENSION* extension : extensions.get())
      if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == NID_subject_alt_name)
        read = read && X509_add_ext(asked.get(), extension, -1) == 1;
  ERR_clear_error();
  if (!read) return BadConfig("the names of the request cannot be read; request anew");
  GATEHOUSE_TRY_VOID(ReadNamesInto(asked.get(), facts));
  return facts;
}

}  // namespace gatehouse
