#include "core/ctl/domain_check.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>

#include "core/xmpp/jid.h"

namespace gatehouse::ctl {
namespace {

std::string DomainInPlace(std::string& domain) {
  Result<std::string> prepared = PrepareDomain(domain);
  if (!prepared)
    return fmt::format("'{}' is no domain ({}); write one such as partner.example", domain,
                       prepared.error().text);
  domain = *std::move(prepared);
  return {};
}

}  // namespace

CLI::Validator DomainCheck() {
  return {&DomainInPlace, ""};
}

}  // namespace gatehouse::ctl
