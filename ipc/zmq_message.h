// Owner of one ZeroMQ message part.
#pragma once

#include <zmq.h>

#include <cstddef>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse::ipc {

class ZmqMessage {
 public:
  ZmqMessage() { zmq_msg_init(&message_); }
  // Running out of memory ends the process.
  explicit ZmqMessage(std::size_t size) {
    GATEHOUSE_CHECK(zmq_msg_init_size(&message_, size) == 0);
  }
  ~ZmqMessage() { zmq_msg_close(&message_); }
  ZmqMessage(const ZmqMessage&) = delete;
  ZmqMessage& operator=(const ZmqMessage&) = delete;

  [[nodiscard]] zmq_msg_t* raw() { return &message_; }
  [[nodiscard]] char* data() { return static_cast<char*>(zmq_msg_data(&message_)); }
  [[nodiscard]] std::size_t size() const { return zmq_msg_size(&message_); }
  [[nodiscard]] bool more() const { return zmq_msg_more(&message_) != 0; }
  [[nodiscard]] std::string_view view() { return {data(), size()}; }

 private:
  zmq_msg_t message_{};
};

}  // namespace gatehouse::ipc
