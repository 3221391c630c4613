// The engine's command `apply`: what operators say of contacts, of which there may be very many, is
// taken in and compared part by part; all of it is made in one step.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/tls/crypto.h"
#include "plugins/policy_engine/engine.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::string_view kAppliedAlready = "the file is applied already; apply it again";

// What the command says but for whether it is a dry run.
std::string DigestOf(proto::Apply command) {
  command.clear_dry_run();
  return Sha256(command.SerializeAsString());
}

proto::ContactChange::Verb CommandOf(PlanVerb verb) {
  switch (verb) {
    case PlanVerb::kBlock:
      return proto::ContactChange::BLOCK;
    case PlanVerb::kForget:
      return proto::ContactChange::FORGET;
    case PlanVerb::kAllow:
      return proto::ContactChange::ALLOW;
  }
  return {};
}

std::optional<ContactMark> MarkAfter(PlanVerb verb) {
  if (verb == PlanVerb::kForget) return std::nullopt;
  return verb == PlanVerb::kBlock ? ContactMark::kBlocked : ContactMark::kAllowed;
}

proto::ChangeView ViewOf(const PlannedChange& change) {
  const std::optional<ContactMark> after = MarkAfter(change.verb);
  proto::ChangeView view;
  view.set_kind("contact");
  view.set_key(change.pair.sip_user + ' ' + change.pair.contact);
  view.set_verb(!change.before ? proto::ChangeView::ADDED
                : !after       ? proto::ChangeView::REMOVED
                               : proto::ChangeView::CHANGED);
  proto::FieldChange& field = *view.add_fields();
  field.set_field("state");
  if (change.before) field.set_before(std::string(MarkWord(*change.before)));
  if (after) field.set_after(std::string(MarkWord(*after)));
  return view;
}

}  // namespace

Engine::Reply Engine::ApplyData(const proto::Apply& command, AuditEntry audit) {
  std::vector<const google::protobuf::FieldDescriptor*> sections;
  for (const std::string& name : command.sections()) {
    sections.push_back(proto::FederationData::descriptor()->FindFieldByName(name));
    if (sections.back() == nullptr)
      return BadConfig(fmt::format("'{}' is no part of the federation data", name));
  }
  proto::FederationData data = content_.data;
  proto::FederationData given = WithoutKept(command.data());
  data.GetReflection()->SwapFields(&data, &given, sections);
  CheckedData target = CheckAll(std::move(data));
  const auto note = [&target](std::vector<proto::Mistake> further) {
    std::ranges::move(further, std::back_inserter(target.mistakes));
  };
  note(ExpiryMistakes(content_.data, target, now_unix_));
  if (!command.allow_lookalike())
    note(LookalikeMistakes(content_.data, target, served_, still_busy_));
  audit.subject = command.file();
  if (command.plan() == 0) return Become(target, std::move(audit), command.dry_run());
  if (!command.dry_run()) return MakePlan(target, command, std::move(audit));
  GATEHOUSE_TRY(Applying * applying, PlanOf(command.plan()));
  if (applying->is_made) return BadConfig(std::string(kAppliedAlready));
  GATEHOUSE_TRY_VOID(applying->plan.BeginComparing(
      {content_.data, target.data, served_, content_.blocked_domains, limits_}));
  applying->records = target.mistakes.empty() ? DigestOf(command) : std::string();
  applying->revision = content_.revision;
  applying->contacts_epoch = content_.contacts_epoch;
  return Become(target, std::move(audit), true);
}

// The whole file is one transaction: whom it blocks is blocked before its records let anybody in.
Engine::Reply Engine::MakePlan(const CheckedData& target, const proto::Apply& command,
                               AuditEntry audit) {
  if (!target.mistakes.empty()) return Become(target, std::move(audit), true);
  GATEHOUSE_TRY(Applying * applying, GoodPlan(command));
  GATEHOUSE_TRY(const std::vector<ContactEdit> edits, EditsOf(applying->plan, audit));
  Reply response = Become(target, std::move(audit), false, edits);
  if (!response) {
    DropPlan();
    return response;
  }
  applying->is_made = true;
  applying->plan.Rewind();
  return response;
}

