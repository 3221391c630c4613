// The operator's commands on contacts: what may be written, what is shown. 5.4
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "plugins/policy_engine/store.h"
#include "proto/ctl.pb.h"

namespace gatehouse::policy_engine {

// The most contacts one command may change: the engine answers nobody else meanwhile.
inline constexpr int kMaxContactsOfACommand = 20'000;
// The most rows of one page.
inline constexpr std::uint32_t kMaxContactsOfAPage = 1000;

// Whom an operator may name.
struct ContactRules {
  const std::vector<std::string>& served;  // prepared
  // Fails with one sentence and the remedy where the domain is no partner's, enabled or not.
  std::function<Result<void>(const std::string& domain)> check_partner;
  // The same where there is no room for blocked contacts in all these domains.
  std::function<Result<void>(const std::set<std::string>& domains)> check_blocks;
};

// "contact allow", for the audit.
[[nodiscard]] std::string_view ActionOf(proto::ContactChange::Verb verb);
// "allowed"
[[nodiscard]] std::string_view MarkWord(ContactMark mark);
// What becomes of a contact, `before` what it is; nothing for `mark`: it is forgotten. `audit` says
// who and why.
[[nodiscard]] ContactEdit EditOf(const ContactPair& pair, std::optional<ContactMark> mark,
                                 const std::optional<ContactRow>& before, AuditEntry audit,
                                 std::int64_t now_unix);
struct ContactsChanged {
  proto::CtlResponse response;
  StoreContent content;  // what the store holds from then on
};
// All of the command's contacts, or none of them; each is audited.
//   fails  kConfig, one sentence with the remedy: an address that is none, a user outside our
//   domains (one to forget may be), a contact outside the partners', one to forget that is not
//   there, too many, no room for so many domains of blocked ones;
//   kTrouble: the store
Result<ContactsChanged> ChangeContacts(Store& store, const ContactRules& rules,
                                       const proto::ContactChange& command, const AuditEntry& audit,
                                       const ContactClock& clock);
// One page. Fails for addresses as above; the contact's domain may be anybody's.
Result<proto::CtlResponse> ListContacts(Store& store, const ContactRules& rules,
                                        const proto::ContactList& command,
                                        const ContactClock& clock);

}  // namespace gatehouse::policy_engine
