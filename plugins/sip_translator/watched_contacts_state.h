// What WatchedContacts is made of; included by its own sources only.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/sip_translator/transaction_times.h"
#include "plugins/sip_translator/watched_contacts.h"

namespace gatehouse::translator {

// Reasons of RFC 6665 §4.1.3.
inline constexpr std::string_view kRejected = "rejected";
inline constexpr std::string_view kNoResource = "noresource";
inline constexpr std::string_view kTimeout = "timeout";
inline constexpr std::string_view kDeactivated = "deactivated";
inline constexpr std::string_view kGivenUp = "giveup";

inline constexpr seconds kFirstBackOff{30};  // of asking a contact whose server cannot be reached
inline constexpr seconds kStanzaLife{60};
inline constexpr seconds kSubscribePause{3};  // 20 a minute for a contact, 9.4

inline Envelope EnvelopeOf(const PageAddresses& addresses) {
  return {.kind = TrafficKind::kSipSubscribe,
          .local_domain = addresses.from.domain,
          .remote_domain = addresses.to.domain,
          .local_part = addresses.from.local};
}

// One SIP user and one contact.
class WatchedContacts::Watch final : public WheelTimer {
 public:
  Watch(WatchedContacts& home, const PageAddresses& who, std::string name, std::string uri)
      : owner(home), addresses(who), pair(std::move(name)), entity(std::move(uri)) {}
  void OnDue(TimePoint) override { owner.SayDue(*this); }

  WatchedContacts& owner;
  PageAddresses addresses;  // from: the SIP user; to: the contact; both bare
  std::string pair;
  std::string entity;   // the contact's SIP URI
  bool active = false;  // the contact has agreed
  ContactPresence presence;
  TimePoint heard_at{};
  std::vector<Dialog*> dialogs;
  Stanza next = Stanza::kNone;  // what the timer says
  seconds back_off = kFirstBackOff;
  TimePoint give_up_at{};
};

class WatchedContacts::Dialog final : public WheelTimer {
 public:
  Dialog(WatchedContacts& home, SubscriptionDialog with, std::string user)
      : owner(home), sip(std::move(with)), sip_user(std::move(user)) {}
  void OnDue(TimePoint now) override {
    if (now >= ends_at) return owner.End(*this, kTimeout);
    owner.Notify(*this);
  }

  WatchedContacts& owner;
  SubscriptionDialog sip;
  std::string sip_user;
  Watch* watch = nullptr;  // null: it is ending
  std::string last_state;  // not empty: Subscription-State of the last NOTIFY there will be
  std::string last_body;
  TimePoint ends_at = kNever;
  TimePoint not_before{};  // of the next NOTIFY
  bool wanted = false;     // a NOTIFY
  bool under_way = false;  // a NOTIFY
};

}  // namespace gatehouse::translator
