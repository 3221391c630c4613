#include "core/ctl/contact_marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "core/address/sip_user.h"
#include "core/policy/contact_limit.h"
#include "core/policy/domain_pattern.h"
#include "core/xmpp/jid.h"

namespace gatehouse::ctl {
namespace {

constexpr std::string_view kAllowed = "allowed";
constexpr std::string_view kBlocked = "blocked";
constexpr std::string_view kLearned = "learned";

proto::Mistake MistakeAt(int index, std::string_view field, std::string what) {
  proto::Mistake mistake;
  mistake.set_key(field.empty() ? fmt::format("contacts[{}]", index)
                                : fmt::format("contacts[{}].{}", index, field));
  mistake.set_what(std::move(what));
  return mistake;
}

bool IsMark(std::string_view state) {
  return state == kAllowed || state == kBlocked;
}

// What is wrong with a state; empty: nothing.
std::string WrongState(const std::string& state) {
  if (IsMark(state)) return {};
  if (state == kLearned)
    return "is 'learned'; SIP users make such contacts themselves, a backup has them; leave it out";
  return fmt::format("is '{}'; would be right: allowed, blocked", state);
}

// Every domain and wildcard of the partners, prepared, and whose it is.
using Domains = std::map<std::string, std::string, std::less<>>;

Domains DomainsOf(const proto::FederationData& data) {
  Domains domains;
  for (const proto::Partner& partner : data.partners()) {
    const auto add = [&domains, &partner](const std::string& pattern) {
      const Result<std::string> base = PrepareDomain(BaseOf(pattern));
      if (base)
        domains.emplace(IsWildcard(pattern) ? std::string(kBelow) + *base : *base,
                        partner.domain());
    };
    add(partner.domain());
    for (const std::string& domain : partner.additional_domains()) add(domain);
  }
  return domains;
}

// By its name, else by the narrowest wildcard it is below; null: it is nobody's.
const std::string* PartnerOf(const Domains& domains, const std::string& domain) {
  if (const auto found = domains.find(domain); found != domains.end()) return &found->second;
  return NearestAbove(domain, [&domains](std::string_view above) -> const std::string* {
    const auto found = domains.find(std::string(kBelow).append(above));
    return found == domains.end() ? nullptr : &found->second;
  });
}

std::string DomainOf(std::string_view bare_jid) {
  const std::size_t at = bare_jid.find('@');
  return std::string(at == std::string_view::npos ? bare_jid : bare_jid.substr(at + 1));
}

proto::ContactChange::Verb VerbOf(const MarkChange& change) {
  if (change.after.empty()) return proto::ContactChange::FORGET;
  return change.after == kBlocked ? proto::ContactChange::BLOCK : proto::ContactChange::ALLOW;
}

// What closes goes before what opens.
int OrderOf(const MarkChange& change) {
  switch (VerbOf(change)) {
    case proto::ContactChange::BLOCK:
      return 0;
    case proto::ContactChange::FORGET:
      return 1;
    default:
      return 2;
  }
}

}  // namespace

void TakeMarks(const proto::ContactViews& page, ContactMarks& marks) {
  for (const proto::ContactView& view : page.contacts())
    if (IsMark(view.state())) marks[{view.sip_user(), view.contact()}] = view.state();
}

proto::ContactViews ViewsOf(const ContactMarks& marks) {
  proto::ContactViews views;
  for (const auto& [pair, state] : marks) {
    proto::ContactView& view = *views.add_contacts();
    view.set_sip_user(pair.first);
    view.set_contact(pair.second);
    view.set_state(state);
  }
  return views;
}

FileMarks MarksOf(const proto::ContactViews& contacts, const YamlPlaces& places) {
  FileMarks file;
  for (int i = 0; i < contacts.contacts_size(); ++i) {
    const proto::ContactView& view = contacts.contacts(i);
    const Result<std::string> user = SipUserOf(view.sip_user(), {});
    const Result<std::string> contact = XmppContactOf(view.contact());
    const std::string wrong = WrongState(view.state());
    if (!user) file.mistakes.push_back(MistakeAt(i, "sip_user", user.error().text));
    if (!contact) file.mistakes.push_back(MistakeAt(i, "contact", contact.error().text));
    if (!wrong.empty()) file.mistakes.push_back(MistakeAt(i, "state", wrong));
    if (!user || !contact) continue;
    const auto [first, is_new] = file.index.try_emplace({*user, *contact}, i);
    if (!is_new)
      file.mistakes.push_back(
          MistakeAt(i, "",
                    fmt::format("'{}' of '{}' is there already, in line {}; name it once", *contact,
                                *user, places.LineOf(fmt::format("contacts[{}]", first->second)))));
    file.marks[first->first] = view.state();
  }
  return file;
}

std::vector<proto::Mistake> StrangersIn(const FileMarks& file, const proto::FederationData& data,
                                        const std::vector<std::string>& served,
                                        const ContactMarks& present) {
  std::vector<std::string> ours;
  ours.reserve(served.size());
  for (const std::string& domain : served) ours.push_back(PrepareDomain(domain).value_or(domain));
  const Domains domains = DomainsOf(data);
  std::vector<proto::Mistake> mistakes;
  for (const auto& [pair, index] : file.index) {
    const auto& [user, contact] = pair;
    const auto mark = present.find(pair);
    const bool stays = mark != present.end() && mark->second == file.marks.at(pair);
    if (const Result<void> is_ours = CheckServed(DomainOf(user), ours, user); !is_ours && !stays)
      mistakes.push_back(MistakeAt(index, "sip_user", is_ours.error().text));
    if (const std::string domain = DomainOf(contact); PartnerOf(domains, domain) == nullptr)
      mistakes.push_back(MistakeAt(
          index, "contact",
          fmt::format("no partner has the domain '{}'; add the partner, or leave the contact out",
                      domain)));
  }
  return mistakes;
}

std::vector<proto::Mistake> TooManyIn(const FileMarks& file, const proto::FederationData& data) {
  const Domains domains = DomainsOf(data);
  struct Held {
    std::int64_t contacts = 0;
    std::optional<int> first_allowed;
  };
  std::map<std::string, Held> held;
  for (const auto& [pair, index] : file.index) {
    const std::string* partner = PartnerOf(domains, DomainOf(pair.second));
    if (partner == nullptr) continue;
    Held& of = held[*partner];
    ++of.contacts;
    if (!of.first_allowed && file.marks.at(pair) == kAllowed) of.first_allowed = index;
  }
  std::vector<proto::Mistake> mistakes;
  for (const auto& [partner, of] : held)
    if (of.contacts > kMaxContactsOfAPartner && of.first_allowed)
      mistakes.push_back(MistakeAt(
          *of.first_allowed, "",
          fmt::format("partner '{}' has {} contacts in this file and may have {}; leave some out",
                      partner, of.contacts, kMaxContactsOfAPartner)));
  return mistakes;
}

std::vector<MarkChange> Difference(const ContactMarks& before, const ContactMarks& after) {
  std::vector<MarkChange> changes;
  for (const auto& [pair, state] : before)
    if (!after.contains(pair)) changes.push_back({pair.first, pair.second, state, {}});
  for (const auto& [pair, state] : after) {
    const auto was = before.find(pair);
    const std::string old = was == before.end() ? std::string() : was->second;
    if (old != state) changes.push_back({pair.first, pair.second, old, state});
  }
  std::ranges::stable_sort(changes, {}, OrderOf);
  return changes;
}

proto::ChangeView ChangeViewOf(const MarkChange& change) {
  proto::ChangeView view;
  view.set_kind("contact");
  view.set_key(change.sip_user + ' ' + change.contact);
  view.set_verb(change.before.empty()  ? proto::ChangeView::ADDED
                : change.after.empty() ? proto::ChangeView::REMOVED
                                       : proto::ChangeView::CHANGED);
  proto::FieldChange& field = *view.add_fields();
  field.set_field("state");
  field.set_before(change.before);
  field.set_after(change.after);
  return view;
}

proto::ContactChange CommandFrom(const std::vector<MarkChange>& changes, std::size_t begin) {
  proto::ContactChange command;
  for (std::size_t at = begin; at < changes.size() && at - begin < kMarksOfACommand; ++at) {
    const proto::ContactChange::Verb verb = VerbOf(changes[at]);
    if (at > begin && verb != command.verb()) break;
    command.set_verb(verb);
    proto::ContactName& name = *command.add_contacts();
    name.set_sip_user(changes[at].sip_user);
    name.set_contact(changes[at].contact);
  }
  return command;
}

}  // namespace gatehouse::ctl
