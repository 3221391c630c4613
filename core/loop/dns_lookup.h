// DNS on the loop, by c-ares. Answers are called back in a later turn, never inside the call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/loop/loop.h"
#include "core/loop/socket_address.h"
#include "core/tls/tlsa_record.h"

namespace gatehouse {

enum class DnsStatus : std::uint8_t {
  kOk,        // records follow
  kNoData,    // NXDOMAIN or NOERROR without data: a fact, fallback is allowed
  kTemporary  // SERVFAIL, timeout, refused: not a fact
};
struct SrvRecord {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string target;  // lower case, no trailing dot; "" for the root: service not offered
};
struct NaptrRecord {
  std::uint16_t order = 0;
  std::uint16_t preference = 0;
  std::string flags, service, replacement;
};
template <class T>
struct DnsAnswer {
  DnsStatus status = DnsStatus::kTemporary;
  std::vector<T> records;
  bool secure = false;  // validated by DNSSEC, aliases included; never where kTemporary
};

// Whom to believe that an answer was validated.
enum class DnsTrust : std::uint8_t {
  kNobody,
  kLocalServers,  // all servers validate and are on loopback: their AD bit (RFC 4035 §3.2.3)
};
// Of the word at dns.dnssec in gatehouse.yaml.
[[nodiscard]] constexpr DnsTrust DnsTrustOf(std::string_view dnssec) {
  return dnssec == "trust-ad" ? DnsTrust::kLocalServers : DnsTrust::kNobody;
}

class DnsLookup {
 public:
  // `servers`: "127.0.0.1", "127.0.0.1:5353", "[::1]:53"; empty: the system's. One query may take 5
  // s (3.3). With kLocalServers addresses come from them alone, not from the hosts file. Fails
  // where one of `servers` is no address, or kLocalServers is asked of others.
  static Result<std::unique_ptr<DnsLookup>> Create(Loop& loop, std::span<const std::string> servers,
                                                   DnsTrust trust = DnsTrust::kNobody);
  virtual ~DnsLookup() = default;  // answers still open are not called

  virtual void Srv(std::string_view name, std::function<void(DnsAnswer<SrvRecord>)> done) = 0;
  virtual void Naptr(std::string_view name, std::function<void(DnsAnswer<NaptrRecord>)> done) = 0;
  // A and AAAA of `name`, AAAA first, with port set. An IP literal answers itself. At most 4 of
  // each kept (3.2). A family that answers much later than the other is left out (RFC 8305 §3).
  // Secure where one of the two is: then nobody has made them up.
  virtual void Addresses(std::string_view name, std::uint16_t port,
                         std::function<void(DnsAnswer<SocketAddress>)> done) = 0;
  // Of "_5269._tcp.host". Worth asking only where the addresses of the host are secure: elsewhere
  // broken name servers make it fail (RFC 7673 §3.2).
  virtual void Tlsa(std::string_view name, std::function<void(DnsAnswer<TlsaRecord>)> done) = 0;
  // Each record's strings put together, any octets.
  virtual void Txt(std::string_view name, std::function<void(DnsAnswer<std::string>)> done) = 0;
  // False: no answer is ever secure.
  [[nodiscard]] virtual bool validates() const = 0;
};

}  // namespace gatehouse
