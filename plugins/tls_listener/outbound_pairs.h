// Every outbound stream of this listener, and the queues of the domain pairs that use them (chapter
// 3).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/loop/dns_lookup.h"
#include "core/loop/loop.h"
#include "core/loop/socket_address.h"
#include "core/policy/policy_view.h"
#include "core/tls/tls_context.h"
#include "core/xmpp/stream_refusal.h"
#include "ipc/ask_link.h"
#include "ipc/data_link.h"
#include "plugins/tls_listener/lent_stream.h"
#include "plugins/tls_listener/stanza_intake.h"
#include "proto/config.pb.h"
#include "proto/ctl.pb.h"
#include "proto/link_listener_translator.pb.h"
#include "proto/stream_record.pb.h"

namespace gatehouse {

class OutboundPairs final : public Borrower {
 public:
  struct Setup {
    Loop& loop;
    Metrics& metrics;
    DnsLookup& dns;
    ipc::AskClient& verifier;                  // makes the dialback keys
    std::vector<SocketAddress> own_addresses;  // where this edge listens: never a target (3.1)
    bool allow_loopback_targets = false;       // dns.allow_loopback_targets
    // Streams of the partner with this id that are not ours and count against its connection limit
    // too (2.11): inbound ones, and those of other listeners.
    std::function<std::size_t(std::string_view partner_id)> inbound_streams;  // may be empty
    // A stream was opened, or could not be. May be empty.
    std::function<void(proto::StreamRecord)> note_stream = {};
    // A stream could not be opened. May be empty.
    NoteRefusal note_refusal = {};
    // Takes the stanzas of peers that may send on our streams (2.14). Null: none may.
    StanzaIntake* intake = nullptr;
  };
  struct TlsContexts {
    std::shared_ptr<const TlsContext> starttls;
    std::shared_ptr<const TlsContext> direct;  // ALPN "xmpp-server"
    bool shows_certificate = false;            // false: SASL EXTERNAL is skipped (3.4)
  };

  explicit OutboundPairs(Setup setup);
  // Closes every stream; what is not settled stays the sender's, for our next life.
  ~OutboundPairs() override;
  OutboundPairs(const OutboundPairs&) = delete;
  OutboundPairs& operator=(const OutboundPairs&) = delete;

  // Each new snapshot. A stream whose method its partner's row no longer permits is closed with
  // <reset/> (2.10).
  void SetPolicy(PolicyPointer policy);
  // Our domains, prepared. Pairs of a domain that is gone fail.
  void SetDomains(std::vector<std::string> domains);
  // Rates of the stanzas of peers on streams opened from now on.
  void SetLimits(const proto::Limits& limits);
  // For streams opened from now on.
  void SetTls(TlsContexts contexts);
  // Those whose peer's certificate is in the revocation lists of what SetTls was given end with
  // <reset/> (2.5).
  void JudgeAnew();

  // Sends `stanza.stanza()` on a verified stream of its pair, in the order of the calls, opening
  // one if there is none. `ticket` settles as delivered once the bytes are the kernel's, as failed
  // with a proto::StanzaCondition of 3.9, as expired after `expires` or 60 s in the queue.
  void Send(const proto::OutboundStanza& stanza, Deadline expires, ipc::Ticket ticket);

  // Opens a stream of its own to the domain and tells each step; `answer` is called once, within 60
  // s.
  void Test(const proto::TestStream& request, std::function<void(proto::CtlResponse)> answer);

  // Takes no new stanzas, sends what it holds, closes all streams with </stream:stream>, then calls
  // `drained`.
  void Drain(std::function<void()> drained);

  // --- streams of peers that are lent to us (2.14): used for a pair that has no stream of its own
  // open, for no pair is to be on two at a time (RFC 6120 §10.1)
  LoanId Lend(LentStream& stream, LoanId so_far, const std::string& local,
              const std::string& remote) override;
  void OnWritable(LoanId loan) override;
  std::optional<std::uint64_t> OnAcknowledged(LoanId loan, std::uint32_t h) override;
  [[nodiscard]] bool HasUnsent(LoanId loan) const override;
  void EndLoan(LoanId loan) override;

  // Forgets domain pairs that nothing was wanted of for a while, for there is no end of them below
  // a wildcard. Once a minute by a timer of its own.
  void ForgetUnused(TimePoint now);

  [[nodiscard]] std::size_t pairs() const;    // remembered
  [[nodiscard]] std::size_t queued() const;   // stanzas not settled yet
  [[nodiscard]] std::size_t streams() const;  // of ours, open or being opened
  // Streams of ours to the partner with this id, open or being opened.
  [[nodiscard]] std::size_t StreamsOf(std::string_view partner_id) const;
  // The partner's id of each of them.
  void ForEachStream(const std::function<void(std::string_view partner_id)>& visit) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse
