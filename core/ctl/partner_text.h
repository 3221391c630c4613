// Partners and gateway settings as an operator reads them.
#pragma once

#include <string>

#include "proto/ctl.pb.h"

namespace gatehouse::ctl {

[[nodiscard]] std::string PartnerListText(const proto::PartnerViews& partners);
[[nodiscard]] std::string PartnerText(const proto::PartnerView& view);
// The row, the methods in and out, and the warnings.
[[nodiscard]] std::string RowText(const proto::PartnerView& view);
// The same, and what happens in both directions, what the last streams came to, and what keeps
// streams in clear away.
[[nodiscard]] std::string ExplanationText(const proto::PartnerView& view);
// Unlisted domains that knocked, with what is known of them.
[[nodiscard]] std::string StrangersText(const proto::Strangers& strangers);
[[nodiscard]] std::string GatewayText(const proto::GatewaySettings& settings);

}  // namespace gatehouse::ctl
