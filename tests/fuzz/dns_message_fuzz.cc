// The octets of a DNS answer: nothing outside them is read, and what is taken from them is in them.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/loop/dns_message.h"
#include "core/loop/dns_record.h"

// A name of 255 octets, each of them escaped.
constexpr std::size_t kMaxNameText = 255 * 4;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse;
  if (size > 65535) return 0;
  const std::vector<unsigned char> message(data, data + size);  // its end is watched
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  if (const auto whole = ReadDnsRecords(message)) {
    GATEHOUSE_CHECK(whole->size() <= kMaxDnsRecords);
    for (const DnsRecord& record : *whole)
      GATEHOUSE_CHECK(all.find(record.data) != std::string_view::npos &&
                      record.owner.size() <= kMaxNameText && record.name.size() <= kMaxNameText &&
                      (record.data.empty() || !DnsDataText(record).empty()));
  }
  const auto records = ReadTlsa(message);
  if (!records) return 0;
  GATEHOUSE_CHECK(ReadDnsHeader(message).has_value());
  GATEHOUSE_CHECK(records->size() <= kMaxTlsaRecords);
  for (const TlsaRecord& record : *records)
    GATEHOUSE_CHECK(all.find(record.data) != std::string_view::npos && !TlsaText(record).empty());
  GATEHOUSE_CHECK(UsableTlsa(*records).size() <= records->size());
  return 0;
}
