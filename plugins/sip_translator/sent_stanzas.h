// Which SIP user a late stanza error is for (8.2.3, 8.9). Pure, bounded, the clock is a parameter.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>

#include "core/base/clock.h"
#include "plugins/sip_translator/message_guard.h"

namespace gatehouse::translator {

class SentStanzas {
 public:
  static constexpr std::chrono::minutes kLife{10};
  explicit SentStanzas(const Clock& clock) : clock_(clock) {}

  // Both are bare JIDs.
  void Add(const std::string& id, std::string sip_user, std::string contact);
  // Did `sip_user` send the stanza `id` to `contact`? Each is told once. False: unknown, too long
  // ago, or sent to or by somebody else, so that nobody can report failures of foreign messages.
  bool Take(const std::string& id, const std::string& sip_user, const std::string& contact);

 private:
  struct Sent {
    std::string sip_user;
    std::string contact;
  };
  void Forget();
  const Clock& clock_;
  std::unordered_map<std::string, Sent> sent_;
  std::deque<std::pair<TimePoint, std::string>> order_;
};

}  // namespace gatehouse::translator
