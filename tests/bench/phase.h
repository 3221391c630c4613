// One measured stretch of load, and what came of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/ledger.h"
#include "tests/bench/process_usage.h"

namespace gatehouse::bench {

enum class Mode { kX2s, kS2x, kBoth };

struct Phase {
  Mode mode = Mode::kBoth;
  std::size_t window = 0;  // messages in flight in each direction; or
  std::size_t rate = 0;    // messages a second in each direction
  double warm_up_s = 1;
  double measured_s = 5;
};

// "x2s:window=256", "both:rate=1000"; the spans are the same for all phases.
Result<Phase> ParsePhase(const std::string& text, double warm_up_s, double measured_s);
[[nodiscard]] std::string PhaseName(const Phase& phase);

struct Usage {
  std::string worker;
  double cpu_us = 0;  // during the measured span
  std::uint64_t pss_kib = 0;
};

struct PhaseResult {
  Phase phase;
  double measured_s = 0;
  Tally x2s = {};
  Tally s2x = {};
  std::vector<Usage> workers = {};
};

// One JSON object, without a line end.
[[nodiscard]] std::string ToJson(const PhaseResult& result);

}  // namespace gatehouse::bench
