// The engine's commands on partner types.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/policy/partner_type.h"
#include "plugins/policy_engine/engine.h"
#include "plugins/policy_engine/record_fields.h"
#include "plugins/policy_engine/type_rules.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::array<std::string_view, 6> kTypeFields = {"may_subscribe",        "auto_approve",
                                                         "may_message_unlisted", "sees_note",
                                                         "sees_rich_activity",   "description"};

proto::PartnerType TypeOf(const PresetType& preset) {
  proto::PartnerType type;
  type.set_name(preset.name);
  type.set_may_subscribe(preset.permissions.may_subscribe);
  type.set_auto_approve(preset.permissions.auto_approve);
  type.set_may_message_unlisted(preset.permissions.may_message_unlisted);
  type.set_sees_note(preset.permissions.sees_note);
  type.set_sees_rich_activity(preset.permissions.sees_rich_activity);
  return type;
}

PartnerTypes::iterator PlaceOf(PartnerTypes& types, const std::string& name) {
  return std::ranges::find(types, name, [](const proto::PartnerType& t) { return t.name(); });
}

}  // namespace

Result<const proto::PartnerType*> Engine::TypeToChange(const std::string& name) const {
  if (const proto::PartnerType* type = FindType(content_.data.partner_types(), name)) return type;
  if (FindPreset(name) != nullptr)
    return BadConfig(
        fmt::format("'{}' is there always and cannot be changed; make another with: "
                    "gatehousectl partner type new",
                    name));
  return BadConfig(
      fmt::format("there is no partner type '{}'; see gatehousectl partner type list", name));
}

Result<void> Engine::BecomeTypes(const PartnerTypes& types, AuditEntry audit) {
  const auto held = static_cast<std::size_t>(content_.data.partner_types_size());
  GATEHOUSE_TRY_VOID(CheckTypes(types, held, limits_));
  proto::FederationData before;
  *before.mutable_partner_types() = content_.data.partner_types();
  proto::FederationData after;
  *after.mutable_partner_types() = types;
  GATEHOUSE_TRY_VOID(CheckGrowth(before.ByteSizeLong(), after.ByteSizeLong()));
  audit.changes = Difference(RecordsOf(before), RecordsOf(after));
  if (audit.changes.empty()) return {};
  return Take(store_.Write(std::move(audit)));
}

proto::PartnerTypeView Engine::ViewOfType(proto::PartnerType type) const {
  proto::PartnerTypeView view;
  const auto partners =
      std::ranges::count(content_.data.partners(), type.name(),
                         [](const proto::Partner& partner) { return partner.type(); });
  view.set_partners(static_cast<std::uint32_t>(partners));
  view.set_preset(FindPreset(type.name()) != nullptr);
  *view.mutable_type() = std::move(type);
  return view;
}

Engine::Reply Engine::ListTypes() const {
  proto::CtlResponse response;
  proto::PartnerTypeViews& views = *response.mutable_partner_types();
  for (const PresetType& preset : kPresetTypes) *views.add_types() = ViewOfType(TypeOf(preset));
  for (const proto::PartnerType& type : content_.data.partner_types())
    *views.add_types() = ViewOfType(type);
  return response;
}

Engine::Reply Engine::ShowType(const std::string& name) const {
  GATEHOUSE_TRY(const proto::PartnerType* type, TypeToChange(name));
  proto::CtlResponse response;
  *response.mutable_partner_types()->add_types() = ViewOfType(*type);
  return response;
}

Engine::Reply Engine::NewType(const proto::PartnerTypeNew& command, AuditEntry audit) {
  const std::string name = command.type().name();
  PartnerTypes types = content_.data.partner_types();
  if (FindType(types, name) != nullptr)
    return BadConfig(fmt::format(
        "partner type '{}' exists already; change it with: gatehousectl partner type set {}", name,
        name));
  *types.Add() = command.type();
  audit.subject = name;
  GATEHOUSE_TRY_VOID(BecomeTypes(types, std::move(audit)));
  return ShowType(name);
}

Engine::Reply Engine::SetType(const proto::PartnerTypeSet& command, AuditEntry audit) {
  GATEHOUSE_TRY_VOID(TypeToChange(command.name()));
  PartnerTypes types = content_.data.partner_types();
  GATEHOUSE_TRY_VOID(ReplaceFields(command.fields(), kTypeFields, command.type(),
                                   *PlaceOf(types, command.name())));
  audit.subject = command.name();
  GATEHOUSE_TRY_VOID(BecomeTypes(types, std::move(audit)));
  return ShowType(command.name());
}

Engine::Reply Engine::RemoveType(const std::string& name, AuditEntry audit) {
  GATEHOUSE_TRY(const proto::PartnerType* stored, TypeToChange(name));
  const std::uint32_t partners = ViewOfType(*stored).partners();
  const auto first = std::ranges::find(content_.data.partners(), name,
                                       [](const proto::Partner& p) { return p.type(); });
  if (first != content_.data.partners().end())
    return BadConfig(
        fmt::format("partner '{}'{} is of type '{}'; give it another one first with: "
                    "gatehousectl partner set {} --type",
                    first->domain(), partners == 1 ? "" : fmt::format(", as {} in all,", partners),
                    name, first->domain()));
  PartnerTypes types = content_.data.partner_types();
  types.erase(PlaceOf(types, name));
  audit.subject = name;
  GATEHOUSE_TRY_VOID(BecomeTypes(types, std::move(audit)));
  proto::CtlResponse response;
  response.set_done(fmt::format("partner type '{}' is removed", name));
  return response;
}

}  // namespace gatehouse::policy_engine
