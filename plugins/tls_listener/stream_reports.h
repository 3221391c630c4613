// Tells the policy engine what streams came to, many in one question.
#pragma once

#include <cstddef>

#include "core/loop/timer.h"
#include "ipc/ask_link.h"
#include "proto/link_policy.pb.h"

namespace gatehouse {

class StreamReports {
 public:
  // Most that wait to be told; the oldest give way.
  static constexpr std::size_t kMaxWaiting = 256;

  StreamReports(Loop& loop, ipc::AskClient& engine);
  StreamReports(const StreamReports&) = delete;
  StreamReports& operator=(const StreamReports&) = delete;

  // Told within a fifth of a second; again and again while the engine does not answer.
  void Add(proto::StreamRecord record);
  [[nodiscard]] int waiting() const { return waiting_.streams_size() + asked_.streams_size(); }

 private:
  void Ask();
  void OnAnswer(bool noted);

  ipc::AskClient& engine_;
  proto::StreamsSeen waiting_;
  proto::StreamsSeen asked_;  // the question under way
  Timer pause_;
};

}  // namespace gatehouse
