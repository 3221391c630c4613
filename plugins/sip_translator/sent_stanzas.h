// Which SIP user a late stanza error is for (8.2.3, 8.9). Pure, bounded, the clock is a parameter.
#pragma once

#include <functional>
#include <string_view>

#include "core/base/clock.h"
#include "plugins/sip_translator/recent_table.h"

namespace gatehouse::translator {

class SentStanzas {
 public:
  static constexpr std::chrono::minutes kLife{10};
  explicit SentStanzas(const Clock& clock) : sent_(clock, kLife) {}

  // `id` is 128 random bits as text; both addresses are bare JIDs.
  void Add(std::string_view id, std::string_view sip_user, std::string_view contact) {
    sent_.Put(Hash(id), PairOf(sip_user, contact));
  }
  // Did `sip_user` send the stanza `id` to `contact`? Each is told once. False: unknown, too long
  // ago, or sent to or by somebody else, so that nobody can report failures of foreign messages.
  bool Take(std::string_view id, std::string_view sip_user, std::string_view contact) {
    const std::uint64_t* pair = sent_.Find(Hash(id));
    if (pair == nullptr || *pair != PairOf(sip_user, contact)) return false;
    sent_.Remove(Hash(id));
    return true;
  }

 private:
  // Nobody can choose an id of ours, so its hash needs no secret; what is compared is the pair.
  static std::uint64_t Hash(std::string_view id) { return std::hash<std::string_view>{}(id); }
  static std::uint64_t PairOf(std::string_view sip_user, std::string_view contact) {
    return Hash(sip_user) * 31 + Hash(contact);
  }
  RecentTable<std::uint64_t> sent_;
};

}  // namespace gatehouse::translator
