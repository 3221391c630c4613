#include "plugins/policy_engine/data_limits.h"

#include <fmt/format.h>

#include <algorithm>

namespace gatehouse::policy_engine {

Result<void> CheckCount(std::size_t count, std::size_t held, std::size_t most, const char* what,
                        const char* remedy) {
  if (count <= std::max(held, most)) return {};
  return BadConfig(
      fmt::format("{} {} are too many; at most {} are possible, {}", count, what, most, remedy));
}

Result<void> CheckRoom(std::size_t octets, std::size_t held, const DataLimits& limits) {
  if (octets <= std::max(held, limits.octets)) return {};
  return BadConfig(
      fmt::format("all records together would take {} octets; at most {} are possible, take some "
                  "out or shorten their texts and certificates",
                  octets, limits.octets));
}

Result<void> CheckRoomToBlock(std::size_t octets, const DataLimits& limits) {
  if (octets <= limits.octets) return {};
  return BadConfig(
      fmt::format("the domains of blocked contacts and all records together would take {} octets; "
                  "at most {} are possible, deny whole domains with gatehousectl partner deny, or "
                  "stop their partner with gatehousectl partner set DOMAIN --enabled false",
                  octets, limits.octets));
}

Result<void> CheckPartnerCount(std::size_t count, std::size_t held, const DataLimits& limits) {
  return CheckCount(count, held, limits.partners, "partners", "take out who is needed no more");
}

Result<void> CheckDeniedCount(std::size_t count, std::size_t held, const DataLimits& limits) {
  return CheckCount(count, held, limits.denied, "denied domains",
                    "use wildcards like *.bad.example");
}

}  // namespace gatehouse::policy_engine
