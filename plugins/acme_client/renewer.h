// Keeps one certificate of the store renewed: looks at it, decides when an attempt is due,
// remembers what came of it, and hands what was issued to the engine.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/loop/timer.h"
#include "core/worker/worker.h"
#include "plugins/acme_client/acme_settings.h"
#include "plugins/acme_client/attempt.h"
#include "plugins/acme_client/challenge_board.h"
#include "proto/acme.pb.h"
#include "proto/ctl.pb.h"
#include "proto/link_policy.pb.h"

namespace gatehouse::acme {

class Renewer {
 public:
  struct Setup {
    WorkerContext& context;
    DnsLookup& dns;
    ChallengeBoard& board;
    const Es256Key& key;  // of the account
    std::string memory_file;
    proto::AcmeMemory memory;
    // How long who asks by RenewNow waits: below the limit of the command's route.
    milliseconds patience{900'000};
  };
  explicit Renewer(Setup setup);
  ~Renewer();
  Renewer(const Renewer&) = delete;
  Renewer& operator=(const Renewer&) = delete;

  // Holds from the next attempt on. `tls`: with the anchors for the CA's HTTPS.
  void Configure(AcmeSettings settings, std::shared_ptr<const TlsContext> tls);
  void Stop();

  // An attempt now, or the one that is under way; answered once it has ended, or when patience is
  // over, while it goes on. `asker`: for the log, and the audit where it leads to a certificate.
  void RenewNow(const std::string& asker, WorkerContext::CtlAnswer answer);
  [[nodiscard]] proto::RenewalView View() const;

 private:
  enum class State : std::uint8_t { kWaiting, kRenewing, kImporting };
  // What was issued, until the engine has it.
  struct Issued;

  void ForgetOtherCa();
  void ClampNextAttempt();
  void Look();
  void OnLook(const Result<proto::PolicyAnswer>& answer);
  void Consider();
  [[nodiscard]] std::int64_t DueTime() const;
  void Begin();
  [[nodiscard]] Result<AcmeOrder::Setup> MakeOrder();
  void OnEnded(const Result<std::string, AttemptFailure>& result);
  void Offer();
  void OnOffered(const Result<proto::PolicyAnswer>& answer);
  void StartAnew();
  void Succeed(const proto::AcmeAnswer& answer);
  void Fail(const std::string& reason, std::chrono::seconds retry_after);
  void TellFailure() const;
  void AnswerAll(const proto::CtlResponse& response);
  void OnPatienceOver();
  Result<void> Remember();
  void CountResult(const char* result, int by);
  void Measure();
  [[nodiscard]] const proto::CertificateView* held() const { return held_ ? &*held_ : nullptr; }

  Setup setup_;
  AcmeSettings settings_;
  std::shared_ptr<const TlsContext> tls_;
  State state_ = State::kWaiting;
  bool looked_ = false;
  bool stopped_ = false;
  std::optional<proto::CertificateView> held_;
  AcmeSettings wanted_;  // by the attempt under way
  std::unique_ptr<Attempt> attempt_;
  std::unique_ptr<Issued> issued_;
  seconds offer_pause_{};  // the last one
  std::vector<WorkerContext::CtlAnswer> askers_;
  std::string asked_by_;  // who has made the attempt begin; empty: it was due
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Timer look_, offer_, patience_;
};

}  // namespace gatehouse::acme
