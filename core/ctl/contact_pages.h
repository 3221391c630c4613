// All contacts of the store, page by page.
#pragma once

#include <string>

#include "core/ctl/carry_out.h"
#include "core/ctl/contact_marks.h"

namespace gatehouse::ctl {

// `contact list`: as many as the request's limit says, put together from the engine's small pages.
[[nodiscard]] Ending ListContacts(const Invocation& invocation, const Outside& outside);

// What operators said of contacts; fails with what is to be told.
[[nodiscard]] Result<ContactMarks, Ending> MarksInStore(const Invocation& invocation,
                                                        const Outside& outside);
// "[{"sip_user":…,"contact":…,"state":…},…]"
[[nodiscard]] std::string MarksJson(const ContactMarks& marks);

}  // namespace gatehouse::ctl
