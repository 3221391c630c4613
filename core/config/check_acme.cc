#include "core/config/check_acme.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/address/ascii.h"
#include "core/certificate/certificate_request.h"
#include "core/certificate/private_key.h"
#include "core/config/certificate_name.h"
#include "core/http/http_client.h"
#include "core/policy/own_domains.h"
#include "core/tls/crypto.h"
#include "core/tls/own_certificate.h"
#include "core/xmpp/jid.h"

namespace gatehouse {
namespace {

using Checked = Result<void>;

std::unexpected<Error> Wrong(const YamlConfig& yaml, std::string_view key,
                             const std::string& what) {
  return std::unexpected(yaml.At(key, what));
}

std::string FileBeside(const YamlConfig& yaml, const std::string& name) {
  const std::filesystem::path folder = std::filesystem::absolute(yaml.file()).parent_path();
  return (folder / name).lexically_normal().string();
}

// `name` becomes absolute.
Checked CheckReadable(const YamlConfig& yaml, std::string_view key, std::string& name,
                      std::string_view right) {
  name = FileBeside(yaml, name);
  struct stat found{};
  if (::stat(name.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
      ::access(name.c_str(), R_OK) == 0)
    return {};
  const std::string why =
      S_ISREG(found.st_mode) || found.st_mode == 0 ? std::strerror(errno) : "it is no file";
  return Wrong(
      yaml, key,
      fmt::format("names '{}', which cannot be read: {}; would be right: {}", name, why, right));
}

Checked CheckServer(const YamlConfig& yaml, const proto::Acme& acme) {
  if (!HttpsUrl::Parse(acme.directory()))
    return Wrong(
        yaml, "acme.directory",
        acme.directory().empty()
            ? "is missing; would be right: the CA's directory, such as "
              "https://acme-v02.api.letsencrypt.org/directory"
            : fmt::format("is '{}'; would be right: an https URL with a name for its host, "
                          "such as https://acme-v02.api.letsencrypt.org/directory",
                          acme.directory()));
  if (!acme.agree_to_terms())
    return Wrong(yaml, "acme.agree_to_terms",
                 "is not true; would be right: read the terms of the CA, then write true");
  const std::string& contact = acme.contact();
  if (contact.empty()) return {};
  const std::size_t at = contact.find('@');
  const bool good = contact.starts_with("mailto:") && at != std::string::npos && at > 7 &&
                    IsDnsName(contact.substr(at + 1)) && std::ranges::all_of(contact, [](char c) {
                      return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != '?';
                    });
  if (good) return {};
  return Wrong(yaml, "acme.contact",
               fmt::format("is '{}'; would be right: one address such as "
                           "mailto:ops@contoso.example",
                           contact));
}

// What names us nowhere the store would not take (2.5).
Checked CheckOneIsOurs(const YamlConfig& yaml, const std::vector<std::string>& names) {
  const auto domains = OwnDomains(yaml.config());
  if (!domains) return {};  // told with the domains
  const auto is_ours = [&](const std::string& name) {
    return name == yaml.config().sip().host() ||
           std::ranges::any_of(*domains, [&name](const std::string& prepared) {
             const std::string domain = DomainToAscii(prepared).value_or(prepared);
             return name == domain || name == "sip." + domain || name == "*." + domain;
           });
  };
  if (std::ranges::any_of(names, is_ours)) return {};
  return Wrong(yaml, "acme.names",
               fmt::format("names none of our domains; would be right: {} with them, or without "
                           "this key",
                           domains->front()));
}

Checked CheckWanted(const YamlConfig& yaml, const proto::Acme& acme) {
  if (!IsCertificateName(acme.certificate()))
    return Wrong(
        yaml, "acme.certificate",
        fmt::format("{}; would be right: its name in the store, such as external-edge",
                    acme.certificate().empty() ? std::string("is missing")
                                               : fmt::format("is '{}'", acme.certificate())));
  if (!acme.key().empty() && !KeyTypeOf(acme.key()))
    return Wrong(
        yaml, "acme.key",
        fmt::format("is '{}'; would be right: p-256, p-384, rsa-2048, rsa-3072 or rsa-4096",
                    acme.key()));
  const bool by_dns = acme.challenge() == kDnsChallenge;
  for (int i = 0; i < acme.names_size(); ++i) {
    const std::string key = fmt::format("acme.names[{}]", i);
    const auto ascii =
        PrepareDomain(acme.names(i).starts_with("*.") ? acme.names(i).substr(2) : acme.names(i));
    const auto encoded = ascii ? DomainToAscii(*ascii) : std::unexpected(ascii.error());
    if (!encoded || !IsDnsName(*encoded) || !encoded->contains('.'))
      return Wrong(
          yaml, key,
          fmt::format("is '{}'; would be right: a name such as contoso.example", acme.names(i)));
    if (acme.names(i).starts_with("*.") && !by_dns)
      return Wrong(yaml, key,
                   fmt::format("is '{}'; would be right: a name without '*', or challenge: dns-01",
                               acme.names(i)));
  }
  const auto names = AcmeNames(yaml.config());
  if (!names) return Wrong(yaml, "acme.names", names.error().text);
  return CheckOneIsOurs(yaml, *names);
}

Checked CheckHook(YamlConfig& yaml, proto::Acme& acme) {
  if (acme.dns_hook().empty())
    return Wrong(yaml, "acme.dns_hook",
                 "is missing; would be right: a program for challenge dns-01, which is called with "
                 "add or remove, NAME and VALUE");
  std::string& file = *acme.mutable_dns_hook();
  file = FileBeside(yaml, file);
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0)
    return Wrong(
        yaml, "acme.dns_hook",
        fmt::format("names '{}', which cannot be found: {}; would be right: a program that "
                    "the user gatehoused runs as may start",
                    file, std::strerror(errno)));
  if (S_ISREG(found.st_mode) && ::access(file.c_str(), X_OK) == 0) return {};
  return Wrong(
      yaml, "acme.dns_hook",
      fmt::format("names '{}', which cannot be started; would be right: a program that the "
                  "user gatehoused runs as may start (chmod +x)",
                  file));
}

Checked CheckChallenge(YamlConfig& yaml, proto::Acme& acme) {
  if (acme.challenge().empty()) acme.set_challenge(std::string(kHttpChallenge));
  if (acme.challenge() == kDnsChallenge) return CheckHook(yaml, acme);
  if (acme.challenge() != kHttpChallenge)
    return Wrong(yaml, "acme.challenge",
                 fmt::format("is '{}'; would be right: http-01 or dns-01", acme.challenge()));
  if (yaml.config().listen().http().empty())
    return Wrong(
        yaml, "acme.challenge",
        "is http-01, and nothing listens for it; would be right: http: [\"[::]:80\"] below "
        "listen, or challenge: dns-01");
  if (!acme.dns_hook().empty())
    return Wrong(yaml, "acme.dns_hook",
                 "is for challenge dns-01; would be right: without this key, or challenge: dns-01");
  return {};
}

bool HoldsBase64UrlKey(const std::string& file) {
  constexpr std::size_t kMaxKeyFileBytes = 65536;
  std::string content(kMaxKeyFileBytes, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(content.data(), static_cast<std::streamsize>(content.size()));
  auto key = DecodeBase64Url(
      ascii::Trim(std::string_view(content).substr(0, static_cast<std::size_t>(stream.gcount()))));
  Wipe(content);
  const bool is_key = key && !key->empty();
  if (key) Wipe(*key);
  return is_key;
}

Checked CheckAccount(YamlConfig& yaml, proto::AcmeExternalAccount& account) {
  constexpr std::string_view kFile =
      "a file with the base64url key that the CA gave, readable by "
      "the user gatehoused runs as alone";
  if (account.key_id().empty())
    return Wrong(yaml, "acme.external_account.key_id",
                 "is missing; would be right: the key's name that the CA gave");
  if (account.key_file().empty())
    return Wrong(yaml, "acme.external_account.key_file",
                 fmt::format("is missing; would be right: {}", kFile));
  GATEHOUSE_TRY_VOID(
      CheckReadable(yaml, "acme.external_account.key_file", *account.mutable_key_file(), kFile));
  struct stat found{};
  if (::stat(account.key_file().c_str(), &found) != 0 || (found.st_mode & 077) != 0)
    return Wrong(yaml, "acme.external_account.key_file",
                 fmt::format("names '{}', which others may read; would be right: {} (chmod 600)",
                             account.key_file(), kFile));
  if (HoldsBase64UrlKey(account.key_file())) return {};
  return Wrong(yaml, "acme.external_account.key_file",
               fmt::format("names '{}', which holds no base64url key; would be right: {}",
                           account.key_file(), kFile));
}

bool HasWorker(const proto::Config& config) {
  return std::ranges::any_of(
      config.workers(), [](const proto::WorkerPool& pool) { return pool.plugin() == kAcmeWorker; });
}

// The section and its worker.
Checked CheckTogether(const YamlConfig& yaml) {
  const proto::Config& config = yaml.config();
  const bool runs = HasWorker(config);
  if (config.has_acme() && !runs)
    return Wrong(yaml, "acme",
                 "needs its worker; would be right: '- plugin: acme_client' below workers");
  if (runs && !config.has_acme())
    return Wrong(yaml, "workers",
                 "has acme_client, which has nothing to do; would be right: a section acme, or "
                 "without that worker");
  if (!config.listen().http().empty() && !runs)
    return Wrong(yaml, "listen.http",
                 "is for acme_client, which is not there; would be right: without this key, or a "
                 "section acme and '- plugin: acme_client' below workers");
  return {};
}

}  // namespace

Result<std::vector<std::string>> AcmeNames(const proto::Config& config) {
  std::vector<std::string> given(config.acme().names().begin(), config.acme().names().end());
  if (given.empty()) {
    GATEHOUSE_TRY(given, OwnDomains(config));
  }
  std::vector<std::string> names;
  for (const std::string& name : given) {
    const bool is_wild = name.starts_with("*.");
    GATEHOUSE_TRY(const std::string prepared, PrepareDomain(is_wild ? name.substr(2) : name));
    GATEHOUSE_TRY(const std::string encoded, DomainToAscii(prepared));
    if (!IsDnsName(encoded))
      return BadConfig(
          fmt::format("'{}' is no name that a certificate can carry; would be right: a "
                      "name such as contoso.example",
                      name));
    std::string ascii = (is_wild ? "*." : "") + ascii::Lower(encoded);
    if (std::ranges::find(names, ascii) == names.end()) names.push_back(std::move(ascii));
  }
  return names;
}

void CheckAcme(YamlConfig& yaml) {
  yaml.Note(CheckTogether(yaml));
  if (!yaml.config().has_acme()) return;
  proto::Acme& acme = *yaml.config().mutable_acme();
  yaml.Note(CheckServer(yaml, acme));
  yaml.Note(CheckChallenge(yaml, acme));
  yaml.Note(CheckWanted(yaml, acme));
  if (!acme.trust().empty() && acme.trust() != "system")
    yaml.Note(CheckReadable(yaml, "acme.trust", *acme.mutable_trust(),
                            "system, or a PEM file of authorities"));
  if (acme.has_external_account()) yaml.Note(CheckAccount(yaml, *acme.mutable_external_account()));
}

}  // namespace gatehouse
