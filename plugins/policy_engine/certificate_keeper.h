// Our own certificates: what the commands do with them, and which one each slot shows. The store is
// given with each call; keys are in it sealed, and here only while they are used.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/certificate/certificate_chain.h"
#include "core/certificate/sealed_key.h"
#include "core/certificate/slot_fitness.h"
#include "core/tls/revocation_lists.h"
#include "plugins/policy_engine/certificate_table.h"
#include "plugins/policy_engine/store.h"
#include "proto/config.pb.h"
#include "proto/ctl.pb.h"
#include "proto/link_policy.pb.h"

namespace gatehouse::policy_engine {

inline constexpr std::size_t kMaxCertificates = 200;

// What `source` of a row is.
inline constexpr std::string_view kFromRequest = "request";
inline constexpr std::string_view kFromImport = "import";
inline constexpr std::string_view kFromAcme = "acme";

// When what is shown ends. `name`: of the store, or the file of gatehouse.yaml.
struct ShownEnd {
  std::string name;
  std::int64_t not_after = 0;  // the earliest of the chain
  bool from_file = false;
};

// What gatehouse.yaml says of them.
struct CertificateEdge {
  std::string named;                 // tls.certificate: of slots that nothing is assigned to
  std::string renewed;               // acme.certificate; empty: none is renewed by ACME
  std::vector<std::string> domains;  // ours, A-labels
  std::string sip_host;              // by which SIP peers know us; may be empty
  bool sip_speaks_tls = false;
  std::optional<ShownEnd> file;  // tls.chain_file, for slots that the store has nothing for
  std::shared_ptr<const RevocationLists> revoked = nullptr;  // of tls.crl_file; null: none
};
// Reads tls.chain_file and tls.crl_file.
Result<CertificateEdge> CertificateEdgeOf(const proto::Config& config);

// A row and what was read in it.
struct HeldCertificate {
  CertificateRow row;
  BuiltChain chain;         // without links: requested only, or damaged
  bool key_usable = false;  // of `chain`: this machine can unseal it

  [[nodiscard]] bool usable() const { return key_usable && !chain.links.empty(); }
  [[nodiscard]] std::int64_t not_after() const;  // the earliest of the chain
};

class CertificateKeeper {
 public:
  using Reply = Result<proto::CtlResponse>;

  // Where keys are sealed with: a file that is made when the first key comes. Empty: none can be
  // kept.
  void SetSealFile(std::string file) { seal_file_ = std::move(file); }
  void SetEdge(CertificateEdge edge) { edge_ = std::move(edge); }
  // What the store holds, anew. One that cannot be used is told in the log, and leaves the others
  // alone.
  Result<void> Read(Store& store);
  // Names, joined; empty: all of them can be used.
  [[nodiscard]] std::string UnusableNames() const;

  // The commands. Refused: nothing has changed, the error is a sentence with the remedy.
  Reply Request(Store& store, const proto::CertificateRequested& command, AuditEntry audit);
  // `key_source`: how a key that is in the files came here.
  Reply Import(Store& store, const proto::CertificateImport& command, AuditEntry audit,
               std::string_view key_source = kFromImport);
  // The certificate that acme.certificate names: null, there is none.
  [[nodiscard]] std::optional<proto::CertificateView> Renewable(std::int64_t now) const;
  // What acme_client has got for it, with the checks of Import. The first of that name is shown to
  // XMPP partners where that slot would show nothing; a warning says where it does not fit.
  Reply TakeRenewed(Store& store, const proto::AcmeRenewed& renewed, AuditEntry audit);
  Reply Assign(Store& store, const proto::CertificateAssign& command, AuditEntry audit);
  Reply Show(const std::string& name, std::int64_t now) const;
  Reply Remove(Store& store, const std::string& name, AuditEntry audit);
  Reply GiveKey(Store& store, const std::string& name, AuditEntry audit);

  // What the slot shows now, with its key; `name` is empty where that is nothing.
  proto::CertificateGiven Given(Slot slot);
  // Null: nothing that can be used.
  [[nodiscard]] const HeldCertificate* Shown(Slot slot) const;
  // Of the store's, or of the files; none: the slot shows nothing, or is not used.
  [[nodiscard]] std::optional<ShownEnd> EndOf(Slot slot) const;

 private:
  struct Found;
  struct Incoming;
  // By what is assigned, or named in gatehouse.yaml.
  [[nodiscard]] std::string NameOf(Slot slot) const;
  [[nodiscard]] std::vector<Slot> SlotsOf(const std::string& name) const;
  [[nodiscard]] bool IsInUse(Slot slot) const;
  [[nodiscard]] const HeldCertificate* Find(const std::string& name) const;
  Result<const HeldCertificate*> MustFind(const std::string& name) const;
  [[nodiscard]] FitnessQuestion QuestionOn(const BuiltChain& chain, Slot slot,
                                           std::int64_t now) const;
  [[nodiscard]] Fitness Judge(const BuiltChain& chain, Slot slot, std::int64_t now) const;
  Result<const KeySeal*> Seal(bool may_make);
  Result<std::string> SealKey(const std::string& key, const std::string& name);
  Result<std::string> UnsealKey(const std::string& sealed, const std::string& name);
  HeldCertificate HeldOf(CertificateRow row);
  static Result<void> CheckFriendlyName(const std::string& name);
  Result<void> CheckRoomFor(const std::string& name) const;
  [[nodiscard]] proto::CertificateView ViewOf(const HeldCertificate& held, std::int64_t now) const;
  Reply OneView(const std::string& name, std::int64_t now,
                std::vector<std::string> notes = {}) const;
  // --- import
  static Result<Incoming> ReadFiles(const proto::CertificateImport& command);
  Result<Found> FindKey(const Incoming& incoming, const std::string& name) const;
  Result<CertificateRow> Renewed(const Found& found, const proto::CertificateImport& command,
                                 std::string_view key_source);
  Result<void> CheckSlots(const BuiltChain& chain, const std::string& name, std::int64_t now) const;

  std::string seal_file_;
  std::optional<KeySeal> seal_;
  CertificateEdge edge_;
  std::vector<HeldCertificate> held_;  // by name
  std::map<Slot, std::string> slots_;
};

}  // namespace gatehouse::policy_engine
