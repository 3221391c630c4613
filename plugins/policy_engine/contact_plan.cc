#include "plugins/policy_engine/contact_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "core/address/sip_user.h"
#include "plugins/policy_engine/data_rules.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::string_view kAllowedWord = "allowed";
constexpr std::string_view kBlockedWord = "blocked";

proto::Mistake ContactMistake(std::int64_t index, std::string_view field, std::string what) {
  proto::Mistake mistake;
  mistake.set_key(field.empty() ? fmt::format("contacts[{}]", index)
                                : fmt::format("contacts[{}].{}", index, field));
  mistake.set_what(std::move(what));
  return mistake;
}

Result<ContactMark> MarkOfWord(const std::string& word) {
  if (word == kAllowedWord) return ContactMark::kAllowed;
  if (word == kBlockedWord) return ContactMark::kBlocked;
  if (word == "learned")
    return BadConfig(
        "is 'learned'; SIP users make such contacts themselves, a backup has them; leave it out");
  return BadConfig(fmt::format("is '{}'; would be right: allowed, blocked", word));
}

std::string DomainPart(const std::string& bare_jid) {
  return bare_jid.substr(bare_jid.find('@') + 1);
}

std::unique_ptr<const PolicyView> PartnersOf(const proto::FederationData& data) {
  proto::PolicySnapshot snapshot;
  *snapshot.mutable_partners() = data.partners();
  return std::make_unique<const PolicyView>(std::move(snapshot));
}

// The primary domain of the one who has it, by its name or a wildcard; empty: nobody has.
std::string PartnerWith(const PolicyView& partners, const std::string& domain) {
  const proto::Partner* const partner = partners.FindListed(domain);
  return partner == nullptr ? std::string() : partner->domain();
}

}  // namespace

Result<ContactPlan> ContactPlan::Create(const std::string& path, std::uint64_t number) {
  GATEHOUSE_TRY(PlanFile file, PlanFile::Create(path));
  return ContactPlan(number, std::move(file));
}

Result<ContactPlan::Mistakes> ContactPlan::Add(
    const google::protobuf::RepeatedPtrField<proto::ContactView>& contacts) {
  if (step_ != Step::kTaking)
    return BadConfig("the contacts of the file are being compared already; apply it again");
  Mistakes mistakes;
  GATEHOUSE_TRY_VOID(file_.Begin());
  for (const proto::ContactView& view : contacts) {
    const std::int64_t index = taken_++;
    octets_ += view.sip_user().size() + view.contact().size();
    if (octets_ > kMostOctets)
      return BadConfig(
          "the contacts of the file are too many; use gatehousectl backup and restore");
    Result<std::string> user = SipUserOf(view.sip_user(), {});
    Result<std::string> contact = XmppContactOf(view.contact());
    const Result<ContactMark> mark = MarkOfWord(view.state());
    if (!user) mistakes.push_back(ContactMistake(index, "sip_user", user.error().text));
    if (!contact) mistakes.push_back(ContactMistake(index, "contact", contact.error().text));
    if (!mark) mistakes.push_back(ContactMistake(index, "state", mark.error().text));
    if (!user || !contact) continue;
    // One of a state that is none is there all the same, for whoever repeats it.
    const PlannedMark planned{{*user, *contact}, mark.value_or(ContactMark::kAllowed), index};
    GATEHOUSE_TRY(const std::optional<std::int64_t> first, file_.Add(planned));
    if (first)
      mistakes.push_back(ContactMistake(
          index, "",
          fmt::format("'{}' of '{}' is there already, as 'contacts[{}]'; name it once", *contact,
                      *user, *first)));
  }
  GATEHOUSE_TRY_VOID(file_.End());
  has_wrong_parts_ = has_wrong_parts_ || !mistakes.empty();
  return mistakes;
}

