#include "core/ctl/request_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/address/ascii.h"
#include "core/certificate/certificate_request.h"
#include "core/xmpp/jid.h"

namespace gatehouse::ctl {
namespace {

constexpr std::size_t kMaxCommonNameBytes = 64;  // X.520
constexpr std::string_view kAllBelow = "*.";

Result<std::string> AsciiDomain(std::string_view domain) {
  GATEHOUSE_TRY(const std::string prepared, PrepareDomain(domain));
  return DomainToAscii(prepared);
}

// A host may have one label, which is no domain of XMPP.
Result<std::string> AsciiName(const std::string& name) {
  std::string lower = ascii::Lower(name);
  if (IsDnsName(lower)) return lower;
  std::string_view domain = name;
  const bool wildcard = domain.starts_with(kAllBelow);
  if (wildcard) domain.remove_prefix(kAllBelow.size());
  const Result<std::string> converted = AsciiDomain(domain);
  if (!converted || !IsDnsName(*converted))
    return BadConfig(fmt::format(
        "'{}' is no name for a certificate; write a DNS name such as edge.corp.example", name));
  return wildcard ? std::string(kAllBelow) + *converted : *converted;
}

void AddOnce(std::vector<std::string>& names, std::string name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
}

}  // namespace

Result<RequestNames> NamesToRequest(const std::vector<std::string>& domains,
                                    const std::vector<std::string>& own, bool srv_ids) {
  RequestNames names;
  for (const std::string& domain : domains) {
    GATEHOUSE_TRY(const std::string ascii, AsciiName(domain));
    AddOnce(names.dns_names, ascii);
    AddOnce(names.dns_names, "sip." + ascii);
    if (srv_ids) AddOnce(names.srv_names, "_xmpp-server." + ascii);
  }
  for (const std::string& name : own) {
    GATEHOUSE_TRY(std::string ascii, AsciiName(name));
    AddOnce(names.dns_names, std::move(ascii));
  }
  return names;
}

std::string CommonNameOf(const RequestNames& names) {
  const auto fits = std::ranges::find_if(
      names.dns_names, [](const std::string& name) { return name.size() <= kMaxCommonNameBytes; });
  return fits == names.dns_names.end() ? std::string() : *fits;
}

}  // namespace gatehouse::ctl
