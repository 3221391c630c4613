#include "core/loop/dns_record.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "core/loop/dns_message.h"
#include "core/loop/dns_octets.h"
#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

constexpr std::size_t kSrvFixedBytes = 6;

using Message = std::span<const unsigned char>;

void AppendOctet(std::string& text, unsigned char octet) {
  const bool plain = octet > ' ' && octet < 0x7f && octet != '.' && octet != '\\';
  if (plain) {
    const bool upper = octet >= 'A' && octet <= 'Z';
    text += static_cast<char>(upper ? octet - 'A' + 'a' : octet);
    return;
  }
  text += '\\';  // RFC 1035 §5.1: \DDD
  for (const int unit : {100, 10, 1}) text += static_cast<char>('0' + octet / unit % 10);
}

// The name at `at`, which moves behind it. A pointer goes backwards only (RFC 1035 §4.1.4), so this
// ends.
bool ReadName(Message message, std::size_t& at, std::string& name) {
  name.clear();
  std::size_t from = at;
  std::size_t lowest = at;
  std::size_t length = 0;
  bool followed = false;
  while (from < message.size()) {
    const unsigned char label = message[from++];
    if ((label & kDnsPointer) == kDnsPointer) {
      if (from == message.size()) return false;
      const auto target = std::size_t{label & 0x3fU} << 8 | message[from++];
      if (target >= lowest) return false;
      if (!followed) at = from;
      followed = true;
      from = lowest = target;
      continue;
    }
    if ((label & kDnsPointer) != 0) return false;
    if (label == 0) {
      if (!followed) at = from;
      return true;
    }
    length += std::size_t{label} + 1;
    if (length >= kDnsMaxNameBytes || message.size() - from < label) return false;
    if (!name.empty()) name += '.';
    for (const unsigned char octet : message.subspan(from, label)) AppendOctet(name, octet);
    from += label;
  }
  return false;
}

bool SkipQuestionsAt(Message message, std::uint16_t count, std::size_t& at) {
  std::string ignored;
  for (; count > 0; --count) {
    if (!ReadName(message, at, ignored) || message.size() - at < 4) return false;
    at += 4;
  }
  return true;
}

// Where in the data the name of a record stands; nullopt: it has none.
std::optional<std::size_t> PlaceOfName(std::uint16_t type) {
  if (type == kDnsCname || type == kDnsPtr) return 0;
  if (type == kDnsSrv) return kSrvFixedBytes;
  return std::nullopt;
}

bool ReadRecord(Message message, std::size_t& at, DnsRecord& record, bool& of_internet) {
  if (!ReadName(message, at, record.owner)) return false;
  DnsOctets octets(message.subspan(at));
  std::uint16_t kind = 0;
  std::uint16_t size = 0;
  Message data;
  if (!octets.Word(record.type) || !octets.Word(kind) || !octets.Skip(4) || !octets.Word(size) ||
      !octets.Part(size, data))
    return false;
  at = message.size() - octets.left();
  of_internet = kind == kDnsInternet;
  record.data.assign(data.begin(), data.end());
  const auto place = PlaceOfName(record.type);
  if (!place) return true;
  const std::size_t begin = at - size;
  std::size_t name_at = begin + *place;
  return size > *place && ReadName(message, name_at, record.name) && name_at <= at;
}

unsigned char OctetOf(const DnsRecord& record, std::size_t index) {
  return static_cast<unsigned char>(record.data[index]);
}

std::uint16_t WordOf(const DnsRecord& record, std::size_t index) {
  return static_cast<std::uint16_t>(OctetOf(record, index) << 8 | OctetOf(record, index + 1));
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c < ' ' || c == 0x7f ? '?' : c;
  }
  return quoted + '"';
}

}  // namespace

std::string DnsTypeWord(std::uint16_t type) {
  switch (type) {
    case kDnsA:
      return "A";
    case kDnsCname:
      return "CNAME";
    case kDnsPtr:
      return "PTR";
    case kDnsTxt:
      return "TXT";
    case kDnsAaaa:
      return "AAAA";
    case kDnsSrv:
      return "SRV";
    case kDnsRrsig:
      return "RRSIG";
    case kDnsTlsa:
      return "TLSA";
    case kDnsCaa:
      return "CAA";
    default:
      return "TYPE" + std::to_string(type);
  }
}

