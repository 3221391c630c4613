// One inbound stream: a transport, its machine, its clocks. Does what the machine says (chapter 2).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/loop/timer.h"
#include "core/xmpp/stream_machine.h"
#include "core/xmpp/stream_transport.h"
#include "plugins/tls_listener/lent_stream.h"
#include "plugins/tls_listener/reading_brake.h"

namespace gatehouse {

enum class StreamNumber : std::uint64_t {};

class InboundStream;

// What a stream asks of those who run it. The number names the stream for late answers.
class InboundHost {
 public:
  virtual ~InboundHost() = default;
  virtual void Prove(const AskProof& question, InboundStream& stream) = 0;
  virtual void Judge(const AskJudgement& question, InboundStream& stream) = 0;
  virtual void Deliver(const DeliverStanza& stanza, proto::Element& element,
                       InboundStream& stream) = 0;
  virtual void Answer(const AnswerStanza& answer) = 0;
  // Sends `ping`, an iq from `local` to `remote`, on an open stream to that domain: this one where
  // it is lent, or that of any listener of this edge. OnPinged of the stream is called, now or
  // later.
  virtual void Ping(const std::string& local, const std::string& remote, const proto::Element& ping,
                    InboundStream& stream) = 0;
  // Is a silent stream of this peer domain to be probed? Partner setting KeepAlive.
  [[nodiscard]] virtual bool KeepsAlive(std::string_view remote) const = 0;
  // Another stream of the same address has this pair, and a pair is to have one only (2.10).
  [[nodiscard]] virtual bool IsTaken(const PairVerified& pair,
                                     const InboundStream& stream) const = 0;
  virtual void OnPairVerified(const PairVerified& pair, InboundStream& stream) = 0;
  // --- of a stream that is lent (2.14)
  virtual void OnAcknowledged(std::uint32_t h, InboundStream& stream) = 0;
  virtual void OnWritable(InboundStream& stream) = 0;
  // Stanzas of ours that its peer does not have yet.
  [[nodiscard]] virtual bool HasUnsent(const InboundStream& stream) const = 0;
  virtual void OnHandshake(bool done, InboundStream& stream) = 0;
  // A <db:result/> of ours went out: "valid", "invalid" or the condition of an error.
  virtual void OnDialback(std::string_view result) = 0;
  virtual NotedRefusal OnRefused(const StreamRefusal& refusal) = 0;
  // The stream has ended and takes nothing more; OnGone follows. `why`: a condition or a word of
  // ours, one of a closed list.
  virtual void OnEnd(std::string_view why, InboundStream& stream) = 0;
  // The stream is to be destroyed inside.
  virtual void OnGone(std::string_view why, InboundStream& stream) = 0;
  [[nodiscard]] virtual std::shared_ptr<const TlsContext> Tls(bool direct) const = 0;
};

struct InboundTimes {
  seconds establishment{60};  // to the first verified pair
  seconds inactivity{600};    // without a stanza
  seconds keep_alive{300};    // without a byte, until we probe (2.12)
};

class InboundStream final : public LentStream {
 public:
  struct Setup {
    StreamNumber number;
    Loop& loop;
    InboundHost& host;
    const InboundRules& rules;
    StanzaRate rate;
    const InboundTimes& times;  // as they are now
    bool direct_tls = false;
  };
  InboundStream(const Setup& setup, std::unique_ptr<TcpStream> tcp);
  InboundStream(const InboundStream&) = delete;
  InboundStream& operator=(const InboundStream&) = delete;

  // Late answers of the verifier.
  void OnProof(std::uint64_t id, proto::DialbackVerdict verdict) {
    Do(machine_.OnProof(id, verdict));
  }
  void OnJudged(std::uint64_t id, proto::DialbackVerdict verdict) {
    Do(machine_.OnJudged(id, verdict));
  }
  // A stanza delivered with this number is settled. True: OnAcksDue is to be called in a later
  // turn.
  bool CountHandled(std::uint64_t number) { return machine_.CountHandled(number); }
  void OnAcksDue() { Do(machine_.OnAcksDue()); }
  // What became of the ping with this id. Not sent: there is no stream for it.
  void OnPinged(std::string_view id, bool sent);
  void OnRulesChanged() { Do(machine_.OnRulesChanged()); }
  // Its peer's certificate, by the anchors and revocation lists of `context`.
  void JudgeBy(const std::shared_ptr<const TlsContext>& context);
  void CloseWith(StreamCondition condition) { Do(machine_.CloseWith(condition)); }
  void CloseWith(StreamCondition condition, Reason reason) {
    Do(machine_.CloseWith(condition, reason));
  }
  void Shutdown() { Leave(machine_.LeaveForShutdown()); }
  // Its clocks, which are absolute; called about once a second.
  void Tick(TimePoint now, std::int64_t unix_now);

