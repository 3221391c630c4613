#include "plugins/policy_engine/certificate_keeper.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/base/log.h"
#include "core/base/one_line.h"
#include "core/base/regular_file.h"
#include "core/base/utf8_check.h"
#include "core/certificate/certificate_bundle.h"
#include "core/certificate/certificate_request.h"
#include "core/certificate/private_key.h"
#include "core/config/certificate_name.h"
#include "core/policy/own_domains.h"
#include "core/sip/sip_uri.h"
#include "core/tls/crypto.h"
#include "core/tls/own_certificate.h"
#include "core/xmpp/jid.h"
#include "plugins/policy_engine/certificate_view.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::array kSlots = {Slot::kXmpp, Slot::kSip};
constexpr std::size_t kMaxFriendlyNameBytes = 256;
constexpr std::size_t kMaxPemBytes = 65536;

std::int64_t NowOf(const AuditEntry& audit) {
  return audit.at_unix_ms / 1000;
}

bool GoesOverTls(const std::string& next_hop) {
  const auto uri = SipUri::Parse(next_hop);
  return uri && (uri->secure || uri->Param("transport") == "tls");
}

std::vector<Slot> SlotsIn(const proto::CertificateAssign& command) {
  std::vector<Slot> slots;
  for (const Slot slot : kSlots) {
    const int word = slot == Slot::kXmpp ? proto::SLOT_XMPP : proto::SLOT_SIP;
    if (command.slots().empty() || std::ranges::count(command.slots(), word) > 0)
      slots.push_back(slot);
  }
  return slots;
}

std::string SlotWords(std::span<const Slot> slots) {
  std::vector<std::string_view> words;
  for (const Slot slot : slots) words.push_back(SlotWord(slot));
  return fmt::format("{}", fmt::join(words, " and "));
}

// Whether the file can be shown at all is the business of those that show it.
std::optional<ShownEnd> EndOfFile(const std::string& file) {
  if (file.empty()) return std::nullopt;
  const auto content = ReadRegularFile(file, kMaxBundleBytes);
  if (!content) return std::nullopt;
  const auto bundle = ReadCertificateBundle(*content, {});
  if (!bundle || bundle->certificates.empty()) return std::nullopt;
  ShownEnd end{
      .name = file, .not_after = std::numeric_limits<std::int64_t>::max(), .from_file = true};
  for (const std::string& der : bundle->certificates)
    if (const auto facts = FactsOf(der)) end.not_after = std::min(end.not_after, facts->not_after);
  return end;
}

}  // namespace

Result<void> CertificateKeeper::CheckFriendlyName(const std::string& name) {
  if (name.size() > kMaxFriendlyNameBytes || HasControls(name))
    return BadConfig(
        fmt::format("a friendly name is one line of at most {} octets", kMaxFriendlyNameBytes));
  return {};
}

std::int64_t HeldCertificate::not_after() const {
  std::int64_t end = chain.links.empty() ? 0 : chain.links.front().not_after;
  for (const CertificateFacts& link : chain.links) end = std::min(end, link.not_after);
  return end;
}

Result<CertificateEdge> CertificateEdgeOf(const proto::Config& config) {
  GATEHOUSE_TRY(const std::vector<std::string> domains, OwnDomains(config));
  CertificateEdge edge;
  for (const std::string& domain : domains) {
    GATEHOUSE_TRY(std::string ascii, DomainToAscii(domain));
    edge.domains.push_back(std::move(ascii));
  }
  edge.named = config.tls().certificate();
  edge.renewed = config.acme().certificate();
  edge.sip_host = config.sip().host();
  auto revoked = RevocationLists::Read(config.tls().crl_file());
  if (!revoked)
    return BadConfig(
        fmt::format("tls.crl_file '{}' {}", config.tls().crl_file(), revoked.error().text));
  edge.revoked = *std::move(revoked);
  edge.file = EndOfFile(config.tls().chain_file());
  edge.sip_speaks_tls =
      std::ranges::any_of(config.listen().sip(),
                          [](const std::string& text) { return text.starts_with("tls:"); }) ||
      std::ranges::any_of(config.domains(), [](const proto::Domain& domain) {
        return GoesOverTls(domain.next_hop());
      });
  return edge;
}

// --- what is held

Result<void> CertificateKeeper::Read(Store& store) {
  GATEHOUSE_TRY(CertificateContent content, store.Certificates());
  held_.clear();
  for (CertificateRow& row : content.rows) held_.push_back(HeldOf(std::move(row)));
  slots_ = std::move(content.slots);
  return {};
}

