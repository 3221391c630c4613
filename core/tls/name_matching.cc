// Who a certificate proves to be: 2.5 for XMPP, 11.8 for SIP.
#include <algorithm>
#include <string>
#include <string_view>

#include "core/tls/tls_session.h"
#include "core/xmpp/jid.h"

namespace gatehouse {
namespace {

constexpr std::string_view kSrvPrefix = "_xmpp-server.";
constexpr std::string_view kSipScheme = "sip:";

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

bool HasPrefix(std::string_view text, std::string_view prefix) {
  return EqualIgnoringCase(text.substr(0, prefix.size()), prefix);
}

bool MatchesSrvId(std::string_view presented, std::string_view ascii_domain) {
  return HasPrefix(presented, kSrvPrefix) &&
         EqualIgnoringCase(presented.substr(kSrvPrefix.size()), ascii_domain);
}

// Equal, or with `*` as the whole left-most label and at least two labels behind it. RFC 6125
// §6.4.3
bool MatchesDnsId(std::string_view presented, std::string_view ascii_domain) {
  if (presented.find('*') == std::string_view::npos)
    return EqualIgnoringCase(presented, ascii_domain);
  if (!presented.starts_with("*.")) return false;
  const std::string_view parent = presented.substr(2);
  if (parent.find('*') != std::string_view::npos) return false;
  if (parent.find('.') == std::string_view::npos) return false;
  const auto first_dot = ascii_domain.find('.');
  return first_dot != 0 && first_dot != std::string_view::npos &&
         EqualIgnoringCase(parent, ascii_domain.substr(first_dot + 1));
}

// RFC 6120 §13.7.1.4: a JID that is a domainpart only.
bool MatchesXmppAddr(std::string_view presented, const std::string& prepared_domain) {
  const auto prepared = PrepareDomain(presented);  // refuses '@' and '/'
  return prepared && *prepared == prepared_domain;
}

// The host of a sip URI that names a domain: no user part, and no other scheme. RFC 5922 §7.1
std::string_view SipUriHost(std::string_view uri) {
  if (!HasPrefix(uri, kSipScheme) || uri.find('@') != std::string_view::npos) return {};
  uri.remove_prefix(kSipScheme.size());
  return uri.substr(0, uri.find_first_of(":;?"));
}

template <class Matches>
bool AnyOf(const std::vector<std::string>& names, Matches matches) {
  return std::any_of(names.begin(), names.end(), matches);
}

}  // namespace

bool MatchesXmppDomain(const PeerCertificate& peer, std::string_view domain) {
  const auto prepared = PrepareDomain(domain);
  if (!prepared) return false;
  const auto ascii = DomainToAscii(*prepared);
  if (!ascii) return false;
  return AnyOf(peer.srv_names, [&](const auto& name) { return MatchesSrvId(name, *ascii); }) ||
         AnyOf(peer.dns_names, [&](const auto& name) { return MatchesDnsId(name, *ascii); }) ||
         AnyOf(peer.xmpp_addrs, [&](const auto& name) { return MatchesXmppAddr(name, *prepared); });
}

bool MatchesSipName(const PeerCertificate& peer, std::string_view name) {
  if (name.empty()) return false;
  const auto is_name = [&](std::string_view host) { return EqualIgnoringCase(host, name); };
  const auto names_a_host = [](const std::string& uri) { return !SipUriHost(uri).empty(); };
  if (AnyOf(peer.uris, names_a_host))
    return AnyOf(peer.uris, [&](const auto& uri) { return is_name(SipUriHost(uri)); });
  if (!peer.dns_names.empty()) return AnyOf(peer.dns_names, is_name);
  return is_name(peer.common_name);  // empty where there is any SAN
}

bool MatchesHttpsHost(const PeerCertificate& peer, std::string_view name) {
  return !name.empty() && AnyOf(peer.dns_names, [&](const auto& presented) {
    return MatchesDnsId(presented, name);
  });
}

}  // namespace gatehouse
