// Stanza errors and SIP statuses, both ways (protocol chapter 7): two tables, complete. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "proto/stanza.pb.h"

namespace gatehouse::translator {

// What kind of SIP network a next hop is (8.1).
enum class SipProfile : std::uint8_t { kLync, kPage, kMsrp };
// "lync", "page", "msrp"; anything else and empty: page.
[[nodiscard]] SipProfile ProfileFromName(std::string_view name);

// RFC 6120 §8.3.2
enum class ErrorType : std::uint8_t { kAuth, kCancel, kContinue, kModify, kWait };
[[nodiscard]] std::string_view ErrorTypeName(ErrorType type);  // "auth"
// An unknown word counts as cancel: nothing will be tried again.
[[nodiscard]] ErrorType ErrorTypeFromName(std::string_view name);

// The stanza error as far as its status depends on it.
struct StanzaFault {
  proto::StanzaCondition condition = proto::CONDITION_NONE;  // none: a condition we do not know
  ErrorType type = ErrorType::kCancel;  // decides only for an unknown condition
  bool to_full_jid = false;             // the failed stanza's `to` had a resource
  bool mapped_address = false;          // <gone/> or <redirect/> carried an address that maps (6.4)
  bool invite_race = false;             // it concerns two INVITEs that crossed
  bool resolution_failed = false;       // remote-server-not-found because name resolution failed
};
struct SipAnswer {
  int status = 400;
  bool retry_after = false;  // a Retry-After header belongs to it
  bool contact = false;      // a Contact with the mapped address belongs to it
  bool operator==(const SipAnswer&) const = default;
};
// Total. Never 401, 407 or 503; never 6xx for profile lync. 7.1
[[nodiscard]] SipAnswer AnswerFor(const StanzaFault& fault, SipProfile profile);

struct StanzaAnswer {
  proto::StanzaCondition condition = proto::UNDEFINED_CONDITION;
  ErrorType type = ErrorType::kCancel;
  bool operator==(const StanzaAnswer&) const = default;
};
// The stanza error of a final SIP status 300..699. Total: other numbers count as 500. 7.2
[[nodiscard]] StanzaAnswer ErrorFor(int status);
// No final answer: Timer B or F, transport failure, TLS identity failure. 7.2
[[nodiscard]] StanzaAnswer ErrorForNoAnswer();

}  // namespace gatehouse::translator
