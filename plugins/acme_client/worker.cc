// acme_client: gets and renews one certificate of the store by ACME (RFC 8555). It holds the key of
// the account, and the key of a new certificate until the engine has that; none that is shown.
#include "core/worker/worker.h"

#include <optional>
#include <utility>

#include "core/base/log.h"
#include "core/http/http_responder.h"
#include "core/worker/plugin_abi.h"
#include "plugins/acme_client/acme_files.h"
#include "plugins/acme_client/renewer.h"

namespace gatehouse::acme {
namespace {

constexpr seconds kVoidMemoryPause{3600};

}  // namespace

class AcmeClientWorker final : public Worker {
 public:
  Result<void> Prepare(const WorkerConfig& config) override {
    GATEHOUSE_TRY_VOID(TakeConfig(config.config()));
    memory_file_ = config.state_dir() + "/acme-state";
    TakeMemory(ReadMemory(memory_file_));
    auto key = OpenAccountKey(config.state_dir() + "/acme-account.key");
    if (key)
      key_.emplace(*std::move(key));
    else
      no_account_ = key.error().text;
    return {};
  }

  Result<void> Start(WorkerContext& context) override {
    context.OnCtl([this](const proto::CtlRequest& request, const WorkerContext::CtlAnswer& answer) {
      OnCtl(request, answer);
    });
    context.OnReconfigure([this](const proto::Config& changed) { return OnReconfigure(changed); });
    // The edge goes on without renewal, not the other way round.
    if (!key_) {
      Log(LogLevel::kError, "acme-account-unusable", {{"why", no_account_}});
      return {};
    }
    const proto::Config& config = context.config().config();
    const std::vector<std::string> servers(config.dns().servers().begin(),
                                           config.dns().servers().end());
    GATEHOUSE_TRY(dns_,
                  DnsLookup::Create(context.loop(), servers, DnsTrustOf(config.dns().dnssec())));
    responder_.emplace(context.loop(), context.metrics(),
                       [this](std::string_view target) { return board_.Find(target); });
    for (const proto::ListenSocket& socket : context.config().listeners())
      if (socket.kind() == proto::HTTP) GATEHOUSE_TRY_VOID(responder_->Listen(socket.fd()));
    renewer_.emplace(Renewer::Setup{.context = context,
                                    .dns = *dns_,
                                    .board = board_,
                                    .key = *key_,
                                    .memory_file = memory_file_,
                                    .memory = memory_});
    renewer_->Configure(settings_, tls_);
    return {};
  }

  // An attempt in the middle is one that has failed: the next life knows.
  void Drain(std::function<void()> drained) override {
    if (renewer_) renewer_->Stop();
    if (responder_) responder_->Close();
    drained();
  }

 private:
  Result<void> TakeConfig(const proto::Config& config) {
    GATEHOUSE_TRY(AcmeSettings settings, AcmeSettingsOf(config));
    TlsContext::Options options;
    options.resume_sessions = true;
    GATEHOUSE_TRY(tls_, TlsContext::Create({.chain_file = {},
                                            .key_file = {},
                                            .trust = settings.trust,
                                            .crl_file = settings.crl_file},
                                           options));
    settings_ = std::move(settings);
    return {};
  }

  Result<void> OnReconfigure(const proto::Config& config) {
    if (!config.has_acme()) return {};  // this worker is about to be retired
    GATEHOUSE_TRY_VOID(TakeConfig(config));
    if (renewer_) renewer_->Configure(settings_, tls_);
    return {};
  }

  // Of one that is damaged nothing is known: no CA is asked at once by whoever damages it each
  // time.
  void TakeMemory(Result<proto::AcmeMemory> memory) {
    if (memory) {
      memory_ = *std::move(memory);
      return;
    }
    Log(LogLevel::kError, "acme-memory-void", {{"why", memory.error().text}});
    memory_.Clear();
    memory_.set_directory(settings_.directory);
    memory_.set_last_result("failed");
    memory_.set_last_error(memory.error().text);
    memory_.set_failures(1);
    memory_.set_next_attempt_unix(UnixNow() + kVoidMemoryPause.count());
  }

  void OnCtl(const proto::CtlRequest& request, const WorkerContext::CtlAnswer& answer) {
    if (!renewer_) {
      proto::CtlResponse refused;
      refused.set_exit_code(1);
      refused.set_error(no_account_ + "; then: gatehousectl worker restart acme_client/0");
      return answer(refused);
    }
    if (request.has_certificate_renew()) return renewer_->RenewNow(request.actor(), answer);
    proto::CtlResponse response;
    if (request.has_certificate_renewal_get()) {
      *response.mutable_renewal() = renewer_->View();
    } else {
      response.set_exit_code(2);
      response.set_error("acme_client knows no such command");
    }
    answer(std::move(response));
  }

  std::optional<Es256Key> key_;
  std::string no_account_;  // why there is no key
  std::string memory_file_;
  proto::AcmeMemory memory_;
  AcmeSettings settings_;
  std::shared_ptr<const TlsContext> tls_;
  ChallengeBoard board_;
  std::unique_ptr<DnsLookup> dns_;
  std::optional<HttpResponder> responder_;
  std::optional<Renewer> renewer_;
};

}  // namespace gatehouse::acme

GATEHOUSE_PLUGIN("acme_client", gatehouse::acme::AcmeClientWorker);
