#include "core/tls/crypto.h"

#include <openssl/base64.h>
#include <openssl/digest.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>

namespace gatehouse {
namespace {

const std::uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}
std::uint8_t* Bytes(std::string& text) {
  return reinterpret_cast<std::uint8_t*>(text.data());
}

}  // namespace

std::string RandomBytes(std::size_t count) {
  std::string bytes(count, '\0');
  RAND_bytes(Bytes(bytes), count);  // BoringSSL ends the process where the OS has no entropy
  return bytes;
}

std::string RandomHex(std::size_t bytes) {
  return Hex(RandomBytes(bytes));
}

std::string Sha256(std::string_view data) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(Bytes(data), data.size(), Bytes(digest));
  return digest;
}

Sha256Digest Sha256Of(std::initializer_list<std::string_view> parts) {
  SHA256_CTX state;
  SHA256_Init(&state);
  for (const std::string_view part : parts) SHA256_Update(&state, part.data(), part.size());
  Sha256Digest digest;
  SHA256_Final(reinterpret_cast<std::uint8_t*>(digest.data()), &state);
  return digest;
}

std::string HmacSha256(std::string_view key, std::string_view message) {
  std::string mac(SHA256_DIGEST_LENGTH, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), key.size(), Bytes(message), message.size(), Bytes(mac), &size);
  return mac;
}

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string Base64(std::string_view bytes) {
  std::size_t room = 0;
  EVP_EncodedLength(&room, bytes.size());
  std::string text(room, '\0');
  text.resize(EVP_EncodeBlock(Bytes(text), Bytes(bytes), bytes.size()));
  return text;
}

std::string Base64Url(std::string_view bytes) {
  std::string text = Base64(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return text;
}

bool DecodeBase64(std::string_view text, std::string& bytes) {
  std::size_t room = 0;
  if (EVP_DecodedLength(&room, text.size()) != 1) return false;
  bytes.assign(room, '\0');
  std::size_t size = 0;
  if (EVP_DecodeBase64(Bytes(bytes), &size, room, Bytes(text), text.size()) != 1) return false;
  bytes.resize(size);
  return true;
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string plain(text);
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  while (plain.size() % 4 != 0) plain += '=';
  std::string bytes;
  const bool good = DecodeBase64(plain, bytes);
  OPENSSL_cleanse(plain.data(), plain.size());
  if (!good) return std::nullopt;
  return bytes;
}

bool ConstantTimeEqual(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace gatehouse
