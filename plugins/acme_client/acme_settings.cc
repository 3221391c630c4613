#include "plugins/acme_client/acme_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/address/ascii.h"
#include "core/config/check_acme.h"
#include "core/policy/own_domains.h"
#include "core/xmpp/jid.h"

namespace gatehouse::acme {

std::string AcmeSettings::WhatIsWanted() const {
  std::vector<std::string> sorted = names;
  std::ranges::sort(sorted);
  return fmt::format("{} {} {}", directory, WordOf(key), fmt::join(sorted, " "));
}

Result<AcmeSettings> AcmeSettingsOf(const proto::Config& config) {
  const proto::Acme& acme = config.acme();
  AcmeSettings settings;
  settings.directory = acme.directory();
  settings.contact = acme.contact();
  settings.certificate = acme.certificate();
  settings.challenge = acme.challenge().empty() ? std::string(kHttpChallenge) : acme.challenge();
  settings.key = KeyTypeOf(acme.key()).value_or(KeyType::kP256);
  settings.trust = acme.trust().empty() ? config.tls().trust() : acme.trust();
  settings.crl_file = config.tls().crl_file();
  settings.allow_inside = config.dns().allow_loopback_targets();
  settings.key_id = acme.external_account().key_id();
  settings.key_file = acme.external_account().key_file();
  GATEHOUSE_TRY(settings.names, AcmeNames(config));
  return settings;
}

}  // namespace gatehouse::acme
