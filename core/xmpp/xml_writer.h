// Serialises elements for an XMPP stream: escapes everything, knows the stream's own namespaces.
#pragma once

#include <string>
#include <string_view>

#include "proto/stanza.pb.h"

namespace gatehouse {

// Appends `element` to `out`. Its namespace is declared where it differs from the parent's (the
// stream's default is jabber:server). Prefix "db" is used for jabber:server:dialback, "stream" for
// the streams namespace: both are declared on every header we send. Escapes < > & " ' and in
// attributes TAB LF CR (12.1); a control character XML cannot carry becomes U+FFFD.
void AppendXml(std::string& out, const proto::Element& element);
[[nodiscard]] std::string XmlOf(const proto::Element& element);
// `text` as it may stand in an attribute or between tags.
void AppendEscaped(std::string& out, std::string_view text);

// Our stream header. `id` is empty for an initiating header; `version` false for a pre-1.0 peer
// (2.2.1).
struct HeaderOut {
  std::string_view from, to, id;
  bool dialback = true;
  bool version = true;
  bool lang = true;
};
[[nodiscard]] std::string StreamHeaderXml(const HeaderOut& header);
inline constexpr std::string_view kStreamFooter = "</stream:stream>";

}  // namespace gatehouse
