#include "plugins/policy_engine/partner_rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "core/policy/negotiation.h"
#include "core/policy/partner_words.h"
#include "core/tls/trust_anchors.h"
#include "core/xmpp/jid.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::size_t kMaxHostBytes = 253;  // RFC 1035 §3.1, written form
constexpr std::size_t kMaxLabelBytes = 63;  // RFC 1035 §2.3.4

Result<std::string> Prepared(std::string_view domain) {
  if (domain.empty()) return BadConfig("the domain is empty; write one like partner.example");
  Result<std::string> prepared = PrepareDomain(domain);
  if (prepared) return prepared;
  return BadConfig(fmt::format("'{}' is not a domain ({}); write one like partner.example", domain,
                               prepared.error().text));
}

Result<void> PrepareDomains(proto::Partner& partner, const DomainOwners& others) {
  GATEHOUSE_TRY(*partner.mutable_domain(), Prepared(partner.domain()));
  if (partner.additional_domains_size() > kMaxAdditionalDomains)
    return BadConfig(fmt::format("{} additional domains are too many; at most {} are possible",
                                 partner.additional_domains_size(), kMaxAdditionalDomains));
  std::set<std::string> own = {partner.domain()};
  for (std::string& domain : *partner.mutable_additional_domains()) {
    GATEHOUSE_TRY(domain, Prepared(domain));
    if (!own.insert(domain).second)
      return BadConfig(fmt::format("domain '{}' is named twice; name it once", domain));
  }
  for (const std::string& domain : own)
    if (std::string why = others.WhyTaken(domain); !why.empty()) return BadConfig(std::move(why));
  return {};
}

Result<void> CheckWords(const proto::Partner& partner) {
  if (PartnerTypeWord(partner.type()).empty())
    return BadConfig("the type is unknown; use federated, public-verified or public-unverified");
  if (NegotiationWord(partner.tls()).empty())
    return BadConfig("the TLS setting is unknown; use required, optional or not-supported");
  if (NegotiationWord(partner.sasl()).empty())
    return BadConfig("the SASL setting is unknown; use required, optional or not-supported");
  return {};
}

std::string_view RemedyOf(NegotiationNote note, const proto::Partner& partner) {
  if (note != NegotiationNote::kE1) return "use --sasl required or --dialback true";
  if (partner.dialback()) return "use --tls required or --strict-sasl false";
  return "use --tls required or --dialback true";
}

Result<void> CheckRow(const proto::Partner& partner) {
  for (const NegotiationNote note : NotesOf(RowOf(partner))) {
    if (!IsRefusal(note)) continue;
    const std::string_view remedy = RemedyOf(note, partner);
    return BadConfig(fmt::format("{}: {}; {}", NoteCode(note), NoteText(note), remedy));
  }
  return {};
}

// Enforcement that could never happen would be believed in.
Result<void> CheckDane(const proto::Partner& partner) {
  if (DaneWord(partner.dane()).empty())
    return BadConfig("the DANE setting is unknown; use off, report or enforce");
  if (partner.dane() != proto::ENFORCE) return {};
  if (partner.tls() == proto::NOT_SUPPORTED)
    return BadConfig("DANE cannot be enforced without TLS; use --dane off or --tls required");
  if (!partner.proxy().empty())
    return BadConfig(
        "DANE cannot be enforced on a proxy, which no SRV record names; use --dane off or "
        "--proxy ''");
  return {};
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

Result<void> CheckLimits(const proto::Partner& partner) {
  if (partner.connection_limit() > kMaxConnections)
    return BadConfig(fmt::format("connection limit {} is too large; at most {} is possible",
                                 partner.connection_limit(), kMaxConnections));
  if (partner.description().size() > kMaxDescriptionBytes)
    return BadConfig(fmt::format("the description has {} octets; at most {} are possible",
                                 partner.description().size(), kMaxDescriptionBytes));
  if (std::ranges::any_of(partner.description(), IsControl))
    return BadConfig("the description has control characters; write it on one line");
  return {};
}

bool IsLabel(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabelBytes) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool IsIpv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool IsIpv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// Host names, and what only digits and dots can be: an address.
bool IsHost(const std::string& host) {
  if (host.empty() || host.size() > kMaxHostBytes) return false;
  if (host.find_first_not_of("0123456789.") == std::string::npos) return IsIpv4(host);
  std::string_view rest = host;
  while (true) {
    const std::size_t dot = rest.find('.');
    if (!IsLabel(rest.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    rest.remove_prefix(dot + 1);
  }
}

bool IsPort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  return code == std::errc() && end == text.data() + text.size() && port != 0;
}

struct HostPort {
  std::string host;
  bool bracketed = false;
  std::optional<std::string_view> port;
};

std::optional<HostPort> Split(std::string_view proxy) {
  if (!proxy.starts_with('[')) {
    const std::size_t colon = proxy.find(':');
    if (colon == std::string_view::npos) return HostPort{std::string(proxy), false, {}};
    return HostPort{std::string(proxy.substr(0, colon)), false, proxy.substr(colon + 1)};
  }
  const std::size_t end = proxy.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view rest = proxy.substr(end + 1);
  if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
  HostPort parts{std::string(proxy.substr(1, end - 1)), true, {}};
  if (!rest.empty()) parts.port = rest.substr(1);
  return parts;
}

}  // namespace

Result<void> CheckProxy(std::string_view proxy) {
  const std::optional<HostPort> parts = Split(proxy);
  const bool host_ok = parts && (parts->bracketed ? IsIpv6(parts->host) : IsHost(parts->host));
  if (host_ok && (!parts->port || IsPort(*parts->port))) return {};
  return BadConfig(fmt::format(
      "proxy '{}' is not HOST[:PORT]; write it like proxy.partner.example:5269", proxy));
}

Result<proto::Partner> CheckPartner(proto::Partner partner, const DomainOwners& others) {
  GATEHOUSE_TRY_VOID(PrepareDomains(partner, others));
  GATEHOUSE_TRY_VOID(CheckWords(partner));
  GATEHOUSE_TRY_VOID(CheckRow(partner));
  GATEHOUSE_TRY_VOID(CheckDane(partner));
  if (!partner.proxy().empty()) GATEHOUSE_TRY_VOID(CheckProxy(partner.proxy()));
  if (!partner.trust_anchors().empty()) GATEHOUSE_TRY_VOID(CountAnchors(partner.trust_anchors()));
  GATEHOUSE_TRY_VOID(CheckLimits(partner));
  return partner;
}

}  // namespace gatehouse::policy_engine
