// XMPP addresses: parsing, preparation (RFC 7622 with PRECIS, IDNA2008 by ICU), comparison.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

// Prepared parts; compare octet by octet. Empty local or resource: absent.
struct Jid {
  std::string local;
  std::string domain;  // U-labels, lower case, NFC, no trailing dot
  std::string resource;

  // Takes UTF-8 text of any length. Fails (kPeer) for anything RFC 7622 §3.2-3.4 forbids.
  static Result<Jid> Parse(std::string_view text);
  [[nodiscard]] std::string Bare() const;
  [[nodiscard]] std::string ToText() const;
  bool operator==(const Jid&) const = default;
};

// The prepared domain of an address, for who needs no more: checks all of `text` as Jid::Parse
// does. The view is part of `text` or of `scratch`. Allocates nothing for an address in lower-case
// ASCII.
Result<std::string_view> DomainOfJid(std::string_view text, std::string& scratch);

// A domainpart alone: U-labels, lower case, NFC, trailing dot stripped. Fails for IP literals,
// single labels, labels IDNA2008 refuses, '@' or '/' (6.1, 6.2).
Result<std::string> PrepareDomain(std::string_view text);
// The prepared domain with A-labels: for DNS, certificates, SIP.
Result<std::string> DomainToAscii(std::string_view prepared);
Result<std::string> PrepareLocalpart(std::string_view text);
Result<std::string> PrepareResourcepart(std::string_view text);

}  // namespace gatehouse
