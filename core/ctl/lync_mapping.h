// Objects of Lync's management shell into records of ours.
#pragma once

#include <string>
#include <vector>

#include "core/ctl/lync_export.h"
#include "proto/ctl.pb.h"

namespace gatehouse::ctl {

// One record of Get-CsXmppAllowedPartner, Get-CsXmppGatewayConfiguration or
// Get-CsExternalAccessPolicy, with a note for each thing Lync has and we have not, or why it is no
// record of ours (`refused`). What is not set in Lync has the same default here (1.4).
//   from  what the operator calls the file
[[nodiscard]] proto::ImportRecord RecordOfLync(const LyncObject& object, const std::string& from);

}  // namespace gatehouse::ctl
