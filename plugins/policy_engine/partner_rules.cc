#include "plugins/policy_engine/partner_rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <span>

#include "core/policy/domain_pattern.h"
#include "core/policy/negotiation.h"
#include "core/policy/partner_words.h"
#include "core/tls/trust_anchors.h"
#include "core/xmpp/jid.h"
#include "plugins/policy_engine/record_fields.h"

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

// A domain, or "*." before one.
Result<std::string> PreparedPattern(std::string_view pattern) {
  if (!pattern.starts_with('*')) return Prepared(pattern);
  const std::string_view base = BaseOf(pattern);
  if (!IsWildcard(pattern) || base.empty())
    return BadConfig(fmt::format("'{}' is no wildcard; write one like *.partner.example", pattern));
  if (base.find('.') == std::string_view::npos)
    return BadConfig(fmt::format(
        "'{}' would be everything below a top-level domain; name a domain of the partner, like "
        "*.partner.example",
        pattern));
  GATEHOUSE_TRY(const std::string prepared, Prepared(base));
  return std::string(kBelow) + prepared;
}

Result<std::string> PreparedFirst(std::string_view domain) {
  if (!domain.starts_with('*')) return Prepared(domain);
  return BadConfig(
      "a wildcard cannot be a partner's first domain; give it as an additional domain, like "
      "*.partner.example");
}

class MistakeList {
 public:
  void Add(std::string field, std::string what) {
    proto::Mistake& mistake = mistakes_.emplace_back();
    mistake.set_key(std::move(field));
    mistake.set_what(std::move(what));
  }
  std::vector<proto::Mistake> Take() { return std::move(mistakes_); }

 private:
  std::vector<proto::Mistake> mistakes_;
};

void PrepareDomain(std::string field, std::string& domain, std::set<std::string>& own,
                   const DomainOwners& others, MistakeList& mistakes) {
  Result<std::string> prepared =
      field == "domain" ? PreparedFirst(domain) : PreparedPattern(domain);
  if (!prepared) return mistakes.Add(std::move(field), std::move(prepared).error().text);
  domain = *std::move(prepared);
  if (!own.insert(domain).second)
    return mistakes.Add(std::move(field),
                        fmt::format("domain '{}' is named twice; name it once", domain));
  std::string why = others.WhyTaken(
      domain, field == "domain" ? DomainOwners::Place::kFirst : DomainOwners::Place::kAdditional);
  if (!why.empty()) mistakes.Add(std::move(field), std::move(why));
}

void PrepareDomains(proto::Partner& partner, const DomainOwners& others, MistakeList& mistakes) {
  std::set<std::string> own;
  PrepareDomain("domain", *partner.mutable_domain(), own, others, mistakes);
  if (partner.additional_domains_size() > kMaxAdditionalDomains)
    return mistakes.Add("additional_domains",
                        fmt::format("{} additional domains are too many; at most {} are possible",
                                    partner.additional_domains_size(), kMaxAdditionalDomains));
  for (int i = 0; i < partner.additional_domains_size(); ++i)
    PrepareDomain(fmt::format("additional_domains[{}]", i), *partner.mutable_additional_domains(i),
                  own, others, mistakes);
}

Result<void> CheckTls(const proto::Partner& partner) {
  if (!NegotiationWord(partner.tls()).empty()) return {};
  return BadConfig("the TLS setting is unknown; use required, optional or not-supported");
}

Result<void> CheckSasl(const proto::Partner& partner) {
  if (!NegotiationWord(partner.sasl()).empty()) return {};
  return BadConfig("the SASL setting is unknown; use required, optional or not-supported");
}

std::string_view RemedyOf(NegotiationNote note, const proto::Partner& partner) {
  if (note == NegotiationNote::kE1)
    return partner.dialback() ? "set TLS to required or strict SASL to false"
                              : "set TLS to required or dialback to true";
  return partner.tls() == proto::NOT_SUPPORTED ? "set TLS and SASL to required or dialback to true"
                                               : "set SASL to required or dialback to true";
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
    return BadConfig("DANE cannot be enforced without TLS; set DANE to off or TLS to required");
  if (!partner.proxy().empty())
    return BadConfig(
        "DANE cannot be enforced on a proxy, which no SRV record names; set DANE to off or leave "
        "the proxy out");
  return {};
}

Result<void> CheckLimit(const proto::Partner& partner) {
  if (partner.connection_limit() <= kMaxConnections) return {};
  return BadConfig(fmt::format("connection limit {} is too large; at most {} is possible",
                               partner.connection_limit(), kMaxConnections));
}

