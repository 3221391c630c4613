// The asking end of an ask link, over one LinkSide. Asks instance 0 of the sibling plugin: who
// answers is not scaled.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ipc/ask_link.h"
#include "ipc/link_side.h"
#include "proto/ask_link.pb.h"

namespace gatehouse::ipc {

class AskClientSide final : public LinkSide, public AskClient {
 public:
  AskClientSide(const Setup& setup, const proto::LinkEnd& end);
  ~AskClientSide() override;

  void AskBytes(std::string question, std::chrono::milliseconds limit, OnAnswer on_answer) override;

 private:
  struct Asked {
    std::string question;
    Deadline expires;
    OnAnswer on_answer;
  };
  struct Refused {
    OnAnswer on_answer;
    std::string why;
  };
  using Questions = std::map<std::uint64_t, Asked>;

  Other* Meet(std::size_t index) override;
  void OnReborn(Other& /*other*/) override {}
  void OnOpened(Other& other) override;
  void OnGone(Other& other) override;
  std::string_view Read(Other& other, std::string_view bytes) override;
  void WriteHello(Other& other) override;
  void Flush(Other& other) override;

  void Refuse(OnAnswer on_answer, std::string why);
  void StartFrame();
  bool FillFrame();
  void Finish(Questions::iterator question, Result<std::string> answer);
  void FailAll();
  void Expire();
  void SetTimer();

  milliseconds longest_;
  double& expired_;
  SteadyClock clock_;
  Other& other_;
  Questions questions_;
  std::set<std::pair<Deadline, std::uint64_t>> deadlines_;
  std::vector<Refused> refused_;
  std::uint64_t last_id_ = 0;
  std::uint64_t next_to_send_ = 1;
  proto::AskFrame out_;
  proto::AskFrame in_;
  Timer expiry_;
};

}  // namespace gatehouse::ipc
