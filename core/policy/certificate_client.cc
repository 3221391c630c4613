#include "core/policy/certificate_client.h"

#include <string_view>
#include <utility>

#include "core/base/log.h"
#include "core/loop/timer.h"
#include "core/tls/crypto.h"
#include "core/worker/worker.h"
#include "proto/link_policy.pb.h"

namespace gatehouse {
namespace {

constexpr std::string_view kCertificateKeeper = "policy_engine";
// As of SnapshotClient.
constexpr milliseconds kCertificateQuestionLimit{30'000};
constexpr milliseconds kCertificatePause{100};

}  // namespace

struct CertificateClient::State : std::enable_shared_from_this<CertificateClient::State> {
  State(WorkerContext& worker_context, std::function<void(const Given&)> handler)
      : context(worker_context),
        on_given(std::move(handler)),
        pause(worker_context.loop(), [this] { Ask(); }) {}

  void Ask() {
    ipc::AskClient* engine = context.AskLinkTo(kCertificateKeeper);
    if (engine == nullptr) return context.Fail("topology: no ask link to policy_engine");
    proto::PolicyQuestion question;
    question.mutable_certificate()->set_held_hash(held_hash);
    engine->AskBytes(question.SerializeAsString(), kCertificateQuestionLimit,
                     [weak = weak_from_this()](Result<std::string> answer) {
                       const std::shared_ptr<State> state = weak.lock();
                       if (state) state->OnBytes(answer);
                       if (answer) Wipe(*answer);
                     });
  }

  void OnBytes(const Result<std::string>& bytes) {
    proto::PolicyAnswer answer;
    const bool read = bytes && answer.ParseFromString(*bytes) && answer.has_certificate();
    if (!read) return pause.Start(kCertificatePause);
    proto::CertificateGiven& given = *answer.mutable_certificate();
    // The same one again: an answer to a question from before an engine's restart.
    if (given.hash().empty() || given.hash() == held_hash) {
      Wipe(*given.mutable_key());
      return pause.Start(kCertificatePause);
    }
    Take(given);
    Ask();
  }

  void Take(proto::CertificateGiven& given) {
    held_hash = given.hash();
    Result<std::shared_ptr<const OwnCertificate>> certificate(nullptr);
    if (!given.name().empty()) certificate = OwnCertificate::Parse(given.chain(), given.key());
    Wipe(*given.mutable_key());
    if (!certificate) {
      Log(LogLevel::kError, "certificate-unusable",
          {{"certificate", given.name()}, {"why", certificate.error().text}});
      if (std::exchange(answered, true)) return;
      return on_given(current);
    }
    answered = true;
    current = {given.name(), *std::move(certificate)};
    Log(LogLevel::kInfo, "certificate-given",
        {{"certificate", current.name}, {"hash", Hex(held_hash).substr(0, 16)}});
    on_given(current);
  }

  WorkerContext& context;
  std::function<void(const Given&)> on_given;
  std::string held_hash;
  Given current;
  bool answered = false;
  Timer pause;
};

CertificateClient::CertificateClient(WorkerContext& context,
                                     std::function<void(const Given&)> on_given)
    : state_(std::make_shared<State>(context, std::move(on_given))) {
  state_->Ask();
}

CertificateClient::~CertificateClient() = default;

bool CertificateClient::has_answer() const {
  return state_->answered;
}

const CertificateClient::Given& CertificateClient::current() const {
  return state_->current;
}

}  // namespace gatehouse