HeldCertificate CertificateKeeper::HeldOf(CertificateRow row) {
  HeldCertificate held;
  held.row = std::move(row);
  if (held.row.chain.empty()) return held;
  const auto bundle = ReadCertificateBundle(held.row.chain, {});
  auto key = UnsealKey(held.row.sealed_key, held.row.name);
  const auto own =
      key ? OwnCertificate::Parse(held.row.chain, *key)
          : Result<std::shared_ptr<const OwnCertificate>>(std::unexpected(key.error()));
  held.key_usable = own.has_value();
  if (!own)
    Log(LogLevel::kError, "certificate-unusable",
        {{"certificate", held.row.name}, {"why", own.error().text}});
  if (key) Wipe(*key);
  if (!bundle) return held;
  held.chain.pem = held.row.chain;
  held.chain.root_seen = true;  // whether it was there was told when it was imported
  for (const std::string& der : bundle->certificates)
    if (auto facts = FactsOf(der)) held.chain.links.push_back(*std::move(facts));
  return held;
}

std::string CertificateKeeper::UnusableNames() const {
  std::vector<std::string> names;
  for (const HeldCertificate& held : held_)
    if (!held.row.chain.empty() && !held.usable()) names.push_back("'" + held.row.name + "'");
  return fmt::format("{}", fmt::join(names, ", "));
}

const HeldCertificate* CertificateKeeper::Find(const std::string& name) const {
  const auto found = std::ranges::find(
      held_, name, [](const HeldCertificate& held) -> const auto& { return held.row.name; });
  return found == held_.end() ? nullptr : &*found;
}

Result<const HeldCertificate*> CertificateKeeper::MustFind(const std::string& name) const {
  if (const HeldCertificate* held = Find(name)) return held;
  return BadConfig(fmt::format("there is no certificate '{}'; see gatehousectl cert list", name));
}

std::string CertificateKeeper::NameOf(Slot slot) const {
  const auto assigned = slots_.find(slot);
  return assigned == slots_.end() ? edge_.named : assigned->second;
}

std::vector<Slot> CertificateKeeper::SlotsOf(const std::string& name) const {
  std::vector<Slot> slots;
  for (const Slot slot : kSlots)
    if (NameOf(slot) == name) slots.push_back(slot);
  return slots;
}

const HeldCertificate* CertificateKeeper::Shown(Slot slot) const {
  const HeldCertificate* const held = Find(NameOf(slot));
  return held != nullptr && held->usable() ? held : nullptr;
}

std::optional<ShownEnd> CertificateKeeper::EndOf(Slot slot) const {
  if (const HeldCertificate* held = Shown(slot))
    return ShownEnd{.name = held->row.name, .not_after = held->not_after()};
  return IsInUse(slot) ? edge_.file : std::nullopt;
}

proto::CertificateGiven CertificateKeeper::Given(Slot slot) {
  proto::CertificateGiven given;
  if (const HeldCertificate* held = Shown(slot)) {
    if (auto key = UnsealKey(held->row.sealed_key, held->row.name)) {
      given.set_name(held->row.name);
      given.set_chain(held->row.chain);
      given.set_key(*std::move(key));
    }
  }
  std::string bytes = given.SerializeAsString();
  given.set_hash(Sha256(bytes));
  Wipe(bytes);
  return given;
}

// --- keys

// A new one opens nothing that was sealed before: it is made where a key is to be sealed only.
Result<const KeySeal*> CertificateKeeper::Seal(bool may_make) {
  if (seal_) return &*seal_;
  if (seal_file_.empty()) return Trouble("this engine keeps no private keys");
  GATEHOUSE_TRY(KeySeal seal, may_make ? KeySeal::Open(seal_file_) : KeySeal::Read(seal_file_));
  seal_.emplace(std::move(seal));
  return &*seal_;
}

Result<std::string> CertificateKeeper::SealKey(const std::string& key, const std::string& name) {
  GATEHOUSE_TRY(const KeySeal* seal, Seal(true));
  return seal->Seal(key, name);
}

Result<std::string> CertificateKeeper::UnsealKey(const std::string& sealed,
                                                 const std::string& name) {
  GATEHOUSE_TRY(const KeySeal* seal, Seal(false));
  return seal->Unseal(sealed, name);
}

// --- fitness