  // The translator has no room for what this stream brings: leave it to TCP. False: it was so
  // already.
  bool StopForRoom() { return brake_.StopForRoom(); }
  void ResumeForRoom() { brake_.ResumeForRoom(); }

  // --- as it is lent
  void Write(std::string_view xml) override;
  void WhenWritten(std::function<void()> done) override {
    transport_->WhenFlushed(std::move(done));
  }
  [[nodiscard]] std::size_t unwritten_bytes() const override { return transport_->queued_bytes(); }
  [[nodiscard]] bool counts_ours() const override { return machine_.counts_ours(); }
  void EndWith(StreamCondition condition) override { CloseWith(condition); }
  void OnFalseAck(std::uint32_t h, std::uint64_t sent) { Do(machine_.OnFalseAck(h, sent)); }
  [[nodiscard]] LoanId loan() const { return loan_; }
  void SetLoan(LoanId loan) { loan_ = loan; }

  [[nodiscard]] StreamNumber number() const { return setup_.number; }
  [[nodiscard]] const StreamMachine& machine() const { return machine_; }
  [[nodiscard]] const std::string& ip() const { return ip_; }
  [[nodiscard]] TimePoint last_heard() const { return last_heard_; }
  [[nodiscard]] std::string tls_version() const;  // "TLSv1.3"; empty in clear
  // What the peer has shown; null in clear.
  [[nodiscard]] const PeerCertificate* certificate() const;
  [[nodiscard]] bool counts_as_unauthenticated() const { return unauthenticated_; }
  void SetAuthenticated() { unauthenticated_ = false; }
  // The partner in whose room it is counted; empty: in nobody's.
  [[nodiscard]] const std::string& counted_for() const { return counted_for_; }
  void CountFor(std::string partner_id) { counted_for_ = std::move(partner_id); }
  [[nodiscard]] bool ended() const {
    return machine_.state() == StreamState::kClosed && !machine_.footer_waits();
  }

 private:
  void OnElement(proto::Element& element);
  void OnOversized(const proto::Element& head);
  void CountForBrake();
  void OnClosed(std::string_view why);
  void Heard();
  void Leave(StreamMachine::Actions actions);
  [[nodiscard]] bool is_idle(TimePoint now) const;
  void OnTls(const Result<void>& result);
  void Do(StreamMachine::Actions actions, proto::Element* element = nullptr);
  void DoOne(const StreamAction& action, proto::Element* element);
  void BeginTlsNow(const BeginTls& action);
  const PeerCertificate& PinnedVerdict(const std::string& anchors_pem);
  void OnDialback(const DialbackAnswered& answered);
  void LogEnd(std::string_view event, std::string_view why, Reason reason,
              std::string_view id) const;
  void OnFooter();
  void CheckLife(TimePoint now);
  void Probe();
  [[nodiscard]] bool IsAnswerToPing(const proto::Element& element) const;
  void ReadOrNot(bool read);

  Setup setup_;
  StreamMachine machine_;
  std::unique_ptr<StreamTransport> transport_;
  std::string ip_;
  ReadingBrake brake_;
  TimePoint accepted_at_;
  TimePoint handshake_end_ = TimePoint::max();
  // Until then the peer's </stream:stream> is answered, or awaited.
  TimePoint footer_end_ = TimePoint::max();
  TimePoint last_stanza_;
  TimePoint last_heard_;  // an element or white space
  // In this silence (2.12): our ping was asked for, was sent, is awaited; or white space was sent.
  enum class Probing : std::uint8_t { kNot, kAsked, kSent, kAwaited, kByWhitespace };
  Probing probing_ = Probing::kNot;
  TimePoint probe_end_{};       // kAwaited: the peer is dead without a byte until then
  std::string local_, remote_;  // the first verified pair
  std::string ping_id_;         // empty: answered, or never sent
  PeerCertificate pinned_;      // the peer's by a partner's own anchors
  std::string pinned_by_;       // their SHA-256; empty: never asked
  std::size_t whitespace_ = 0;  // since the last tick
  std::string counted_for_;
  bool unauthenticated_ = true;
  bool told_of_dialback_ = false;  // the log, of a refusal
  bool conflicts_ = false;         // the actions in hand verified a pair that is taken
  LoanId loan_{};
};

}  // namespace gatehouse
