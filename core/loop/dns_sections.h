// One resolver asked for whole answers, as whoever checks a zone wants them: aliases, signatures
// and what kind of failure it was. Federation itself asks by dns_lookup.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/loop/dns_record.h"

namespace gatehouse {

enum class DnsSaid : std::uint8_t {
  kRecords,     // of the type that was asked for
  kNoRecords,   // the name may be there; a name server said so
  kNoSuchName,  // NXDOMAIN
  kFailure,     // SERVFAIL, REFUSED, or no DNS message: not a fact
  kSilence,     // nobody answered in time
};

struct DnsSection {
  DnsSaid said = DnsSaid::kSilence;
  std::string trouble;     // of kFailure and kSilence: "SERVFAIL", "REFUSED", "no answer"
  bool authentic = false;  // the resolver says that it validated the answer (RFC 4035 §3.2.3)
  std::vector<DnsRecord> records;  // aliases and signatures included

  [[nodiscard]] bool IsFact() const {
    return said != DnsSaid::kFailure && said != DnsSaid::kSilence;
  }
  // A signature came with it, whether or not anybody validated it.
  [[nodiscard]] bool IsSigned() const;
};

class DnsSections {
 public:
  // `server`: "127.0.0.1", "127.0.0.1:5353", "[::1]:53".
  static Result<std::unique_ptr<DnsSections>> Create(Loop& loop, const std::string& server);
  virtual ~DnsSections() = default;  // answers still open are not called

  // `done` is called in a later turn, once.
  virtual void Ask(std::string_view name, std::uint16_t type,
                   std::function<void(DnsSection)> done) = 0;
};

// The name servers of this machine, in their order, as `Create` takes them.
Result<std::vector<std::string>> SystemDnsServers(Loop& loop);

}  // namespace gatehouse
