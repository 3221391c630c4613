#include "core/supervisor/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/limits.h"
#include "core/config/check_config.h"

namespace gatehouse {
namespace {

using proto::LinkEnd;
using proto::LinkKindSpec;
using proto::WorkerKind;

// Port 0 may stand in a list more than once, so the id counts.
std::string WishId(const std::vector<ListenWish>& earlier, proto::ListenKind kind,
                   const ListenAddress& address) {
  const auto is_same = [&](const ListenWish& wish) {
    return wish.kind == kind && wish.address.transport == address.transport &&
           wish.address.address.ToText() == address.address.ToText();
  };
  return fmt::format("{}:{}:{}#{}", static_cast<int>(kind), address.transport,
                     address.address.ToText(), std::ranges::count_if(earlier, is_same));
}

void AddWishes(std::vector<ListenWish>& wishes, std::string_view key, proto::ListenKind kind,
               const google::protobuf::RepeatedPtrField<std::string>& list,
               Result<ListenAddress> (*parse)(std::string_view)) {
  for (int i = 0; i < list.size(); ++i)
    if (const auto address = parse(list[i]))
      wishes.push_back(
          {fmt::format("{}[{}]", key, i), kind, *address, WishId(wishes, kind, *address)});
}

std::vector<ListenWish> WishesOf(const WorkerKind& kind, const proto::Listen& listen) {
  std::vector<ListenWish> wishes;
  for (const int which : kind.listen()) {
    if (which == proto::XMPP)
      AddWishes(wishes, "listen.xmpp", proto::XMPP, listen.xmpp(), ListenAddress::ParseXmpp);
    if (which == proto::XMPPS)
      AddWishes(wishes, "listen.xmpps", proto::XMPPS, listen.xmpps(), ListenAddress::ParseXmpp);
    if (which == proto::HTTP)
      AddWishes(wishes, "listen.http", proto::HTTP, listen.http(), ListenAddress::ParseXmpp);
    if (which == proto::SIP)
      AddWishes(wishes, "listen.sip", proto::SIP, listen.sip(), ListenAddress::ParseSip);
  }
  return wishes;
}

LinkEnd MakeEnd(const LinkKindSpec& link, const RuntimePaths& paths, bool is_from, unsigned index) {
  LinkEnd end;
  end.set_kind(link.kind());
  end.set_sibling_plugin(is_from ? link.to() : link.from());
  end.set_binds(!is_from);
  end.set_asks(is_from && link.kind() == proto::ASK);
  end.set_address(paths.LinkAddress(link.from(), link.to(), is_from ? 0 : index));
  end.set_window(link.window());
  end.set_max_message_bytes(link.max_message_bytes());
  end.set_deadline_ms(link.deadline_ms());
  return end;
}

}  // namespace

const PoolPlan* Plan::Find(std::string_view plugin) const {
  const auto found = std::ranges::find(pools, plugin, &PoolPlan::name);
  return found == pools.end() ? nullptr : &*found;
}

Plan MakePlan(const proto::Config& config, const proto::Topology& topology) {
  Plan plan{config, topology, {}};
  for (const WorkerKind& kind : topology.worker())
    for (const proto::WorkerPool& pool : config.workers())
      if (pool.plugin() == kind.name())
        plan.pools.push_back(
            {kind, InstanceCount(pool.count()).value_or(1), WishesOf(kind, config.listen())});
  return plan;
}

std::string InstanceName(std::string_view plugin, unsigned index) {
  return fmt::format("{}/{}", plugin, index);
}

std::vector<LinkEnd> LinkEndsOf(const Plan& plan, const RuntimePaths& paths,
                                std::string_view plugin, unsigned index) {
  std::vector<LinkEnd> ends;
  for (const LinkKindSpec& link : plan.topology.link()) {
    const bool is_from = link.from() == plugin;
    if (!is_from && link.to() != plugin) continue;
    if (plan.Find(is_from ? link.to() : link.from()) == nullptr) continue;
    ends.push_back(MakeEnd(link, paths, is_from, index));
  }
  return ends;
}

std::vector<LinkedPlugin> PluginsLinkedWith(const Plan& plan, std::string_view plugin) {
  std::vector<LinkedPlugin> linked;
  for (const LinkKindSpec& link : plan.topology.link()) {
    const bool is_from = link.from() == plugin;
    if (!is_from && link.to() != plugin) continue;
    const std::string& other = is_from ? link.to() : link.from();
    if (plan.Find(other) != nullptr) linked.push_back({other, link.from(), link.to()});
  }
  return linked;
}

Result<void> CheckPathLengths(const proto::Topology& topology, const RuntimePaths& paths) {
  std::string longest = paths.ControlAddress();
  for (const LinkKindSpec& link : topology.link()) {
    std::string address = paths.LinkAddress(link.from(), link.to(), kMaxInstances - 1);
    if (address.size() > longest.size()) longest = std::move(address);
  }
  longest.erase(0, std::string_view("ipc://").size());
  if (longest.size() < kMaxUnixPathBytes) return {};
  const std::size_t excess = longest.size() - (kMaxUnixPathBytes - 1);
  return BadConfig(
      fmt::format("--runtime-dir {}: too long: the socket {} takes {} bytes, a socket's "
                  "path holds {}; shorten the folder by {}",
                  paths.dir, longest, longest.size(), kMaxUnixPathBytes - 1, excess));
}

}  // namespace gatehouse
