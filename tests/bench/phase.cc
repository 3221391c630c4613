#include "tests/bench/phase.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace gatehouse::bench {
namespace {

std::uint32_t Quantile(const std::vector<std::uint32_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(at, sorted.size() - 1)];
}

std::string TallyJson(const Tally& tally, double seconds) {
  return fmt::format(
      R"({{"per_second":{:.1f},"p50_us":{},"p99_us":{},"p999_us":{},"measured":{},"sent":{},)"
      R"("delivered":{},"refused":{},"lost":{},"duplicates":{},"out_of_order":{}}})",
      static_cast<double>(tally.delivered_measured) / seconds, Quantile(tally.latencies_us, 0.5),
      Quantile(tally.latencies_us, 0.99), Quantile(tally.latencies_us, 0.999),
      tally.delivered_measured, tally.sent, tally.delivered, tally.refused, tally.lost,
      tally.duplicates, tally.out_of_order);
}

std::string UsageJson(const Usage& usage, double messages) {
  return fmt::format(
      R"({{"worker":"{}","cpu_us":{:.0f},"cpu_us_per_message":{:.3f},"pss_kib":{}}})", usage.worker,
      usage.cpu_us, messages > 0 ? usage.cpu_us / messages : 0.0, usage.pss_kib);
}

}  // namespace

Result<Phase> ParsePhase(const std::string& text, double warm_up_s, double measured_s) {
  Phase phase{.warm_up_s = warm_up_s, .measured_s = measured_s};
  const std::string mode = text.substr(0, text.find(':'));
  if (mode == "x2s")
    phase.mode = Mode::kX2s;
  else if (mode == "s2x")
    phase.mode = Mode::kS2x;
  else if (mode != "both")
    return BadConfig("'" + text + "': the mode is x2s, s2x or both");
  const auto equals = text.find('=');
  const std::string load = equals == std::string::npos || equals <= mode.size()
                               ? std::string()
                               : text.substr(mode.size() + 1, equals - mode.size() - 1);
  std::size_t amount = 0;
  if (!load.empty()) std::from_chars(text.data() + equals + 1, text.data() + text.size(), amount);
  if (amount == 0 || (load != "window" && load != "rate"))
    return BadConfig("'" + text + "': a phase is such as x2s:window=256 or both:rate=1000");
  (load == "window" ? phase.window : phase.rate) = amount;
  return phase;
}

std::string PhaseName(const Phase& phase) {
  const char* mode = phase.mode == Mode::kX2s ? "x2s" : phase.mode == Mode::kS2x ? "s2x" : "both";
  return phase.window > 0 ? fmt::format("{} window {}", mode, phase.window)
                          : fmt::format("{} at {}/s", mode, phase.rate);
}

std::string ToJson(const PhaseResult& result) {
  const double messages =
      static_cast<double>(result.x2s.delivered_measured + result.s2x.delivered_measured);
  std::string json =
      fmt::format(R"({{"phase":"{}","seconds":{:.3f})", PhaseName(result.phase), result.measured_s);
  if (result.phase.mode != Mode::kS2x)
    json += ",\"x2s\":" + TallyJson(result.x2s, result.measured_s);
  if (result.phase.mode != Mode::kX2s)
    json += ",\"s2x\":" + TallyJson(result.s2x, result.measured_s);
  double cpu_us = 0;
  std::string workers;
  for (const Usage& usage : result.workers) {
    cpu_us += usage.cpu_us;
    workers += (workers.empty() ? "" : ",") + UsageJson(usage, messages);
  }
  return json + fmt::format(R"(,"cpu_us_per_message":{:.3f},"workers":[{}]}})",
                            messages > 0 ? cpu_us / messages : 0.0, workers);
}

}  // namespace gatehouse::bench
