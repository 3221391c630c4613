// Counters and gauges of one process. The worker host sends them to the supervisor with each pong.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace gatehouse {

class Metrics {
 public:
  // `name` is the Prometheus name; `labels` is empty or "{result=\"ok\"}".
  // The reference stays valid as long as this object: keep it, add to it, do not look it up per
  // event.
  double& Value(std::string_view name, std::string_view labels = {});
  void ForEach(const std::function<void(const std::string& name, const std::string& labels,
                                        double value)>& visit) const;

 private:
  std::map<std::pair<std::string, std::string>, double, std::less<>> values_;
};

}  // namespace gatehouse
