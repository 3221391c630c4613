// Remembers the streams of both halves that were refused or could not be opened, and the stanzas
// that a listener answers with an error itself, for `gatehousectl why`.
#pragma once

#include <cstdint>
#include <functional>

#include "core/policy/policy_view.h"
#include "core/policy/refusal_memory.h"
#include "core/xmpp/stream_refusal.h"
#include "proto/ctl.pb.h"

namespace gatehouse {

class StreamRefusals {
 public:
  // `unix_ms`: the time of day.
  explicit StreamRefusals(std::function<std::uint64_t()> unix_ms) : unix_ms_(std::move(unix_ms)) {}

  void SetPolicy(PolicyPointer policy) { policy_ = std::move(policy); }
  NotedRefusal Note(const StreamRefusal& refusal);
  // `error`: the answer to a stanza of `remote`, a proven domain. The same within a minute is one
  // record, and takes no place of another kind's.
  NotedRefusal NoteError(std::string_view remote, const proto::Element& error, Reason why);
  [[nodiscard]] proto::CtlResponse Answer(const proto::Why& why) const;

 private:
  [[nodiscard]] std::string_view RuleOf(const StreamRefusal& refusal) const;

  std::function<std::uint64_t()> unix_ms_;
  PolicyPointer policy_;  // null before the first snapshot
  RefusalMemory memory_;
};

}  // namespace gatehouse
