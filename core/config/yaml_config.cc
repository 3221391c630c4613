#include "core/config/yaml_config.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{4} * 1024 * 1024;

}  // namespace

YamlConfig YamlConfig::ReadAll(std::string_view text, std::string_view file) {
  YamlConfig into;
  into.places_.file = file;
  into.mistakes_ = YamlReader(into.places_, {}).Read(text, into.config_);
  return into;
}

Result<YamlConfig> YamlConfig::Parse(std::string_view text, std::string_view file) {
  YamlConfig into = ReadAll(text, file);
  GATEHOUSE_TRY_VOID(into.FirstMistake());
  return into;
}

Result<YamlConfig> YamlConfig::ReadAllOf(const std::string& path) {
  GATEHOUSE_TRY(const std::string text, ReadTextFile(path, kMaxFileBytes));
  return ReadAll(text, path);
}

Result<YamlConfig> YamlConfig::ReadFile(const std::string& path) {
  GATEHOUSE_TRY(YamlConfig into, ReadAllOf(path));
  GATEHOUSE_TRY_VOID(into.FirstMistake());
  return into;
}

// A section that is not there may have been meant by an unknown top key.
bool YamlConfig::IsRead(std::string_view section) const {
  if (places_.unread.contains(section)) return false;
  return !places_.unread.contains("") || places_.lines.contains(section);
}

}  // namespace gatehouse
