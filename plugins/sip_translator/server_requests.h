// Their requests: matched, checked, handed on, answered once and within 20 s. RFC 3261 §8.2, §17.2;
// RFC 4320; 11.2
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/base/log_sampler.h"
#include "core/base/metrics.h"
#include "core/loop/loop.h"
#include "plugins/sip_translator/request_checks.h"
#include "plugins/sip_translator/server_transaction.h"
#include "plugins/sip_translator/sip_endpoint.h"
#include "plugins/sip_translator/sip_transport.h"
#include "plugins/sip_translator/sip_trust.h"
#include "plugins/sip_translator/timer_wheel.h"

namespace gatehouse {

class ServerRequests final : public SipReply::Sink {
 public:
  using OnRequest = SipEndpoint::OnRequest;
  // The references outlive this object.
  ServerRequests(Loop& loop, Metrics& metrics, SipTransportLayer& transport, TimerWheel& wheel,
                 TransactionTimes times);
  ~ServerRequests();
  ServerRequests(const ServerRequests&) = delete;
  ServerRequests& operator=(const ServerRequests&) = delete;

  void SetHandler(OnRequest handler) { handler_ = std::move(handler); }
  void SetRefusals(SipEndpoint::OnRefusal handler) { refusals_ = std::move(handler); }
  void OnMessage(const SipMessage& request, const SipSource& source);
  void OnRefused(const SipRefusal& refusal, const SipSource& source);
  void Answer(std::uint64_t transaction, int status, Reason why,
              std::span<const SipExtraHeader> headers) override;
  [[nodiscard]] bool OwesAnswerOn(SipConnectionId connection) const;
  [[nodiscard]] std::size_t owed() const { return owed_; }

 private:
  class Incoming;
  // Anybody may knock, over UDP under any address: ten lines a minute of all strangers together.
  static constexpr seconds kStrangersLogSpan{60};

  void Begin(const SipMessage& request, const SipSource& source, std::string key);
  void AnswerStateless(const SipReturnPath& path, std::string_view head, int status,
                       std::string_view reason, std::span<const SipExtraHeader> headers);
  void Act(Incoming& incoming, std::uint8_t actions);
  void OnDue(Incoming& incoming, TimePoint now);
  void ArmNext(Incoming& incoming);
  void AnswerLate(Incoming& incoming);
  void CountRefusal(int status, Reason why);
  struct Whence {
    const SocketAddress& peer;
    bool trusted;
  };
  // Counted and logged; of a peer of ours, remembered too.
  void NoteRefusal(const RefusedRequest& request, RequestAnswer& answer, const Whence& whence);
  void LogRefusal(std::string_view event, const RefusedRequest& request,
                  const RequestAnswer& answer, const Whence& whence);

  Loop& loop_;
  Metrics& metrics_;
  SipTransportLayer& transport_;
  TimerWheel& wheel_;
  TransactionTimes times_;
  OnRequest handler_;
  SipEndpoint::OnRefusal refusals_ = [](const RefusedRequest&, RequestAnswer&) {};
  std::unordered_map<std::string_view, std::unique_ptr<Incoming>> by_key_;  // the key is its own
  std::unordered_map<std::uint64_t, Incoming*> unanswered_;
  std::uint64_t last_id_ = 0;
  std::size_t owed_ = 0;
  SteadyClock clock_;
  LogSampler log_sampler_{clock_};
  LogSampler strangers_log_{clock_, kStrangersLogSpan};
  double& received_total_;
  double& retransmissions_total_;
};

}  // namespace gatehouse
