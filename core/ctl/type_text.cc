#include "core/ctl/type_text.h"

#include "core/ctl/text_table.h"

namespace gatehouse::ctl {
namespace {

std::string YesOrDash(bool may) {
  return may ? "yes" : "-";
}

}  // namespace

std::string TypeListText(const proto::PartnerTypeViews& types) {
  TextTable table({"NAME", "SUBSCRIBE", "AUTO-APPROVE", "MESSAGE UNLISTED", "NOTE", "RICH ACTIVITY",
                   "PARTNERS", "DESCRIPTION"});
  for (const proto::PartnerTypeView& view : types.types()) {
    const proto::PartnerType& type = view.type();
    table.Add({type.name(), YesOrDash(type.may_subscribe()), YesOrDash(type.auto_approve()),
               YesOrDash(type.may_message_unlisted()), YesOrDash(type.sees_note()),
               YesOrDash(type.sees_rich_activity()), std::to_string(view.partners()),
               view.preset() ? "there always" : type.description()});
  }
  return table.ToText();
}

}  // namespace gatehouse::ctl
