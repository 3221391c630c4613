#include "core/loop/dns_message.h"

namespace gatehouse {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr unsigned char kResponse = 0x80;   // of the third octet
constexpr unsigned char kTruncated = 0x02;
constexpr unsigned char kAuthentic = 0x20;  // of the fourth
constexpr unsigned char kCode = 0x0f;
constexpr std::size_t kMaxNameBytes = 255;  // RFC 1035 §3.1
constexpr unsigned char kPointer = 0xc0;    // both bits: the name goes on elsewhere
constexpr std::uint16_t kInternet = 1;
constexpr std::size_t kTlsaFixedBytes = 3;
constexpr std::uint8_t kUnknown = 255;  // private use: no number we know

// Takes from the front; false, and nothing else is taken, where there is not enough.
class Octets {
 public:
  explicit Octets(std::span<const unsigned char> all) : left_(all) {}

  [[nodiscard]] bool Skip(std::size_t count) {
    if (left_.size() < count) return false;
    left_ = left_.subspan(count);
    return true;
  }
  [[nodiscard]] bool Byte(unsigned char& value) {
    if (left_.empty()) return false;
    value = left_.front();
    return Skip(1);
  }
  [[nodiscard]] bool Word(std::uint16_t& value) {
    unsigned char high = 0;
    unsigned char low = 0;
    if (!Byte(high) || !Byte(low)) return false;
    value = static_cast<std::uint16_t>(high << 8 | low);
    return true;
  }
  [[nodiscard]] bool Part(std::size_t count, std::span<const unsigned char>& part) {
    if (left_.size() < count) return false;
    part = left_.first(count);
    return Skip(count);
  }
  // A name, which nobody here needs to know. It ends at its first pointer.
  [[nodiscard]] bool SkipName() {
    std::size_t length = 0;
    unsigned char label = 0;
    while (Byte(label)) {
      if (label == 0) return true;
      if ((label & kPointer) == kPointer) return Skip(1);
      length += std::size_t{label} + 1;
      if ((label & kPointer) != 0 || length >= kMaxNameBytes || !Skip(label)) return false;
    }
    return false;
  }

 private:
  std::span<const unsigned char> left_;
};

bool SkipQuestions(Octets& octets, std::uint16_t count) {
  for (; count > 0; --count)
    if (!octets.SkipName() || !octets.Skip(4)) return false;
  return true;
}

// A record too short for its numbers is there all the same, and of no use.
TlsaRecord TlsaOf(std::span<const unsigned char> data) {
  if (data.size() < kTlsaFixedBytes) return {kUnknown, kUnknown, kUnknown, {}};
  const auto association = data.subspan(kTlsaFixedBytes);
  return {data[0], data[1], data[2], {association.begin(), association.end()}};
}

// One record; into `records` if it is of the type. False: malformed.
bool TakeRecord(Octets& octets, std::vector<TlsaRecord>& records) {
  std::uint16_t type = 0;
  std::uint16_t kind = 0;
  std::uint16_t size = 0;
  std::span<const unsigned char> data;
  if (!octets.SkipName() || !octets.Word(type) || !octets.Word(kind) || !octets.Skip(4) ||
      !octets.Word(size) || !octets.Part(size, data))
    return false;
  if (type != kTlsaType || kind != kInternet) return true;
  if (records.size() == kMaxTlsaRecords) return false;
  records.push_back(TlsaOf(data));
  return true;
}

}  // namespace

std::optional<DnsHeader> ReadDnsHeader(std::span<const unsigned char> message) {
  if (message.size() < kHeaderBytes || (message[2] & kResponse) == 0) return std::nullopt;
  DnsHeader header;
  header.code = message[3] & kCode;
  header.truncated = (message[2] & kTruncated) != 0;
  header.authentic = (message[3] & kAuthentic) != 0;
  header.questions = static_cast<std::uint16_t>(message[4] << 8 | message[5]);
  header.answers = static_cast<std::uint16_t>(message[6] << 8 | message[7]);
  return header;
}

void AskForAuthentic(std::span<unsigned char> query) {
  if (query.size() >= kHeaderBytes) query[3] |= kAuthentic;
}

std::optional<std::vector<TlsaRecord>> ReadTlsa(std::span<const unsigned char> message) {
  const auto header = ReadDnsHeader(message);
  if (!header) return std::nullopt;
  Octets octets(message.subspan(kHeaderBytes));
  if (!SkipQuestions(octets, header->questions)) return std::nullopt;
  std::vector<TlsaRecord> records;
  for (std::uint16_t i = 0; i < header->answers; ++i)
    if (!TakeRecord(octets, records)) return std::nullopt;
  return records;
}

}  // namespace gatehouse
