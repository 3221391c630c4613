// What should run: the configuration and the topology, put together. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/listen_address.h"
#include "core/supervisor/runtime_paths.h"
#include "proto/config.pb.h"
#include "proto/link_control.pb.h"
#include "proto/topology.pb.h"

namespace gatehouse {

// One address that every instance of a pool listens on, with a socket of its own.
struct ListenWish {
  std::string key;  // of the configuration: "listen.xmpp[0]"
  proto::ListenKind kind = proto::LISTEN_NONE;
  ListenAddress address;

  std::string id;  // the same for the same wish, wherever in the list it stands
};

struct PoolPlan {
  proto::WorkerKind kind;
  unsigned count = 1;
  std::vector<ListenWish> listen;

  [[nodiscard]] const std::string& name() const { return kind.name(); }
};

struct Plan {
  proto::Config config;
  proto::Topology topology;
  std::vector<PoolPlan> pools;  // in the topology's order: who answers questions starts first

  [[nodiscard]] const PoolPlan* Find(std::string_view plugin) const;
};

// `config` has passed CheckConfig with `topology`.
Plan MakePlan(const proto::Config& config, const proto::Topology& topology);

// "tls_listener/0".
std::string InstanceName(std::string_view plugin, unsigned index);

// The ends of all links of instance `index` of `plugin`. A link whose other plugin does not run has
// no end.
std::vector<proto::LinkEnd> LinkEndsOf(const Plan& plan, const RuntimePaths& paths,
                                       std::string_view plugin, unsigned index);

// Whom `plugin` must be told about, and where a link's socket is: one for each link.
struct LinkedPlugin {
  std::string plugin;  // the other end
  std::string from;
  std::string to;  // its instances bind
};
std::vector<LinkedPlugin> PluginsLinkedWith(const Plan& plan, std::string_view plugin);

// Fails with kConfig when a socket below `paths` has a name longer than sun_path holds.
Result<void> CheckPathLengths(const proto::Topology& topology, const RuntimePaths& paths);

}  // namespace gatehouse
