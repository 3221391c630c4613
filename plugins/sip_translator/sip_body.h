// The text of a SIP MESSAGE (8.5). Pure.
#pragma once

#include <string>

#include "core/base/result.h"
#include "plugins/sip_translator/mime.h"

namespace gatehouse::translator {

// What we take, for the Accept header beside a 415. RFC 3261 §21.4.13
inline constexpr std::string_view kAccept = "text/plain, multipart/alternative, message/cpim";

// Typing notices and delivery notices, bare or within a message/cpim: no message of a user's (8.7,
// 8.8).
[[nodiscard]] bool IsSignal(const MimeEntity& entity);

// The plain text of a body: of text/plain itself, the first text/plain of a multipart/alternative,
// the root of a multipart/related, the content of a message/cpim (whose inner addresses are
// ignored; RFC 3862 §2).
//   returns  UTF-8, cleaned for XMPP; empty for a body without text and for typing notices, which
//   end here (8.7) fails    415 for other types, unknown charsets and octets that cannot be
//   decoded; 400 for broken multiparts and
//            nesting below kMaxMimeDepth
Result<std::string, Refusal> ReadPlainText(const MimeEntity& entity);

}  // namespace gatehouse::translator
