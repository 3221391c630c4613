#include "core/config/check_certificate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ctime>

#include "core/tls/revocation_lists.h"
#include "core/tls/tls_files.h"

namespace gatehouse {
namespace {

Error Complaint(const YamlConfig& yaml, const BadTlsFile& bad) {
  const auto at = [&](std::string_view key, std::string_view remedy) {
    return yaml.At(key, fmt::format("names '{}', which {}; would be right: {}", bad.file,
                                    bad.problem, remedy));
  };
  switch (bad.which) {
    case BadTlsFile::Which::kChain:
      return at("tls.chain_file", "a PEM file with the certificate, leaf first");
    case BadTlsFile::Which::kKey:
      return at("tls.key_file", "the private key of that certificate, in a PEM file");
    case BadTlsFile::Which::kRevoked:
      return at("tls.crl_file", "the revocation lists of authorities, in a PEM file");
    case BadTlsFile::Which::kTrust:
      break;
  }
  return at("tls.trust", "system, or a PEM file of the authorities to trust");
}

// A partner may do without, by dialback: no error.
void WarnOfDomains(YamlConfig& yaml, const PeerCertificate& ours) {
  std::string missing;
  for (const proto::Domain& domain : yaml.config().domains())
    if (!MatchesXmppDomain(ours, domain.name()))
      missing += (missing.empty() ? "" : ", ") + domain.name();
  if (missing.empty()) return;
  yaml.Warn("tls.chain_file",
            fmt::format("names '{}', a certificate without the domain {}; partners that check "
                        "certificates will refuse us there",
                        yaml.config().tls().chain_file(), missing));
}

// A list that nobody has signed would let in again what the right one revokes.
Result<void> CheckSigners(YamlConfig& yaml) {
  const proto::Tls& tls = yaml.config().tls();
  const auto signers = CheckListSigners(
      {.chain_file = {}, .key_file = {}, .trust = tls.trust(), .crl_file = tls.crl_file()});
  if (!signers) return std::unexpected(Complaint(yaml, signers.error()));
  if (!signers->others.empty())
    return std::unexpected(yaml.At(
        "tls.crl_file",
        fmt::format("names '{}', where the list of {} is not signed by the authority of that name "
                    "in tls.trust; would be right: the list as that authority publishes it",
                    tls.crl_file(), fmt::join(signers->others, ", "))));
  if (!signers->unknown.empty())
    yaml.Warn("tls.crl_file",
              fmt::format("names '{}', where the list of {} is signed by no authority in tls.trust; "
                          "it revokes nothing but what a CA of that name in a partner's own chain "
                          "has signed: fetch the lists of the authorities in tls.trust",
                          tls.crl_file(), fmt::join(signers->unknown, ", ")));
  return {};
}

Result<void> CheckRevocationLists(YamlConfig& yaml) {
  const std::string file = yaml.config().tls().crl_file();
  const auto lists = RevocationLists::Read(file);
  if (!lists)
    return std::unexpected(
        Complaint(yaml, {BadTlsFile::Which::kRevoked, file, lists.error().text}));
  if (*lists == nullptr) return {};
  const std::vector<std::string> outdated = (*lists)->Outdated(std::time(nullptr));
  if (!outdated.empty())
    yaml.Warn("tls.crl_file",
              fmt::format("names '{}', where the list of {} is out of date; what was revoked since "
                          "is taken for good: fetch it anew and reload",
                          file, fmt::join(outdated, ", ")));
  return CheckSigners(yaml);
}

Result<void> CheckAcmeTrust(YamlConfig& yaml) {
  const std::string& trust = yaml.config().acme().trust();
  if (trust.empty()) return {};
  const auto anchors =
      CheckTlsFiles({.chain_file = {}, .key_file = {}, .trust = trust, .crl_file = {}});
  if (anchors) return {};
  return std::unexpected(
      yaml.At("acme.trust", fmt::format("names '{}', which {}", trust, anchors.error().problem)));
}

}  // namespace

Result<void> CheckCertificate(YamlConfig& yaml) {
  GATEHOUSE_TRY_VOID(CheckRevocationLists(yaml));
  GATEHOUSE_TRY_VOID(CheckAcmeTrust(yaml));
  const proto::Tls& tls = yaml.config().tls();
  if (tls.chain_file().empty() && tls.trust().empty()) return {};
  const auto ours = CheckTlsFiles({.chain_file = tls.chain_file(),
                                   .key_file = tls.key_file(),
                                   .trust = tls.trust(),
                                   .crl_file = {}});
  if (!ours) return std::unexpected(Complaint(yaml, ours.error()));
  if (!tls.chain_file().empty()) WarnOfDomains(yaml, *ours);
  return {};
}

}  // namespace gatehouse
