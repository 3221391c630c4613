// policy_engine: the state store, the commands that change it, and the snapshots made of it.
#include "core/worker/worker.h"

#include <algorithm>
#include <optional>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/loop/timer.h"
#include "core/policy/access_notice.h"
#include "core/policy/own_domains.h"
#include "core/tls/crypto.h"
#include "core/tls/own_certificate.h"
#include "core/worker/plugin_abi.h"
#include "plugins/policy_engine/boot_clock.h"
#include "plugins/policy_engine/certificate_desk.h"
#include "plugins/policy_engine/contact_desk.h"
#include "plugins/policy_engine/engine.h"
#include "plugins/policy_engine/publication.h"
#include "plugins/policy_engine/store_transfer.h"
#include "plugins/policy_engine/usage_totals.h"
#include "proto/link_policy.pb.h"

namespace gatehouse::policy_engine {
namespace {

// The wall clock may be set: who waits for a time of it looks again after at most so long.
constexpr milliseconds kLongestWait{60'000};
// gatehousectl goes on with a file of `apply` as soon as it has an answer.
constexpr milliseconds kPlanIsLeftAlone{10'000};

std::string SealFileIn(const std::string& state_dir) {
  return state_dir + "/certificate.key";
}

// A store that cannot be opened or read is the operator's to mend: kConfig ends a start with one
// line, where kTrouble would try again for ever.
Result<Engine> OpenEngine(const WorkerConfig& config) {
  GATEHOUSE_TRY(std::vector<std::string> served, OwnDomains(config.config()));
  auto store = Store::Open(config.state_dir() + "/policy.db");
  if (!store) return BadConfig(std::move(store).error().text);
  auto engine = Engine::Create(*std::move(store), std::move(served), UnixNow());
  if (!engine) return BadConfig(std::move(engine).error().text);
  GATEHOUSE_TRY(CertificateEdge edge, CertificateEdgeOf(config.config()));
  if (auto kept = engine->KeepCertificates(SealFileIn(config.state_dir()), std::move(edge)); !kept)
    return BadConfig(std::move(kept).error().text);
  return engine;
}

}  // namespace

class PolicyEngineWorker final : public Worker {
 public:
  Result<void> Prepare(const WorkerConfig& config) override {
    GATEHOUSE_TRY(Engine engine, OpenEngine(config));
    state_dir_ = config.state_dir();
    boot_id_ = BootId();
    engine_.emplace(std::move(engine));
    return {};
  }

  Result<void> Start(WorkerContext& context) override {
    context_ = &context;
    engine_->OnBusy([&context] { context.StillBusy(); });
    transfer_.emplace(context.loop(), *engine_, state_dir_);
    expiry_.emplace(context.loop(), [this] { OnTime(); });
    plan_end_.emplace(context.loop(), [this] { engine_->DropPlan(); });
    certificates_.emplace(context, *engine_);
    certificates_->Refresh();
    Publish();
    context.AnswerAsks([this](std::string_view instance, std::string_view question, auto reply) {
      OnQuestion(instance, question, std::move(reply));
    });
    context.OnCtl([this](const proto::CtlRequest& request, const WorkerContext::CtlAnswer& answer) {
      OnCtl(request, answer);
    });
    context.OnReconfigure([this](const proto::Config& config) { return OnReconfigure(config); });
    contacts_.emplace(context, *engine_, boot_id_);
    return {};
  }

  // A snapshot wanted from now on is the next life's to give.
  void Drain(std::function<void()> drained) override {
    publication_.Close();
    if (certificates_) certificates_->Close();
    drained();
  }

 private:
  void OnCtl(const proto::CtlRequest& request, const WorkerContext::CtlAnswer& answer) {
    if (request.has_backup_read()) return transfer_->Backup(request, answer);
    const auto now = std::chrono::system_clock::now();
    proto::CtlResponse response = request.has_restore_write() ? transfer_->Restore(request, now)
                                                              : engine_->Answer(request, now);
    Publish();
    certificates_->Refresh();
    if (const std::uint64_t uses = engine_->plan_uses(); uses != std::exchange(plan_uses_, uses))
      plan_end_->Start(kPlanIsLeftAlone);
    answer(std::move(response));
  }

  void OnQuestion(std::string_view instance, std::string_view bytes, ipc::AskServer::Reply reply) {
    proto::PolicyQuestion question;
    const bool read = question.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    switch (read ? question.body_case() : proto::PolicyQuestion::BODY_NOT_SET) {
      case proto::PolicyQuestion::kSnapshot:
        return publication_.Ask(instance, question.snapshot().held_hash(), std::move(reply));
      case proto::PolicyQuestion::kStreams:
        return OnStreams(question.streams(), reply);
      case proto::PolicyQuestion::kUsage: {
        proto::PolicyAnswer answer;
        *answer.mutable_usage_of_others() =
            usage_.Tell(instance, std::move(*question.mutable_usage()), context_->loop().Now());
        return reply(answer.SerializeAsString());
      }
      case proto::PolicyQuestion::kContact:
        return contacts_->OnWanted(instance, question.contact(), reply);
      case proto::PolicyQuestion::kContactSeen:
        return contacts_->OnSeen(instance, std::move(*question.mutable_contact_seen()),
                                 std::move(reply));
      case proto::PolicyQuestion::kStrangers: {
        engine_->NoteStrangers(question.strangers());
        proto::PolicyAnswer answer;
        answer.set_noted(true);
        return reply(answer.SerializeAsString());
      }
      case proto::PolicyQuestion::kCertificate:
        return certificates_->OnWanted(instance, question.certificate(), std::move(reply));
      case proto::PolicyQuestion::kAcmeLook:
        return certificates_->OnAcme(instance, question, reply);
      case proto::PolicyQuestion::kAcmeRenewed:
        certificates_->OnAcme(instance, question, reply);
        return Wipe(*question.mutable_acme_renewed()->mutable_key());
      case proto::PolicyQuestion::BODY_NOT_SET:
        break;
    }
    reply(Trouble("malformed question"));
    context_->ReportMalformed(instance, "policy question that cannot be read");
  }

  void OnStreams(const proto::StreamsSeen& seen, const ipc::AskServer::Reply& reply) {
    if (const Result<void> noted = engine_->NoteStreams(seen, UnixNow()); !noted)
      return reply(std::unexpected(noted.error()));
    Publish();
    proto::PolicyAnswer answer;
    answer.set_noted(true);
    reply(answer.SerializeAsString());
  }

  Result<void> OnReconfigure(const proto::Config& config) {
    GATEHOUSE_TRY(std::vector<std::string> served, OwnDomains(config));
    GATEHOUSE_TRY(CertificateEdge edge, CertificateEdgeOf(config));
    engine_->SetServed(std::move(served));
    Publish();
    GATEHOUSE_TRY_VOID(engine_->KeepCertificates(SealFileIn(state_dir_), std::move(edge)));
    certificates_->Refresh();
    return {};
  }

  void OnTime() {
    engine_->OnTime(UnixNow());
    Publish();
  }

  void AwaitExpiry() {
    const std::int64_t next = engine_->policy().next_expiry_unix;
    if (next == 0) return expiry_->Stop();
    const milliseconds left = seconds(std::max<std::int64_t>(next - UnixNow(), 0));
    expiry_->Start(std::clamp(left, milliseconds{10}, kLongestWait));
  }

  void Publish() {
    AwaitExpiry();
    const CompiledPolicy& policy = engine_->policy();
    if (policy.snapshot.hash() == published_hash_) return;
    published_hash_ = policy.snapshot.hash();
    Log(LogLevel::kInfo, "policy-published",
        {{"revision", static_cast<std::int64_t>(policy.snapshot.revision())},
         {"hash", Hex(published_hash_).substr(0, 16)},
         {"partners", policy.snapshot.partners_size()}});
    for (const RejectedPartner& rejected : policy.rejected)
      Log(LogLevel::kError, "partner-left-out",
          {{"partner", rejected.domain}, {"why", rejected.why}});
    Metrics& metrics = context_->metrics();
    metrics.Value("gatehouse_policy_partners") = policy.snapshot.partners_size();
    metrics.Value("gatehouse_policy_partners_left_out") =
        static_cast<double>(policy.rejected.size());
    metrics.Value(kNobodyMayMetric) = policy.nobody_may ? 1 : 0;
    if (policy.nobody_may && !nobody_may_told_)
      Log(LogLevel::kWarning, "nobody-may-use-xmpp", {{"why", kNobodyMay}});
    nobody_may_told_ = policy.nobody_may;
    metrics.Value("gatehouse_policy_revision") = static_cast<double>(policy.snapshot.revision());
    metrics.Value("gatehouse_policy_snapshots_published_total") += 1;
    publication_.Publish(policy.snapshot);
  }

  WorkerContext* context_ = nullptr;
  std::string state_dir_;
  std::string boot_id_;
  std::optional<Engine> engine_;
  std::optional<StoreTransfer> transfer_;
  std::optional<Timer> expiry_;
  std::optional<Timer> plan_end_;
  std::uint64_t plan_uses_ = 0;
  Publication publication_;
  UsageTotals usage_;
  std::optional<ContactDesk> contacts_;
  std::optional<CertificateDesk> certificates_;
  std::string published_hash_;
  bool nobody_may_told_ = false;
};

}  // namespace gatehouse::policy_engine

GATEHOUSE_PLUGIN("policy_engine", gatehouse::policy_engine::PolicyEngineWorker);
