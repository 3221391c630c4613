#include "plugins/sip_translator/refusal_memory.h"

#include <algorithm>
#include <utility>

#include "core/tls/crypto.h"

namespace gatehouse::translator {
namespace {

constexpr std::size_t kIdCharacters = 8;

void Write(const std::string& partner, const RefusalNote& note, proto::RefusalRecord& record) {
  const ReasonEntry& entry = EntryOf(note.reason);
  record.set_id(note.id);
  record.set_at_unix_ms(note.at_unix_ms);
  record.set_partner(partner.empty() ? note.remote_domain : partner);
  record.set_from(note.from);
  record.set_to(note.to);
  record.set_kind(std::string(KindName(note.kind)));
  record.set_direction(std::string(DirectionName(DirectionOf(note.kind))));
  record.set_rule(std::string(note.rule));
  record.set_reason(std::string(entry.code));
  record.set_sentence(std::string(entry.sentence));
  record.set_remedy(std::string(entry.remedy));
  record.set_answer(std::string(note.answer));
}

}  // namespace

std::string NewRefusalId() {
  // Crockford's base 32: without i, l, o and u.
  constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string id = RandomBytes(kIdCharacters);
  for (char& c : id) c = kAlphabet[static_cast<unsigned char>(c) % kAlphabet.size()];
  return id;
}

void RefusalMemory::MakeRoom() {
  const auto oldest = std::ranges::min_element(
      by_partner_, {}, [](const auto& entry) { return entry.second.back().at_unix_ms; });
  if (oldest != by_partner_.end()) by_partner_.erase(oldest);
}

void RefusalMemory::Add(std::string_view partner, RefusalNote note) {
  const std::string key(partner);
  if (by_partner_.size() >= kPartners && !by_partner_.contains(key)) MakeRoom();
  Notes& notes = by_partner_[key];
  if (notes.size() >= kPerPartner) notes.pop_front();
  notes.push_back(std::move(note));
}

proto::RefusalRecords RefusalMemory::Find(std::string_view id) const {
  proto::RefusalRecords found;
  for (const auto& [partner, notes] : by_partner_)
    for (const RefusalNote& note : notes)
      if (note.id == id) Write(partner, note, *found.add_refusals());
  return found;
}

proto::RefusalRecords RefusalMemory::Of(std::string_view partner) const {
  proto::RefusalRecords found;
  auto notes = by_partner_.find(std::string(partner));
  if (notes == by_partner_.end()) notes = by_partner_.find({});  // the strangers'
  if (notes == by_partner_.end()) return found;
  for (auto note = notes->second.rbegin(); note != notes->second.rend(); ++note)
    if (!notes->first.empty() || note->remote_domain == partner)
      Write(notes->first, *note, *found.add_refusals());
  return found;
}

}  // namespace gatehouse::translator
