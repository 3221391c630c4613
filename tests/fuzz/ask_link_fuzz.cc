// Frames of an ask link from a sibling gone wrong, at the end that answers and at the end that
// asks.
#include "ipc/ask_client_side.h"
#include "ipc/ask_server_side.h"
#include "tests/fuzz/link_stage.h"

namespace gatehouse::ipc {
namespace {

struct AskStage : LinkStage {
  AskServerSide server{Setup(), End()};
  AskClientSide client{Setup(), End()};
  AskServer::Reply held;

  AskStage() {
    server.Answer([this](std::string_view, std::string_view question, AskServer::Reply reply) {
      if (question.size() % 2 == 0)
        reply(std::string(question));
      else
        held = std::move(reply);
    });
  }
  void Take(std::string_view bytes) {
    Rebirth(server);
    Play<proto::AskFrame>(server, bytes);
    if (held) held(Trouble("no"));
    held = nullptr;
    Rebirth(client);
    client.AskBytes("ours", milliseconds{0}, [](const Result<std::string>&) {});
    Play<proto::AskFrame>(client, bytes);
    loop->RunOnce();
    proto::Sibling gone;
    gone.set_instance("rogue/0");
    client.SiblingGone(gone);
  }
};

}  // namespace
}  // namespace gatehouse::ipc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static gatehouse::ipc::AskStage stage;
  stage.Take({reinterpret_cast<const char*>(data), size});
  return 0;
}
