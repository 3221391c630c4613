// A side of a link without sockets, for fuzz targets: frames go in where the port would hand them
// on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/metrics.h"
#include "core/loop/loop.h"
#include "ipc/link_side.h"
#include "proto/link_control.pb.h"

namespace gatehouse::ipc {

struct LinkStage {
  static constexpr std::uint64_t kOwnEpoch = 7;

  std::unique_ptr<Loop> loop = Loop::Create().value();
  std::unique_ptr<ZmqContext> context = ZmqContext::Create().value();
  Metrics metrics;
  Identity self{"stage/0", kOwnEpoch};
  std::uint64_t sibling_epoch = 1;

  LinkSide::Setup Setup() { return {*loop, *context, metrics, self, milliseconds{0}, {}}; }
  // Says it binds, but is never opened: it has no socket, and nothing it says leaves.
  static proto::LinkEnd End() {
    proto::LinkEnd end;
    end.set_sibling_plugin("rogue");
    end.set_binds(true);
    end.set_address("ipc:///nowhere");
    end.set_window(8);
    end.set_max_message_bytes(65536);
    return end;
  }
  // What was closed opens again to a new life.
  void Rebirth(LinkSide& side) {
    proto::Sibling sibling;
    sibling.set_instance("rogue/0");
    sibling.set_epoch(++sibling_epoch);
    side.SiblingUp(sibling);
  }
  // The bytes as they are, then, if they are a frame, as one of this life, twice.
  template <class Frame>
  void Play(LinkSide& side, std::string_view bytes) {
    side.Receive("rogue/0", ZmqFrame{.from = {}, .body = bytes, .well_formed = true, .uid = {}});
    Rebirth(side);
    Frame frame;
    if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    frame.set_sender_epoch(sibling_epoch);
    frame.set_receiver_epoch(kOwnEpoch);
    const std::string honest = frame.SerializeAsString();
    for (int repeat = 0; repeat < 2; ++repeat) {
      side.Receive("rogue/0", ZmqFrame{.from = {}, .body = honest, .well_formed = true, .uid = {}});
      loop->RunOnce();
    }
  }
};

}  // namespace gatehouse::ipc
