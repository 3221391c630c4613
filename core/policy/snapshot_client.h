// Keeps one standing question open at the policy engine and hands each new snapshot on.
#pragma once

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
  // engine's restart is asked for.
  SnapshotClient(WorkerContext& context, std::function<void(PolicyPointer)> on_snapshot);
  ~SnapshotClient();
  SnapshotClient(const SnapshotClient&) = delete;
  SnapshotClient& operator=(const SnapshotClient&) = delete;
  [[nodiscard]] const PolicyPointer& current() const;  // null before the first

 private:
  struct State;
  std::shared_ptr<State> state_;  // answers under way hold it weakly
};

}  // namespace gatehouse
