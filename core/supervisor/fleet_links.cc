// Who is told of whom: the part of Fleet that speaks of links.
#include <ranges>

#include "core/supervisor/fleet.h"

namespace gatehouse {

// The first time nobody is told of anybody before everybody has tried to start: what a worker says
// at once finds the other end there.
void Fleet::PassBarrier() {
  if (barrier_passed_) return;
  for (const auto& instance : instances_ | std::views::values)
    if (!instance->HasTried()) return;
  barrier_passed_ = true;
  for (const auto& to : instances_ | std::views::values)
    for (const LinkedPlugin& link : PluginsLinkedWith(plan_, to->name().plugin))
      for (const auto& who : instances_ | std::views::values)
        if (who->name().plugin == link.plugin) Introduce(*who, *to, link);
}

void Fleet::Announce(const Instance& instance) {
  for (const LinkedPlugin& link : PluginsLinkedWith(plan_, instance.name().plugin)) {
    for (const auto& other : instances_ | std::views::values) {
      if (other->name().plugin != link.plugin) continue;
      Introduce(*other, instance, link);
      Introduce(instance, *other, link);
    }
  }
}

void Fleet::Introduce(const Instance& who, const Instance& to, const LinkedPlugin& link) {
  if (!to.IsUp()) return;
  proto::FromSupervisor word;
  if (who.IsUp()) {
    *word.mutable_sibling_up() = SiblingWords(who, link);
  } else if (IsReplaced(who)) {
    *word.mutable_sibling_gone() = SiblingWords(who, link);
  } else {
    return;
  }
  hooks_.say(to, word);
}

// Drained by the operator, with others of its plugin to take its part over: nobody shall wait for
// it. Alone, it is waited for.
bool Fleet::IsReplaced(const Instance& instance) const {
  const PoolPlan* const pool = plan_.Find(instance.name().plugin);
  return instance.state() == InstanceState::kStopped && pool != nullptr && pool->count > 1 &&
         drained_by_operator_.contains(instance.name().text);
}

proto::Sibling Fleet::SiblingWords(const Instance& who, const LinkedPlugin& link) const {
  const Instance::Name& name = who.name();
  proto::Sibling sibling;
  sibling.set_plugin(name.plugin);
  sibling.set_instance(name.text);
  sibling.set_epoch(who.epoch());
  if (name.plugin == link.to)
    sibling.set_address(setup_.paths.LinkAddress(link.from, link.to, name.index));
  const PoolPlan* const pool = plan_.Find(name.plugin);
  sibling.set_instance_count(pool != nullptr ? pool->count : 0);
  return sibling;
}

void Fleet::TellNewCounts(const Plan& before) {
  if (!barrier_passed_) return;
  for (const auto& who : instances_ | std::views::values) {
    const PoolPlan* const was = before.Find(who->name().plugin);
    const PoolPlan* const is = plan_.Find(who->name().plugin);
    if (was == nullptr || is == nullptr || was->count == is->count) continue;
    if (IsWanted(*who)) Announce(*who);
  }
}

void Fleet::TellGone(const Instance& instance) {
  TellLinked(instance, true);
}

void Fleet::TellDown(const Instance& instance) {
  TellLinked(instance, false);
}

void Fleet::TellLinked(const Instance& instance, bool for_good) {
  for (const LinkedPlugin& link : PluginsLinkedWith(plan_, instance.name().plugin)) {
    proto::FromSupervisor word;
    *(for_good ? word.mutable_sibling_gone() : word.mutable_sibling_down()) =
        SiblingWords(instance, link);
    for (const auto& other : instances_ | std::views::values)
      if (other->name().plugin == link.plugin && other->IsUp()) hooks_.say(*other, word);
  }
}

}  // namespace gatehouse
