#include "plugins/tls_listener/stream_reports.h"

#include <utility>

namespace gatehouse {
namespace {

constexpr milliseconds kGather{200};
constexpr milliseconds kRetry{1000};
constexpr milliseconds kReportAnswerLimit{10000};

}  // namespace

StreamReports::StreamReports(Loop& loop, ipc::AskClient& engine)
    : engine_(engine), pause_(loop, [this] { Ask(); }) {}

void StreamReports::Add(proto::StreamRecord record) {
  *waiting_.add_streams() = std::move(record);
  const int surplus = waiting_.streams_size() - static_cast<int>(kMaxWaiting);
  if (surplus > 0) waiting_.mutable_streams()->DeleteSubrange(0, surplus);
  if (!pause_.active() && asked_.streams().empty()) pause_.Start(kGather);
}

void StreamReports::Ask() {
  if (waiting_.streams().empty()) return;
  asked_ = std::exchange(waiting_, {});
  proto::PolicyQuestion question;
  *question.mutable_streams() = asked_;
  engine_.Ask<proto::PolicyAnswer>(
      question, kReportAnswerLimit,
      [this](const Result<proto::PolicyAnswer>& answer) { OnAnswer(answer && answer->noted()); });
}

void StreamReports::OnAnswer(bool noted) {
  proto::StreamsSeen asked = std::exchange(asked_, {});
  if (!noted) {
    for (proto::StreamRecord& record : *waiting_.mutable_streams())
      *asked.add_streams() = std::move(record);
    waiting_ = std::move(asked);
  }
  if (!waiting_.streams().empty()) pause_.Start(noted ? kGather : kRetry);
}

}  // namespace gatehouse
