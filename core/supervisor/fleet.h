// All instances of all workers: runs what the plan says, and tells the ends of each link about each
// other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/log.h"
#include "core/supervisor/instance.h"
#include "core/supervisor/listening_sockets.h"
#include "core/supervisor/plan.h"
#include "core/supervisor/runtime_paths.h"

namespace gatehouse {

class Fleet {
 public:
  struct Setup {
    std::string worker_program;
    std::string plugin_dir;
    std::string state_dir;
    RuntimePaths paths;
    LogFormat log_format = LogFormat::kText;
  };
  struct Hooks {
    std::function<void(const Instance&, const proto::FromSupervisor&)> say;
    std::function<void()>
        on_all_ready;  // once: every instance has been ready, the links are announced
    std::function<void()> on_all_stopped;                 // after StopAll
    std::function<void(const Error&)> on_died_of_config;  // before on_all_ready only
    std::function<void(const Instance&)> on_died;
    std::function<void(const Instance&)> on_pong;
  };
  static constexpr milliseconds kRestartDrain{5000};
  static constexpr milliseconds kRetireDrain{10000};

  Fleet(Loop& loop, Setup setup, Hooks hooks);
  ~Fleet();

  // Makes what runs equal to `plan`: starts, retires and restarts only what must change, then hands
  // the new configuration to everybody else. When a socket cannot be had nothing changes.
  Result<void, ListeningSockets::BindFailure> Apply(Plan plan);
  void OnWord(std::string_view instance, const proto::FromWorker& word);
  // Its control words cannot be read: only a new life helps.
  void OnMalformed(std::string_view instance, std::string_view what);

  // --- what the operator asks for. Each fails with a sentence for him
  Result<void> Restart(std::string_view instance);
  Result<void> Drain(std::string_view instance);
  Result<void> Scale(const std::string& plugin, unsigned count);
  // All drain, then all end. Called again, what still drains ends at once.
  void StopAll(milliseconds limit);

  [[nodiscard]] Instance* Find(std::string_view instance);
  void ForEach(const std::function<void(Instance&)>& visit);
  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] const ListeningSockets& sockets() const { return sockets_; }

 private:
  Result<SpawnedWorker> Spawn(const Instance& instance,
                              std::function<void(ChildProcess::Exit)> on_exit);
  [[nodiscard]] proto::WorkerConfig Describe(const Instance& instance) const;
  // Links and listeners of an instance as one text: they change only with a new life.
  [[nodiscard]] std::string BirthRights(const std::string& plugin, unsigned index) const;

  void Create(const std::string& plugin, unsigned index);
  void RetireUnwanted();
  void StartOrRestart();
  void StartOrRestart(const std::string& plugin, unsigned index);
  [[nodiscard]] bool IsWanted(const Instance& instance) const;
  void TellNewCounts(const Plan& before);
  void Reconfigure();

  void OnReady(Instance& instance);
  void OnStopped(Instance& instance);
  void OnDied(Instance& instance, const Error& why);
  void PassBarrier();
  void CheckAllReady();
  void CheckAllDrained();
  void Announce(const Instance& instance);
  void Introduce(const Instance& who, const Instance& to, const LinkedPlugin& link);
  [[nodiscard]] bool IsReplaced(const Instance& instance) const;
  void TellGone(const Instance& instance);
  void TellDown(const Instance& instance);
  void TellLinked(const Instance& instance, bool for_good);
  void OnComplaint(const Instance& reporter, const proto::Sibling& about);
  [[nodiscard]] proto::Sibling SiblingWords(const Instance& who, const LinkedPlugin& link) const;

  Loop& loop_;
  const Setup setup_;
  const Hooks hooks_;
  Plan plan_;
  ListeningSockets sockets_;
  std::map<std::string, std::unique_ptr<Instance>, std::less<>> instances_;
  std::map<std::string, std::string, std::less<>> birth_rights_;  // of the present lives
  std::set<std::string, std::less<>> drained_by_operator_;
  bool barrier_passed_ = false;
  bool all_were_ready_ = false;
  bool stopping_ = false;
};

}  // namespace gatehouse
