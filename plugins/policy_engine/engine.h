// Answers the operator's commands on partners and gateway settings from the store, and keeps the
// compiled policy. No socket, no loop; time is a parameter.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "plugins/policy_engine/certificate_keeper.h"
#include "plugins/policy_engine/contact_commands.h"
#include "plugins/policy_engine/contact_plan.h"
#include "plugins/policy_engine/data_rules.h"
#include "plugins/policy_engine/record_set.h"
#include "plugins/policy_engine/snapshot_compiler.h"
#include "plugins/policy_engine/store.h"
#include "plugins/policy_engine/stranger_memory.h"
#include "plugins/policy_engine/stream_memory.h"
#include "proto/ctl.pb.h"
#include "proto/link_policy.pb.h"

namespace gatehouse::policy_engine {

class Engine {
 public:
  // `served` are our own domains, prepared. Fails when the store cannot be read.
  static Result<Engine> Create(Store store, std::vector<std::string> served,
                               std::int64_t now_unix = 0, const DataLimits& limits = {});

  // `still_busy` is called over and over in whatever takes long. It must not come back here.
  void OnBusy(StillBusy still_busy);

  // Any command of CtlRequest; one that is not for the policy engine gets exit code 2. A change is
  // in the store and in policy() when this returns. Refused: exit code 1, `error` one sentence with
  // the remedy, nothing changed.
  [[nodiscard]] proto::CtlResponse Answer(const proto::CtlRequest& request,
                                          std::chrono::system_clock::time_point now);
  // `backup`: a copy of the store, to be made by Step. The file at `path` must be there, empty.
  Result<StoreCopy> CopyTo(const std::string& path) { return store_.CopyTo(path); }
  // That it was made, for the audit: who asked.
  Result<void> NoteBackup(const proto::CtlRequest& request,
                          std::chrono::system_clock::time_point now);
  // `restore`: the store in `file` takes the place of this one once all of it is sound: a store of
  // ours, its schema, every record by the rules of today, but for what it holds above a limit or
  // grants in a domain that is ours no more. What this one was is kept beside it. The revision is
  // above both, so that no number means two things.
  [[nodiscard]] proto::CtlResponse TakeStore(const std::string& file,
                                             const proto::CtlRequest& request,
                                             std::chrono::system_clock::time_point now);
  // Streams that a listener opened, or could not open. What must outlive this process, that TLS to
  // a partner succeeded (3.4.1), is in the store and in policy() when this returns well.
  Result<void> NoteStreams(const proto::StreamsSeen& seen, std::int64_t now_unix);
  // "Has this SIP user authorised that contact?" (5.4). Unknown where the user is not in a domain
  // of ours. Fails (kPeer) for addresses that are not bare or not prepared, (kTrouble) for a store
  // that cannot be read.
  Result<proto::ContactState> ContactOf(const proto::ContactWanted& wanted, std::int64_t now_unix);
  // SUBSCRIBEs that came together: what holds of each from now on, which is on the disk when this
  // returns well. Unknown: the contact's domain is no partner's. No room: its partner has as many
  // as one may have, and this one is not noted. The addresses have passed
  // CheckAddresses. Fails (kTrouble) for a store that cannot be written; then none of them holds.
  Result<std::vector<proto::ContactState>> NoteContacts(std::span<const proto::ContactSeen> seen,
                                                        std::int64_t now_unix);
  // Fails (kPeer) where one of the two is not a bare and prepared JID.
  static Result<void> CheckAddresses(const std::string& sip_user, const std::string& contact);
  // What had ended by then, as SweepClock says, leaves the store in small portions, one with each
  // call.
  Result<void> SweepContacts(std::int64_t ended_by_unix);
  // As Store has them.
  Result<SweepClock::Readings> ResumeSweep(const std::string& boot_id) {
    return store_.ResumeSweep(boot_id);
  }
  Result<void> KeepSweep(const std::string& boot_id, const SweepClock::Readings& readings) {
    return store_.KeepSweep(boot_id, readings);
  }
  // How often contacts of a file of `apply`, which are kept between its commands, were used so far.
  // Those that nobody uses any more are to be dropped.
  [[nodiscard]] std::uint64_t plan_uses() const { return plan_uses_; }
  void DropPlan() { applying_.reset(); }
  // Unlisted domains that wanted a stream, while the gateway discovers.
  void NoteStrangers(const proto::StrangersSeen& seen);
  // The clock has gone on: who has expired is enabled no more in policy(). To be called when
  // policy().next_expiry_unix has come.
  void OnTime(std::int64_t now_unix);
  // Where keys of our certificates are sealed with, and what gatehouse.yaml says of them; to be
  // called before the first command on them, and when that has changed.
  //   fails  kTrouble: the store cannot be read
  Result<void> KeepCertificates(const std::string& seal_file, CertificateEdge edge);
  [[nodiscard]] CertificateKeeper& certificates() { return certificates_; }
  // What acme_client has got, which is in the store when this returns well.
  //   fails  kConfig: refused, nothing has changed; kTrouble: the store cannot be written
  Result<proto::CertificateView> TakeRenewed(const proto::AcmeRenewed& renewed,
                                             std::chrono::system_clock::time_point now);
  // Our own domains have changed.
  void SetServed(std::vector<std::string> served);
  [[nodiscard]] const CompiledPolicy& policy() const { return policy_; }

