// What one resolver says of a domain and of what its records lead to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/loop/dns_sections.h"

namespace gatehouse::dnscheck {

struct ZoneQuestion {
  std::string name;
  std::uint16_t type = 0;
  auto operator<=>(const ZoneQuestion&) const = default;
};

struct ZonePicture {
  std::string resolver;
  std::map<ZoneQuestion, DnsSection> sections;

  // Null: it was not asked.
  [[nodiscard]] const DnsSection* Find(std::string_view name, std::uint16_t type) const;
  // Records of the very type; none where there is no answer.
  [[nodiscard]] std::vector<DnsRecord> Records(std::string_view name, std::uint16_t type) const;
  [[nodiscard]] std::vector<SrvRecord> Srv(std::string_view name) const;
  // AAAA first, then A, with `port`.
  [[nodiscard]] std::vector<SocketAddress> Addresses(std::string_view name,
                                                     std::uint16_t port = 0) const;
  // False also where one of the families was not asked.
  [[nodiscard]] bool AddressesAreFacts(std::string_view name) const;
  // Whom `name` itself is an alias for; empty: it is none.
  [[nodiscard]] std::string AliasOf(std::string_view name) const;
  // The names an address has in its reverse zone.
  [[nodiscard]] std::vector<std::string> ReverseNames(const SocketAddress& address) const;
};

// The names partners look up; A-label form.
[[nodiscard]] std::string XmppService(std::string_view domain);           // _xmpp-server._tcp
[[nodiscard]] std::string XmppsService(std::string_view domain);          // _xmpps-server._tcp
[[nodiscard]] std::string SipFederationService(std::string_view domain);  // _sipfederationtls._tcp
[[nodiscard]] std::string SipsService(std::string_view domain);           // _sips._tcp
[[nodiscard]] std::string TlsaName(std::string_view host, std::uint16_t port);

// A name a host can have: neither an address nor a single label.
[[nodiscard]] bool IsAddress(std::string_view name);
[[nodiscard]] bool IsHostName(std::string_view name);

// The questions that are not answered yet and are worth asking, by what is known; none: the picture
// is whole.
[[nodiscard]] std::vector<ZoneQuestion> NextQuestions(std::string_view domain,
                                                      const ZonePicture& picture);

}  // namespace gatehouse::dnscheck
