#include "plugins/tls_listener/outbound_test.h"

#include <utility>

#include "core/policy/negotiation.h"
#include "plugins/tls_listener/outbound_outcome.h"

namespace gatehouse {
namespace {

void FillFailure(proto::CtlResponse& response, const OutboundFault& fault) {
  proto::TestReport& report = *response.mutable_test();
  report.set_ok(false);
  report.set_reason(std::string(FailureName(fault.failure)) + ": " + fault.text);
  report.set_remedy(std::string(RemedyOf(fault)));
  report.set_code(std::string(ReasonCode(ReasonOf(fault))));
  response.set_exit_code(1);
}

}  // namespace

proto::CtlResponse RefusedTest(const OutboundFault& fault) {
  proto::CtlResponse response;
  FillFailure(response, fault);
  return response;
}

proto::CtlResponse TestWithoutPolicy() {
  proto::CtlResponse response;
  response.set_exit_code(1);
  response.mutable_test()->set_reason("no policy snapshot yet");
  response.mutable_test()->set_remedy("wait until policy_engine runs");
  return response;
}

proto::CtlResponse RefusedTestOfOurs(const std::string& domain) {
  proto::CtlResponse response;
  proto::TestReport& report = *response.mutable_test();
  report.set_reason("'" + domain + "' is one of our own domains");
  report.set_remedy("name a partner's domain, as `gatehousectl partner list` shows them");
  response.set_exit_code(1);
  return response;
}

OutboundTest::OutboundTest(Loop& loop, OutboundDialer& dialer, OutboundConnection::Order order,
                           Events events)
    : loop_(loop),
      begun_(loop.Now()),
      row_(RowNumber(order.terms.row)),
      events_(std::move(events)),
      connection_(loop, dialer, std::move(order), ConnectionEvents()) {}

void OutboundTest::Start() {
  connection_.Start();
}

OutboundConnection::Events OutboundTest::ConnectionEvents() {
  OutboundConnection::Events events;
  events.on_make_key = events_.make_key;
  events.on_gone = events_.gone;
  events.on_pair_open = [this](std::string_view, proto::AuthMethod method) { Succeed(method); };
  events.on_failed = [this](const OutboundFault& fault) { Fail(fault); };
  events.on_step = [this](std::string_view step, bool ok, std::string detail) {
    AddStep(step, ok, std::move(detail));
  };
  return events;
}

void OutboundTest::AddStep(std::string_view step, bool ok, std::string detail) {
  proto::TestStep& added = *response_.mutable_test()->add_steps();
  added.set_step(std::string(step));
  added.set_ok(ok);
  added.set_detail(std::move(detail));
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(loop_.Now() - begun_);
  added.set_at_us(static_cast<std::uint64_t>(since.count()));
}

void OutboundTest::Succeed(proto::AuthMethod method) {
  AddStep("result", true,
          "open by " + std::string(MethodName(method)) + ", as row " + std::to_string(row_) +
              " permits, with " + connection_.peer_address());
  response_.mutable_test()->set_ok(true);
  connection_.Close();
  events_.answer(std::move(response_));
}

void OutboundTest::Fail(const OutboundFault& fault) {
  AddStep("result", false,
          std::string(ReasonCode(ReasonOf(fault))) + " (row " + std::to_string(row_) +
              "): " + fault.text);
  FillFailure(response_, fault);
  events_.answer(std::move(response_));
}

}  // namespace gatehouse
