// Keeps one standing question open at the policy engine and hands each new snapshot on, and
// without its end what has expired in it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/policy/policy_view.h"

namespace gatehouse {

class WorkerContext;

class SnapshotClient {
 public:
  // Asks from now on until destroyed; the topology must give this worker an ask link to
  // policy_engine. `on_snapshot` is called for the first and every later one. A dead engine changes
  // nothing: the last stays. A snapshot whose hash does not fit its content is not taken and the
  // engine's restart is asked for. A partner that expires is disabled here, by the time of day
  // `unix_now`, whether the engine says so or is dead: `on_snapshot` gets that as another one, with
  // a hash of its own.
  SnapshotClient(WorkerContext& context, std::function<void(PolicyPointer)> on_snapshot,
                 std::function<std::int64_t()> unix_now = SystemUnixNow);
  ~SnapshotClient();
  SnapshotClient(const SnapshotClient&) = delete;
  SnapshotClient& operator=(const SnapshotClient&) = delete;
  [[nodiscard]] const PolicyPointer& current() const;  // null before the first
  // Looks at the time of day. By a timer of its own: when the next partner expires, and once a
  // minute until then, for the time of day may be set.
  void CheckExpiry();

 private:
  static std::int64_t SystemUnixNow();
  struct State;
  std::shared_ptr<State> state_;  // answers under way hold it weakly
};

}  // namespace gatehouse