 private:
  using Reply = Result<proto::CtlResponse>;
  Engine(Store store, std::vector<std::string> served, StoreContent content, std::int64_t now_unix,
         const DataLimits& limits);

  // Who asks for it, when and why; what comes of it is added by the command.
  static AuditEntry EntryOf(const proto::CtlRequest& request,
                            std::chrono::system_clock::time_point now);
  // The reply as a response to this request.
  [[nodiscard]] proto::CtlResponse Sealed(const proto::CtlRequest& request, Reply reply) const;
  Reply Dispatch(const proto::CtlRequest& request, AuditEntry audit);
  Reply DispatchCertificates(const proto::CtlRequest& request, AuditEntry audit);
  Reply NewPartner(const proto::PartnerNew& command, AuditEntry audit);
  Reply SetPartner(const proto::PartnerSet& command, AuditEntry audit);
  Reply RemovePartner(const std::string& domain, AuditEntry audit);
  Reply ForgetTls(const std::string& domain, AuditEntry audit);
  Reply ExplainPartner(const std::string& domain, std::int64_t now_unix) const;
  Reply ShowGateway() const;
  Reply SetGateway(const proto::GatewaySet& command, AuditEntry audit);
  Reply ShowPartner(const std::string& domain) const;
  Reply ListPartners() const;
  // --- partner types
  Reply ListTypes() const;
  Reply ShowType(const std::string& name) const;
  Reply NewType(const proto::PartnerTypeNew& command, AuditEntry audit);
  Reply SetType(const proto::PartnerTypeSet& command, AuditEntry audit);
  Reply RemoveType(const std::string& name, AuditEntry audit);
  Result<const proto::PartnerType*> TypeToChange(const std::string& name) const;
  [[nodiscard]] proto::PartnerTypeView ViewOfType(proto::PartnerType type) const;
  // Puts the difference to `types`, which take the place of all, into the store.
  Result<void> BecomeTypes(const google::protobuf::RepeatedPtrField<proto::PartnerType>& types,
                           AuditEntry audit);
  // --- external access policies
  Reply ListPolicies(const std::string& name) const;
  Reply NewPolicy(const proto::PolicyNew& command, AuditEntry audit);
  Reply SetPolicy(const proto::PolicySet& command, AuditEntry audit);
  Reply RemovePolicy(const std::string& name, AuditEntry audit);
  Reply GrantPolicy(const proto::PolicyGrant& command, AuditEntry audit);
  Reply RevokePolicies(const proto::Grantees& grantees, AuditEntry audit);
  Result<const proto::AccessPolicy*> PolicyOf(const std::string& name) const;
  // Puts the difference to `policies`, which take the place of all, into the store.
  Result<void> BecomePolicies(google::protobuf::RepeatedPtrField<proto::AccessPolicy> policies,
                              AuditEntry audit);
  // --- domains that are no partner's
  Reply DenyDomain(const std::string& domain, AuditEntry audit);
  Reply UndenyDomain(const std::string& domain, AuditEntry audit);
  Reply ListDenied() const;
  Reply ListStrangers() const;
  Reply AcceptStranger(const proto::PartnerNew& command, AuditEntry audit);
  Reply RefuseStranger(const std::string& domain, AuditEntry audit);
  Reply ImportRecords(const proto::Import& command, AuditEntry audit);
  Reply ShowAudit(const proto::AuditGet& command);
  // --- the data as a whole
  Reply ShowDifference(const proto::ConfigDiff& command);
  Reply RollBack(std::uint64_t revision, AuditEntry audit);
  Reply ExportData() const;
  Reply ApplyData(const proto::Apply& command, AuditEntry audit);
  // --- contacts of `apply`, which come in parts and are compared in portions
  // A file with contacts, from its first part until what differs was shown.
  struct Applying {
    explicit Applying(ContactPlan of_file) : plan(std::move(of_file)) {}
    ContactPlan plan;
    // What it was compared with.
    std::string records;  // the digest of the command's; empty: they are not good
    std::uint64_t revision = 0;
    std::uint64_t contacts_epoch = 0;
    bool is_made = false;
  };
  static std::string PlanPath(const Store& store) { return store.path() + ".apply"; }
  Reply TakePart(const proto::ApplyPart& command, const AuditEntry& audit);
  Reply ComparePart(std::uint64_t plan);
  Reply ShowDiffering(std::uint64_t plan);
  Result<Applying*> PlanOf(std::uint64_t number);
  // That the command's plan was compared with what is here now, and is good.
  Result<Applying*> GoodPlan(const proto::Apply& command);
  // The plan as an answer; what failed takes it with it.
  Reply PlanView(Result<ContactPlan::Mistakes> mistakes);
  Result<ContactEdit> EditFor(const PlannedChange& change, const AuditEntry& audit);
  // All that differ, as they are to be written.
  Result<std::vector<ContactEdit>> EditsOf(ContactPlan& plan, const AuditEntry& audit);
  Reply MakePlan(const CheckedData& target, const proto::Apply& command, AuditEntry audit);

