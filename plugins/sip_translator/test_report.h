// The steps of a test as they happen, and how it ended.
#pragma once

#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/policy/reasons.h"
#include "proto/ctl.pb.h"

namespace gatehouse::translator {

class TestReport {
 public:
  explicit TestReport(TimePoint start) : start_(start) {}
  void Step(TimePoint now, std::string_view name, bool ok, std::string detail);
  // Once. kNone: it passed. `reason`: the sentence of this case.
  [[nodiscard]] proto::CtlResponse Finish(Reason code, std::string reason, std::string remedy);

 private:
  TimePoint start_;
  proto::TestReport report_;
};

}  // namespace gatehouse::translator
