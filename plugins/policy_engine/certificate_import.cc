// `cert import`: from files in any form to a chain with its key, which takes the place of what its
// name had.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/one_line.h"
#include "core/base/utf8_check.h"
#include "core/certificate/certificate_bundle.h"
#include "core/certificate/certificate_request.h"
#include "core/certificate/private_key.h"
#include "core/tls/own_certificate.h"
#include "plugins/policy_engine/certificate_keeper.h"
#include "plugins/policy_engine/certificate_view.h"

namespace gatehouse::policy_engine {

// What is in the files.
struct CertificateKeeper::Incoming {
  struct Key {
    std::string pem;
    std::string hash;
  };
  Incoming() = default;
  Incoming(Incoming&&) = default;
  Incoming& operator=(Incoming&&) = default;
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;
  ~Incoming() {
    for (Key& key : keys) Wipe(key.pem);
  }
  [[nodiscard]] bool IsCertified(std::string_view hash) const {
    return std::ranges::find(certified, hash) != certified.end();
  }

  std::vector<std::string> certificates;  // DER
  std::vector<std::string> certified;     // the hashes of their public keys
  std::vector<Key> keys;
};

// The key that one of the certificates is for.
struct CertificateKeeper::Found {
  enum class Where { kFiles, kRequest, kPresent };
  Where where = Where::kFiles;
  std::string name;
  std::string hash;
  std::string pem;  // of kFiles