Result<void> CheckOwnDescription(const proto::Partner& partner) {
  return CheckDescription(partner.description());
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

std::optional<HostPort> SplitProxy(std::string_view proxy) {
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

// As DNS has it.
std::string HostInDns(std::string host) {
  if (host.size() > 1 && host.ends_with('.')) host.pop_back();
  if (std::ranges::all_of(host, [](char c) { return (c & 0x80) == 0; })) return host;
  const Result<std::string> prepared = gatehouse::PrepareDomain(host);
  if (!prepared) return host;
  return DomainToAscii(*prepared).value_or(host);
}

Result<void> CheckAnchors(const proto::Partner& partner) {
  if (partner.trust_anchors().empty()) return {};
  const Result<std::size_t> count = CountAnchors(partner.trust_anchors());
  if (count) return {};
  const bool too_large = partner.trust_anchors().size() > kMaxAnchorsBytes;
  return BadConfig(fmt::format("{}; {}", count.error().text,
                               too_large ? "give only what certifies this partner"
                                         : "give certificates in PEM, each of which begins with "
                                           "-----BEGIN CERTIFICATE-----"));
}

Result<void> CheckLastDay(const proto::Partner& partner) {
  if (partner.expires_unix() <= kLatestUnix) return {};
  return BadConfig(fmt::format("expiry {} is too late; use a time before the year 10000, or never",
                               partner.expires_unix()));
}

}  // namespace

Result<std::string> CheckProxy(std::string_view proxy) {
  std::optional<HostPort> parts = SplitProxy(proxy);
  if (parts && !parts->bracketed) parts->host = HostInDns(std::move(parts->host));
  const bool host_ok = parts && (parts->bracketed ? IsIpv6(parts->host) : IsHost(parts->host));
  if (!host_ok || (parts->port && !IsPort(*parts->port)))
    return BadConfig(fmt::format(
        "proxy '{}' is not HOST[:PORT]; write it like proxy.partner.example:5269", proxy));
  const std::string host = parts->bracketed ? fmt::format("[{}]", parts->host) : parts->host;
  return parts->port ? fmt::format("{}:{}", host, *parts->port) : host;
}

Result<std::string> CheckDenied(std::string_view pattern, const std::vector<std::string>& served) {
  GATEHOUSE_TRY(std::string prepared, PreparedPattern(pattern));
  for (const std::string& own : served)
    if (Covers(prepared, own))
      return BadConfig(
          fmt::format("'{}' would deny our own domain '{}'; deny others only", prepared, own));
  return prepared;
}

Result<void> CheckExpiry(std::uint64_t expires_unix, std::int64_t now_unix) {
  if (expires_unix == 0 || static_cast<std::int64_t>(expires_unix) > now_unix) return {};
  return BadConfig(
      "the partner would have expired already; let it expire at a time to come, or never");
}

std::vector<proto::Mistake> PartnerMistakes(proto::Partner& partner, const DomainOwners& others,
                                            const PartnerTypes& types) {
  struct Rule {
    const char* field;
    Result<void> (*check)(const proto::Partner&);
  };
  // Where the words of a row are unknown there is no row to judge.
  static constexpr std::array kWords = {Rule{"tls", CheckTls}, Rule{"sasl", CheckSasl}};
  static constexpr std::array kRules = {
      Rule{"tls", CheckRow},
      Rule{"dane", CheckDane},
      Rule{"trust_anchors", CheckAnchors},
      Rule{"connection_limit", CheckLimit},
      Rule{"description", CheckOwnDescription},
      Rule{"expires_unix", CheckLastDay},
  };
  MistakeList mistakes;
  const auto play = [&](std::span<const Rule> rules) {
    bool all_hold = true;
    for (const Rule& rule : rules)
      if (Result<void> held = rule.check(partner); !held) {
        all_hold = false;
        mistakes.Add(rule.field, std::move(held).error().text);
      }
    return all_hold;
  };
  PrepareDomains(partner, others, mistakes);
  if (Result<void> known = CheckTypeIsKnown(partner.type(), types, others.remedy()); !known)
    mistakes.Add("type", std::move(known).error().text);
  if (play(kWords)) play(kRules);
  if (partner.proxy().empty()) return mistakes.Take();
  if (Result<std::string> proxy = CheckProxy(partner.proxy()); proxy)
    partner.set_proxy(*std::move(proxy));
  else
    mistakes.Add("proxy", std::move(proxy).error().text);
  return mistakes.Take();
}

Result<proto::Partner> CheckPartner(proto::Partner partner, const DomainOwners& others,
                                    const PartnerTypes& types) {
  const std::vector<proto::Mistake> mistakes = PartnerMistakes(partner, others, types);
  if (!mistakes.empty()) return BadConfig(mistakes.front().what());
  return partner;
}

}  // namespace gatehouse::policy_engine
