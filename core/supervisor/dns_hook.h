// Calls the operator's program that puts a TXT record into his zone and takes it out again, for the
// challenge dns-01 (RFC 8555 §8.4). No worker's sandbox lets it start a program.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"
#include "core/loop/child_process.h"
#include "core/loop/owned_fd.h"
#include "core/loop/readable_watch.h"
#include "core/loop/timer.h"
#include "core/supervisor/challenge_notes.h"
#include "proto/config.pb.h"
#include "proto/link_control.pb.h"

namespace gatehouse {

class DnsHook {
 public:
  static constexpr seconds kLimit{60};  // of one call; then its group of processes is killed
  static constexpr std::size_t kMaxWaiting = 256;
  using Done = std::function<void(Result<void>)>;

  // `notes_file`: what is added and not yet removed, for the next life.
  DnsHook(Loop& loop, std::string notes_file);
  ~DnsHook();
  DnsHook(const DnsHook&) = delete;
  DnsHook& operator=(const DnsHook&) = delete;

  // Runs the program at acme.dns_hook with "add" or "remove", NAME and VALUE: no shell, an
  // environment of PATH alone, no descriptor but standard error, one at a time. `done` is called
  // once, maybe inside. What was added may be removed whatever the configuration is now, by the
  // program that added it.
  //   fails  kPeer: `plugin` may not ask for it, or asks for what is no such record of a configured
  //          name; kTrouble: a sentence with the program's status and its last line of standard
  //          error
  void Call(std::string_view plugin, const proto::Config& config, const proto::DnsHookCall& call,
            Done done);
  // What the worker that died has added is removed.
  void OnAskerDied();
  // What a former life of gatehoused has added and could not remove is removed, by the program that
  // is configured now. Call it once, at the start.
  void RemoveLeft(const proto::Config& config);
  // Calls `done` once no call waits or runs, maybe inside; or after `limit`.
  void WhenIdle(milliseconds limit, std::function<void()> done);

  // kPeer where nobody may ask for that.
  static Result<void> Check(std::string_view plugin, const proto::Config& config,
                            const proto::DnsHookCall& call);

 private:
  struct Job {
    std::string program;
    bool add = false;
    std::string name, value;
    Done done;
  };
  using Record = ChallengeNotes::Record;
  // The program that has added it, or is about to.
  [[nodiscard]] std::optional<std::string> ProgramOf(const Record& record) const;
  [[nodiscard]] bool WaitsForRemoval(const Record& record) const;
  void RunNext();
  Result<void> Note();
  Result<void> Spawn();
  void ReadErrors();
  void OnExit(ChildProcess::Exit exit);
  void Finish(Result<void> result);

  Loop& loop_;
  ChallengeNotes notes_;
  std::deque<Job> jobs_;  // the first runs while `child_` is there
  std::unique_ptr<ChildProcess> child_;
  OwnedFd errors_;
  std::unique_ptr<ReadableWatch> watch_;
  std::string tail_;  // of its standard error
  bool too_long_ = false;
  bool ended_ = false;                   // `child_` is only still to be released
  std::map<Record, std::string> added_;  // by which program
  std::function<void()> on_idle_;
  Timer limit_, next_, idle_limit_;
};

}  // namespace gatehouse
