#include "plugins/policy_engine/type_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/policy/partner_type.h"
#include "plugins/policy_engine/record_fields.h"

namespace gatehouse::policy_engine {
namespace {

// In a sentence on one that is none.
constexpr int kNamedTypes = 8;

bool IsTypeName(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= kMaxTypeNameBytes && is_letter(name.front()) &&
         std::ranges::all_of(
             name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

Result<void> CheckTypeName(const std::string& name) {
  if (FindPreset(name) != nullptr)
    return BadConfig(
        fmt::format("'{}' is there always and cannot be changed; give yours another name", name));
  if (IsTypeName(name)) return {};
  return BadConfig(
      fmt::format("'{}' is no name of a partner type; use up to {} of a-z, 0-9 and "
                  "'-', a letter first",
                  name, kMaxTypeNameBytes));
}

}  // namespace

const proto::PartnerType* FindType(const PartnerTypes& types, std::string_view name) {
  const auto found =
      std::ranges::find(types, name, [](const proto::PartnerType& t) { return t.name(); });
  return found == types.end() ? nullptr : &*found;
}

Result<void> CheckTypeIsKnown(const std::string& name, const PartnerTypes& types,
                              DomainOwners::Remedy remedy) {
  if (FindPreset(name) != nullptr || FindType(types, name) != nullptr) return {};
  std::string known;
  for (const PresetType& preset : kPresetTypes)
    known.append(known.empty() ? "" : ", ").append(preset.name);
  for (int i = 0; i < std::min(types.size(), kNamedTypes); ++i)
    known.append(", ").append(types[i].name());
  if (types.size() > kNamedTypes) known.append(", ... (gatehousectl partner type list)");
  return BadConfig(fmt::format("'{}' is no partner type; use one of {}, or {}", name, known,
                               remedy == DomainOwners::Remedy::kInTheFile
                                   ? "put it below 'partner_types:' in the file"
                                   : "make it with: gatehousectl partner type new"));
}

std::vector<proto::Mistake> TypeMistakes(const PartnerTypes& types, std::size_t held,
                                         const DataLimits& limits) {
  std::vector<proto::Mistake> mistakes;
  const auto note = [&mistakes](std::string key, std::string record, const Result<void>& result) {
    if (result) return;
    proto::Mistake& mistake = mistakes.emplace_back();
    mistake.set_key(std::move(key));
    mistake.set_record(std::move(record));
    mistake.set_what(result.error().text);
  };
  const auto count = static_cast<std::size_t>(types.size());
  note("partner_types", "all partner types",
       CheckCount(count, held, limits.partner_types, "partner types",
                  "take out who is needed no more"));
  if (!mistakes.empty()) return mistakes;
  std::set<std::string_view> names;
  for (int i = 0; i < types.size(); ++i) {
    const std::string place = fmt::format("partner_types[{}].", i);
    const std::string record = "partner type " + types[i].name();
    Result<void> name = CheckTypeName(types[i].name());
    if (name && !names.insert(types[i].name()).second)
      name = BadConfig(fmt::format("'{}' is there twice; name it once", types[i].name()));
    note(place + "name", record, name);
    note(place + "description", record, CheckDescription(types[i].description()));
  }
  return mistakes;
}

Result<void> CheckTypes(const PartnerTypes& types, std::size_t held, const DataLimits& limits) {
  const std::vector<proto::Mistake> mistakes = TypeMistakes(types, held, limits);
  if (mistakes.empty()) return {};
  return BadConfig(mistakes.front().what());
}

}  // namespace gatehouse::policy_engine
