// Drives both ends through the phases, one after another, on one loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/loop/timer.h"
#include "tests/bench/partner_end.h"
#include "tests/bench/phase.h"
#include "tests/bench/sip_end.h"

namespace gatehouse::bench {

struct DriverSetup {
  PartnerSetup partner;
  SocketAddress sip_gatehouse;
  int partner_fd = -1;  // listening
  int sip_fd = -1;
  std::size_t pairs = 64;
  std::size_t stanza_bytes = 290;
  std::vector<WatchedProcess> processes;
  std::vector<Phase> phases;
};

class Driver {
 public:
  Driver(Loop& loop, DriverSetup setup);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Runs the phases and stops the loop; fails where the ends could not be connected.
  Result<std::vector<PhaseResult>> Run();

 private:
  using Step = void (Driver::*)();

  [[nodiscard]] const Phase& phase() const { return setup_.phases[current_]; }
  [[nodiscard]] bool Sends(Mode direction) const {
    return phase().mode == Mode::kBoth || phase().mode == direction;
  }
  void After(double seconds, Step step);
  void Trouble(const std::string& text);
  void ConnectSip();
  void FirstMessages();
  void Greet();
  void StartPhase();
  void StartMeasuring();
  void StopMeasuring();
  void AwaitRest();
  void FinishPhase();
  void SendDue();
  void SendX2s(std::size_t pair);
  void SendS2x(std::size_t pair);
  void Next(Mode direction, std::size_t pair);
  void X2sArrived(MessageNumber number);
  void S2xArrived(MessageNumber number);
  void X2sRefused(MessageNumber number);
  void S2xAnswered(MessageNumber number, int status);
  void S2xHalfDone(MessageNumber number);

  Loop& loop_;
  DriverSetup setup_;
  Ledger x2s_;
  Ledger s2x_;
  PartnerEnd partner_;
  SipEnd sip_;
  Timer step_timer_;
  Timer pace_;
  Step step_ = nullptr;
  std::vector<PhaseResult> results_;
  std::vector<std::uint64_t> cpu_at_start_;
  TimePoint measured_since_;
  TimePoint paced_since_;
  TimePoint give_up_at_;
  std::vector<std::uint32_t> s2x_pair_;  // by number
  std::vector<bool> s2x_half_done_;      // by number: arrived or answered, not both
  std::uint64_t paced_ = 0;
  std::size_t current_ = 0;
  std::size_t greeted_ = 0;
  bool sending_ = false;
  std::string failure_;
};

}  // namespace gatehouse::bench
