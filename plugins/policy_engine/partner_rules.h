// What a partner record must be before it may be stored or published.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "plugins/policy_engine/domain_owners.h"
#include "plugins/policy_engine/type_rules.h"
#include "proto/ctl.pb.h"

namespace gatehouse::policy_engine {

// Far above what a partner has; a list longer than this is a mistake.
inline constexpr int kMaxAdditionalDomains = 256;
// More connections than one process may have descriptors.
inline constexpr std::uint32_t kMaxConnections = 100'000;
// The end of the year 9999, which is as far as times are written.
inline constexpr std::uint64_t kLatestUnix = 253'402'300'799;

// All that is wrong with a record, each with its field and one sentence with the remedy; its
// domains are prepared (6.2) where they can be.
[[nodiscard]] std::vector<proto::Mistake> PartnerMistakes(proto::Partner& partner,
                                                          const DomainOwners& others,
                                                          const PartnerTypes& types);

// Takes a full record as an operator wrote it, who owns the domains of everybody else, and the
// operator's own partner types.
//   gives  the same record with its domains prepared (6.2); an additional one may be a wildcard
//   fails  kConfig with the first mistake, one sentence with the remedy: a domain that is none, is
//   named twice or is somebody else's; a type that neither is there always nor is one of `types`; a
//   value outside its enum; a row of 4.2 without a method ("E1: ..."); a proxy that is not
//          HOST[:PORT]; trust anchors that are no PEM certificates; a number, time or text above
//          its limit; a description that is more than one line
Result<proto::Partner> CheckPartner(proto::Partner partner, const DomainOwners& others,
                                    const PartnerTypes& types);

// A domain for the deny list, or "*." before one, prepared. Fails (kConfig) with the remedy, for
// one of ours too.
Result<std::string> CheckDenied(std::string_view pattern, const std::vector<std::string>& served);
// For an expiry that is being set; 0 is never. Fails (kConfig) for one that is past.
Result<void> CheckExpiry(std::uint64_t expires_unix, std::int64_t now_unix);

// HOST[:PORT]: a host name or an IP address, IPv6 in brackets; port 1..65535.
//   gives  the same as DNS has it: an internationalised name in A-labels, no dot at its end
//   fails  kConfig with the remedy
Result<std::string> CheckProxy(std::string_view proxy);

}  // namespace gatehouse::policy_engine
