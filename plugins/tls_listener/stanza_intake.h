// What peers send on verified pairs, on its way to the translator, whichever end opened the stream.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/log_sampler.h"
#include "core/base/metrics.h"
#include "core/loop/loop.h"
#include "core/policy/policy_view.h"
#include "core/xmpp/stream_refusal.h"
#include "ipc/data_link.h"
#include "proto/link_listener_translator.pb.h"

namespace gatehouse {

class StanzaIntake {
 public:
  struct Setup {
    Loop& loop;
    Metrics& metrics;
    ipc::DataLink& translator;
    // A stanza of ours, to go out on a stream of this listener to its domain.
    std::function<void(const proto::OutboundStanza&)> send_own;
    // Remembers that a stanza of `remote` is answered by `error`.
    using NoteError = std::function<NotedRefusal(std::string_view remote,
                                                 const proto::Element& error, Reason why)>;
    NoteError note_error = {};  // empty: nobody does
  };
  // Where a stanza came. Views are not kept.
  struct Arrival {
    std::string_view stream_id;
    std::string_view from, to;  // the verified pair: theirs, ours
    proto::AuthMethod method;
  };
  explicit StanzaIntake(Setup setup);
  StanzaIntake(const StanzaIntake&) = delete;
  StanzaIntake& operator=(const StanzaIntake&) = delete;

  // The snapshot the stanzas from now on were let in by.
  void SetPolicy(PolicyPointer policy) { policy_ = std::move(policy); }
  // Offers the stanza. `handled` is called once it is settled; empty: nobody counts. Where no
  // answer came for it, its sender is told so.
  void Deliver(const Arrival& arrival, proto::Element& stanza, std::function<void()> handled);
  // Of the pair last delivered for: false, and `resume` is called once there is room again.
  [[nodiscard]] bool HasRoom() const { return setup_.translator.HasRoom(share_key_); }
  void WhenRoom(std::function<void()> resume) {
    setup_.translator.WhenRoom(share_key_, std::move(resume));
  }

  // A stanza error of ours (MakeErrorReply, without words): counted, remembered, and told with the
  // id of that.
  void Answer(const std::string& local, const std::string& remote, proto::Element error);
  void SendOwn(const std::string& local, const std::string& remote, const proto::Element& stanza);
  // A ping of ours on an open stream of the pair, whichever listener holds it: the translator knows
  // which may. `done` is called later: was it sent? No stream is opened for it.
  void Ping(const std::string& local, const std::string& remote, const proto::Element& ping,
            std::function<void(bool sent)> done);

 private:
  // What of a stanza is kept while the translator has it, for the one error this listener sends
  // itself: name, from, to and id with a NUL between; empty where it may not be answered. One
  // string, because there is one for each stanza.
  using Head = std::string;
  static Head HeadOf(const proto::Element& stanza);

  [[nodiscard]] proto::OutboundStanza OwnStanza(const std::string& local, const std::string& remote,
                                                const proto::Element& stanza) const;
  void OnSettled(const Head& head, const ipc::Outcome& outcome);
  void TellSender(const Head& head, proto::StanzaCondition condition);
  void LogRefusal(const std::string& remote, const proto::Element& error, Reason why,
                  std::string_view id);

  Setup setup_;
  SteadyClock clock_;
  LogSampler log_sampler_{clock_};
  PolicyPointer policy_;
  double &delivered_, &failed_, &expired_, &stanza_errors_;
  proto::InboundStanza offer_;  // filled anew for each stanza; its strings keep their memory
  std::string share_key_;       // of the stanza in hand
};

}  // namespace gatehouse
