#include "core/config/check_domains.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "core/loop/socket_address.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxLabelBytes = 63;  // RFC 1035 §2.3.4
constexpr std::size_t kMaxDomainBytes = 255;

// Letters, digits and inner hyphens; octets above 127 belong to an internationalised name.
bool IsLabel(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabelBytes) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || (c & 0x80) != 0;
  });
}

}  // namespace

bool IsDomain(std::string_view name) {
  if (name.empty() || name.size() > kMaxDomainBytes) return false;
  if (SocketAddress::FromIp(name, 0)) return false;
  while (true) {
    const std::size_t dot = name.find('.');
    if (!IsLabel(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

namespace {

bool IsPort(std::string_view text) {
  unsigned port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

// "host", "host:port", "[::1]", "[::1]:port".
bool IsHostPort(std::string_view text) {
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  const std::size_t colon = text.find(':', bracket);
  if (colon != std::string_view::npos && !IsPort(text.substr(colon + 1))) return false;
  const std::string_view host = text.substr(0, colon);
  if (bracket == 0) return IsDomain(host) || SocketAddress::FromIp(host, 0).has_value();
  return host.size() == bracket + 1 &&
         SocketAddress::FromIp(host.substr(1, bracket - 1), 0).has_value();
}

bool AreParameters(std::string_view text) {
  constexpr std::array<std::string_view, 3> kKnown = {"transport=tls", "transport=tcp",
                                                      "transport=udp"};
  while (!text.empty()) {
    const std::size_t end = text.find(';');
    const std::string_view one = text.substr(0, end);
    if (one.starts_with("transport=") && std::ranges::find(kKnown, one) == kKnown.end())
      return false;
    if (one.empty()) return false;
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return true;
}

bool IsNextHop(std::string_view uri) {
  if (uri.starts_with("sips:")) {
    uri.remove_prefix(5);
  } else if (uri.starts_with("sip:")) {
    uri.remove_prefix(4);
  } else {
    return false;
  }
  const std::size_t semicolon = uri.find(';');
  if (!IsHostPort(uri.substr(0, semicolon))) return false;
  return semicolon == std::string_view::npos || AreParameters(uri.substr(semicolon + 1));
}

// A dot at the end of its name, as zone files have it, is taken away.
Result<void> CheckDomain(YamlConfig& yaml, int index) {
  proto::Domain& domain = *yaml.config().mutable_domains(index);
  if (domain.name().size() > 1 && domain.name().ends_with('.')) domain.mutable_name()->pop_back();
  const std::string key = fmt::format("domains[{}]", index);
  if (domain.name().empty())
    return std::unexpected(
        yaml.At(key + ".name", "is missing; would be right: a domain such as contoso.example"));
  if (!IsDomain(domain.name()))
    return std::unexpected(
        yaml.At(key + ".name", fmt::format("is '{}'; would be right: a domain such as "
                                           "contoso.example",
                                           domain.name())));
  for (int earlier = 0; earlier < index; ++earlier)
    if (yaml.config().domains(earlier).name() == domain.name())
      return std::unexpected(yaml.At(
          key + ".name", fmt::format("names '{}' again; would be right: once", domain.name())));
  if (domain.next_hop().empty() || IsNextHop(domain.next_hop())) return {};
  return std::unexpected(yaml.At(
      key + ".next_hop", fmt::format("is '{}'; would be right: a SIP URI without a user such as "
                                     "\"sip:pool.contoso.example:5061;transport=tls\"",
                                     domain.next_hop())));
}

}  // namespace

void CheckDomains(YamlConfig& yaml) {
  if (yaml.config().domains().empty())
    return yaml.Note(std::unexpected(yaml.At(
        "domains", "is missing; would be right: a list such as '- name: contoso.example'")));
  for (int i = 0; i < yaml.config().domains_size(); ++i) yaml.Note(CheckDomain(yaml, i));
}

}  // namespace gatehouse
