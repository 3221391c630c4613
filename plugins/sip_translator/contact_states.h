// Whether SIP users have authorised contacts (5.4), as policy_engine says: asked once for a pair
// and kept as long as it holds. What needs an answer that is not here waits for it in the order in
// which it came, within its own deadline; it is neither let through nor refused meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/policy/decide.h"
#include "proto/link_policy.pb.h"

namespace gatehouse::translator {

// A SIP user and a contact, both as prepared bare JIDs.
struct ContactPair {
  std::string sip_user;
  std::string contact;
};

class ContactStates {
 public:
  // One open question; long enough to outlast a restart of the engine, which gets it again.
  static constexpr milliseconds kAskLimit{30'000};
  // More than that and all are forgotten: they can be asked for again.
  static constexpr std::size_t kMaxKnown = 32'768;
  // An authorisation ends by itself (5.4); what was heard of it is not kept for longer than this.
  static constexpr std::chrono::hours kLife{1};

  // As ipc::AskClient::Ask: `on_answer` is called exactly once, never inside the call.
  using OnAnswer = std::function<void(Result<proto::PolicyAnswer>)>;
  using Ask = std::function<void(const proto::PolicyQuestion&, milliseconds limit, OnAnswer)>;
  ContactStates(const Clock& clock, Ask ask) : clock_(clock), ask_(std::move(ask)) {}
  ContactStates(const ContactStates&) = delete;
  ContactStates& operator=(const ContactStates&) = delete;

  [[nodiscard]] static ContactState StateOf(proto::ContactState state);
  // kNotAsked where nothing is known, or not any more.
  [[nodiscard]] ContactState Find(const ContactPair& pair);
  // Something of the pair waits, so whatever comes behind it has to wait too.
  [[nodiscard]] bool Waits(const ContactPair& pair) const;
  [[nodiscard]] bool anybody_waits() const { return !open_.empty(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_; }

  // Asks the engine, unless it is being asked already. `go_on` is called once and not inside this
  // call: true when Find was told the state, false when `expires` has passed before. It may call
  // Await again.
  using GoOn = std::function<void(bool known)>;
  void Await(const ContactPair& pair, Deadline expires, GoOn go_on);
  // What the engine answered to a SUBSCRIBE of the user.
  void Learn(const ContactPair& pair, ContactState state);
  // A snapshot came: of another epoch, everything known is void. No answer is kept for longer than
  // an authorisation lives without a SUBSCRIBE (5.4).
  void OnSnapshot(std::uint64_t contacts_epoch, seconds authorisation_ttl);
  void Tick();  // once a second: ends what has waited too long, asks again what failed

 private:
  struct Known {
    ContactState state = ContactState::kNotAsked;
    TimePoint since;
  };
  struct Waiter {
    Deadline expires;
    GoOn go_on;
  };
  struct Open {
    ContactPair pair;
    std::deque<Waiter> waiters;
    bool asked = false;  // a question is on its way
  };
  static std::string KeyOf(const ContactPair& pair);
  void AskFor(std::string key, Open& open);
  void OnAnswered(const std::string& key, std::uint64_t epoch,
                  const Result<proto::PolicyAnswer>& answer);

  const Clock& clock_;
  Ask ask_;
  std::uint64_t epoch_ = 0;
  seconds life_ = kLife;
  std::size_t waiting_ = 0;
  std::unordered_map<std::string, Known> known_;
  std::unordered_map<std::string, Open> open_;  // none without waiters
  std::shared_ptr<const ContactStates*> self_ =
      std::make_shared<const ContactStates*>(this);  // answers under way hold it weakly
};

}  // namespace gatehouse::translator
