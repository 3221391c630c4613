#include "core/policy/refusal_memory.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/utf8_check.h"
#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

constexpr std::size_t kIdCharacters = 8;
// Where those are that are no partners, and those that named no domain: neither is a domain's name.
constexpr std::string_view kStrangers;
constexpr std::string_view kNameless = "?";

// Eight characters that can be read out loud; drawn at random, so that nobody can count by them.
std::string NewRefusalId() {
  // Crockford's base 32: without i, l, o and u.
  constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string id = RandomBytes(kIdCharacters);
  for (char& c : id) c = kAlphabet[static_cast<unsigned char>(c) % kAlphabet.size()];
  return id;
}

bool IsSame(const RefusalNote& one, const RefusalNote& other) {
  return one.reason == other.reason && one.kind == other.kind && one.direction == other.direction &&
         one.answer == other.answer && one.about == other.about && one.from == other.from &&
         one.to == other.to;
}

bool IsOnceAMinute(const RefusalNote& note) {
  return note.once_a_minute || note.shelf != RefusalShelf::kTold || note.kind == kStreamKind;
}

// What is no UTF-8 could be told to nobody.
void Cut(std::string& text, std::size_t max_octets) {
  text = BeginningOf(AsUtf8(text), max_octets);
}

void Write(std::string_view partner, const RefusalNote& note, proto::RefusalRecord& record) {
  const ReasonEntry& entry = EntryOf(note.reason);
  const bool of_partner = partner != kStrangers && partner != kNameless;
  record.set_partner(of_partner ? std::string(partner) : note.remote_domain);
  record.set_from(note.from);
  record.set_to(note.to);
  record.set_kind(std::string(note.kind));
  record.set_direction(std::string(DirectionName(note.direction)));
  record.set_rule(std::string(note.rule));
  record.set_reason(std::string(entry.code));
  record.set_sentence(std::string(entry.sentence));
  if (!note.detail.empty()) record.mutable_sentence()->append(" (" + note.detail + ")");
  record.set_remedy(std::string(entry.remedy));
  record.set_answer(std::string(note.answer));
}

}  // namespace

RefusalMemory::Notes& RefusalMemory::PlaceFor(Shelf& shelf, std::string_view partner) {
  const std::string key(partner);
  if (shelf.size() >= kPartners && !shelf.contains(key))
    shelf.erase(std::ranges::min_element(
        shelf, {}, [](const auto& entry) { return entry.second.back().at_unix_ms; }));
  return shelf[key];
}

RefusalMemory::Added RefusalMemory::Add(std::string_view partner, RefusalNote note,
                                        std::uint64_t now_unix_ms) {
  if (partner.empty() && note.remote_domain.empty()) partner = kNameless;
  Cut(note.detail, kMaxDetailBytes);
  for (std::string* address : {&note.remote_domain, &note.from, &note.to})
    Cut(*address, kMaxAddressBytes);
  Notes& notes = PlaceFor(shelves_.at(static_cast<std::size_t>(note.shelf)), partner);
  if (IsOnceAMinute(note)) {
    const auto same = std::ranges::find_if(
        notes, [&note](const RefusalNote& kept) { return IsSame(kept, note); }, &Kept::note);
    if (same != notes.end() && now_unix_ms < same->at_unix_ms + kSameWithinMs) {
      same->at_unix_ms = now_unix_ms;
      same->note.detail = std::move(note.detail);
      std::rotate(same, same + 1, notes.end());
      return {notes.back().id, false};
    }
  }
  if (notes.size() >= kPerPartner) notes.pop_front();
  notes.push_back({std::move(note), NewRefusalId(), now_unix_ms});
  return {notes.back().id, true};
}

proto::RefusalRecords RefusalMemory::NewestFirst(std::vector<Seen> seen, std::size_t most) {
  const auto at = [](const Seen& one) { return one.kept->at_unix_ms; };
  std::ranges::stable_sort(seen, std::greater{}, at);
  if (seen.size() > most) seen.resize(most);
  proto::RefusalRecords records;
  for (const Seen& one : seen) {
    proto::RefusalRecord& record = *records.add_refusals();
    record.set_id(one.kept->id);
    record.set_at_unix_ms(one.kept->at_unix_ms);
    Write(*one.partner, one.kept->note, record);
  }
  return records;
}

proto::RefusalRecords RefusalMemory::Find(std::string_view id) const {
  std::vector<Seen> seen;
  for (const Shelf& shelf : shelves_)
    for (const auto& [partner, notes] : shelf)
      for (const Kept& kept : notes)
        if (kept.id == id) seen.push_back({&partner, &kept});
  return NewestFirst(std::move(seen), 1);
}

proto::RefusalRecords RefusalMemory::Of(std::string_view partner) const {
  std::vector<Seen> seen;
  const auto take = [&](const Shelf& shelf, std::string_view place) {
    const auto found = shelf.find(std::string(place));
    if (found == shelf.end()) return;
    for (auto kept = found->second.rbegin(); kept != found->second.rend(); ++kept)
      if (!place.empty() || kept->note.remote_domain == partner)
        seen.push_back({&found->first, &*kept});
  };
  for (const Shelf& shelf : shelves_) {
    if (!partner.empty()) take(shelf, partner);
    take(shelf, kStrangers);
  }
  return NewestFirst(std::move(seen), kMaxListed);
}

proto::RefusalRecords RefusalMemory::All() const {
  std::vector<Seen> seen;
  for (const Shelf& shelf : shelves_)
    for (const auto& [partner, notes] : shelf)
      for (auto kept = notes.rbegin(); kept != notes.rend(); ++kept)
        seen.push_back({&partner, &*kept});
  return NewestFirst(std::move(seen), kMaxListed);
}

}  // namespace gatehouse
