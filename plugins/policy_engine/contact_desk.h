// Answers the translator's questions about contacts: readings at once, SUBSCRIBEs together at the
// end of the turn, in one transaction. Sweeps the table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/loop/loop.h"
#include "core/loop/timer.h"
#include "core/worker/worker.h"
#include "plugins/policy_engine/engine.h"
#include "plugins/policy_engine/sweep_clock.h"
#include "proto/link_policy.pb.h"

namespace gatehouse::policy_engine {

class ContactDesk {
 public:
  using Reply = ipc::AskServer::Reply;
  // Both outlive this object. `boot_id`: as BootId gives it; where it is empty, a sweep does not go
  // on from what a process before has seen.
  ContactDesk(WorkerContext& context, Engine& engine, std::string boot_id);
  ContactDesk(const ContactDesk&) = delete;
  ContactDesk& operator=(const ContactDesk&) = delete;

  void OnWanted(std::string_view instance, const proto::ContactWanted& wanted, const Reply& reply);
  // `reply` is called once the contact is on the disk, or with the error that kept it from there.
  void OnSeen(std::string_view instance, proto::ContactSeen seen, Reply reply);

 private:
  void WriteSeen();
  void Sweep();
  void KeepSweep();

  WorkerContext& context_;
  Engine& engine_;
  const std::string boot_id_;
  std::vector<proto::ContactSeen> seen_;
  std::vector<Reply> replies_;  // to seen_, one each
  EndOfTurn write_seen_;
  SweepClock sweep_clock_;
  SweepClock::Readings kept_;
  Timer sweep_;
  double& wanted_total_;
  double& seen_total_;
  double& commits_total_;
};

}  // namespace gatehouse::policy_engine
