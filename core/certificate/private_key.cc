#include "core/certificate/private_key.h"

#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/rsa.h>

#include <array>

#include "core/certificate/boring_objects.h"
#include "core/tls/certificate_strength.h"

namespace gatehouse {
namespace {

struct Kind {
  KeyType type;
  std::string_view word;
  int bits;   // of RSA; else 0
  int curve;  // of EC; else 0
};
constexpr std::array kKinds = {
    Kind{KeyType::kRsa2048, "rsa-2048", 2048, 0},
    Kind{KeyType::kRsa3072, "rsa-3072", 3072, 0},
    Kind{KeyType::kRsa4096, "rsa-4096", 4096, 0},
    Kind{KeyType::kP256, "p-256", 0, NID_X9_62_prime256v1},
    Kind{KeyType::kP384, "p-384", 0, NID_secp384r1},
};

const Kind& KindOf(KeyType type) {
  for (const Kind& kind : kKinds)
    if (kind.type == type) return kind;
  return kKinds[3];
}

bool MakeRsa(int bits, EVP_PKEY* key) {
  const bssl::UniquePtr<RSA> rsa(RSA_new());
  const bssl::UniquePtr<BIGNUM> exponent(BN_new());
  return rsa && exponent && BN_set_word(exponent.get(), RSA_F4) == 1 &&
         RSA_generate_key_ex(rsa.get(), bits, exponent.get(), nullptr) == 1 &&
         EVP_PKEY_set1_RSA(key, rsa.get()) == 1;
}

bool MakeEc(int curve, EVP_PKEY* key) {
  const bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(curve));
  return ec && EC_KEY_generate_key(ec.get()) == 1 && EVP_PKEY_set1_EC_KEY(key, ec.get()) == 1;
}

}  // namespace

std::string_view WordOf(KeyType type) {
  return KindOf(type).word;
}

std::optional<KeyType> KeyTypeOf(std::string_view word) {
  for (const Kind& kind : kKinds)
    if (kind.word == word) return kind.type;
  return std::nullopt;
}

Result<std::string> MakePrivateKey(KeyType type) {
  const Kind& kind = KindOf(type);
  const KeyObject key(EVP_PKEY_new());
  const bool made =
      key && (kind.bits > 0 ? MakeRsa(kind.bits, key.get()) : MakeEc(kind.curve, key.get()));
  if (!made) return CannotMake("a private key");
  return PemOf(key.get());
}

Result<std::string> PublicKeyHash(const std::string& private_key_pem) {
  GATEHOUSE_TRY(const KeyObject key, ReadKey(private_key_pem));
  return KeyHashOf(key.get());
}

Result<std::string> KeyTypeWord(const std::string& private_key_pem) {
  GATEHOUSE_TRY(const KeyObject key, ReadKey(private_key_pem));
  return KeyTypeWord(key.get());
}

}  // namespace gatehouse
