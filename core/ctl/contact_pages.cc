#include "core/ctl/contact_pages.h"

#include <cstdint>
#include <limits>

#include "core/ctl/json_text.h"

namespace gatehouse::ctl {

Ending ListContacts(const Invocation& invocation, const Outside& outside) {
  proto::CtlRequest request = invocation.request;
  proto::ContactList& list = *request.mutable_contact_list();
  const std::uint32_t wanted = list.limit();
  proto::CtlResponse all;
  do {
    list.set_limit(wanted - static_cast<std::uint32_t>(all.contacts().contacts_size()));
    const auto page = GoodAnswer(invocation, request, outside);
    if (!page) return page.error();
    all.mutable_contacts()->mutable_contacts()->MergeFrom(page->contacts().contacts());
    list.set_after(page->contacts().next());
  } while (!list.after().empty() &&
           static_cast<std::uint32_t>(all.contacts().contacts_size()) < wanted);
  all.mutable_contacts()->set_next(list.after());
  return {kDone, Shown(invocation, request, all), {}};
}

Result<ContactMarks, Ending> MarksInStore(const Invocation& invocation, const Outside& outside) {
  proto::CtlRequest request;
  proto::ContactList& list = *request.mutable_contact_list();
  list.set_limit(std::numeric_limits<std::uint32_t>::max());
  ContactMarks marks;
  do {
    const auto page = GoodAnswer(invocation, request, outside);
    if (!page) return std::unexpected(page.error());
    TakeMarks(page->contacts(), marks);
    list.set_after(page->contacts().next());
  } while (!list.after().empty());
  return marks;
}

std::string MarksJson(const ContactMarks& marks) {
  std::string text = "[";
  for (const auto& [pair, state] : marks) {
    if (text.size() > 1) text += ',';
    text += R"({"sip_user":)" + JsonString(pair.first) + R"(,"contact":)" +
            JsonString(pair.second) + R"(,"state":)" + JsonString(state) + '}';
  }
  return text + ']';
}

}  // namespace gatehouse::ctl
