// One instance of a worker through all its lives: started, watched, drained, started again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/loop/timer.h"
#include "core/supervisor/restart_rule.h"
#include "core/supervisor/spawner.h"
#include "proto/link_control.pb.h"

namespace gatehouse {

enum class InstanceState : std::uint8_t {
  kStarting,  // the process runs, Ready has not come
  kReady,
  kDraining,  // asked to take no new work
  kDrained,   // did so, and lives on until End
  kEnding,    // its lifeline is closed
  kWaiting,   // dead, the restart rule makes it wait
  kStopped    // dead, and will not come back by itself
};
std::string_view StateName(InstanceState state);

enum class AfterDrain : std::uint8_t {
  kStop,     // its process ends and stays away
  kRestart,  // a new life begins
  kHold      // it lives on, for others that still need its links
};

class Instance {
 public:
  struct Name {
    std::string plugin;
    unsigned index = 0;
    std::string text;  // "tls_listener/0"
  };
  // What an instance needs from its supervisor. Nothing of it may destroy the instance inside.
  struct Hooks {
    std::function<Result<SpawnedWorker>(const Instance&, std::function<void(ChildProcess::Exit)>)>
        spawn;
    std::function<void(const Instance&, const proto::FromSupervisor&)> say;
    std::function<void(Instance&)> on_ready;
    std::function<void(Instance&)> on_drained;  // by its word or at its time limit, with kHold only
    std::function<void(Instance&)> on_stopped;
    // Died unasked. `why` is one line; kConfig when only another configuration would help.
    std::function<void(Instance&, const Error& why)> on_died;
    std::function<void(const Instance&)> on_pong;
  };
  static constexpr milliseconds kStartLimit{30000};
  static constexpr milliseconds kPingEvery{5000};
  static constexpr unsigned kMissedPings = 3;
  static constexpr milliseconds kEndLimit{2000};

  Instance(Loop& loop, Name name, Hooks hooks);
  ~Instance();  // kills what still runs
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  void Start();
  void OnWord(const proto::FromWorker& word);
  // `limit` is for the drain; what has not drained by then is treated as if it had.
  void Drain(milliseconds limit, AfterDrain then);
  void End();  // after kHold
  void Kill(std::string_view why);
  void Ping();

  [[nodiscard]] const Name& name() const { return name_; }
  [[nodiscard]] InstanceState state() const { return state_; }
  // It has links: others must know of it.
  [[nodiscard]] bool IsUp() const;
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] int pid() const;
  [[nodiscard]] unsigned restarts() const { return restarts_; }
  // Has been through a start, well or ill.
  [[nodiscard]] bool HasTried() const { return has_tried_; }
  [[nodiscard]] milliseconds Uptime() const;
  [[nodiscard]] const proto::Pong& last_pong() const { return last_pong_; }
  [[nodiscard]] bool AwaitsPong() const { return unanswered_ > 0; }

 private:
  void OnReady();
  void OnPong(const proto::Pong& pong);
  void OnDrained();
  void OnPingDue();
  void OnExit(ChildProcess::Exit exit);
  void Bury();
  void Mourn(const Error& why);
  void Begin(InstanceState state, std::optional<milliseconds> limit);
  void OnTimer();
  [[nodiscard]] Error WhyDied() const;

  Loop& loop_;
  const Name name_;
  const Hooks hooks_;
  RestartRule rule_;
  InstanceState state_ = InstanceState::kStopped;
  AfterDrain after_ = AfterDrain::kStop;
  SpawnedWorker worker_;
  std::optional<ChildProcess::Exit> exit_;
  std::string fatal_;
  std::uint64_t epoch_ = 0;
  TimePoint started_{};
  bool has_tried_ = false;
  unsigned restarts_ = 0;
  std::uint64_t ping_ = 0;
  unsigned unanswered_ = 0;
  proto::Pong last_pong_;
  Timer limit_;  // of the present state
  Timer pings_;
  Timer burial_;  // gives a last word the time to arrive
};

}  // namespace gatehouse