std::optional<std::vector<DnsRecord>> ReadDnsRecords(std::span<const unsigned char> message) {
  const auto header = ReadDnsHeader(message);
  std::size_t at = kDnsHeaderBytes;
  if (!header || header->answers > kMaxDnsRecords ||
      !SkipQuestionsAt(message, header->questions, at))
    return std::nullopt;
  std::vector<DnsRecord> records;
  for (std::uint16_t i = 0; i < header->answers; ++i) {
    DnsRecord record;
    bool of_internet = false;
    if (!ReadRecord(message, at, record, of_internet)) return std::nullopt;
    if (of_internet) records.push_back(std::move(record));
  }
  return records;
}

std::optional<SrvRecord> SrvOf(const DnsRecord& record) {
  if (record.type != kDnsSrv || record.data.size() <= kSrvFixedBytes) return std::nullopt;
  return SrvRecord{WordOf(record, 0), WordOf(record, 2), WordOf(record, 4), record.name};
}

std::optional<SocketAddress> AddressOf(const DnsRecord& record) {
  SocketAddress address;
  if (record.type == kDnsA && record.data.size() == sizeof(in_addr)) {
    address.storage.ss_family = AF_INET;
    std::memcpy(&reinterpret_cast<sockaddr_in&>(address.storage).sin_addr, record.data.data(),
                sizeof(in_addr));
    return address;
  }
  if (record.type != kDnsAaaa || record.data.size() != sizeof(in6_addr)) return std::nullopt;
  address.storage.ss_family = AF_INET6;
  std::memcpy(&reinterpret_cast<sockaddr_in6&>(address.storage).sin6_addr, record.data.data(),
              sizeof(in6_addr));
  return address;
}

std::optional<CaaRecord> CaaOf(const DnsRecord& record) {
  if (record.type != kDnsCaa || record.data.size() < 2) return std::nullopt;
  const std::size_t tag_size = OctetOf(record, 1);
  if (tag_size == 0 || record.data.size() < 2 + tag_size) return std::nullopt;
  CaaRecord caa{OctetOf(record, 0), record.data.substr(2, tag_size),
                record.data.substr(2 + tag_size)};
  for (char& c : caa.tag)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return caa;
}

std::optional<std::string> TextOf(const DnsRecord& record) {
  if (record.type != kDnsTxt) return std::nullopt;
  std::string text;
  for (std::string_view rest = record.data; !rest.empty();) {
    const std::size_t size = static_cast<unsigned char>(rest.front());
    if (rest.size() <= size) return std::nullopt;
    text += rest.substr(1, size);
    rest.remove_prefix(1 + size);
  }
  return text;
}

std::optional<TlsaRecord> TlsaOf(const DnsRecord& record) {
  if (record.type != kDnsTlsa || record.data.size() < kDnsTlsaFixedBytes) return std::nullopt;
  return TlsaRecord{OctetOf(record, 0), OctetOf(record, 1), OctetOf(record, 2),
                    record.data.substr(kDnsTlsaFixedBytes)};
}

std::string DnsDataText(const DnsRecord& record) {
  if (const auto srv = SrvOf(record))
    return std::to_string(srv->priority) + ' ' + std::to_string(srv->weight) + ' ' +
           std::to_string(srv->port) + ' ' + srv->target + '.';
  if (const auto address = AddressOf(record)) return address->Ip();
  if (const auto caa = CaaOf(record))
    return std::to_string(caa->flags) + ' ' + caa->tag + ' ' + Quoted(caa->value);
  if (const auto tlsa = TlsaOf(record))
    return std::to_string(tlsa->usage) + ' ' + std::to_string(tlsa->selector) + ' ' +
           std::to_string(tlsa->matching) + ' ' + Hex(tlsa->data);
  if (PlaceOfName(record.type)) return record.name + '.';
  return Hex(record.data);
}

std::string ReverseName(const SocketAddress& address) {
  std::string name;
  if (address.storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr;
    const auto* octets = reinterpret_cast<const unsigned char*>(&in);
    for (int i = 3; i >= 0; --i) name += std::to_string(octets[i]) + '.';
    return name + "in-addr.arpa";
  }
  const auto& in = reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr;
  std::string digits = Hex({reinterpret_cast<const char*>(&in), sizeof in});
  std::ranges::reverse(digits);
  for (const char digit : digits) (name += digit) += '.';
  return name + "ip6.arpa";
}

}  // namespace gatehouse
