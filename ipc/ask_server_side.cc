#include "ipc/ask_server_side.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "proto/link_control.pb.h"

namespace gatehouse::ipc {
namespace {

// No honest asker has more open (ask_client_side.cc); those past their deadline are swept first.
constexpr std::size_t kMaxOpenQuestions = 16384;
constexpr std::size_t kAnswerHeadBytes = 48;

}  // namespace

class AskServerSide::Asker final : public Other {
 public:
  using Other::Other;

  struct Waiting {
    std::uint64_t id = 0;
    std::string question;
  };
  struct Answered {
    std::uint64_t id = 0;
    Result<std::string> answer;
  };

  void Sweep(TimePoint now) {
    std::erase_if(open, [now](const auto& question) { return question.second < now; });
  }
  void Forget() {
    open.clear();
    waiting.clear();
    to_tell.clear();
  }

  std::map<std::uint64_t, Deadline> open;
  std::vector<Waiting> waiting;  // while there is no handler
  std::deque<Answered> to_tell;
};

AskServerSide::AskServerSide(const Setup& setup, const proto::LinkEnd& end)
    : LinkSide(setup, end), late_(setup.metrics.Value("gatehouse_link_answers_late_total")) {}

AskServerSide::~AskServerSide() = default;

void AskServerSide::Answer(Handler handler) {
  handler_ = std::move(handler);
  for (Asker* asker : askers_) FlushLater(*asker);
}

LinkSide::Other* AskServerSide::Meet(std::size_t index) {
  while (askers_.size() <= index) {
    auto asker =
        std::make_unique<Asker>(fmt::format("{}/{}", plugin(), askers_.size()), self().epoch);
    askers_.push_back(asker.get());
    Add(std::move(asker));
  }
  return askers_[index];
}

void AskServerSide::OnReborn(Other& other) {
  static_cast<Asker&>(other).Forget();
}
void AskServerSide::OnGone(Other& other) {
  static_cast<Asker&>(other).Forget();
}

void AskServerSide::StartFrame(Other& other) {
  out_.Clear();
  out_.set_sender_epoch(self().epoch);
  out_.set_receiver_epoch(other.greeting.epoch());
}

void AskServerSide::WriteHello(Other& other) {
  StartFrame(other);
  out_.set_hello(other.greeting.hello());
  Send(other, out_);
}

void AskServerSide::Flush(Other& other) {
  auto& asker = static_cast<Asker&>(other);
  if (handler_)
    for (const Asker::Waiting& waiting : std::exchange(asker.waiting, {}))
      HandOver(asker, waiting.id, waiting.question);
  while (asker.greeting.open() && FillFrame(asker)) {
    if (!Send(asker, out_)) break;
    asker.answer_due = false;
  }
}

// False when there is nothing to say. Answers that do not leave are lost: the asker greets, and
// asks again.
bool AskServerSide::FillFrame(Asker& asker) {
  StartFrame(asker);
  const std::size_t limit = std::min(kFrameTargetBytes, max_message_bytes() / 2);
  std::size_t bytes = 0;
  for (; !asker.to_tell.empty(); asker.to_tell.pop_front()) {
    Asker::Answered& next = asker.to_tell.front();
    const std::size_t size = kAnswerHeadBytes + (next.answer ? next.answer->size() : 256);
    if (bytes > 0 && bytes + size > limit) break;
    bytes += size;
    proto::Answer& answer = *out_.add_answers();
    answer.set_id(next.id);
    if (next.answer)
      answer.set_body(*std::move(next.answer));
    else
      answer.set_error(CleanText(next.answer.error().text));
    if (!next.answer && answer.error().empty()) answer.set_error("no answer");
  }
  return bytes > 0 || asker.answer_due;
}

std::string_view AskServerSide::Read(Other& other, std::string_view bytes) {
  auto& asker = static_cast<Asker&>(other);
  if (!in_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return "not an ask frame";
  if (!Hear(other, in_.sender_epoch(), in_.receiver_epoch(), in_.hello())) return {};
  if (in_.answers_size() > 0) return "an answer from the end that asks";
  const TimePoint now = clock_.Now();
  for (proto::Question& question : *in_.mutable_questions()) {
    if (!asker.greeting.open()) return {};  // the handler has just closed it
    if (const std::string_view wrong = ReadQuestion(asker, question, now); !wrong.empty())
      return wrong;
  }
  return {};
}

std::string_view AskServerSide::ReadQuestion(Asker& asker, proto::Question& question,
                                             TimePoint now) {
  if (question.id() == 0) return "a question without a number";
  if (asker.open.size() >= kMaxOpenQuestions) asker.Sweep(now);
  if (asker.open.size() >= kMaxOpenQuestions) return "more questions than any asker has open";
  const Deadline expires = now + milliseconds{question.expires_in_ms()};
  if (!asker.open.try_emplace(question.id(), expires).second) return {};  // a repeat of one in hand
  if (handler_)
    HandOver(asker, question.id(), question.body());
  else
    asker.waiting.push_back({question.id(), std::move(*question.mutable_body())});
  return {};
}

void AskServerSide::HandOver(Asker& asker, std::uint64_t id, std::string_view question) {
  const std::uint64_t epoch = asker.greeting.epoch();
  handler_(asker.name, question, [this, &asker, epoch, id](Result<std::string> answer) {
    Reply(asker, epoch, id, std::move(answer));
  });
}

void AskServerSide::Reply(Asker& asker, std::uint64_t epoch, std::uint64_t id,
                          Result<std::string> answer) {
  if (asker.greeting.epoch() != epoch) return;  // another life asked
  const auto open = asker.open.find(id);
  if (open == asker.open.end() || open->second < clock_.Now()) {
    ++late_;
    if (open != asker.open.end()) asker.open.erase(open);
    return;
  }
  asker.open.erase(open);
  if (answer && answer->size() + kAnswerHeadBytes + kFrameHeadBytes > max_message_bytes())
    answer = Trouble(
        fmt::format("an answer of {} octets, at most {}", answer->size(), max_message_bytes()));
  asker.to_tell.push_back(Asker::Answered{id, std::move(answer)});
  FlushLater(asker);
}

}  // namespace gatehouse::ipc
