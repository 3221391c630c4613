#include "core/policy/refusal_answer.h"

#include "core/xmpp/jid.h"

namespace gatehouse {

std::string_view PlaceOf(const PolicyView* policy, std::string_view domain) {
  const proto::Partner* partner = policy == nullptr ? nullptr : policy->FindListed(domain);
  return partner == nullptr ? std::string_view() : std::string_view(partner->domain());
}

proto::CtlResponse AnswerWhy(const RefusalMemory& memory, const PolicyView* policy,
                             const proto::Why& why) {
  proto::CtlResponse response;
  proto::RefusalRecords& found = *response.mutable_refusals();
  if (!why.id().empty()) {
    found = memory.Find(why.id());
  } else if (why.partner().empty()) {
    found = memory.All();
  } else {
    const auto prepared = PrepareDomain(why.partner());
    const std::string domain = prepared ? *prepared : why.partner();
    const std::string_view partner = PlaceOf(policy, domain);
    found = memory.Of(partner.empty() ? std::string_view(domain) : partner);
  }
  return response;
}

}  // namespace gatehouse
