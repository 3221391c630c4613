// What every listener holds that counts against a limit of the whole edge (2.11): each tells its
// own and learns the sum of the others. Pure: time is a parameter. Nothing here outlives this
// process: a new life hears from every listener within a second.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "proto/link_policy.pb.h"

namespace gatehouse::policy_engine {

class UsageTotals {
 public:
  // A listener tells once a second; one that has not for so long holds nothing any more.
  static constexpr seconds kForgotten{3};

  // `own` replaces what `instance` said before. Gives the sum over all other instances.
  proto::Usage Tell(std::string_view instance, proto::Usage own, TimePoint now);
  [[nodiscard]] std::size_t instances() const { return told_.size(); }

 private:
  struct Told {
    proto::Usage usage;
    TimePoint at;
  };
  std::map<std::string, Told, std::less<>> told_;
};

}  // namespace gatehouse::policy_engine
