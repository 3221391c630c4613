// dialback_verifier: holds the dialback secret, makes and judges keys, proves peers' domains.
// XEP-0220, 2.8.
#include "core/worker/worker.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/policy/certificate_client.h"
#include "core/policy/own_domains.h"
#include "core/policy/snapshot_client.h"
#include "core/worker/plugin_abi.h"
#include "plugins/dialback_verifier/dialback_secret.h"
#include "plugins/dialback_verifier/domain_prover.h"
#include "plugins/dialback_verifier/rate_limit.h"
#include "proto/link_listener_verifier.pb.h"

namespace gatehouse {
namespace {

// Where the edge listens for XMPP: no peer's DNS may send us there (3.1).
TargetGuard GuardOf(const proto::Config& config) {
  std::vector<SocketAddress> own;
  const auto add = [&own](const auto& texts) {
    for (const std::string& text : texts)
      if (auto address = SocketAddress::Parse(text)) own.push_back(*address);
  };
  add(config.listen().xmpp());
  add(config.listen().xmpps());
  return {std::move(own), config.dns().allow_loopback_targets()};
}

}  // namespace

class DialbackVerifierWorker final : public Worker {
 public:
  Result<void> Prepare(const WorkerConfig& config) override {
    GATEHOUSE_TRY(DialbackSecret secret,
                  DialbackSecret::Open(config.state_dir() + "/dialback.secret"));
    secret_.emplace(std::move(secret));
    return ReadTls(config.config());
  }

  Result<void> Start(WorkerContext& context) override {
    context_ = &context;
    const proto::Config& config = context.config().config();
    const std::vector<std::string> servers(config.dns().servers().begin(),
                                           config.dns().servers().end());
    GATEHOUSE_TRY(dns_,
                  DnsLookup::Create(context.loop(), servers, DnsTrustOf(config.dns().dnssec())));
    prover_.emplace(DomainProver::Setup{context.loop(), context.metrics(), *dns_, GuardOf(config)});
    certificates_.emplace(context, [this](const CertificateClient::Given&) { UseTls(); });
    GATEHOUSE_TRY_VOID(TakeConfig(config));
    snapshots_.emplace(context,
                       [this](PolicyPointer policy) { prover_->SetPolicy(std::move(policy)); });
    context.AnswerAsks(
        [this](std::string_view instance, std::string_view question, ipc::AskServer::Reply reply) {
          OnQuestion(instance, question, std::move(reply));
        });
    context.OnCtl([this](const proto::CtlRequest& request, const WorkerContext::CtlAnswer& answer) {
      answer(OnCtl(request));
    });
    context.OnReconfigure([this](const proto::Config& changed) { return OnReconfigure(changed); });
    return {};
  }

  // Questions being answered are the asker's to repeat: the next life gets them again.
  void Drain(std::function<void()> drained) override { drained(); }

 private:
  Result<void> ReadTls(const proto::Config& config) {
    const TlsFiles files{.chain_file = config.tls().chain_file(),
                         .key_file = config.tls().key_file(),
                         .trust = config.tls().trust(),
                         .crl_file = config.tls().crl_file()};
    TlsContext::Options options;
    options.alpn = "xmpp-server";
    GATEHOUSE_TRY(auto direct, TlsContext::Create(files, options));
    GATEHOUSE_TRY(starttls_, TlsContext::Create(files));
    direct_ = std::move(direct);
    return {};
  }

  // Many servers turn away whoever shows none, also one that only asks (Prosody's s2s_secure_auth).
  // What the store has assigned goes before the files of gatehouse.yaml.
  void UseTls() {
    const auto& certificate = certificates_->current().certificate;
    if (certificate) {
      auto starttls = TlsContext::Like(*starttls_, *certificate);
      auto direct = TlsContext::Like(*direct_, *certificate);
      if (starttls && direct) return prover_->SetTls(*std::move(starttls), *std::move(direct));
      Log(LogLevel::kError, "certificate-unusable",
          {{"certificate", certificates_->current().name},
           {"why", (starttls ? direct : starttls).error().text}});
    }
    prover_->SetTls(starttls_, direct_);
  }

  Result<void> TakeConfig(const proto::Config& config) {
    GATEHOUSE_TRY(domains_, OwnDomains(config));
    prover_->SetDomains(domains_);
    UseTls();
    return {};
  }

  Result<void> OnReconfigure(const proto::Config& config) {
    GATEHOUSE_TRY_VOID(ReadTls(config));
    return TakeConfig(config);
  }

