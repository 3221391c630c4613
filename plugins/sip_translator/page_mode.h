// One message in page mode (8.2, RFC 7572): what a stanza becomes as SIP MESSAGE, and back. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/xmpp/jid.h"
#include "plugins/sip_translator/date_time.h"
#include "plugins/sip_translator/mime.h"
#include "proto/stanza.pb.h"

namespace gatehouse::translator {

inline constexpr std::size_t kMaxSubjectOctets = 256;
inline constexpr std::size_t kPageModeMaxOctets = 1300;  // of a whole MESSAGE. RFC 3428 §8
// A stanza that a partner surely takes; ejabberd's default limit. 8.2.4
inline constexpr std::size_t kPartnerStanzaOctets = 65536;
// A SIP Date or an XMPP stamp this young says nothing a reader needs. 8.9
inline constexpr std::chrono::seconds kDelayWorthTelling{60};

// What of a message stanza goes into a MESSAGE, cleaned; empty: no such header.
struct PageContent {
  std::string body;              // UTF-8, never empty
  std::string subject;           // one line
  std::string content_language;  // one language tag
  std::string date;
  std::string thread;  // usable as Call-ID (8.6), or empty
};
// nullopt: nothing to read in it (chat states, receipts, copies of other messages), so nothing is
// sent.
[[nodiscard]] std::optional<PageContent> ReadMessageStanza(const proto::Element& message,
                                                           WallTime now);

// The fields of a SIP MESSAGE that a stanza is made of; views of the caller.
struct PageRequest {
  std::string_view call_id = {};
  std::string_view subject = {};
  std::string_view content_language = {};
  std::string_view date = {};
  std::optional<std::uint32_t> expires_s = {};
  std::string_view content_encoding = {};
  MimeEntity entity = {};
};
struct PageAddresses {
  Jid from;
  Jid to;
};
// Writes the <message/> of type normal, with `id`, into `message`, which is empty.
//   returns  false when no text remains: nothing is sent and the MESSAGE gets its 200 (8.5)
//   fails    408 when Expires has elapsed; 415 and 400 as ReadPlainText; 513 when the stanza grows
//   beyond
//            kPartnerStanzaOctets
Result<bool, Refusal> MakeMessageStanza(const PageRequest& request, const PageAddresses& addresses,
                                        std::string_view id, WallTime now, proto::Element& message);

// A language tag by its shape (RFC 5646 §2.1): the first of a list, or empty.
[[nodiscard]] std::string FirstLanguage(std::string_view list);

}  // namespace gatehouse::translator
