// SIP users who watch XMPP contacts (9.3): notification dialogs on the one side, the contact's
// presence on the other, and what ties them. All of it is this process's: a watcher whose dialog
// went with an earlier life is answered 481 and subscribes anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "plugins/sip_translator/contact_presence.h"
#include "plugins/sip_translator/dialog_places.h"
#include "plugins/sip_translator/flow_context.h"
#include "plugins/sip_translator/message_guard.h"
#include "plugins/sip_translator/page_mode.h"
#include "plugins/sip_translator/pair_name.h"
#include "plugins/sip_translator/stanza_check.h"
#include "plugins/sip_translator/subscription_dialog.h"
#include "plugins/sip_translator/timer_wheel.h"
#include "plugins/sip_translator/waiting_offers.h"
#include "proto/link_policy.pb.h"

namespace gatehouse::translator {

class WatchedContacts {
 public:
  // A SUBSCRIBE is answered within 20 s (11.2), and what it teaches is on the disk before.
  static constexpr milliseconds kPolicyLimit{10'000};

  // Asks the policy engine; `answer` is called once, later, with a state or why there is none.
  using AskPolicy = std::function<void(const proto::PolicyQuestion& question,
                                       std::function<void(Result<proto::ContactState>)> answer)>;
  WatchedContacts(FlowContext& context, AskPolicy ask, DialogLimits limits = {});
  ~WatchedContacts();
  WatchedContacts(const WatchedContacts&) = delete;
  WatchedContacts& operator=(const WatchedContacts&) = delete;

  // Any SUBSCRIBE from a trusted peer with a From of ours. Answers exactly once, now or when the
  // policy engine has.
  void OnSubscribe(const SipMessage& subscribe, const SipPeer& peer, const SipReply& reply);
  // Somebody watches the contact, or waits for its approval.
  [[nodiscard]] bool Watches(const StanzaAddresses& addresses) const {
    return watches_.contains(PairName(addresses.to, addresses.from).TakeText());
  }
  // A presence stanza from a contact, or an error of one of ours. False: it is for no dialog here.
  bool OnPresence(const proto::Element& presence, const StanzaAddresses& addresses);
  // The policy is another: who may no longer watch is told so.
  void OnSnapshot();
  void Tick();  // once a second
  // Every watcher is told to subscribe anew (RFC 6665 §4.2.2: deactivated).
  void Drain();
  // SUBSCRIBEs not yet answered and NOTIFYs under way.
  [[nodiscard]] std::size_t under_way() const { return asking_ + notifying_; }
  [[nodiscard]] std::size_t dialogs() const { return dialogs_.size(); }

 private:
  class Dialog;
  class Watch;
  enum class Stanza : std::uint8_t { kNone, kSubscribe, kProbe };
  using Ending = std::string_view;  // a reason of RFC 6665 §4.1.3

  void OnInitial(const SipMessage& subscribe, SubscribeRequest request, const SipPeer& peer,
                 const SipReply& reply);
  void OnInDialog(const SipMessage& subscribe, const SubscribeRequest& request,
                  const SipReply& reply);
  Result<PageAddresses, HandOverAnswer> Address(const SipMessage& subscribe);
  HandOverAnswer Denied(const PageAddresses& addresses, const Verdict& verdict);
  // `then` is called once: with true when the contact is authorised and this is on the disk, with
  // false when not and `reply` has said so.
  void Learn(const PageAddresses& addresses, const SipReply& reply,
             std::function<void(bool learned)> then);
  bool IsRefused(const PageAddresses& addresses, const SipReply& reply,
                 const Result<proto::ContactState>& state);
  void Refuse(const SipReply& reply, std::string_view who, const HandOverAnswer& answer);
  // From here on the dialog has the place that was taken for it, until Remove.
  Dialog& Place(SubscriptionDialog dialog, const Jid& user);
  void Begin(SubscriptionDialog dialog, const PageAddresses& addresses);
  void Poll(SubscriptionDialog dialog, const PageAddresses& addresses);
  Watch& WatchOf(const PageAddresses& addresses);

  void Say(Watch& watch, std::string_view type);
  void SayDue(Watch& watch);
  void OnSaid(const std::string& pair, bool delivered);
  void OnApproved(Watch& watch);
  void OnError(Watch& watch, const proto::Element& presence);
  void EndAll(Watch& watch, Ending reason);
  // The same, and an operator is told why: by the policy, or by the contact's `word`, which is
  // static.
  void EndByPolicy(Watch& watch, const Verdict& verdict);
  void EndByContact(Watch& watch, Ending reason, std::string_view word);

  void NotifyAll(Watch& watch, bool at_once);
  void Notify(Dialog& dialog);
  void OnNotified(const std::string& key, const SipFinal& final);
  void NoteUndelivered(const Dialog& dialog, std::string_view why);
  void End(Dialog& dialog, Ending reason);
  void Arm(Dialog& dialog);
  void Remove(Dialog& dialog);
  void Leave(Watch& watch);
  void CheckSome();

  FlowContext& context_;
  AskPolicy ask_;
  TimerWheel wheel_;
  WaitingOffers waiting_;
  RecentSet subscribed_;        // pairs whose contact was asked a moment ago
  RecentTable<bool> approved_;  // pairs whose contact has agreed, as far as this life knows
  ResultCounters subscribes_;
  ResultCounters notifies_;
  ResultCounters stanzas_;
  double& dialogs_gauge_;
  std::unordered_map<std::string, std::unique_ptr<Watch>> watches_;   // by pair
  std::unordered_map<std::string, std::unique_ptr<Dialog>> dialogs_;  // by key
  DialogPlaces places_;  // of dialogs, and of those that the policy engine is asked about
  std::vector<std::string> to_check_;  // pairs, against a new policy
  std::uint64_t contacts_epoch_ = 0;
  std::size_t asking_ = 0;
  std::size_t notifying_ = 0;
  bool draining_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // answers hold it weakly
};

}  // namespace gatehouse::translator
