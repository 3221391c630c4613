#include "ipc/ask_client_side.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "proto/link_control.pb.h"

namespace gatehouse::ipc {
namespace {

// Far more than one turn can ask for: the other end is hung, and memory is ours.
constexpr std::size_t kMaxAskedQuestions = 8192;
constexpr std::size_t kQuestionHeadBytes = 48;
// Where the topology sets no limit.
constexpr milliseconds kLongest = std::chrono::hours{24};

}  // namespace

AskClientSide::AskClientSide(const Setup& setup, const proto::LinkEnd& end)
    : LinkSide(setup, end),
      longest_(end.deadline_ms() > 0 ? milliseconds{end.deadline_ms()} : kLongest),
      expired_(setup.metrics.Value("gatehouse_link_questions_expired_total")),
      other_(Add(std::make_unique<Other>(plugin() + "/0", self().epoch))),
      expiry_(setup.loop, [this] { Expire(); }) {}

AskClientSide::~AskClientSide() = default;

void AskClientSide::AskBytes(std::string question, std::chrono::milliseconds limit,
                             OnAnswer on_answer) {
  if (question.size() + kQuestionHeadBytes + kFrameHeadBytes > max_message_bytes())
    return Refuse(std::move(on_answer),
                  fmt::format("a question of {} octets to {}, at most {}", question.size(),
                              plugin(), max_message_bytes()));
  if (questions_.size() >= kMaxAskedQuestions)
    return Refuse(std::move(on_answer),
                  fmt::format("{} questions to {} are open", questions_.size(), plugin()));
  const Deadline expires = clock_.Now() + std::min(limit, longest_);
  questions_.emplace_hint(questions_.end(), ++last_id_,
                          Asked{std::move(question), expires, std::move(on_answer)});
  deadlines_.emplace(expires, last_id_);
  if (deadlines_.begin()->second == last_id_) SetTimer();
  FlushLater(other_);
}

void AskClientSide::Refuse(OnAnswer on_answer, std::string why) {
  refused_.push_back(Refused{std::move(on_answer), std::move(why)});
  FlushLater(other_);
}

LinkSide::Other* AskClientSide::Meet(std::size_t index) {
  return index == 0 ? &other_ : nullptr;
}

void AskClientSide::OnOpened(Other& /*other*/) {
  next_to_send_ = 1;
}

void AskClientSide::OnGone(Other& /*other*/) {
  FailAll();
}

void AskClientSide::FailAll() {
  while (!questions_.empty()) Finish(questions_.begin(), Trouble(other_.name + " was scaled away"));
}

void AskClientSide::StartFrame() {
  out_.Clear();
  out_.set_sender_epoch(self().epoch);
  out_.set_receiver_epoch(other_.greeting.epoch());
}

void AskClientSide::WriteHello(Other& other) {
  StartFrame();
  out_.set_hello(other_.greeting.hello());
  Send(other, out_);
}

void AskClientSide::Flush(Other& other) {
  for (Refused& refused : std::exchange(refused_, {}))
    refused.on_answer(Trouble(std::move(refused.why)));
  if (other.gone) FailAll();
  while (other.greeting.open() && FillFrame()) {
    if (!Send(other, out_)) break;
    other.answer_due = false;
  }
}

// False when there is nothing to say.
bool AskClientSide::FillFrame() {
  StartFrame();
  const TimePoint now = clock_.Now();
  const std::size_t limit = std::min(kFrameTargetBytes, max_message_bytes() / 2);
  std::size_t bytes = 0;
  for (auto asked = questions_.lower_bound(next_to_send_); asked != questions_.end(); ++asked) {
    const std::size_t size = kQuestionHeadBytes + asked->second.question.size();
    if (bytes > 0 && bytes + size > limit) break;
    bytes += size;
    const auto left = std::chrono::duration_cast<milliseconds>(asked->second.expires - now).count();
    proto::Question& question = *out_.add_questions();
    question.set_id(asked->first);
    question.set_expires_in_ms(static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(left, 1, std::numeric_limits<std::uint32_t>::max())));
    question.set_body(asked->second.question);
    next_to_send_ = asked->first + 1;
  }
  return bytes > 0 || other_.answer_due;
}

std::string_view AskClientSide::Read(Other& other, std::string_view bytes) {
  if (!in_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return "not an ask frame";
  if (!Hear(other, in_.sender_epoch(), in_.receiver_epoch(), in_.hello())) return {};
  if (in_.questions_size() > 0) return "a question from the end that answers";
  for (proto::Answer& answer : *in_.mutable_answers()) {
    const auto question = questions_.find(answer.id());
    if (question == questions_.end()) {
      if (answer.id() == 0 || answer.id() > last_id_) return "an answer to what was never asked";
      continue;  // too late, or a second one
    }
    if (answer.error().empty())
      Finish(question, std::move(*answer.mutable_body()));
    else
      Finish(question, Trouble(other.name + ": " + answer.error()));
  }
  return {};
}

void AskClientSide::Finish(Questions::iterator question, Result<std::string> answer) {
  deadlines_.erase({question->second.expires, question->first});
  const auto node = questions_.extract(question);
  node.mapped().on_answer(std::move(answer));
}

void AskClientSide::Expire() {
  const TimePoint now = clock_.Now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    ++expired_;
    Finish(questions_.find(deadlines_.begin()->second),
           Trouble(fmt::format("no answer from {} in time", other_.name)));
  }
  SetTimer();
}

void AskClientSide::SetTimer() {
  if (deadlines_.empty()) return expiry_.Stop();
  const auto left = deadlines_.begin()->first - clock_.Now();
  expiry_.Start(std::max(std::chrono::duration_cast<milliseconds>(left), milliseconds{0}) +
                milliseconds{1});
}

}  // namespace gatehouse::ipc
