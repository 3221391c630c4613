#include "core/xmpp/sasl_external.h"

#include <string>

#include "core/base/limits.h"
#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "core/xmpp/jid.h"

namespace gatehouse {
namespace {

SaslAnswer JudgeIdentity(const std::string& text, std::string_view header_from) {
  std::string identity;
  if (text != "=" && !DecodeBase64(text, identity)) return SaslAnswer::kIncorrectEncoding;
  if (identity.empty()) return SaslAnswer::kSuccess;
  if (identity.size() > kMaxJidPartBytes || identity.find('\0') != std::string::npos)
    return SaslAnswer::kMalformedRequest;
  const auto domain = PrepareDomain(identity);
  return domain && *domain == header_from ? SaslAnswer::kSuccess : SaslAnswer::kInvalidAuthzid;
}

std::string_view FailureName(SaslAnswer answer) {
  switch (answer) {
    case SaslAnswer::kIncorrectEncoding:
      return "incorrect-encoding";
    case SaslAnswer::kInvalidAuthzid:
      return "invalid-authzid";
    case SaslAnswer::kInvalidMechanism:
      return "invalid-mechanism";
    case SaslAnswer::kEncryptionRequired:
      return "encryption-required";
    case SaslAnswer::kAborted:
      return "aborted";
    case SaslAnswer::kMalformedRequest:
      return "malformed-request";
    case SaslAnswer::kSuccess:
    case SaslAnswer::kChallenge:
    case SaslAnswer::kNotAuthorized:
      break;
  }
  return "not-authorized";
}

}  // namespace

SaslAnswer JudgeSasl(const proto::Element& element, const SaslSituation& situation) {
  if (Is(element, "abort", ns::kSasl)) return SaslAnswer::kAborted;
  const std::string text = TextOf(element);
  if (Is(element, "response", ns::kSasl))
    return situation.awaits_response ? JudgeIdentity(text, situation.header_from)
                                     : SaslAnswer::kMalformedRequest;
  if (Attribute(element, "mechanism") != "EXTERNAL") return SaslAnswer::kInvalidMechanism;
  if (!situation.tls) return SaslAnswer::kEncryptionRequired;
  if (!situation.offered) return SaslAnswer::kNotAuthorized;
  return text.empty() ? SaslAnswer::kChallenge : JudgeIdentity(text, situation.header_from);
}

std::string SaslXml(SaslAnswer answer) {
  constexpr std::string_view kNamespace = " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
  if (answer == SaslAnswer::kSuccess) return "<success" + std::string(kNamespace) + "/>";
  if (answer == SaslAnswer::kChallenge) return "<challenge" + std::string(kNamespace) + "/>";
  return "<failure" + std::string(kNamespace) + "><" + std::string(FailureName(answer)) +
         "/></failure>";
}

}  // namespace gatehouse
