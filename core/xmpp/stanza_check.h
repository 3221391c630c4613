// May this top-level element pass as a stanza? The table of 2.9, less the pair, which only the
// stream knows. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/xmpp/stream_errors.h"
#include "proto/stanza.pb.h"

namespace gatehouse {

// message, presence or iq in any namespace.
[[nodiscard]] bool HasStanzaName(const proto::Element& element);

// Prepared; parts of the element or of `scratch`, which stays where it is.
struct StanzaDomains {
  std::string_view from, to;
  std::array<std::string, 2> scratch;
};
// Namespace, name and both addresses. Fails with the stream's end.
Result<void, StreamCondition> ReadDomains(const proto::Element& element, StanzaDomains& domains);

enum class IqShape : std::uint8_t { kSound, kBadRequest, kInvalidXml };
// kSound for what is no iq. RFC 6120 §8.2.3
[[nodiscard]] IqShape ShapeOf(const proto::Element& stanza);

}  // namespace gatehouse
