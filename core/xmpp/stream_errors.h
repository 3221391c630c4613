// Stream error conditions. RFC 6120 §4.9.3
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse {

enum class StreamCondition : std::uint8_t {
  kBadFormat,
  kBadNamespacePrefix,
  kConflict,
  kConnectionTimeout,
  kHostGone,
  kHostUnknown,
  kImproperAddressing,
  kInternalServerError,
  kInvalidFrom,
  kInvalidNamespace,
  kInvalidXml,
  kNotAuthorized,
  kNotWellFormed,
  kPolicyViolation,
  kRemoteConnectionFailed,
  kReset,
  kResourceConstraint,
  kRestrictedXml,
  kSeeOtherHost,
  kSystemShutdown,
  kUndefinedCondition,
  kUnsupportedEncoding,
  kUnsupportedFeature,
  kUnsupportedStanzaType,
  kUnsupportedVersion,
};
[[nodiscard]] std::string_view StreamConditionName(StreamCondition condition);  // "bad-format"
// "<stream:error>…</stream:error></stream:stream>" (2.10); `text` is one of our fixed strings or
// empty.
[[nodiscard]] std::string StreamErrorXml(StreamCondition condition, std::string_view text = {});

}  // namespace gatehouse
