// Every inbound stream of this listener: admission, the verifier's answers, the way to the
// translator.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/metrics.h"
#include "core/loop/loop.h"
#include "core/loop/timer.h"
#include "core/policy/policy_view.h"
#include "ipc/ask_link.h"
#include "plugins/tls_listener/edge_usage.h"
#include "plugins/tls_listener/inbound_admission.h"
#include "plugins/tls_listener/inbound_stream.h"
#include "plugins/tls_listener/stanza_intake.h"
#include "proto/config.pb.h"
#include "proto/stream_record.pb.h"

namespace gatehouse {

class InboundStreams final : private InboundHost {
 public:
  struct Setup {
    Loop& loop;
    Metrics& metrics;
    ipc::AskClient& verifier;
    StanzaIntake& intake;
    // Outbound streams of the partner with this id: they count against its connection limit (2.11).
    std::function<std::size_t(std::string_view partner_id)> outbound_streams;
    // What the other listeners of this edge hold: every limit is one of the whole edge. May be
    // empty: there are none.
    std::function<const OtherListeners&()> others = {};
    // A pair was verified. May be empty.
    std::function<void(proto::StreamRecord)> note_stream = {};
    // A stream, or a pair of one, was refused. May be empty.
    NoteRefusal note_refusal = {};
    // An unlisted domain wants a stream while the gateway discovers. May be empty.
    std::function<void(proto::Stranger)> note_stranger = {};
    // Has `plugin`, which streams need, been away for longer than a peer is to wait (2.10)? May be
    // empty: never.
    std::function<bool(std::string_view plugin)> is_away = {};
    // Who sends on streams whose peers take stanzas of ours (2.14). Null: nobody.
    Borrower* borrower = nullptr;
  };
  struct TlsContexts {
    std::shared_ptr<const TlsContext> starttls;
    std::shared_ptr<const TlsContext> direct;
  };
  explicit InboundStreams(Setup setup);
  ~InboundStreams() override;

  // Each new snapshot, domain list, certificate, limit. A stream that is permitted no more ends
  // (2.10).
  void SetPolicy(PolicyPointer policy);
  void SetDomains(std::vector<std::string> domains);
  // For connections from now on.
  void SetTls(TlsContexts contexts) { contexts_ = std::move(contexts); }
  // What is open is judged anew, by the anchors and revocation lists of what SetTls was given: what
  // no longer proves its domain ends with <reset/> (2.5).
  void JudgeAnew();
  void SetLimits(const proto::Limits& limits);

  // The limits hold for all listeners together and `others` is new: gives up this listener's part
  // of what is too much. Only streams without a verified pair go.
  void KeepToLimits();
  // Adds what is limited of this half's: connections, and the addresses that hold most.
  void AddUsage(proto::Usage& usage) const;
  // Each partner that has streams with a verified pair, and how many.
  void ForEachProven(
      const std::function<void(std::string_view partner_id, std::size_t streams)>& visit) const;

  // Takes a connection; only after SetPolicy, SetDomains and SetTls. While there is no certificate
  // it ends with <internal-server-error/>.
  void Accept(std::unique_ptr<TcpStream> tcp, bool direct_tls);
  // The clocks of every stream, which are absolute; once a second by a timer of its own.
  void CheckClocks(TimePoint now);
  // Memory runs out: a part of the streams without a verified pair goes, the longest silent first
  // (12.5).
  void GiveUpIdlest();
  // Closes every stream with system-shutdown.
  void Shutdown();

  [[nodiscard]] std::size_t size() const { return streams_.size(); }
  // Those that have a verified pair: anybody may name a partner, and must not fill its room.
  // Streams that have proven to be this partner's: a stranger who only claims its name takes no
  // room from it.
  [[nodiscard]] std::size_t StreamsOf(std::string_view partner_id) const;

 private:
  struct Counters {
    explicit Counters(Metrics& metrics);
    double &open, &accepted, &turned_away, &handshakes_done, &handshakes_failed;
    // Connections refused, by reason.
    double &rate_of_address, &unauthenticated_of_address, &connection_limit, &evicted,
        &partner_limit, &memory;
  };

