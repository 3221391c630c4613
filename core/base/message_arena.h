// Memory for one message tree at a time: a stanza's many small parts are carved from one block and
// given back together.
#pragma once

#include <google/protobuf/arena.h>

#include <cstddef>
#include <memory>

namespace gatehouse {

class MessageArena {
 public:
  MessageArena() : block_(std::make_unique_for_overwrite<char[]>(kBlockBytes)), arena_(Options()) {}

  // An empty message. What was made before is gone.
  template <class Message>
  Message& Make() {
    arena_.Reset();
    return *google::protobuf::Arena::CreateMessage<Message>(&arena_);
  }

 private:
  // What nearly every stanza fits into; a larger one's further blocks go with the next Reset.
  static constexpr std::size_t kBlockBytes = 8192;
  google::protobuf::ArenaOptions Options() {
    google::protobuf::ArenaOptions options;
    options.initial_block = block_.get();
    options.initial_block_size = kBlockBytes;
    return options;
  }
  std::unique_ptr<char[]> block_;
  google::protobuf::Arena arena_;
};

}  // namespace gatehouse
