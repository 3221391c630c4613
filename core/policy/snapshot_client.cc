#include "core/policy/snapshot_client.h"

#include "core/base/log.h"
#include "core/loop/timer.h"
#include "core/tls/crypto.h"
#include "core/worker/worker.h"
#include "proto/link_policy.pb.h"

namespace gatehouse {
namespace {

constexpr std::string_view kEngine = "policy_engine";
// How long one question stays open before it is asked anew.
constexpr milliseconds kQuestionLimit{30'000};
// After a question without an answer: long enough not to spin, short enough not to notice.
constexpr milliseconds kPause{100};

}  // namespace

struct SnapshotClient::State : std::enable_shared_from_this<SnapshotClient::State> {
  State(WorkerContext& worker_context, std::function<void(PolicyPointer)> handler)
      : context(worker_context),
        on_snapshot(std::move(handler)),
        pause(worker_context.loop(), [this] { Ask(); }) {}

  void Ask() {
    ipc::AskClient* engine = context.AskLinkTo(kEngine);
    if (engine == nullptr) return context.Fail("topology: no ask link to policy_engine");
    proto::PolicyQuestion question;
    question.mutable_snapshot()->set_held_hash(current ? current->hash() : std::string());
    engine->Ask<proto::PolicyAnswer>(question, kQuestionLimit,
                                     [weak = weak_from_this()](Result<proto::PolicyAnswer> answer) {
                                       const std::shared_ptr<State> state = weak.lock();
                                       if (state) state->OnAnswer(std::move(answer));
                                     });
  }

  void OnAnswer(Result<proto::PolicyAnswer> answer) {
    if (!answer) return pause.Start(kPause);
    proto::PolicySnapshot snapshot = std::move(*answer->mutable_snapshot());
    if (snapshot.hash() != SnapshotHash(snapshot)) {
      context.ReportMalformed("policy_engine/0", "snapshot whose hash does not fit its content");
      return pause.Start(kPause);
    }
    // The same one again: an answer to a question from before an engine's restart.
    if (current && current->hash() == snapshot.hash()) return pause.Start(kPause);
    Take(std::move(snapshot));
    Ask();
  }

  void Take(proto::PolicySnapshot snapshot) {
    current = std::make_shared<const PolicyView>(std::move(snapshot));
    Log(LogLevel::kInfo, "policy-snapshot",
        {{"revision", static_cast<std::int64_t>(current->snapshot().revision())},
         {"hash", Hex(current->hash()).substr(0, 16)},
         {"partners", static_cast<std::int64_t>(current->snapshot().partners_size())}});
    on_snapshot(current);
  }

  WorkerContext& context;
  std::function<void(PolicyPointer)> on_snapshot;
  PolicyPointer current;
  Timer pause;
};

SnapshotClient::SnapshotClient(WorkerContext& context,
                               std::function<void(PolicyPointer)> on_snapshot)
    : state_(std::make_shared<State>(context, std::move(on_snapshot))) {
  state_->Ask();
}

SnapshotClient::~SnapshotClient() = default;

const PolicyPointer& SnapshotClient::current() const {
  return state_->current;
}

}  // namespace gatehouse
