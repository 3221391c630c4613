// Keeps one standing question open at the policy engine and hands each new snapshot on.
#pragma once

#include <functional>
#include <memory>

#include "core/policy/policy_view.h"

namespace gatehouse {

class WorkerContext;

class SnapshotClient {
 public:
  // `on_snapshot` is called for the first and every later one. A dead engine changes nothing: the last stays.
  SnapshotClient(WorkerContext& context, std::function<void(PolicyPointer)> on_snapshot);
  ~SnapshotClient();
  [[nodiscard]] const PolicyPointer& current() const;  // null before the first

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gatehouse
