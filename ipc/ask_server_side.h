// The answering end of an ask link, over one LinkSide.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/ask_link.h"
#include "ipc/link_side.h"
#include "proto/ask_link.pb.h"

namespace gatehouse::ipc {

class AskServerSide final : public LinkSide, public AskServer {
 public:
  AskServerSide(const Setup& setup, const proto::LinkEnd& end);
  ~AskServerSide() override;

  // Questions that came before are given to it at the end of the turn.
  void Answer(Handler handler);

 private:
  class Asker;

  Other* Meet(std::size_t index) override;
  void OnReborn(Other& other) override;
  void OnOpened(Other& /*other*/) override {}
  void OnGone(Other& other) override;
  std::string_view Read(Other& other, std::string_view bytes) override;
  void WriteHello(Other& other) override;
  void Flush(Other& other) override;

  void StartFrame(Other& other);
  bool FillFrame(Asker& asker);
  std::string_view ReadQuestion(Asker& asker, proto::Question& question, TimePoint now);
  void HandOver(Asker& asker, std::uint64_t id, std::string_view question);
  void Reply(Asker& asker, std::uint64_t epoch, std::uint64_t id, Result<std::string> answer);

  double& late_;
  SteadyClock clock_;
  Handler handler_;
  std::vector<Asker*> askers_;  // by index; LinkSide owns them
  proto::AskFrame out_;
  proto::AskFrame in_;
};

}  // namespace gatehouse::ipc
