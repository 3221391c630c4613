// The checks of 2.2 on an inbound stream's start tag, in their order. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/policy/policy_view.h"
#include "core/policy/reasons.h"
#include "core/xmpp/inbound_features.h"
#include "core/xmpp/stream_errors.h"
#include "core/xmpp/xml_reader.h"

namespace gatehouse {

// What inbound streams are judged by. Owned by whoever runs them, who changes it in place.
struct InboundRules {
  PolicyPointer policy;                      // never null while streams live
  std::vector<std::string> domains;          // ours, prepared; the first is the default
  std::vector<std::string> removed_domains;  // were ours before the last reload
  // May one more stream of this partner live (2.11)? Asked before the stream has a verified pair.
  // Empty: always.
  std::function<bool(const proto::Partner&)> partner_has_room;

  [[nodiscard]] bool Serves(std::string_view domain) const;
  [[nodiscard]] const proto::Partner* FindPartner(std::string_view domain) const {
    return policy->FindPartner(domain);
  }
};

struct HeaderFacts {
  std::string from;  // prepared; empty: the header has none
  std::string to;    // prepared
  bool has_version = true;
  // What it claims to be and asks for, prepared, whatever the checks say; empty: no domain.
  std::string claims, asks_for;
};
struct HeaderRefusal {
  StreamCondition condition;
  Reason reason;
};
// Nos. 4 to 12. `facts` is filled as far as the checks came, for the response header.
Result<void, HeaderRefusal> CheckHeader(const StreamHeader& header, StreamPhase phase,
                                        const InboundRules& rules, HeaderFacts& facts);

}  // namespace gatehouse
