#include "plugins/policy_engine/contact_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/address/sip_user.h"

namespace gatehouse::policy_engine {
namespace {

// 0: it does not end by itself.
std::int64_t EndOf(const ContactRow& row, const ContactClock& clock) {
  return row.mark == ContactMark::kBlocked ? 0 : row.seen_unix + clock.ttl_s;
}

proto::ContactView ViewOf(const ContactRow& row, const ContactClock& clock) {
  proto::ContactView view;
  view.set_sip_user(row.pair.sip_user);
  view.set_contact(row.pair.contact);
  view.set_state(std::string(MarkWord(row.mark)));
  view.set_seen_unix(row.seen_unix);
  view.set_ends_unix(EndOf(row, clock));
  view.set_ended(HasEnded(row, clock));
  return view;
}

std::string AuditText(const std::optional<ContactRow>& row) {
  if (!row) return {};
  return fmt::format(R"({{"state":"{}","seen_unix":{}}})", MarkWord(row->mark), row->seen_unix);
}

// `served`: as SipUserOf takes it.
Result<ContactPair> PairOf(const proto::ContactName& name, const std::vector<std::string>& served) {
  GATEHOUSE_TRY(std::string user, SipUserOf(name.sip_user(), served));
  GATEHOUSE_TRY(std::string contact, XmppContactOf(name.contact()));
  return ContactPair{std::move(user), std::move(contact)};
}

std::string DomainOf(const std::string& contact) {
  return contact.substr(contact.find('@') + 1);
}

std::optional<ContactMark> MarkOf(proto::ContactChange::Verb verb) {
  if (verb == proto::ContactChange::ALLOW) return ContactMark::kAllowed;
  if (verb == proto::ContactChange::BLOCK) return ContactMark::kBlocked;
  return std::nullopt;
}

// `lifted`: how many of them were blocked and are so no more.
std::string DoneText(const proto::ContactChange& command, const std::vector<ContactEdit>& edits,
                     std::size_t lifted) {
  const std::optional<ContactMark> mark = MarkOf(command.verb());
  const std::string_view done = mark ? MarkWord(*mark) : "forgotten";
  if (edits.size() == 1)
    return fmt::format("contact '{}' of '{}' is {}{}", edits[0].pair.contact,
                       edits[0].pair.sip_user, done, lifted == 0 ? "" : "; the block is lifted");
  return fmt::format(
      "{} contacts are {}{}", edits.size(), done,
      lifted == 0 ? ""
                  : fmt::format("; {} of them {} blocked", lifted, lifted == 1 ? "was" : "were"));
}

}  // namespace

std::string_view MarkWord(ContactMark mark) {
  switch (mark) {
    case ContactMark::kLearned:
      return "learned";
    case ContactMark::kAllowed:
      return "allowed";
    case ContactMark::kBlocked:
      return "blocked";
  }
  return {};
}

ContactEdit EditOf(const ContactPair& pair, std::optional<ContactMark> mark,
                   const std::optional<ContactRow>& before, AuditEntry audit,
                   std::int64_t now_unix) {
  audit.subject = fmt::format("{} {}", pair.sip_user, pair.contact);
  audit.before = AuditText(before);
  if (mark) audit.after = AuditText(ContactRow{pair, *mark, now_unix});
  return {pair, mark, std::move(audit)};
}

std::string_view ActionOf(proto::ContactChange::Verb verb) {
  switch (verb) {
    case proto::ContactChange::ALLOW:
      return "contact allow";
    case proto::ContactChange::BLOCK:
      return "contact block";
    default:
      return "contact forget";
  }
}

Result<ContactsChanged> ChangeContacts(Store& store, const ContactRules& rules,
                                       const proto::ContactChange& command, const AuditEntry& audit,
                                       const ContactClock& clock) {
  if (command.contacts_size() > kMaxContactsOfACommand)
    return BadConfig(
        fmt::format("{} contacts are too many for one command; split them, at most {} "
                    "are possible",
                    command.contacts_size(), kMaxContactsOfACommand));
  const std::optional<ContactMark> mark = MarkOf(command.verb());
  // What is left of a domain that was ours can still be taken out.
  const std::vector<std::string> of_whom = mark ? rules.served : std::vector<std::string>();
  std::vector<ContactEdit> edits;
  std::set<std::string> blocked;
  std::size_t lifted = 0;
  for (const proto::ContactName& name : command.contacts()) {
    GATEHOUSE_TRY(ContactPair pair, PairOf(name, of_whom));
    if (mark) GATEHOUSE_TRY_VOID(rules.check_partner(DomainOf(pair.contact)));
    if (mark == ContactMark::kBlocked) blocked.insert(DomainOf(pair.contact));
    // What has ended is there until it is swept, and counts.
    GATEHOUSE_TRY(const std::optional<ContactRow> before, store.ReadContact(pair));
    if (!mark && !before)
      return BadConfig(fmt::format("'{}' is no contact of '{}'; see gatehousectl contact list",
                                   pair.contact, pair.sip_user));
    const bool was_blocked = before && before->mark == ContactMark::kBlocked;
    if (was_blocked && mark != ContactMark::kBlocked) ++lifted;
    edits.push_back(EditOf(pair, mark, before, audit, clock.now_unix));
  }
  if (edits.empty()) return BadConfig("no contact is named; name a user and a contact");
  if (!blocked.empty()) GATEHOUSE_TRY_VOID(rules.check_blocks(blocked));
  GATEHOUSE_TRY(StoreContent content, store.EditContacts(edits, clock));
  ContactsChanged changed{{}, std::move(content)};
  changed.response.set_done(DoneText(command, edits, lifted));
  return changed;
}

Result<proto::CtlResponse> ListContacts(Store& store, const ContactRules& rules,
                                        const proto::ContactList& command,
                                        const ContactClock& clock) {
  ContactFilter filter;
  if (!command.sip_user().empty()) {
    GATEHOUSE_TRY(filter.sip_user, SipUserOf(command.sip_user(), {}));
  }
  if (!command.contact().empty()) {
    GATEHOUSE_TRY(filter.contact, XmppContactOf(command.contact()));
  }
  filter.ended = command.ended();
  filter.after = command.after();
  filter.limit = std::clamp(command.limit(), 1U, kMaxContactsOfAPage);
  GATEHOUSE_TRY(const ContactPage page, store.ListContacts(filter, clock));
  // What is left of a domain that was ours is shown; nothing of one that never was is a mistake.
  const bool has_any = !page.rows.empty() || !page.next.empty() || !filter.after.empty();
  if (!has_any && !filter.sip_user.empty())
    GATEHOUSE_TRY_VOID(CheckServed(DomainOf(filter.sip_user), rules.served, command.sip_user()));
  proto::CtlResponse response;
  proto::ContactViews& views = *response.mutable_contacts();
  for (const ContactRow& row : page.rows) *views.add_contacts() = ViewOf(row, clock);
  views.set_next(page.next);
  return response;
}

}  // namespace gatehouse::policy_engine
