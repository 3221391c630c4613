#include "core/ctl/contact_marks.h"

namespace gatehouse::ctl {

void TakeMarks(const proto::ContactViews& page, ContactMarks& marks) {
  for (const proto::ContactView& view : page.contacts())
    if (view.state() == "allowed" || view.state() == "blocked")
      marks[{view.sip_user(), view.contact()}] = view.state();
}

proto::ContactViews ViewsOf(const ContactMarks& marks) {
  proto::ContactViews views;
  for (const auto& [pair, state] : marks) {
    proto::ContactView& view = *views.add_contacts();
    view.set_sip_user(pair.first);
    view.set_contact(pair.second);
    view.set_state(state);
  }
  return views;
}

}  // namespace gatehouse::ctl
