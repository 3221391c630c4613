// What we tell a SIP user agent beside the status. RFC 3261 §20.43
#pragma once

#include <string>
#include <string_view>

#include "plugins/sip_translator/sip_endpoint.h"

namespace gatehouse::translator {

// `text` without quotes; `host` names us.
inline SipExtraHeader Warning(std::string_view host, std::string_view text) {
  std::string value = "399 ";
  value.append(host).append(" \"").append(text).append("\"");
  return {"Warning", std::move(value)};
}

}  // namespace gatehouse::translator