Result<void> ContactPlan::BeginComparing(const PlanTarget& target) {
  GATEHOUSE_TRY_VOID(file_.ForgetChanges());
  step_ = Step::kFile;
  has_mistakes_ = has_wrong_parts_;
  compared_to_ = {};
  store_compared_to_.clear();
  owners_.clear();
  tallies_.clear();
  first_block_.reset();
  differ_ = 0;
  Rewind();
  now_ = PartnersOf(target.now);
  then_ = PartnersOf(target.then);
  served_ = target.served;
  blocked_domains_ = {target.blocked_domains.begin(), target.blocked_domains.end()};
  record_octets_ = OctetsOf(target.then);
  limits_ = target.limits;
  return {};
}

const ContactPlan::Owner& ContactPlan::OwnerOf(const std::string& domain) {
  const auto [found, is_new] = owners_.try_emplace(domain);
  if (is_new) {
    found->second.partner = PartnerWith(*then_, domain);
    found->second.moves =
        found->second.partner.empty() || PartnerWith(*now_, domain) != found->second.partner;
  }
  return found->second;
}

Result<ContactPlan::Mistakes> ContactPlan::Compare(Store& store, const ContactClock& clock) {
  Mistakes mistakes;
  GATEHOUSE_TRY_VOID(file_.Begin());
  if (step_ == Step::kFile) {
    GATEHOUSE_TRY_VOID(CompareFile(store, clock, mistakes));
  } else if (step_ == Step::kStore) {
    GATEHOUSE_TRY_VOID(CompareStore(store, clock));
  }
  GATEHOUSE_TRY_VOID(file_.End());
  if (IsCompared()) GATEHOUSE_TRY_VOID(CheckRooms(store, mistakes));
  has_mistakes_ = has_mistakes_ || !mistakes.empty();
  return mistakes;
}

Result<void> ContactPlan::CompareFile(Store& store, const ContactClock& clock, Mistakes& mistakes) {
  GATEHOUSE_TRY(const std::vector<PlannedMark> marks, file_.Marks(compared_to_, kCompared));
  for (const PlannedMark& mark : marks)
    GATEHOUSE_TRY_VOID(CompareMark(store, mark, clock, mistakes));
  if (marks.size() < kCompared)
    step_ = Step::kStore;
  else
    compared_to_ = marks.back().pair;
  return {};
}

Result<void> ContactPlan::CompareMark(Store& store, const PlannedMark& mark,
                                      const ContactClock& clock, Mistakes& mistakes) {
  const std::string domain = DomainPart(mark.pair.contact);
  const Owner& owner = OwnerOf(domain);
  std::optional<ContactRow> row;
  if (!owner.moves) {
    GATEHOUSE_TRY(row, store.ReadContact(mark.pair));
  }
  std::optional<ContactMark> before;
  if (row && row->mark != ContactMark::kLearned && !HasEnded(*row, clock)) before = row->mark;
  const bool stays = before == mark.mark;
  if (const auto ours = CheckServed(DomainPart(mark.pair.sip_user), served_, mark.pair.sip_user);
      !ours && !stays)
    mistakes.push_back(ContactMistake(mark.index, "sip_user", ours.error().text));
  if (owner.partner.empty()) {
    mistakes.push_back(ContactMistake(
        mark.index, "contact",
        fmt::format("no partner has the domain '{}'; add the partner, or leave the contact out",
                    domain)));
    return {};
  }
  Tally& tally = tallies_[owner.partner];
  ++tally.in_file;
  if (!row) ++tally.more;
  if (!row && mark.mark == ContactMark::kAllowed)
    tally.first_allowed = std::min(tally.first_allowed.value_or(mark.index), mark.index);
  if (mark.mark == ContactMark::kBlocked && blocked_domains_.insert(domain).second)
    first_block_ = std::min(first_block_.value_or(mark.index), mark.index);
  if (stays) return {};
  const PlanVerb verb = mark.mark == ContactMark::kBlocked ? PlanVerb::kBlock : PlanVerb::kAllow;
  return Differs({verb, mark.pair, before});
}

