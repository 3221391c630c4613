#include "core/config/yaml_config.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{4} * 1024 * 1024;

}  // namespace

Result<YamlConfig> YamlConfig::Parse(std::string_view text, std::string_view file) {
  YamlConfig into;
  into.places_.file = file;
  const std::vector<Error> mistakes = YamlReader(into.places_, {}).Read(text, into.config_);
  if (!mistakes.empty()) return std::unexpected(mistakes.front());
  return into;
}

Result<YamlConfig> YamlConfig::ReadFile(const std::string& path) {
  GATEHOUSE_TRY(const std::string text, ReadTextFile(path, kMaxFileBytes));
  return Parse(text, path);
}

}  // namespace gatehouse
