// The engine's command `apply`: the records in one piece; what operators say of contacts, of which
// there may be very many, in parts that are taken in, compared and made one after the other.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/tls/crypto.h"
#include "plugins/policy_engine/engine.h"

namespace gatehouse::policy_engine {
namespace {

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

void AddViews(const std::vector<PlannedChange>& changes, proto::CtlResponse& response) {
  for (const PlannedChange& change : changes) *response.add_contact_changes() = ViewOf(change);
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
  if (target.mistakes.empty())
    target.mistakes = ExpiryMistakes(content_.data, target.data, now_unix_);
  if (target.mistakes.empty() && !command.allow_lookalike())
    target.mistakes = LookalikeMistakes(content_.data, target.data, served_, still_busy_);
  audit.subject = command.file();
  if (command.plan() == 0) return Become(target, std::move(audit), command.dry_run());
  if (!command.dry_run()) return MakePlan(target, command, std::move(audit));
  GATEHOUSE_TRY(Applying * applying, PlanOf(command.plan()));
  applying->plan.BeginComparing(
      {content_.data, target.data, served_, content_.blocked_domains, limits_});
  applying->records = DigestOf(command);
  applying->revision = content_.revision;
  applying->contacts_epoch = content_.contacts_epoch;
  return Become(target, std::move(audit), true);
}

// The first portion is made with the records; where there are no more, the file is one transaction.
Engine::Reply Engine::MakePlan(const CheckedData& target, const proto::Apply& command,
                               AuditEntry audit) {
  if (!target.mistakes.empty()) return Become(target, std::move(audit), true);
  GATEHOUSE_TRY(Applying * applying, GoodPlan(command));
  applying->audit = audit;
  GATEHOUSE_TRY(const std::vector<PlannedChange> first, applying->plan.Next());
  Result<std::vector<ContactEdit>> edits = EditsOf(first);
  Reply response = edits ? Become(target, std::move(audit), false, *edits)
                         : Reply(std::unexpected(std::move(edits).error()));
  if (!response) {
    applying_.reset();
    return response;
  }
  AddViews(first, *response);
  applying->is_being_made = true;
  NoteMade(first.size());
  response->set_more_contacts(IsApplying());
  return response;
}

Engine::Reply Engine::TakePart(const proto::ApplyPart& command, const AuditEntry& audit) {
  if (IsApplying()) return BadConfig(std::string(kIsApplying));
  if (command.contacts_size() > kMaxContactsOfACommand)
    return BadConfig(fmt::format("{} contacts are too many for one part; at most {} are possible",
                                 command.contacts_size(), kMaxContactsOfACommand));
  if (command.plan() == 0) {
    applying_.reset();
    last_plan_ = std::max(last_plan_ + 1, static_cast<std::uint64_t>(audit.at_unix_ms));
    GATEHOUSE_TRY(ContactPlan plan, ContactPlan::Create(PlanPath(store_), last_plan_));
    applying_ = std::make_unique<Applying>(Applying{std::move(plan), {}, 0, 0, {}, false, 0});
  }
  GATEHOUSE_TRY(Applying * applying, PlanOf(command.plan() == 0 ? last_plan_ : command.plan()));
  return PlanView(applying->plan.Add(command.contacts()));
}

Engine::Reply Engine::ComparePart(std::uint64_t plan) {
  GATEHOUSE_TRY(Applying * applying, PlanOf(plan));
  return PlanView(applying->plan.Compare(store_, ClockAt(now_unix_)));
}

Engine::Reply Engine::PlanView(Result<ContactPlan::Mistakes> mistakes) {
  if (!mistakes) {
    applying_.reset();
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

Engine::Reply Engine::ApplyOn(std::uint64_t plan) {
  proto::CtlResponse response;
  if (plan == made_plan_) {  // by itself, meanwhile
    response.mutable_apply_plan()->set_plan(plan);
    return response;
  }
  GATEHOUSE_TRY(Applying * applying, PlanOf(plan));
  if (!applying->plan.IsGood()) return BadConfig("the contacts of the file are not compared yet");
  Result<std::vector<PlannedChange>> changes =
      applying->is_being_made ? MakeNext() : applying->plan.Next();
  if (!changes) return std::unexpected(std::move(changes).error());
  if (applying_ && !applying_->is_being_made) applying_->given += changes->size();
  AddViews(*changes, response);
  proto::ApplyPlan& view = *response.mutable_apply_plan();
  view.set_plan(plan);
  view.set_more(applying_ && applying_->given < applying_->plan.differ());
  return response;
}

Result<void> Engine::ApplyOnAlone(std::int64_t now_unix) {
  if (!IsApplying()) return {};
  OnTime(now_unix);
  applying_->audit.at_unix_ms = now_unix * 1000;
  GATEHOUSE_TRY([[maybe_unused]] const std::vector<PlannedChange> made, MakeNext());
  return {};
}

Result<Engine::Applying*> Engine::PlanOf(std::uint64_t number) {
  if (applying_ && applying_->plan.number() == number) return &*applying_;
  return BadConfig(
      "another apply has begun meanwhile, or policy_engine anew; apply the file again");
}

Result<Engine::Applying*> Engine::GoodPlan(const proto::Apply& command) {
  GATEHOUSE_TRY(Applying * applying, PlanOf(command.plan()));
  if (!applying->plan.IsGood() || applying->records != DigestOf(command))
    return BadConfig("the file was not found good yet; compare it before it is made");
  if (applying->revision == content_.revision &&
      applying->contacts_epoch == content_.contacts_epoch)
    return applying;
  return BadConfig(
      "somebody changed partners, settings or contacts while the file was compared; apply it "
      "again");
}

Result<std::vector<ContactEdit>> Engine::EditsOf(const std::vector<PlannedChange>& changes) {
  const std::int64_t now_unix = applying_->audit.at_unix_ms / 1000;
  std::vector<ContactEdit> edits;
  edits.reserve(changes.size());
  for (const PlannedChange& change : changes) {
    std::optional<ContactRow> before;
    if (change.before) {
      GATEHOUSE_TRY(before, store_.ReadContact(change.pair));
    }
    AuditEntry audit = applying_->audit;
    audit.action = ActionOf(CommandOf(change.verb));
    edits.push_back(
        EditOf(change.pair, MarkAfter(change.verb), before, std::move(audit), now_unix));
  }
  return edits;
}

Result<std::vector<PlannedChange>> Engine::MakeNext() {
  const auto make = [this]() -> Result<std::vector<PlannedChange>> {
    GATEHOUSE_TRY(std::vector<PlannedChange> changes, applying_->plan.Next());
    GATEHOUSE_TRY(const std::vector<ContactEdit> edits, EditsOf(changes));
    GATEHOUSE_TRY_VOID(Take(store_.EditContacts(edits, ClockAt(now_unix_))));
    return changes;
  };
  Result<std::vector<PlannedChange>> made = make();
  if (made)
    NoteMade(made->size());
  else
    applying_.reset();
  return made;
}

void Engine::NoteMade(std::size_t changes) {
  applying_->given += changes;
  if (changes > 0 && applying_->given < applying_->plan.differ()) return;
  made_plan_ = applying_->plan.number();
  applying_.reset();
}

}  // namespace gatehouse::policy_engine
