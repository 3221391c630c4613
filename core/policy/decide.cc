#include "core/policy/decide.h"

#include "core/policy/negotiation.h"

namespace gatehouse {
namespace {

constexpr Verdict Refuse(RefusalReason reason, std::string_view rule) {
  return {Decision::kRefuse, reason, rule};
}

}  // namespace

Verdict Decide(const PolicyView& policy, const Envelope& envelope) {
  if (envelope.local_domain.empty()) return Refuse(RefusalReason::kNotOurDomain, "local-domain");
  const proto::Partner* partner = policy.FindPartner(envelope.remote_domain);
  if (partner == nullptr) return Refuse(RefusalReason::kUnknownPartner, "partner-listed");
  const MethodSet methods = PermittedMethods(RowOf(*partner));
  // Outwards no method is chosen yet: that the row leaves one at all is what can be known here.
  const bool permitted =
      envelope.direction == Direction::kSipToXmpp ? !methods.empty() : methods.Has(envelope.method);
  if (!permitted) return Refuse(RefusalReason::kMethodNotPermitted, "partner-method");
  return {Decision::kAllow, RefusalReason::kNone, "partner-listed"};
}

std::string_view RefusalName(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kNone:
      return "none";
    case RefusalReason::kUnknownPartner:
      return "unknown-partner";
    case RefusalReason::kMethodNotPermitted:
      return "method-not-permitted";
    case RefusalReason::kNotOurDomain:
      return "not-our-domain";
  }
  return "none";
}

}  // namespace gatehouse