Engine::Reply Engine::TakePart(const proto::ApplyPart& command, const AuditEntry& audit) {
  if (command.contacts_size() > kMaxContactsOfACommand)
    return BadConfig(fmt::format("{} contacts are too many for one part; at most {} are possible",
                                 command.contacts_size(), kMaxContactsOfACommand));
  if (command.plan() == 0) {
    if (applying_ && !applying_->plan.IsCompared())
      return BadConfig(
          "another file is being applied, or looked at with --dry-run, just now; try again in some "
          "seconds");
    DropPlan();
    last_plan_ = std::max(last_plan_ + 1, static_cast<std::uint64_t>(audit.at_unix_ms));
    GATEHOUSE_TRY(ContactPlan plan, ContactPlan::Create(PlanPath(store_), last_plan_));
    applying_ = std::make_unique<Applying>(std::move(plan));
  }
  GATEHOUSE_TRY(Applying * applying, PlanOf(command.plan() == 0 ? last_plan_ : command.plan()));
  return PlanView(applying->plan.Add(command.contacts()));
}

Engine::Reply Engine::ComparePart(std::uint64_t plan) {
  GATEHOUSE_TRY(Applying * applying, PlanOf(plan));
  if (applying->is_made) return BadConfig(std::string(kAppliedAlready));
  return PlanView(applying->plan.Compare(store_, ClockAt(now_unix_)));
}

Engine::Reply Engine::PlanView(Result<ContactPlan::Mistakes> mistakes) {
  if (!mistakes) {
    DropPlan();
    if (mistakes.error().fault == Fault::kConfig) return std::unexpected(mistakes.error());
    return Trouble(fmt::format(
        "the contacts of the file cannot be compared: {}; see that the disk of the store has room",
        mistakes.error().text));
  }
  proto::CtlResponse response;
  for (proto::Mistake& mistake : *mistakes) *response.add_mistakes() = std::move(mistake);
  proto::ApplyPlan& view = *response.mutable_apply_plan();
  view.set_plan(applying_->plan.number());
  view.set_more(!applying_->plan.IsCompared());
  view.set_differ(applying_->plan.differ());
  return response;
}

Engine::Reply Engine::ShowDiffering(std::uint64_t plan) {
  GATEHOUSE_TRY(Applying * applying, PlanOf(plan));
  if (!applying->plan.IsGood()) return BadConfig("the contacts of the file are not compared yet");
  GATEHOUSE_TRY(const std::vector<PlannedChange> changes, applying->plan.Next());
  proto::CtlResponse response;
  for (const PlannedChange& change : changes) *response.add_contact_changes() = ViewOf(change);
  proto::ApplyPlan& view = *response.mutable_apply_plan();
  view.set_plan(plan);
  view.set_more(!applying->plan.IsShown());
  view.set_differ(applying->plan.differ());
  if (applying->is_made && applying->plan.IsShown()) DropPlan();
  return response;
}

Result<Engine::Applying*> Engine::PlanOf(std::uint64_t number) {
  if (!applying_ || applying_->plan.number() != number)
    return BadConfig(
        "another apply has begun meanwhile, or policy_engine anew; apply the file again");
  ++plan_uses_;
  return applying_.get();
}

Result<Engine::Applying*> Engine::GoodPlan(const proto::Apply& command) {
  GATEHOUSE_TRY(Applying * applying, PlanOf(command.plan()));
  if (applying->is_made) return BadConfig(std::string(kAppliedAlready));
  if (!applying->plan.IsGood() || applying->records != DigestOf(command))
    return BadConfig("the file was not found good yet; compare it before it is made");
  if (applying->revision == content_.revision &&
      applying->contacts_epoch == content_.contacts_epoch)
    return applying;
  return BadConfig(
      "somebody changed partners, settings or contacts while the file was compared; apply it "
      "again");
}

Result<ContactEdit> Engine::EditFor(const PlannedChange& change, const AuditEntry& audit) {
  std::optional<ContactRow> before;
  if (change.before) {
    GATEHOUSE_TRY(before, store_.ReadContact(change.pair));
  }
  AuditEntry of_contact = audit;
  of_contact.action = ActionOf(CommandOf(change.verb));
  return EditOf(change.pair, MarkAfter(change.verb), before, std::move(of_contact),
                audit.at_unix_ms / 1000);
}

Result<std::vector<ContactEdit>> Engine::EditsOf(ContactPlan& plan, const AuditEntry& audit) {
  plan.Rewind();
  std::vector<ContactEdit> edits;
  edits.reserve(plan.differ());
  while (!plan.IsShown()) {
    GATEHOUSE_TRY(const std::vector<PlannedChange> changes, plan.Next());
    for (const PlannedChange& change : changes) {
      GATEHOUSE_TRY(edits.emplace_back(), EditFor(change, audit));
    }
    still_busy_();
  }
  return edits;
}

}  // namespace gatehouse::policy_engine
