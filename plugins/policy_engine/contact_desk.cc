#include "plugins/policy_engine/contact_desk.h"

#include <chrono>
#include <utility>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "plugins/policy_engine/boot_clock.h"

namespace gatehouse::policy_engine {
namespace {

// With ContactTable::kPortion: five million contacts are gone through in an hour and a half.
constexpr milliseconds kSweepEvery{10'000};

void Answer(const ContactDesk::Reply& reply, proto::ContactState state) {
  proto::PolicyAnswer answer;
  answer.mutable_contact()->set_state(state);
  reply(answer.SerializeAsString());
}

}  // namespace

ContactDesk::ContactDesk(WorkerContext& context, Engine& engine, std::string boot_id)
    : context_(context),
      engine_(engine),
      boot_id_(std::move(boot_id)),
      write_seen_(context.loop(), [this] { WriteSeen(); }),
      sweep_(context.loop(), [this] { Sweep(); }),
      wanted_total_(context.metrics().Value("gatehouse_contacts_asked_total")),
      seen_total_(context.metrics().Value("gatehouse_contacts_seen_total")),
      commits_total_(context.metrics().Value("gatehouse_contacts_commits_total")) {
  if (auto readings = engine_.ResumeSweep(boot_id_); readings && !boot_id_.empty())
    sweep_clock_ = SweepClock(*std::move(readings), SinceBoot());
  sweep_.StartRepeating(kSweepEvery);
}

void ContactDesk::OnWanted(std::string_view instance, const proto::ContactWanted& wanted,
                           const Reply& reply) {
  wanted_total_ += 1;
  const Result<proto::ContactState> state = engine_.ContactOf(wanted, UnixNow());
  if (state) return Answer(reply, *state);
  reply(std::unexpected(state.error()));
  if (state.error().fault == Fault::kPeer) context_.ReportMalformed(instance, state.error().text);
}

void ContactDesk::OnSeen(std::string_view instance, proto::ContactSeen seen, Reply reply) {
  seen_total_ += 1;
  if (const Result<void> sound = Engine::CheckAddresses(seen.sip_user(), seen.contact()); !sound) {
    reply(std::unexpected(sound.error()));
    return context_.ReportMalformed(instance, sound.error().text);
  }
  seen_.push_back(std::move(seen));
  replies_.push_back(std::move(reply));
  write_seen_.Arm();
}

void ContactDesk::WriteSeen() {
  const std::vector<proto::ContactSeen> seen = std::exchange(seen_, {});
  const std::vector<Reply> replies = std::exchange(replies_, {});
  commits_total_ += 1;
  const auto states = engine_.NoteContacts(seen, UnixNow());
  if (!states) Log(LogLevel::kError, "contacts-not-stored", {{"why", states.error().text}});
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (states)
      Answer(replies[i], (*states)[i]);
    else
      replies[i](std::unexpected(states.error()));
  }
}

void ContactDesk::Sweep() {
  const std::int64_t ended_by_unix = sweep_clock_.Read(UnixNow(), SinceBoot());
  if (const Result<void> swept = engine_.SweepContacts(ended_by_unix); !swept)
    Log(LogLevel::kWarning, "contacts-not-swept", {{"why", swept.error().text}});
  KeepSweep();
}

// Only every few minutes is there anything new.
void ContactDesk::KeepSweep() {
  if (boot_id_.empty() || sweep_clock_.readings() == kept_) return;
  if (const Result<void> done = engine_.KeepSweep(boot_id_, sweep_clock_.readings()); !done)
    return Log(LogLevel::kWarning, "contacts-not-swept", {{"why", done.error().text}});
  kept_ = sweep_clock_.readings();
}

}  // namespace gatehouse::policy_engine
