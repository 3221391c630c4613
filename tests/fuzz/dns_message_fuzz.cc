// The octets of a DNS answer: nothing outside them is read, and what is taken from them is in them.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/loop/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse;
  if (size > 65535) return 0;
  const std::vector<unsigned char> message(data, data + size);  // its end is watched
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto records = ReadTlsa(message);
  if (!records) return 0;
  GATEHOUSE_CHECK(ReadDnsHeader(message).has_value());
  GATEHOUSE_CHECK(records->size() <= kMaxTlsaRecords);
  for (const TlsaRecord& record : *records)
    GATEHOUSE_CHECK(all.find(record.data) != std::string_view::npos && !TlsaText(record).empty());
  GATEHOUSE_CHECK(UsableTlsa(*records).size() <= records->size());
  return 0;
}