// A slot of which gatehouse.yaml says nothing but a name counts only where it is used.
bool CertificateKeeper::IsInUse(Slot slot) const {
  return slot == Slot::kXmpp || edge_.sip_speaks_tls || slots_.contains(slot);
}

FitnessQuestion CertificateKeeper::QuestionOn(const BuiltChain& chain, Slot slot,
                                              std::int64_t now) const {
  FitnessQuestion question{
      .slot = slot, .domains = edge_.domains, .sip_host = edge_.sip_host, .now = now};
  if (edge_.revoked != nullptr) question.revoked = edge_.revoked->Listed(chain.pem);
  return question;
}

Fitness CertificateKeeper::Judge(const BuiltChain& chain, Slot slot, std::int64_t now) const {
  return JudgeForSlot(chain, QuestionOn(chain, slot, now));
}

// --- commands

Result<void> CertificateKeeper::CheckRoomFor(const std::string& name) const {
  if (!IsCertificateName(name)) return BadConfig(CertificateNameRefusal(name));
  if (Find(name) == nullptr && held_.size() >= kMaxCertificates)
    return BadConfig(
        fmt::format("there are {} certificates, and no more are possible; take one "
                    "out with gatehousectl cert remove",
                    held_.size()));
  return {};
}

CertificateKeeper::Reply CertificateKeeper::Request(Store& store,
                                                    const proto::CertificateRequested& command,
                                                    AuditEntry audit) {
  GATEHOUSE_TRY_VOID(CheckRoomFor(command.name()));
  GATEHOUSE_TRY_VOID(CheckFriendlyName(command.friendly_name()));
  if (command.request().size() > kMaxPemBytes || command.key().size() > kMaxPemBytes)
    return BadConfig("the request or its key is too large");
  GATEHOUSE_TRY(const std::string wanted, RequestPublicKeyHash(command.request()));
  GATEHOUSE_TRY(const std::string has, PublicKeyHash(command.key()));
  if (wanted != has) return BadConfig("the key is not the one that the request is signed with");
  const HeldCertificate* const before = Find(command.name());
  CertificateRow row = before == nullptr ? CertificateRow{} : before->row;
  if (before == nullptr) {
    row.name = command.name();
    row.source = kFromRequest;
    row.exportable = command.exportable();
    row.created_unix = NowOf(audit);
  }
  row.request = command.request();
  GATEHOUSE_TRY(row.pending_key, SealKey(command.key(), row.name));
  row.pending_exportable = command.exportable();
  if (!command.friendly_name().empty()) row.friendly_name = command.friendly_name();
  audit.subject = row.name;
  std::vector<std::string> notes;
  if (before != nullptr && !before->row.request.empty())
    notes.emplace_back(
        "the request before this one is void, and so is a certificate that is issued for it: have "
        "this one issued");
  if (before != nullptr) audit.before = CertificateAuditText(*before);
  audit.after = CertificateAuditText(HeldOf(row));
  GATEHOUSE_TRY_VOID(store.PutCertificate(row, audit));
  GATEHOUSE_TRY_VOID(Read(store));
  return OneView(row.name, NowOf(audit), std::move(notes));
}

CertificateKeeper::Reply CertificateKeeper::Assign(Store& store,
                                                   const proto::CertificateAssign& command,
                                                   AuditEntry audit) {
  const std::vector<Slot> slots = SlotsIn(command);
  if (!command.name().empty()) {
    GATEHOUSE_TRY(const HeldCertificate* held, MustFind(command.name()));
    if (held->row.chain.empty())
      return BadConfig(
          fmt::format("'{}' is requested only; import what your CA has issued, with "
                      "gatehousectl cert import",
                      command.name()));
    if (!held->usable())
      return BadConfig(
          fmt::format("the key of '{}' cannot be unsealed on this machine; import it "
                      "anew with its key",
                      command.name()));
    for (const Slot slot : slots) {
      const Fitness fitness = Judge(held->chain, slot, NowOf(audit));
      if (!fitness.refusals.empty())
        return BadConfig(fmt::format("'{}' does not fit slot {}: {}; nothing was assigned",
                                     command.name(), SlotWord(slot),
                                     fmt::join(fitness.refusals, "; ")));
    }
  }
  audit.subject = SlotWords(slots);
  audit.before = SlotsAuditText(slots, slots_);
  std::map<Slot, std::string> after = slots_;
  for (const Slot slot : slots) {
    if (command.name().empty())
      after.erase(slot);
    else
      after[slot] = command.name();
  }
  audit.after = SlotsAuditText(slots, after);
  GATEHOUSE_TRY_VOID(store.AssignSlots(slots, command.name(), audit));
  GATEHOUSE_TRY_VOID(Read(store));
  if (!command.name().empty()) return OneView(command.name(), NowOf(audit));
  proto::CtlResponse response;
  response.set_done(fmt::format(
      "nothing is assigned to {} any more: what gatehouse.yaml says holds", SlotWords(slots)));
  return response;
}

