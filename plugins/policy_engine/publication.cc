#include "plugins/policy_engine/publication.h"

#include <utility>

#include "proto/link_policy.pb.h"

namespace gatehouse::policy_engine {

void Publication::Publish(const proto::PolicySnapshot& snapshot) {
  if (snapshot.hash() == hash_) return;
  hash_ = snapshot.hash();
  proto::PolicyAnswer answer;
  *answer.mutable_snapshot() = snapshot;
  answer_ = answer.SerializeAsString();
  for (auto& [instance, reply] : std::exchange(waiting_, {})) reply(answer_);
}

void Publication::Ask(std::string_view instance, std::string_view held_hash, Reply reply) {
  if (const auto old = waiting_.extract(std::string(instance)))
    old.mapped()(Trouble("asked again meanwhile"));
  if (!answer_.empty() && held_hash != hash_) return reply(answer_);
  waiting_.emplace(instance, std::move(reply));
}

void Publication::Close() {
  for (auto& [instance, reply] : std::exchange(waiting_, {}))
    reply(Trouble("the engine is ending"));
}

}  // namespace gatehouse::policy_engine
