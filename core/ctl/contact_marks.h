// What operators said of contacts, "allowed" or "blocked": as `export --contacts` prints it.
// Pairs that only SIP users made, by a SUBSCRIBE, are none of it.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "proto/ctl.pb.h"

namespace gatehouse::ctl {

// SIP user and contact, prepared.
using ContactPair = std::pair<std::string, std::string>;
// To "allowed" or "blocked".
using ContactMarks = std::map<ContactPair, std::string>;

// Adds the marks of a page to `marks`.
void TakeMarks(const proto::ContactViews& page, ContactMarks& marks);
[[nodiscard]] proto::ContactViews ViewsOf(const ContactMarks& marks);

}  // namespace gatehouse::ctl
