// When a process takes no more connections: its descriptors or its memory run short (12.5). The
// kernel's queue holds the newcomers meanwhile; what is established goes on.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/loop/loop.h"
#include "core/loop/timer.h"

namespace gatehouse {

class AcceptGate {
 public:
  // Kept from newcomers for connections of ours, DNS, files.
  static constexpr int kReservedDescriptors = 64;

  // `apply` stops accepting (false) or goes on (true), and is called at each change.
  AcceptGate(Loop& loop, Metrics& metrics, std::function<void(bool accept)> apply);
  AcceptGate(const AcceptGate&) = delete;
  AcceptGate& operator=(const AcceptGate&) = delete;

  // A connection was taken. Looks whether another may come.
  void OnAccepted();
  void SetMemoryShort(bool is_short);
  [[nodiscard]] bool is_open() const { return !short_of_descriptors_ && !short_of_memory_; }

 private:
  void Stop(bool& reason, double& counter, std::string_view what);
  void GoOn(bool& reason);
  void CheckDescriptors();

  Loop& loop_;
  std::function<void(bool)> apply_;
  double &stopped_for_descriptors_, &stopped_for_memory_;
  bool short_of_descriptors_ = false;
  bool short_of_memory_ = false;
  TimePoint logged_at_{};
  Timer wait_;
};

}  // namespace gatehouse