Result<void> ContactPlan::CompareStore(Store& store, const ContactClock& clock) {
  GATEHOUSE_TRY(
      const ContactPage page,
      store.ListContacts(
          {.ended = true, .after = store_compared_to_, .limit = ContactTable::kPortion}, clock));
  for (const ContactRow& row : page.rows) {
    const Owner& owner = OwnerOf(DomainPart(row.pair.contact));
    if (owner.moves) continue;
    // A clock that is wrong must take none away: what has ended may come back.
    const bool ended = HasEnded(row, clock);
    if (row.mark == ContactMark::kLearned && !ended) continue;
    GATEHOUSE_TRY(const bool stays, file_.Has(row.pair));
    if (stays) continue;
    if (ended) ++tallies_[owner.partner].ended;
    if (ended) continue;
    --tallies_[owner.partner].more;
    GATEHOUSE_TRY_VOID(Differs({PlanVerb::kForget, row.pair, row.mark}));
  }
  store_compared_to_ = page.next;
  if (page.next.empty()) step_ = Step::kCompared;
  return {};
}

Result<void> ContactPlan::Differs(const PlannedChange& change) {
  ++differ_;
  return file_.AddChange(change);
}

Result<void> ContactPlan::CheckRooms(Store& store, Mistakes& mistakes) {
  if (differ_ > limits_.changed_contacts && !has_mistakes_ && mistakes.empty()) {
    proto::Mistake& many = mistakes.emplace_back();
    many.set_key("contacts");
    many.set_what(
        fmt::format("{} contacts differ from what is here, and {} can be changed at once; apply a "
                    "file with fewer changes first, or bring them by gatehousectl contact allow "
                    "--file or a backup",
                    differ_, limits_.changed_contacts));
  }
  if (first_block_) {
    const std::vector<std::string> blocked(blocked_domains_.begin(), blocked_domains_.end());
    if (const auto room = CheckRoomToBlock(record_octets_ + OctetsOf(blocked), limits_); !room)
      mistakes.push_back(ContactMistake(*first_block_, "", room.error().text));
  }
  std::map<std::string, std::int64_t> held;
  GATEHOUSE_TRY(const auto counts, store.ContactsByDomain());
  for (const auto& [domain, count] : counts)
    if (const Owner& owner = OwnerOf(domain); !owner.moves) held[owner.partner] += count;
  for (const auto& [partner, tally] : tallies_) {
    const std::int64_t all = held[partner] + tally.more;
    if (all <= store.most_contacts_of_a_partner() || !tally.first_allowed) continue;
    const std::int64_t others = all - tally.in_file;
    std::string what =
        fmt::format("partner '{}' has {} contacts in this file", partner, tally.in_file);
    if (others > 0) what += fmt::format(" and {} that are not in it", others);
    if (others > 0 && tally.ended > 0)
      what += fmt::format(
          ", of all of which {} have ended (see gatehousectl contact list --ended),", tally.ended);
    what += fmt::format(" and may have {}; leave some out", store.most_contacts_of_a_partner());
    if (others > 0) what += ", or take out who is needed no more with: gatehousectl contact forget";
    mistakes.push_back(ContactMistake(*tally.first_allowed, "", std::move(what)));
  }
  return {};
}

Result<std::vector<PlannedChange>> ContactPlan::Next() {
  GATEHOUSE_TRY(std::vector<PlannedChange> changes, file_.Changes(given_, kGiven));
  if (changes.empty() && !IsShown()) return Trouble("the file of the contacts has lost some");
  if (!changes.empty()) given_ = changes.back();
  given_count_ += changes.size();
  return changes;
}

void ContactPlan::Rewind() {
  given_.reset();
  given_count_ = 0;
}

}  // namespace gatehouse::policy_engine
