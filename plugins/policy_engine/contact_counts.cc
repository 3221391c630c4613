#include "plugins/policy_engine/contact_counts.h"

#include <ranges>

namespace gatehouse::policy_engine {

std::int64_t ContactCounts::OfPartner(const std::string& partner) const {
  const auto found = partners_.find(partner);
  return found == partners_.end() ? 0 : found->second;
}

std::int64_t ContactCounts::OfPartnerWith(DomainId domain) const {
  const auto found = domains_.find(domain);
  return found == domains_.end() ? 0 : found->second.partner->second;
}

std::int64_t ContactCounts::OfDomain(DomainId domain) const {
  const auto found = domains_.find(domain);
  return found == domains_.end() ? 0 : found->second.contacts;
}

bool ContactCounts::IsOf(DomainId domain, const std::string& partner) const {
  const auto found = domains_.find(domain);
  return found != domains_.end() && found->second.partner->first == partner;
}

void ContactCounts::Add(DomainId domain, const std::string& partner, std::int64_t contacts) {
  const auto known = domains_.find(domain);
  Partner* const of =
      known == domains_.end() ? &*partners_.try_emplace(partner).first : known->second.partner;
  Note({domain, of, contacts});
}

void ContactCounts::Remove(DomainId domain) {
  if (const auto found = domains_.find(domain); found != domains_.end())
    Note({domain, found->second.partner, -1});
}

void ContactCounts::Drop(DomainId domain) {
  if (const auto found = domains_.find(domain); found != domains_.end())
    Note({domain, found->second.partner, -found->second.contacts});
}

void ContactCounts::TakeBack() {
  for (const Change& change : undo_ | std::views::reverse)
    Make({change.domain, change.partner, -change.contacts});
  undo_.clear();
}

void ContactCounts::Note(const Change& change) {
  Make(change);
  undo_.push_back(change);
}

void ContactCounts::Make(const Change& change) {
  const auto domain = domains_.try_emplace(change.domain, Domain{change.partner}).first;
  domain->second.contacts += change.contacts;
  change.partner->second += change.contacts;
  if (domain->second.contacts == 0) domains_.erase(domain);
}

}  // namespace gatehouse::policy_engine
