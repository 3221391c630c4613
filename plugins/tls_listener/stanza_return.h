// What becomes of a stanza whose stream ended before its acknowledgement (2.13). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/stanza.pb.h"

namespace gatehouse {

enum class StanzaReturn : std::uint8_t {
  kAgain,       // goes out on the next stream, once
  kAgainDated,  // the same, with a <delay/> that says when it was sent first
  kIfNewest,    // availability: only the last state of a (from, to) matters
  kNever,       // its sender waits for an answer and is told that none will come
};
[[nodiscard]] StanzaReturn ReturnOf(const proto::Element& stanza);
// Names whose availability a presence is: its `from` and `to`.
[[nodiscard]] std::string SubjectOf(const proto::Element& stanza);
// The stanza `xml`, as AppendXml wrote it, with <delay/> of `from`, unless it has one. XEP-0203
[[nodiscard]] std::string WithDelay(std::string xml, std::string_view from, std::int64_t unix_s);

}  // namespace gatehouse
