// An ask link: one question, one answer or a deadline. There is no synchronous ask.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace gatehouse::ipc {

class AskClient {
 public:
  using OnAnswer = std::function<void(Result<std::string>)>;  // the serialised answer
  virtual ~AskClient() = default;
  // `on_answer` is called exactly once, never inside the call: answer, kTrouble at the deadline, or
  // kTrouble with the other end's reason. A new life of the other end gets every open question
  // again.
  virtual void AskBytes(std::string question, std::chrono::milliseconds limit,
                        OnAnswer on_answer) = 0;

  // Typed: Question and Answer are protobuf messages.
  template <class Answer, class Question>
  void Ask(const Question& question, std::chrono::milliseconds limit,
           std::function<void(Result<Answer>)> on_answer) {
    AskBytes(question.SerializeAsString(), limit,
             [on_answer = std::move(on_answer)](Result<std::string> bytes) {
               if (!bytes) return on_answer(std::unexpected(bytes.error()));
               Answer answer;
               if (!answer.ParseFromString(*bytes)) return on_answer(Trouble("malformed answer"));
               on_answer(std::move(answer));
             });
  }
};

class AskServer {
 public:
  // Called once per question with the serialised answer or an error, now or later; dropped when
  // late.
  using Reply = std::function<void(Result<std::string>)>;
  using Handler =
      std::function<void(std::string_view instance, std::string_view question, Reply reply)>;
  virtual ~AskServer() = default;
};

}  // namespace gatehouse::ipc
