#include "core/loop/dns_message.h"

#include "core/loop/dns_octets.h"

namespace gatehouse {
namespace {

constexpr unsigned char kResponse = 0x80;  // of the third octet
constexpr unsigned char kTruncated = 0x02;
constexpr unsigned char kAuthentic = 0x20;  // of the fourth
constexpr unsigned char kCode = 0x0f;
constexpr std::uint8_t kUnknown = 255;  // private use: no number we know

// A name, which nobody here needs to know. It ends at its first pointer.
bool SkipName(DnsOctets& octets) {
  std::size_t length = 0;
  unsigned char label = 0;
  while (octets.Byte(label)) {
    if (label == 0) return true;
    if ((label & kDnsPointer) == kDnsPointer) return octets.Skip(1);
    length += std::size_t{label} + 1;
    if ((label & kDnsPointer) != 0 || length >= kDnsMaxNameBytes || !octets.Skip(label))
      return false;
  }
  return false;
}

bool SkipQuestions(DnsOctets& octets, std::uint16_t count) {
  for (; count > 0; --count)
    if (!SkipName(octets) || !octets.Skip(4)) return false;
  return true;
}

// A record too short for its numbers is there all the same, and of no use.
TlsaRecord TlsaOf(std::span<const unsigned char> data) {
  if (data.size() < kDnsTlsaFixedBytes) return {kUnknown, kUnknown, kUnknown, {}};
  const auto association = data.subspan(kDnsTlsaFixedBytes);
  return {data[0], data[1], data[2], {association.begin(), association.end()}};
}

// One record; into `records` if it is of the type. False: malformed.
bool TakeRecord(DnsOctets& octets, std::vector<TlsaRecord>& records) {
  std::uint16_t type = 0;
  std::uint16_t kind = 0;
  std::uint16_t size = 0;
  std::span<const unsigned char> data;
  if (!SkipName(octets) || !octets.Word(type) || !octets.Word(kind) || !octets.Skip(4) ||
      !octets.Word(size) || !octets.Part(size, data))
    return false;
  if (type != kTlsaType || kind != kDnsInternet) return true;
  if (records.size() == kMaxTlsaRecords) return false;
  records.push_back(TlsaOf(data));
  return true;
}

}  // namespace

std::optional<DnsHeader> ReadDnsHeader(std::span<const unsigned char> message) {
  if (message.size() < kDnsHeaderBytes || (message[2] & kResponse) == 0) return std::nullopt;
  DnsHeader header;
  header.code = message[3] & kCode;
  header.truncated = (message[2] & kTruncated) != 0;
  header.authentic = (message[3] & kAuthentic) != 0;
  header.questions = static_cast<std::uint16_t>(message[4] << 8 | message[5]);
  header.answers = static_cast<std::uint16_t>(message[6] << 8 | message[7]);
  return header;
}

void AskForAuthentic(std::span<unsigned char> query) {
  if (query.size() >= kDnsHeaderBytes) query[3] |= kAuthentic;
}

std::optional<std::vector<TlsaRecord>> ReadTlsa(std::span<const unsigned char> message) {
  const auto header = ReadDnsHeader(message);
  if (!header) return std::nullopt;
  DnsOctets octets(message.subspan(kDnsHeaderBytes));
  if (!SkipQuestions(octets, header->questions)) return std::nullopt;
  std::vector<TlsaRecord> records;
  for (std::uint16_t i = 0; i < header->answers; ++i)
    if (!TakeRecord(octets, records)) return std::nullopt;
  return records;
}

}  // namespace gatehouse
