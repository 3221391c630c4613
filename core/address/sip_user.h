// A user of ours and a contact of his as an operator names them, mapped as their traffic is (6.3).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/xmpp/jid.h"

namespace gatehouse {

// Whether it begins with "sip:", "sips:", "im:" or "pres:", which no JID does; schemes are told
// apart without case. RFC 3986 §3.1
[[nodiscard]] bool IsSipUri(std::string_view text);

// A SIP URI such as "sip:o'neil@contoso.example" as its traffic is mapped, or a bare JID.
//   gives  the prepared JID, with a localpart and without a resource
//   fails  kConfig, one sentence that ends in how `example` would be written
Result<Jid> ReadSipUser(std::string_view text, std::string_view example);

// The same as a bare JID, of one of our own domains (`served`, prepared; empty: any will do).
Result<std::string> SipUserOf(std::string_view text, const std::vector<std::string>& served,
                              std::string_view example = "sip:ann@contoso.example");

// That `domain` (prepared) is one of `served`, or any where that is empty; `written` is what the
// operator wrote.
Result<void> CheckServed(const std::string& domain, const std::vector<std::string>& served,
                         std::string_view written);

// A contact as a bare JID; the domain may be anybody's, the localpart may be missing.
//   fails  kConfig, one sentence with the remedy
Result<std::string> XmppContactOf(std::string_view text);

}  // namespace gatehouse
