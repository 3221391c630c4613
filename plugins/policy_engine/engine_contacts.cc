// The engine's commands on contacts of SIP users, what sip_translator asks and tells of them, and
// what would become of a stanza.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/xmpp/jid.h"
#include "plugins/policy_engine/engine.h"
#include "plugins/policy_engine/verdict_preview.h"

namespace gatehouse::policy_engine {
namespace {

proto::ContactState StateOf(ContactMark mark) {
  return mark == ContactMark::kBlocked ? proto::CONTACT_BLOCKED : proto::CONTACT_AUTHORISED;
}

proto::ContactState StateOf(const Store::Seen& seen) {
  if (seen) return StateOf(*seen);
  return seen.error() == NotNoted::kNoRoom ? proto::CONTACT_NO_ROOM : proto::CONTACT_UNKNOWN;
}

}  // namespace

ContactRules Engine::RulesOfContacts() const {
  return {.served = served_,
          .check_partner = [this](const std::string& domain) -> Result<void> {
            GATEHOUSE_TRY([[maybe_unused]] const proto::Partner* owner, Owner(domain));
            return {};
          },
          .check_blocks = [this](const std::set<std::string>& domains) -> Result<void> {
            std::vector<std::string> fresh;
            std::ranges::set_difference(domains, content_.blocked_domains,
                                        std::back_inserter(fresh));
            if (fresh.empty()) return {};
            return CheckRoomToBlock(
                OctetsOf(content_.data) + OctetsOf(content_.blocked_domains) + OctetsOf(fresh),
                limits_);
          }};
}

Engine::Reply Engine::ChangeContacts(const proto::ContactChange& command, AuditEntry audit) {
  audit.action = ActionOf(command.verb());
  const ContactClock clock = ClockAt(audit.at_unix_ms / 1000);
  GATEHOUSE_TRY(ContactsChanged changed,
                policy_engine::ChangeContacts(store_, RulesOfContacts(), command, audit, clock));
  GATEHOUSE_TRY_VOID(Take(std::move(changed.content)));
  return std::move(changed.response);
}

Result<proto::ContactState> Engine::ContactOf(const proto::ContactWanted& wanted,
                                              std::int64_t now_unix) {
  GATEHOUSE_TRY_VOID(CheckAddresses(wanted.sip_user(), wanted.contact()));
  const ContactPair pair{wanted.sip_user(), wanted.contact()};
  if (!IsOurs(pair.sip_user)) return proto::CONTACT_UNKNOWN;
  GATEHOUSE_TRY(const std::optional<ContactRow> row, store_.FindContact(pair, ClockAt(now_unix)));
  if (!row) return proto::CONTACT_UNKNOWN;
  return StateOf(row->mark);
}

Result<std::vector<proto::ContactState>> Engine::NoteContacts(
    std::span<const proto::ContactSeen> seen, std::int64_t now_unix) {
  std::vector<proto::ContactState> states(seen.size(), proto::CONTACT_UNKNOWN);
  std::vector<ContactPair> pairs;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!IsOurs(seen[i].sip_user())) continue;
    pairs.push_back({seen[i].sip_user(), seen[i].contact()});
    places.push_back(i);
  }
  GATEHOUSE_TRY(const auto marks, store_.SeeContacts(pairs, ClockAt(now_unix)));
  for (std::size_t i = 0; i < marks.size(); ++i) states[places[i]] = StateOf(marks[i]);
  return states;
}

Result<void> Engine::SweepContacts(std::int64_t ended_by_unix) {
  return store_.SweepContacts(ClockAt(ended_by_unix));
}

// A sibling's addresses are checked, not mended.
Result<void> Engine::CheckAddresses(const std::string& sip_user, const std::string& contact) {
  for (const std::string* address : {&sip_user, &contact}) {
    const Result<Jid> jid = Jid::Parse(*address);
    if (!jid || jid->Bare() != *address) return BadPeer("an address that is not bare and prepared");
  }
  return {};
}

bool Engine::IsOurs(const std::string& bare_jid) const {
  const std::size_t at = bare_jid.find('@');
  return at != std::string::npos &&
         std::ranges::find(served_, std::string_view(bare_jid).substr(at + 1)) != served_.end();
}

ContactClock Engine::ClockAt(std::int64_t now_unix) const {
  return {now_unix, std::int64_t{content_.data.gateway().authorisation_ttl_s()}};
}

// Refused is exit code 1, with the verdict all the same.
Engine::Reply Engine::TestPolicy(const proto::PolicyTest& test, std::int64_t now_unix) {
  const PolicyView view(policy_.snapshot);
  const auto state_of = [this, now_unix](const std::string& sip_user,
                                         const std::string& contact) -> Result<ContactState> {
    const ContactPair pair{sip_user, contact};
    GATEHOUSE_TRY(const auto row, store_.FindContact(pair, ClockAt(now_unix)));
    if (!row) return ContactState::kNotAuthorised;
    return row->mark == ContactMark::kBlocked ? ContactState::kBlocked : ContactState::kAuthorised;
  };
  GATEHOUSE_TRY(const proto::PolicyVerdict verdict, PreviewVerdict(view, served_, test, state_of));
  proto::CtlResponse response;
  *response.mutable_verdict() = verdict;
  if (!verdict.reason().empty()) {
    response.set_exit_code(1);
    response.set_error(fmt::format("refused: {}{}{}", verdict.sentence(),
                                   verdict.remedy().empty() ? "" : "; ", verdict.remedy()));
  }
  return response;
}

}  // namespace gatehouse::policy_engine