  Found() = default;
  Found(Found&&) = default;
  Found& operator=(Found&&) = default;
  Found(const Found&) = delete;
  Found& operator=(const Found&) = delete;
  ~Found() { Wipe(pem); }
};

Result<CertificateKeeper::Incoming> CertificateKeeper::ReadFiles(
    const proto::CertificateImport& command) {
  Incoming incoming;
  for (const proto::CertificateFile& file : command.files()) {
    auto bundle = ReadCertificateBundle(file.content(), command.passphrase());
    if (!bundle) return BadConfig(fmt::format("'{}' {}", file.file(), bundle.error().text));
    for (std::string& key : bundle->keys) {
      auto hash = PublicKeyHash(key);
      if (!hash) return BadConfig(fmt::format("'{}': {}", file.file(), hash.error().text));
      incoming.keys.push_back({std::move(key), *std::move(hash)});
    }
    for (std::string& der : bundle->certificates) {
      const auto facts = FactsOf(der);
      if (!facts) return BadConfig(fmt::format("'{}': {}", file.file(), facts.error().text));
      incoming.certified.push_back(facts->public_key_hash);
      incoming.certificates.push_back(std::move(der));
    }
  }
  if (incoming.certificates.empty())
    return BadConfig("the files hold no certificate; give the one that your CA has issued");
  if (incoming.certificates.size() > kMaxBundleCertificates)
    return BadConfig(
        fmt::format("the files hold more than {} certificates; give those of one "
                    "chain",
                    kMaxBundleCertificates));
  return incoming;
}

// A key in the files goes first, then requests, then the keys of certificates that are here.
Result<CertificateKeeper::Found> CertificateKeeper::FindKey(const Incoming& incoming,
                                                            const std::string& name) const {
  Found found;
  for (const Incoming::Key& key : incoming.keys) {
    if (!incoming.IsCertified(key.hash) || key.hash == found.hash) continue;
    if (!found.hash.empty())
      return BadConfig(
          "the files hold several certificates with their keys; import them one by one");
    found.hash = key.hash;
    found.pem = key.pem;
  }
  const auto fits = [&incoming, given = found.hash](const std::string& hash) {
    return given.empty() ? incoming.IsCertified(hash) : hash == given;
  };
  for (const HeldCertificate& held : held_) {
    if (held.row.request.empty() || (!name.empty() && held.row.name != name)) continue;
    const auto hash = RequestPublicKeyHash(held.row.request);
    if (!hash || !fits(*hash)) continue;
    if (!found.name.empty())
      return BadConfig(
          fmt::format("both '{}' and '{}' were requested with a key that is "
                      "certified here; say which with --name",
                      found.name, held.row.name));
    found.name = held.row.name;
    if (found.pem.empty()) found.where = Found::Where::kRequest;
    found.hash = *hash;
  }
  if (!name.empty()) found.name = name;
  if (found.hash.empty()) {
    for (const HeldCertificate& held : held_) {
      if (!held.usable() || (!name.empty() && held.row.name != name)) continue;
      const std::string& hash = held.chain.links.front().public_key_hash;
      if (!incoming.IsCertified(hash)) continue;
      if (!found.hash.empty())
        return BadConfig(fmt::format(
            "both '{}' and '{}' have a key that is certified here; say which with --name",
            found.name, held.row.name));
      found.where = Found::Where::kPresent;
      found.name = held.row.name;
      found.hash = hash;
    }
  }
  if (found.hash.empty())
    return BadConfig(fmt::format(
        "none of the certificates is for a key that is here: {}, and {}; give the file with the "
        "key too, or import what was issued for gatehousectl cert request",
        incoming.keys.empty() ? "the files hold none" : "those in the files are for none of them",
        name.empty() ? "no request that waits has one of these"
                     : fmt::format("'{}' has none of these", name)));
  if (found.name.empty())
    return BadConfig("the certificate has no name yet; give it one with --name");
  return found;
}

// The row of that name as it will be, but for the chain.
Result<CertificateRow> CertificateKeeper::Renewed(const Found& found,
                                                  const proto::CertificateImport& command,
                                                  std::string_view key_source) {
  const HeldCertificate* const before = Find(found.name);
  CertificateRow row = before == nullptr ? CertificateRow{} : before->row;
  row.name = found.name;
  if (!command.friendly_name().empty()) row.friendly_name = command.friendly_name();
  const auto requested = RequestPublicKeyHash(row.request);
  const bool was_requested = !row.request.empty() && requested && *requested == found.hash;
  switch (found.where) {
    case Found::Where::kFiles: {
      GATEHOUSE_TRY(row.sealed_key, SealKey(found.pem, row.name));
      row.exportable = command.exportable();
      row.source = key_source;
      break;
    }
    case Found::Where::kRequest:
      row.sealed_key = row.pending_key;
      row.exportable = row.pending_exportable;
      row.source = kFromRequest;
      break;
    case Found::Where::kPresent:
      break;
  }
  if (was_requested) {
    row.request.clear();
    row.pending_key.clear();
    row.pending_exportable = false;
  }
  return row;
}

// Of those that show it, at once or already; and where none does, whether any could.
Result<void> CertificateKeeper::CheckSlots(const BuiltChain& chain, const std::string& name,
                                           std::int64_t now) const {
  for (const Slot slot : SlotsOf(name)) {
    if (!IsInUse(slot)) continue;
    const Fitness fitness = Judge(chain, slot, now);
    if (fitness.refusals.empty()) continue;
    return BadConfig(
        fmt::format("it would not fit slot {}, which '{}' is assigned to: {}; nothing "
                    "was changed",
                    SlotWord(slot), name, fmt::join(fitness.refusals, "; ")));
  }
  const std::vector<std::string> why = WhyInNoSlot(chain, QuestionOn(chain, Slot::kXmpp, now));
  if (why.empty()) return {};
  return BadConfig(
      fmt::format("it could be shown nowhere: {}; nothing was changed", fmt::join(why, "; ")));
}

CertificateKeeper::Reply CertificateKeeper::Import(Store& store,
                                                   const proto::CertificateImport& command,
                                                   AuditEntry audit, std::string_view key_source) {
  const std::int64_t now = audit.at_unix_ms / 1000;
  if (!command.name().empty()) GATEHOUSE_TRY_VOID(CheckRoomFor(command.name()));
  GATEHOUSE_TRY_VOID(CheckFriendlyName(command.friendly_name()));
  GATEHOUSE_TRY(const Incoming incoming, ReadFiles(command));
  GATEHOUSE_TRY(const Found found, FindKey(incoming, command.name()));
  GATEHOUSE_TRY(const BuiltChain chain, BuildChain(incoming.certificates, found.hash, now));
  GATEHOUSE_TRY_VOID(CheckSlots(chain, found.name, now));
  GATEHOUSE_TRY(CertificateRow row, Renewed(found, command, key_source));
  row.chain = chain.pem;
  row.created_unix = now;
  const HeldCertificate held = HeldOf(row);
  if (!held.usable())
    return BadConfig(
        fmt::format("'{}' cannot be used with the key that is here; request it anew", found.name));
  audit.subject = row.name;
  if (const HeldCertificate* before = Find(row.name)) audit.before = CertificateAuditText(*before);
  audit.after = CertificateAuditText(held);
  GATEHOUSE_TRY_VOID(store.PutCertificate(row, audit));
  GATEHOUSE_TRY_VOID(Read(store));
  std::vector<std::string> notes = chain.notes;
  if (SlotsOf(row.name).empty())
    notes.push_back("it is not assigned to a slot yet; see gatehousectl cert assign");
  if (!chain.root_seen && chain.links.size() == 1 && !chain.links.front().self_signed)
    notes.push_back(fmt::format(
        "its issuer '{}' is not among the certificates: peers that do not know it as a root refuse "
        "the chain; import the CA certificates with it",
        chain.links.front().issuer));
  return OneView(row.name, now, std::move(notes));
}

// --- by ACME

std::optional<proto::CertificateView> CertificateKeeper::Renewable(std::int64_t now) const {
  const HeldCertificate* const held = Find(edge_.renewed);
  // One whose key is lost is as good as none.
  if (held == nullptr || !held->usable()) return std::nullopt;
  return ViewOf(*held, now);
}

CertificateKeeper::Reply CertificateKeeper::TakeRenewed(Store& store,
                                                        const proto::AcmeRenewed& renewed,
                                                        AuditEntry audit) {
  if (edge_.renewed.empty()) return BadConfig("gatehouse.yaml names no certificate for ACME");
  if (renewed.name() != edge_.renewed)
    return BadConfig(fmt::format("it was got for '{}', and acme.certificate is '{}' now",
                                 renewed.name(), edge_.renewed));
  proto::CertificateImport command;
  command.set_name(edge_.renewed);
  const auto add = [&command](const char* what, const std::string& content) {
    proto::CertificateFile& file = *command.add_files();
    file.set_file(what);
    file.set_content(content);
  };
  add("the chain of the CA", renewed.chain());
  add("its key", renewed.key());
  const HeldCertificate* const before = Find(edge_.renewed);
  const std::string chain_before = before == nullptr ? std::string() : before->row.chain;
  Reply reply = Import(store, command, audit, kFromAcme);
  Wipe(*command.mutable_files(1)->mutable_content());
  if (!reply) return reply;
  // A slot that shows nothing after the first issue was emptied on purpose. The same chain again:
  // we died before it was assigned, or our answer was lost.
  const bool is_first = chain_before.empty() || chain_before == Find(edge_.renewed)->row.chain;
  if (!is_first || !NameOf(Slot::kXmpp).empty() || edge_.file) return reply;
  proto::CertificateAssign assign;
  assign.set_name(edge_.renewed);
  assign.add_slots(proto::SLOT_XMPP);
  audit.action = "cert assign";
  Reply assigned = Assign(store, assign, std::move(audit));
  if (assigned || assigned.error().fault != Fault::kConfig) return assigned;
  reply->mutable_certificates()->mutable_certificates(0)->add_warnings(assigned.error().text);
  return reply;
}

}  // namespace gatehouse::policy_engine
