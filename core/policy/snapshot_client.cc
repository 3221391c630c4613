#include "core/policy/snapshot_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/log.h"
#include "core/loop/timer.h"
#include "core/policy/expiry.h"
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
// The time of day may be set while we wait.
constexpr seconds kLookAgain{60};

}  // namespace

struct SnapshotClient::State : std::enable_shared_from_this<SnapshotClient::State> {
  State(WorkerContext& worker_context, std::function<void(PolicyPointer)> handler,
        std::function<std::int64_t()> time_of_day)
      : context(worker_context),
        on_snapshot(std::move(handler)),
        unix_now(std::move(time_of_day)),
        pause(worker_context.loop(), [this] { Ask(); }),
        expiry(worker_context.loop(), [this] { CheckExpiry(); }) {}

  void Ask() {
    ipc::AskClient* engine = context.AskLinkTo(kEngine);
    if (engine == nullptr) return context.Fail("topology: no ask link to policy_engine");
    proto::PolicyQuestion question;
    question.mutable_snapshot()->set_held_hash(held_hash);
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
    if (current && held_hash == snapshot.hash()) return pause.Start(kPause);
    held_hash = snapshot.hash();
    Hold(std::move(snapshot));
    Ask();
  }

  // The engine's own is kept beside while anybody in it can expire: a clock that was wrong and is
  // set back brings him back.
  void Hold(proto::PolicySnapshot snapshot) {
    engines.reset();
    if (NextExpiry(snapshot) == 0) return Use(std::move(snapshot));
    engines = std::make_unique<const proto::PolicySnapshot>(std::move(snapshot));
    UseAtThisTime();
  }

  void UseAtThisTime() {
    const std::int64_t now = unix_now();
    proto::PolicySnapshot snapshot = *engines;
    if (NextExpiry(snapshot) <= now) {
      DisableExpired(snapshot, now);
      snapshot.set_hash(SnapshotHash(snapshot));
    }
    const std::int64_t next = NextExpiry(snapshot);
    expiry.Start(next == 0 ? kLookAgain : std::min(seconds{next - now}, kLookAgain));
    Use(std::move(snapshot));
  }

  void Use(proto::PolicySnapshot snapshot) {
    if (!engines) expiry.Stop();
    // The engine has come to what we hold already.
    if (current && current->hash() == snapshot.hash()) return;
    current = std::make_shared<const PolicyView>(std::move(snapshot));
    Log(LogLevel::kInfo, "policy-snapshot",
        {{"revision", static_cast<std::int64_t>(current->snapshot().revision())},
         {"hash", Hex(current->hash()).substr(0, 16)},
         {"partners", static_cast<std::int64_t>(current->snapshot().partners_size())}});
    on_snapshot(current);
  }

  void CheckExpiry() {
    if (engines) UseAtThisTime();
  }

  WorkerContext& context;
  std::function<void(PolicyPointer)> on_snapshot;
  std::function<std::int64_t()> unix_now;
  PolicyPointer current;
  std::unique_ptr<const proto::PolicySnapshot> engines;  // where somebody in it expires some time
  std::string held_hash;  // of the engine's last, which `current` may be ahead of
  Timer pause, expiry;
};

SnapshotClient::SnapshotClient(WorkerContext& context,
                               std::function<void(PolicyPointer)> on_snapshot,
                               std::function<std::int64_t()> unix_now)
    : state_(std::make_shared<State>(context, std::move(on_snapshot), std::move(unix_now))) {
  state_->Ask();
}

SnapshotClient::~SnapshotClient() = default;

std::int64_t SnapshotClient::SystemUnixNow() {
  return UnixNow();
}

void SnapshotClient::CheckExpiry() {
  state_->CheckExpiry();
}

const PolicyPointer& SnapshotClient::current() const {
  return state_->current;
}

}  // namespace gatehouse