CertificateKeeper::Reply CertificateKeeper::Show(const std::string& name, std::int64_t now) const {
  proto::CtlResponse response;
  proto::CertificateViews& views = *response.mutable_certificates();
  if (name.empty()) {
    for (const HeldCertificate& held : held_) *views.add_certificates() = ViewOf(held, now);
    return response;
  }
  GATEHOUSE_TRY(const HeldCertificate* held, MustFind(name));
  proto::CertificateView& view = *views.add_certificates();
  view = ViewOf(*held, now);
  view.set_request(held->row.request);
  view.set_pem(held->row.chain);
  return response;
}

CertificateKeeper::Reply CertificateKeeper::Remove(Store& store, const std::string& name,
                                                   AuditEntry audit) {
  GATEHOUSE_TRY(const HeldCertificate* held, MustFind(name));
  for (const Slot slot : SlotsOf(name))
    return BadConfig(
        slots_.contains(slot)
            ? fmt::format("'{}' is assigned to slot {}; assign another one first, with "
                          "gatehousectl cert assign",
                          name, SlotWord(slot))
            : fmt::format("'{}' is what gatehouse.yaml names at tls.certificate; take it out of "
                          "there first, or assign another one",
                          name));
  audit.subject = name;
  audit.before = CertificateAuditText(*held);
  GATEHOUSE_TRY_VOID(store.RemoveCertificate(name, audit));
  GATEHOUSE_TRY_VOID(Read(store));
  proto::CtlResponse response;
  response.set_done(fmt::format("certificate '{}' is removed, with its key", name));
  return response;
}

// Told by the audit first: a key that has left us unseen is worse than one that has not left.
CertificateKeeper::Reply CertificateKeeper::GiveKey(Store& store, const std::string& name,
                                                    AuditEntry audit) {
  GATEHOUSE_TRY(const HeldCertificate* held, MustFind(name));
  if (held->row.chain.empty() || !held->row.exportable)
    return BadConfig(fmt::format("the key of '{}' {}", name,
                                 held->row.chain.empty()
                                     ? "waits for its certificate, and is not given away before"
                                     : "is not exportable; request or import it anew as such"));
  GATEHOUSE_TRY(std::string key, UnsealKey(held->row.sealed_key, name));
  audit.subject = name;
  GATEHOUSE_TRY_VOID(store.Note(audit));
  proto::CtlResponse response;
  response.mutable_certificate_key()->set_key(std::move(key));
  return response;
}

// --- views

proto::CertificateView CertificateKeeper::ViewOf(const HeldCertificate& held,
                                                 std::int64_t now) const {
  proto::CertificateView view = CertificateViewOf(held);
  for (const Slot slot : SlotsOf(held.row.name))
    view.add_slots(slot == Slot::kXmpp ? proto::SLOT_XMPP : proto::SLOT_SIP);
  if (!held.row.chain.empty() && !held.usable())
    view.add_warnings(
        "its key cannot be unsealed on this machine, so it is not shown; import it anew with its "
        "key");
  if (held.chain.links.empty()) return view;
  for (const Slot slot : SlotsOf(held.row.name)) {
    const Fitness fitness = Judge(held.chain, slot, now);
    for (const auto* sentences : {&fitness.refusals, &fitness.warnings})
      for (const std::string& sentence : *sentences)
        view.add_warnings(fmt::format("slot {}: {}", SlotWord(slot), sentence));
  }
  return view;
}

CertificateKeeper::Reply CertificateKeeper::OneView(const std::string& name, std::int64_t now,
                                                    std::vector<std::string> notes) const {
  GATEHOUSE_TRY(const HeldCertificate* held, MustFind(name));
  proto::CtlResponse response;
  proto::CertificateView& view = *response.mutable_certificates()->add_certificates();
  view = ViewOf(*held, now);
  for (std::string& note : notes) view.add_warnings(std::move(note));
  return response;
}

}  // namespace gatehouse::policy_engine
