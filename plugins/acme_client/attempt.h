// One attempt to get a certificate: sends what the order wants sent, lets the CA find what it wants
// to find, and clears that away again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/http/http_client.h"
#include "core/loop/timer.h"
#include "plugins/acme_client/acme_order.h"
#include "plugins/acme_client/attempt_limits.h"
#include "plugins/acme_client/challenge_board.h"
#include "proto/link_control.pb.h"

namespace gatehouse::acme {

struct AttemptFailure {
  std::string why;  // a sentence without an end
  std::chrono::seconds retry_after{0};
};

class Attempt {
 public:
  static constexpr seconds kRequestLimit{60};

  using CallHook =
      std::function<void(const proto::DnsHookCall&, std::function<void(Result<void>)>)>;
  struct Setup {
    Loop& loop;
    DnsLookup& dns;
    std::shared_ptr<const TlsContext> tls;
    ChallengeBoard& board;
    CallHook call_hook;
    // Whether the CA's URLs may lead to loopback and the like wherever its directory is.
    bool allow_inside = false;
  };
  // The chain in PEM. Called once, after all was cleared away.
  using Done = std::function<void(Result<std::string, AttemptFailure>, const std::string& account)>;

  // `key` outlives it. `done` is never called inside, and may destroy it.
  Attempt(Setup setup, const Es256Key& key, AcmeOrder::Setup order, Done done);
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

 private:
  struct Record {
    std::string name, value;
  };
  void Follow(Step step);
  void Send(const SendStep& step);
  void Provide(const ProvideStep& step);
  void AddRecord(const ProvideStep& step);
  void LookForRecord();
  void OnRecordAwaited();
  void End(Result<std::string, AttemptFailure> result);
  void ClearNext();
  // Guards what is called back later.
  template <class Action>
  auto Guarded(Action action);

  Setup setup_;
  bool by_dns_;
  seconds limit_time_;
  CaTargets targets_;
  AcmeOrder order_;
  Done done_;
  std::unique_ptr<HttpExchange> exchange_;
  std::vector<std::string> tokens_;
  std::vector<Record> records_;
  RecordPatience patience_;
  TimePoint record_added_{};
  std::optional<Result<std::string, AttemptFailure>> result_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Timer wait_, look_, limit_;
};

}  // namespace gatehouse::acme
