// Answers gatehousectl, or hands its command on to the worker it is for.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/loop/timer.h"
#include "core/supervisor/fleet.h"
#include "core/supervisor/refusal_merge.h"
#include "proto/ctl.pb.h"

namespace gatehouse {

class CtlDesk {
 public:
  using Reply = std::function<void(proto::CtlResponse)>;
  struct Hooks {
    std::function<void(const Instance&, const proto::FromSupervisor&)> say;
    std::function<Result<void>()> reload;
    std::function<void(seconds drain)> stop;
  };
  // Pongs that come later than this are missing in a status; what it shows is then older.
  static constexpr milliseconds kFreshPongs{250};
  static constexpr milliseconds kRestartLimit{12000};
  static constexpr milliseconds kDrainLimit{60000};
  // What a worker takes out of its memory it has at once; who does not is left out.
  static constexpr milliseconds kWhyLimit{2000};
  // Less than gatehousectl waits for a reload.
  static constexpr milliseconds kReloadLimit{10000};

  CtlDesk(Loop& loop, Fleet& fleet, Hooks hooks);

  void OnRequest(const proto::CtlRequest& request, Reply reply);
  void OnAnswer(const std::string& instance, const proto::CtlResponse& response);
  void OnPong(const Instance& instance);
  void OnDied(const Instance& instance);

 private:
  struct Forwarded {
    std::string instance;
    Reply reply;
    TimePoint deadline;
    milliseconds limit;
    std::string_view doubt;  // empty: it only asks
  };
  // A status that waits for fresh pongs.
  struct Gathering {
    std::uint64_t number = 0;
    std::set<std::string> awaited;
    std::optional<proto::RenewalView> renewal;
    Reply reply;
    TimePoint deadline;
  };
  using Merge = std::function<proto::CtlResponse(std::span<const WorkersAnswer>)>;
  // What several workers are asked, and some have not answered.
  struct Asked {
    std::size_t awaited = 0;
    std::vector<WorkersAnswer> answers;
    Merge merge;
    Reply reply;
  };
  // A restart or a drain that has begun.
  struct Pending {
    std::string instance;
    std::uint64_t old_epoch = 0;
    InstanceState goal = InstanceState::kReady;
    Reply reply;
    TimePoint deadline;
  };

  void OnWorkerCommand(const proto::WorkerCommand& command, Reply reply);
  void OnScale(const proto::WorkerScale& scale, const Reply& reply);
  void Forward(const std::string& instance, proto::CtlRequest request, Reply reply,
               milliseconds limit);
  static proto::CtlResponse Lost(const Forwarded& lost, std::string_view how);
  // `merge` makes one answer of theirs, once all have answered, died or let `limit` pass.
  void AskEach(const std::vector<std::string>& instances, const proto::CtlRequest& request,
               milliseconds limit, Merge merge, Reply reply);
  void OnOneAnswered(std::uint64_t number, const std::string& instance,
                     proto::CtlResponse response);
  void OnReload(const proto::CtlRequest& request, Reply reply);
  void AskWhy(const proto::CtlRequest& request, Reply reply);
  void Gather(Reply reply);
  void AskForRenewal(std::uint64_t number);
  void AnswerGathered();
  void AnswerPending();
  void DropLate();
  void Tick();
  [[nodiscard]] proto::StatusReport Report(const Gathering& one) const;

  Loop& loop_;
  Fleet& fleet_;
  const Hooks hooks_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Forwarded> forwarded_;
  std::list<Gathering> gathering_;
  std::list<Pending> pending_;
  std::map<std::uint64_t, Asked> asked_;
  std::uint64_t next_asked_ = 1;
  std::uint64_t next_gathering_ = 1;
  Timer tick_;  // runs while anything waits
};

}  // namespace gatehouse
