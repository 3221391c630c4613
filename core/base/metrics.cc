#include "core/base/metrics.h"

namespace gatehouse {

double& Metrics::Value(std::string_view name, std::string_view labels) {
  return values_[{std::string(name), std::string(labels)}];
}

void Metrics::ForEach(
    const std::function<void(const std::string&, const std::string&, double)>& visit) const {
  for (const auto& [key, value] : values_) visit(key.first, key.second, value);
}

}  // namespace gatehouse
