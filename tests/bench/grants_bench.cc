// Grants of an access policy by themselves: grants it to many users, one command each, and times
// what the policy engine needs for one, and for a look back over all of them. Prints one JSON
// object.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "plugins/policy_engine/engine.h"
#include "tests/bench/spans.h"

namespace gatehouse::policy_engine {
namespace {

using bench::Microseconds;
using bench::Percentiles;
using std::chrono::steady_clock;

constexpr std::size_t kAtTheEnd = 200;  // of the grants: what one costs when many are there
constexpr int kShown = 20;              // as many as `audit` shows

class Bench {
 public:
  Bench(std::string path, std::size_t grants) : path_(std::move(path)), grants_(grants) {}

  Result<std::string> Run() {
    const auto begin = steady_clock::now();
    GATEHOUSE_TRY(std::vector<double> times, Fill());
    const double fill_s = Microseconds(steady_clock::now() - begin) / 1e6;
    const double file_mib = static_cast<double>(std::filesystem::file_size(path_)) / 1048576.0;
    times.erase(times.begin(),
                times.end() - static_cast<std::ptrdiff_t>(std::min(times.size(), kAtTheEnd)));
    GATEHOUSE_TRY(Engine engine, Open());
    const long before_kib = PeakKib();
    proto::CtlRequest diff;
    diff.mutable_config_diff()->set_from(1);
    GATEHOUSE_TRY(const double diff_ms, Timed(engine, diff));
    const long diff_kib = PeakKib() - before_kib;
    proto::CtlRequest audit;
    audit.mutable_audit_get()->set_last(kShown);
    GATEHOUSE_TRY(const double audit_ms, Timed(engine, audit));
    proto::CtlRequest back;
    back.mutable_config_rollback()->set_revision(2);
    GATEHOUSE_TRY(const double back_ms, Timed(engine, back));
    return fmt::format(
        R"({{"grants":{},"fill_s":{:.1f},"file_mib":{:.1f},"grant":{},"diff_ms":{:.1f},)"
        R"("diff_kib":{},"audit_ms":{:.1f},"rollback_ms":{:.1f}}})",
        grants_, fill_s, file_mib, Percentiles(std::move(times)), diff_ms, diff_kib, audit_ms,
        back_ms);
  }

 private:
  Result<Engine> Open() {
    GATEHOUSE_TRY(Store store, Store::Open(path_));
    return Engine::Create(std::move(store), {"contoso.example"});
  }

  static long PeakKib() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  }

  // Milliseconds.
  static Result<double> Timed(Engine& engine, const proto::CtlRequest& request) {
    const auto begin = steady_clock::now();
    const proto::CtlResponse response = engine.Answer(request, {});
    const double ms = Microseconds(steady_clock::now() - begin) / 1e3;
    if (response.exit_code() != 0) return Trouble(response.error());
    return ms;
  }

  Result<std::vector<double>> Fill() {
    GATEHOUSE_TRY(Engine engine, Open());
    proto::CtlRequest policy;
    policy.mutable_policy_new()->mutable_policy()->set_name("sales");
    GATEHOUSE_TRY_VOID(Timed(engine, policy));
    std::vector<double> times;
    for (std::size_t i = 0; i < grants_; ++i) {
      proto::CtlRequest request;
      request.mutable_policy_grant()->set_name("sales");
      request.mutable_policy_grant()->mutable_to()->add_users(
          fmt::format("user{}@contoso.example", i));
      GATEHOUSE_TRY(const double ms, Timed(engine, request));
      times.push_back(1e3 * ms);
    }
    return times;
  }

  std::string path_;
  std::size_t grants_;
};

}  // namespace
}  // namespace gatehouse::policy_engine

int main(int argc, char** argv) {
  const std::size_t grants = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (grants == 0) {
    std::fprintf(stderr, "usage: gatehouse_grants_bench FILE GRANTS\n");
    return 2;
  }
  const auto result = gatehouse::policy_engine::Bench(argv[1], grants).Run();
  if (!result) {
    std::fprintf(stderr, "gatehouse_grants_bench: %s\n", result.error().text.c_str());
    return 1;
  }
  std::printf("%s\n", result->c_str());
  return 0;
}
