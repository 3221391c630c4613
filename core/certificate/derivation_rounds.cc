#include "core/certificate/derivation_rounds.h"

#include <openssl/bytestring.h>

#include <algorithm>
#include <string>

namespace gatehouse {
namespace {

constexpr std::uint64_t kTooMany = kMaxDerivationRounds + 1;
constexpr int kMaxDepth = 48;  // a PKCS #12 file has about twenty
constexpr unsigned kParts = CBS_ASN1_OCTETSTRING | CBS_ASN1_CONSTRUCTED;

std::string_view TextIn(const CBS& octets) {
  return {reinterpret_cast<const char*>(CBS_data(&octets)), CBS_len(&octets)};
}

std::uint64_t IntegerOf(std::string_view octets) {
  std::uint64_t value = 0;
  for (const char c : octets)
    value = std::min(value * 256 + static_cast<unsigned char>(c), kTooMany);
  return value;
}

// Wherever a salt stands its rounds follow: an INTEGER behind an OCTET STRING.
class RoundsReader {
 public:
  // The elements in `in`, up to its end or the end of an indefinite length. `parts`: where the
  // OCTET STRINGs in it go that are parts of one.
  void Read(CBS& in, int depth, std::string* parts) {
    if (depth > kMaxDepth) rounds_ = kTooMany;
    bool after_salt = false;
    while (rounds_ < kTooMany && CBS_len(&in) > 0 && !TextIn(in).starts_with(kEnd)) {
      CBS element;
      unsigned tag = 0;
      std::size_t header = 0;
      int ber = 0;
      int indefinite = 0;
      if (CBS_get_any_ber_asn1_element(&in, &element, &tag, &header, &ber, &indefinite) != 1 ||
          CBS_skip(&element, header) != 1)
        return;
      if (after_salt && tag == CBS_ASN1_INTEGER)
        rounds_ = std::min(rounds_ + IntegerOf(TextIn(element)), kTooMany);
      after_salt = tag == CBS_ASN1_OCTETSTRING || tag == kParts;
      if (parts != nullptr && tag == CBS_ASN1_OCTETSTRING) *parts += TextIn(element);
      ReadInside(indefinite != 0 ? in : element, tag, depth, parts);
      if (indefinite != 0) CBS_skip(&in, std::min(kEnd.size(), CBS_len(&in)));
    }
  }
  [[nodiscard]] std::uint64_t rounds() const { return rounds_; }

 private:
  static constexpr std::string_view kEnd{"\0\0", 2};

  void ReadInside(CBS& in, unsigned tag, int depth, std::string* parts) {
    if (tag == CBS_ASN1_OCTETSTRING && parts == nullptr) return Read(in, depth + 1, nullptr);
    if (tag == kParts) {
      std::string whole;
      Read(in, depth + 1, &whole);
      if (parts != nullptr) *parts += whole;
      CBS again;
      CBS_init(&again, reinterpret_cast<const std::uint8_t*>(whole.data()), whole.size());
      if (parts == nullptr) Read(again, depth + 1, nullptr);
      return;
    }
    if ((tag & CBS_ASN1_CONSTRUCTED) != 0) Read(in, depth + 1, nullptr);
  }

  std::uint64_t rounds_ = 0;
};

}  // namespace

std::uint64_t DerivationRounds(std::string_view der) {
  CBS octets;
  CBS_init(&octets, reinterpret_cast<const std::uint8_t*>(der.data()), der.size());
  RoundsReader reader;
  reader.Read(octets, 0, nullptr);
  return reader.rounds();
}

}  // namespace gatehouse
