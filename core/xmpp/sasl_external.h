// SASL EXTERNAL, receiving side: the table of 2.6. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "proto/stanza.pb.h"

namespace gatehouse {

enum class SaslAnswer : std::uint8_t {
  kSuccess,
  kChallenge,  // no initial response: ask for it
  kIncorrectEncoding,
  kInvalidAuthzid,
  kInvalidMechanism,
  kEncryptionRequired,
  kNotAuthorized,
  kAborted,
  kMalformedRequest,
};
struct SaslSituation {
  bool tls = false;
  bool offered = false;          // EXTERNAL stood in our features
  bool awaits_response = false;  // our challenge is open
  std::string_view header_from;  // prepared; the identity the certificate matches
};
// `element`: <auth/>, <response/> or <abort/> of the SASL namespace.
[[nodiscard]] SaslAnswer JudgeSasl(const proto::Element& element, const SaslSituation& situation);
// "<success …/>", "<challenge …/>" or "<failure …><…/></failure>"
[[nodiscard]] std::string SaslXml(SaslAnswer answer);

}  // namespace gatehouse