  void Prove(const AskProof& question, InboundStream& stream) override;
  void Judge(const AskJudgement& question, InboundStream& stream) override;
  void Deliver(const DeliverStanza& stanza, proto::Element& element,
               InboundStream& stream) override;
  void Answer(const AnswerStanza& answer) override;
  void Ping(const std::string& local, const std::string& remote, const proto::Element& ping,
            InboundStream& stream) override;
  [[nodiscard]] bool KeepsAlive(std::string_view remote) const override;
  [[nodiscard]] bool IsTaken(const PairVerified& pair, const InboundStream& stream) const override;
  void OnPairVerified(const PairVerified& pair, InboundStream& stream) override;
  void NoteStream(const PairVerified& pair, const InboundStream& stream) const;
  void NoteStranger(const InboundStream& stream) const;
  void OnAcknowledged(std::uint32_t h, InboundStream& stream) override;
  void OnWritable(InboundStream& stream) override;
  [[nodiscard]] bool HasUnsent(const InboundStream& stream) const override;
  void EndLoan(InboundStream& stream);
  void OnHandshake(bool done, InboundStream& stream) override;
  void OnDialback(std::string_view result) override;
  NotedRefusal OnRefused(const StreamRefusal& refusal) override {
    return setup_.note_refusal ? setup_.note_refusal(refusal) : NotedRefusal{};
  }
  void OnEnd(std::string_view why, InboundStream& stream) override;
  void OnGone(std::string_view why, InboundStream& stream) override;
  [[nodiscard]] std::shared_ptr<const TlsContext> Tls(bool direct) const override;

  void Ask(const proto::VerifierQuestion& question, milliseconds limit,
           std::function<void(proto::DialbackVerdict)> done);
  void OnCounted(StreamNumber stream, std::uint64_t number);
  void SendAcks();
  [[nodiscard]] bool IsAway(std::string_view plugin) const {
    return setup_.is_away && setup_.is_away(plugin);
  }
  void EndWhatNeedsTheAway();
  void CloseLater(StreamNumber number, StreamCondition condition);
  void KeepToRoom(InboundStream& stream);
  void ForEach(const std::function<void(InboundStream&)>& action);
  InboundStream* Find(StreamNumber number);
  [[nodiscard]] bool HasRoomFor(const proto::Partner& partner) const;
  bool Admits(const TcpStream& tcp);
  bool TurnAway(const TcpStream& tcp, double& counter, Reason reason);
  InboundStream& Add(std::unique_ptr<TcpStream> tcp, bool direct_tls);
  // Those that have not ended, here and at the other listeners.
  [[nodiscard]] std::size_t ConnectionsOfEdge() const;
  [[nodiscard]] std::size_t ConnectionLimit() const;
  // Ends the oldest stream without a verified pair that is older than `newcomer`. False: there is
  // none.
  bool EvictOldest(StreamNumber newcomer);
  void GiveUpSurplusOfAddresses();
  void CountAsProven(InboundStream& stream);
  void CountNoMore(InboundStream& stream);
  void NoteLost(std::string_view why, InboundStream& stream);
  void SetTimes(const proto::GatewaySettings& gateway);

  Setup setup_;
  Counters counters_;
  InboundRules rules_;
  TlsContexts contexts_;
  proto::Limits limits_;
  InboundTimes times_;
  InboundAdmission admission_;
  // Streams with a verified pair by their partner's id: every header asks for one of them.
  std::map<std::string, std::size_t, std::less<>> proven_;
  std::size_t ended_ = 0;  // of `streams_`: they only wait for their last octet
  std::map<StreamNumber, std::unique_ptr<InboundStream>> streams_;
  std::uint64_t next_number_ = 1;
  std::vector<StreamNumber> acks_due_;
  EndOfTurn end_of_turn_;
  Timer tick_;
};

}  // namespace gatehouse
