#include "core/dnscheck/zone_lines.h"

#include <fmt/format.h>

#include "core/tls/crypto.h"

namespace gatehouse::dnscheck {
namespace {

constexpr int kTtl = 3600;

std::string Line(std::string_view owner, std::string_view type, std::string_view data) {
  return fmt::format("{}. {} IN {} {}", owner, kTtl, type, data);
}

}  // namespace

bool IsBelow(std::string_view name, std::string_view domain) {
  return name == domain || (name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.');
}

std::string SrvLine(std::string_view service, std::uint16_t port, std::string_view target) {
  return Line(service, "SRV", fmt::format("0 0 {} {}.", port, target));
}

std::string AddressLine(std::string_view host, const SocketAddress& address) {
  return Line(host, address.storage.ss_family == AF_INET6 ? "AAAA" : "A", address.Ip());
}

std::string ReverseLine(const SocketAddress& address, std::string_view host) {
  return Line(ReverseName(address), "PTR", fmt::format("{}.", host));
}

std::string TlsaLine(std::string_view host, std::uint16_t port, const TlsaRecord& record) {
  return Line(
      fmt::format("_{}._tcp.{}", port, host), "TLSA",
      fmt::format("{} {} {} {}", record.usage, record.selector, record.matching, Hex(record.data)));
}

std::string CaaLine(std::string_view domain, std::string_view issuer) {
  return Line(domain, "CAA", fmt::format("0 issue \"{}\"", issuer));
}

}  // namespace gatehouse::dnscheck
