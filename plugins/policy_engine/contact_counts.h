// How many contacts each partner has (12.5): counted when the store is opened, and kept in step
// with each row that is written, until the transaction has ended well or is taken back. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace gatehouse::policy_engine {

class ContactCounts {
 public:
  using DomainId = std::int64_t;

  ContactCounts() = default;
  ContactCounts(ContactCounts&&) = default;
  ContactCounts& operator=(ContactCounts&&) = default;

  // Of the partner with this id; of the one whose the domain is, which has a contact.
  [[nodiscard]] std::int64_t OfPartner(const std::string& partner) const;
  [[nodiscard]] std::int64_t OfPartnerWith(DomainId domain) const;
  [[nodiscard]] std::int64_t OfDomain(DomainId domain) const;
  // Whether any contact is counted in the domain: then it is known whose it is.
  [[nodiscard]] bool Has(DomainId domain) const { return domains_.contains(domain); }
  // Whether it has a contact and is this partner's.
  [[nodiscard]] bool IsOf(DomainId domain, const std::string& partner) const;

  // So many more; `partner` is not asked for where Has(domain).
  void Add(DomainId domain, const std::string& partner, std::int64_t contacts = 1);
  // One less. A domain that was dropped, or never was, has none to lose.
  void Remove(DomainId domain);
  // The partner has lost it, with all its contacts.
  void Drop(DomainId domain);

  // What was changed since the last of the two is in the store, or is not.
  void Keep() { undo_.clear(); }
  void TakeBack();

 private:
  using Partner = std::unordered_map<std::string, std::int64_t>::value_type;  // id and contacts
  struct Domain {
    Partner* partner;
    std::int64_t contacts = 0;
  };
  struct Change {
    DomainId domain;
    Partner* partner;
    std::int64_t contacts;
  };
  void Make(const Change& change);
  void Note(const Change& change);

  std::unordered_map<std::string, std::int64_t> partners_;  // none is ever taken out
  std::unordered_map<DomainId, Domain> domains_;            // none with 0
  std::vector<Change> undo_;
};

}  // namespace gatehouse::policy_engine
