#include "core/tls/es256_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>

#include <cstdint>

#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

constexpr std::size_t kNumberBytes = 32;

std::string UnsignedOctets(const BIGNUM* number) {
  std::string bytes(kNumberBytes, '\0');
  GATEHOUSE_CHECK(
      BN_bn2bin_padded(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size(), number) == 1);
  return bytes;
}

}  // namespace

struct Es256Key::State {
  bssl::UniquePtr<EC_KEY> key;
  std::string x, y;
};

Es256Key::Es256Key(std::unique_ptr<State> state) : state_(std::move(state)) {}
Es256Key::~Es256Key() = default;
Es256Key::Es256Key(Es256Key&&) noexcept = default;
Es256Key& Es256Key::operator=(Es256Key&&) noexcept = default;

Result<Es256Key> Es256Key::Parse(const std::string& private_key_pem) {
  const bssl::UniquePtr<BIO> bio(
      BIO_new_mem_buf(private_key_pem.data(), static_cast<int>(private_key_pem.size())));
  // No passphrase is asked for.
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  const bssl::UniquePtr<EVP_PKEY> any(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  EC_KEY* const ec = any == nullptr ? nullptr : EVP_PKEY_get0_EC_KEY(any.get());
  if (ec == nullptr || EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) != NID_X9_62_prime256v1)
    return BadConfig("is no P-256 private key in PEM");
  const bssl::UniquePtr<BIGNUM> x(BN_new());
  const bssl::UniquePtr<BIGNUM> y(BN_new());
  if (EC_POINT_get_affine_coordinates_GFp(EC_KEY_get0_group(ec), EC_KEY_get0_public_key(ec),
                                          x.get(), y.get(), nullptr) != 1)
    return BadConfig("is a P-256 private key without its public one");
  auto state = std::make_unique<State>();
  state->key = bssl::UpRef(ec);
  state->x = UnsignedOctets(x.get());
  state->y = UnsignedOctets(y.get());
  return Es256Key(std::move(state));
}

std::string Es256Key::x() const {
  return state_->x;
}

std::string Es256Key::y() const {
  return state_->y;
}

std::string Es256Key::Sign(std::string_view message) const {
  const std::string digest = Sha256(message);
  const bssl::UniquePtr<ECDSA_SIG> signature(ECDSA_do_sign(
      reinterpret_cast<const std::uint8_t*>(digest.data()), digest.size(), state_->key.get()));
  GATEHOUSE_CHECK(signature != nullptr);
  return UnsignedOctets(ECDSA_SIG_get0_r(signature.get())) +
         UnsignedOctets(ECDSA_SIG_get0_s(signature.get()));
}

bool Es256Key::Verifies(std::string_view message, std::string_view signature) const {
  if (signature.size() != 2 * kNumberBytes) return false;
  const auto number = [&signature](std::size_t at) {
    return BN_bin2bn(reinterpret_cast<const std::uint8_t*>(signature.data()) + at, kNumberBytes,
                     nullptr);
  };
  const bssl::UniquePtr<ECDSA_SIG> parts(ECDSA_SIG_new());
  if (!parts || ECDSA_SIG_set0(parts.get(), number(0), number(kNumberBytes)) != 1) return false;
  const std::string digest = Sha256(message);
  const bool good = ECDSA_do_verify(reinterpret_cast<const std::uint8_t*>(digest.data()),
                                    digest.size(), parts.get(), state_->key.get()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace gatehouse
