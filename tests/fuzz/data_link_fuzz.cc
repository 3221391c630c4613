// Frames of a data link from a sibling gone wrong: closed or served, never a crash.
#include <vector>

#include "ipc/data_link_side.h"
#include "tests/fuzz/link_stage.h"

namespace gatehouse::ipc {
namespace {

struct DataStage : LinkStage {
  DataLinkSide side{Setup(), End(), {.lost = 6, .too_large = 12}};
  std::vector<Ticket> held;

  DataStage() {
    side.OnOffers([this](const Received& received, Ticket ticket) {
      if (received.body.size() % 2 == 0)
        ticket.Settle(Outcome::Failed(1, std::string(received.body)));
      else
        held.push_back(std::move(ticket));
    });
  }
  void Take(std::string_view bytes) {
    Rebirth(side);
    side.At(0).Offer("pair", "ours", loop->Now() + seconds{30}, {});
    Play<proto::DataFrame>(side, bytes);
    for (Ticket& ticket : held) ticket.Settle(Outcome::Delivered());
    held.clear();
    loop->RunOnce();
    proto::Sibling gone;
    gone.set_instance("rogue/0");
    side.SiblingGone(gone);
  }
};

}  // namespace
}  // namespace gatehouse::ipc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static gatehouse::ipc::DataStage stage;
  stage.Take({reinterpret_cast<const char*>(data), size});
  return 0;
}
