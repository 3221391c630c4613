// What the federation data must be as a whole before it may be stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "plugins/policy_engine/data_limits.h"
#include "proto/ctl.pb.h"
#include "proto/federation_data.pb.h"

namespace gatehouse::policy_engine {

// Called for each record of what may be many.
using StillBusy = std::function<void()>;

struct CheckedData {
  proto::FederationData data;            // with its domains prepared (6.2)
  std::vector<proto::Mistake> mistakes;  // all there are; empty: `data` may be stored
  bool has_all = false;                  // whether the partners were checked, each for itself
};

// Every rule and every limit, whichever way `data` comes in.
//   held    what is in force: what is above a limit in it may stay so, and so may its grants in a
//           domain that is ours no more
//   served  our own domains, prepared
// A record that gives a domain twice is a mistake of the later one.
[[nodiscard]] CheckedData CheckData(
    proto::FederationData data, const proto::FederationData& held,
    const std::vector<std::string>& served, const DataLimits& limits = {},
    const StillBusy& still_busy = [] {});
// What all records take once they are stored.
[[nodiscard]] std::size_t OctetsOf(const proto::FederationData& data);
// What the domains of blocked contacts take beside them in the snapshot.
[[nodiscard]] std::size_t OctetsOf(std::span<const std::string> blocked_domains);
// Partners of `checked` that expire at another time than in `before`, which is past. `before` is
// sound; of `checked` those without a mistake are looked at.
[[nodiscard]] std::vector<proto::Mistake> ExpiryMistakes(const proto::FederationData& before,
                                                         const CheckedData& checked,
                                                         std::int64_t now_unix);
// Partners of `checked` with a domain that none of `before` has and that may be taken for somebody
// else's; for an operator to confirm. Both as for ExpiryMistakes.
[[nodiscard]] std::vector<proto::Mistake> LookalikeMistakes(
    const proto::FederationData& before, const CheckedData& checked,
    const std::vector<std::string>& served, const StillBusy& still_busy = [] {});

}  // namespace gatehouse::policy_engine