  Reply Become(const CheckedData& target, AuditEntry audit, bool dry_run,
               std::span<const ContactEdit> edits = {});
  // Makes the changes of `audit` so, if there are any, and those of contacts with them.
  //   gives  the domains whose blocked contacts are forgotten by it
  Result<std::vector<std::string>> Commit(AuditEntry audit,
                                          std::span<const ContactEdit> edits = {});
  Result<RecordSet> RecordsAt(std::uint64_t revision);
  Result<void> MayChange(const proto::CtlRequest& request) const;

  Reply ChangeContacts(const proto::ContactChange& command, AuditEntry audit);
  [[nodiscard]] ContactRules RulesOfContacts() const;
  Reply TestPolicy(const proto::PolicyTest& test, std::int64_t now_unix);
  [[nodiscard]] bool IsOurs(const std::string& bare_jid) const;
  [[nodiscard]] ContactClock ClockAt(std::int64_t now_unix) const;
  Result<const proto::Partner*> Owner(const std::string& domain) const;
  Result<const proto::Partner*> OwnerByPrimary(const std::string& domain) const;
  Result<proto::Partner> Checked(proto::Partner partner) const;
  // That no domain of `partner` that `before` has not may be taken for anybody else's.
  Result<void> CheckLooks(const proto::Partner& partner, const proto::Partner& before) const;
  // That there is room for one more record, or for one that grows.
  [[nodiscard]] Result<void> CheckGrowth(std::size_t octets_before, std::size_t octets_after) const;
  [[nodiscard]] CheckedData CheckAll(proto::FederationData data) const {
    return CheckData(std::move(data), content_.data, served_, RecordLimits(), still_busy_);
  }
  // What the limits leave for records.
  [[nodiscard]] DataLimits RecordLimits() const {
    DataLimits limits = limits_;
    limits.octets -= std::min(limits.octets, OctetsOf(content_.blocked_domains));
    return limits;
  }
  void Compile() { policy_ = CompilePolicy(content_, served_, now_unix_, still_busy_); }
  [[nodiscard]] std::vector<std::string> Denied() const;
  [[nodiscard]] proto::CtlResponse OneView(const proto::Partner& partner) const;
  Reply Save(proto::RecordChange change, proto::Partner partner, AuditEntry audit);
  void ForgetSettledStrangers();
  // From now on the store holds this.
  Result<void> Take(Result<StoreContent> content);
  Reply TakeFile(const std::string& file, AuditEntry audit);

  Store store_;
  StreamMemory streams_;
  StrangerMemory strangers_;
  CertificateKeeper certificates_;
  std::vector<std::string> served_;
  DataLimits limits_;
  StillBusy still_busy_ = [] {};
  std::int64_t now_unix_;  // of the last command or tick
  StoreContent content_;
  CompiledPolicy policy_;
  std::unique_ptr<Applying> applying_;
  std::uint64_t last_plan_ = 0;
  std::uint64_t plan_uses_ = 0;
};

}  // namespace gatehouse::policy_engine
