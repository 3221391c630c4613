#include "plugins/sip_translator/test_report.h"

#include <chrono>
#include <utility>

namespace gatehouse::translator {

void TestReport::Step(TimePoint now, std::string_view name, bool ok, std::string detail) {
  proto::TestStep& step = *report_.add_steps();
  step.set_step(std::string(name));
  step.set_ok(ok);
  step.set_detail(std::move(detail));
  step.set_at_us(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(now - start_).count()));
}

proto::CtlResponse TestReport::Finish(Reason code, std::string reason, std::string remedy) {
  proto::CtlResponse response;
  report_.set_ok(reason.empty());
  response.set_exit_code(reason.empty() ? 0 : 1);
  if (code != Reason::kNone) report_.set_code(std::string(ReasonCode(code)));
  if (!reason.empty()) response.set_error(reason + "; " + remedy);
  report_.set_reason(std::move(reason));
  report_.set_remedy(std::move(remedy));
  *response.mutable_test() = std::move(report_);
  return response;
}

}  // namespace gatehouse::translator
