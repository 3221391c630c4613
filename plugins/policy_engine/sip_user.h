// A user of ours as an operator names him, mapped as his traffic is (6.3).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/xmpp/jid.h"

namespace gatehouse::policy_engine {

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

}  // namespace gatehouse::policy_engine