  void OnQuestion(std::string_view instance, std::string_view bytes, ipc::AskServer::Reply reply) {
    proto::VerifierQuestion question;
    const bool read = question.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    switch (read ? question.body_case() : proto::VerifierQuestion::BODY_NOT_SET) {
      case proto::VerifierQuestion::kMakeKey:
        return OnMakeKey(question.make_key(), reply);
      case proto::VerifierQuestion::kProve:
        return OnProve(question.prove(), std::move(reply));
      case proto::VerifierQuestion::kJudge:
        return OnJudge(question.judge(), reply);
      case proto::VerifierQuestion::BODY_NOT_SET:
        break;
    }
    reply(Trouble("malformed question"));
    context_->ReportMalformed(instance, "verifier question that cannot be read");
  }

  [[nodiscard]] bool IsOurs(const std::string& domain) const {
    return std::ranges::find(domains_, domain) != domains_.end();
  }

  void OnMakeKey(const proto::MakeKey& question, const ipc::AskServer::Reply& reply) {
    if (!make_limit_.Take(context_->loop().Now())) return reply(Trouble("too many keys asked for"));
    if (!IsOurs(question.originating_domain())) return reply(Trouble("no domain of ours"));
    proto::VerifierAnswer answer;
    answer.set_key(secret_->MakeKey({.receiving = question.receiving_domain(),
                                     .originating = question.originating_domain(),
                                     .stream_id = question.stream_id()}));
    reply(answer.SerializeAsString());
  }

  // 2.8.4. The asker counts per stream and address; this bounds the whole.
  void OnJudge(const proto::JudgeKey& question, const ipc::AskServer::Reply& reply) {
    if (!judge_limit_.Take(context_->loop().Now())) return reply(Trouble("too many keys to judge"));
    const proto::DialbackVerdict verdict = Judge(question);
    const char* result =
        verdict == proto::DIALBACK_VALID ? "{result=\"valid\"}" : "{result=\"refused\"}";
    ++context_->metrics().Value("gatehouse_dialback_judged_total", result);
    proto::VerifierAnswer answer;
    answer.set_verdict(verdict);
    reply(answer.SerializeAsString());
  }

  [[nodiscard]] proto::DialbackVerdict Judge(const proto::JudgeKey& question) const {
    if (!IsOurs(question.originating_domain())) return proto::DIALBACK_NOT_FOUND;
    const std::string_view key = StripKey(question.key());
    if (!IsPlausibleStreamId(question.stream_id()) || !IsPlausibleKey(key))
      return proto::DIALBACK_INVALID;
    const DialbackContext dialback{.receiving = question.receiving_domain(),
                                   .originating = question.originating_domain(),
                                   .stream_id = question.stream_id()};
    return secret_->Judge(dialback, key, UnixNow()) ? proto::DIALBACK_VALID
                                                    : proto::DIALBACK_INVALID;
  }

  void OnProve(const proto::ProveDomain& question, ipc::AskServer::Reply reply) {
    if (!snapshots_->current()) return reply(Trouble("no policy snapshot yet"));
    prover_->Prove(question,
                   [reply = std::move(reply)](proto::DialbackVerdict verdict, std::string detail) {
                     proto::VerifierAnswer answer;
                     answer.set_verdict(verdict);
                     answer.set_detail(std::move(detail));
                     reply(answer.SerializeAsString());
                   });
  }

  proto::CtlResponse OnCtl(const proto::CtlRequest& request) {
    proto::CtlResponse response;
    if (!request.has_dialback_secret_set()) {
      response.set_exit_code(2);
      response.set_error("dialback_verifier knows no such command");
      return response;
    }
    const std::string& passphrase = request.dialback_secret_set().passphrase();
    const Result<void> replaced = secret_->Replace(passphrase, UnixNow());
    if (!replaced) {
      response.set_exit_code(1);
      response.set_error(replaced.error().text);
      return response;
    }
    Log(LogLevel::kNotice, "dialback-secret-changed",
        {{"actor", request.actor()}, {"reason", request.reason()}});
    const bool is_short = passphrase.size() < kShortSecretBytes;
    response.set_done(
        is_short ? "dialback passphrase set; warning: it is shorter than 16 octets"
                 : "dialback passphrase set; keys of the one before stay valid for 10 minutes");
    return response;
  }

  WorkerContext* context_ = nullptr;
  std::optional<DialbackSecret> secret_;
  std::shared_ptr<const TlsContext> starttls_, direct_;
  std::vector<std::string> domains_;
  std::unique_ptr<DnsLookup> dns_;
  std::optional<DomainProver> prover_;
  std::optional<SnapshotClient> snapshots_;
  std::optional<CertificateClient> certificates_;
  RateLimit make_limit_{1000, 2000};
  RateLimit judge_limit_{1000, 2000};
};

}  // namespace gatehouse

GATEHOUSE_PLUGIN("dialback_verifier", gatehouse::DialbackVerifierWorker);
