// Answers GET requests of anybody on listening sockets, each connection once, within hard limits.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/result.h"
#include "core/http/http_message.h"
#include "core/loop/loop.h"
#include "core/loop/tcp_stream.h"
#include "core/loop/timer.h"

namespace gatehouse {

class HttpResponder {
 public:
  // Nobody who asks for a short path needs more.
  static constexpr HttpLimits kLimits{.head_bytes = 8192, .body_bytes = 1024};
  static constexpr std::size_t kMaxConnections = 256;  // newcomers wait in the kernel's queue
  static constexpr seconds kRequestLimit{10};          // from the first octet to the last one sent

  // The body for a target such as "/x/y", sent as text/plain; nullopt: 404.
  using Answer = std::function<std::optional<std::string>(std::string_view target)>;
  HttpResponder(Loop& loop, Metrics& metrics, Answer answer);
  ~HttpResponder();
  HttpResponder(const HttpResponder&) = delete;
  HttpResponder& operator=(const HttpResponder&) = delete;

  Result<void> Listen(int listening_fd);
  void Close();  // takes no more; what is open goes on

  // What is sent for a request that was read, or (nullptr) that is none. Pure.
  static std::string ResponseTo(const HttpMessage* request, const Answer& answer);

 private:
  struct Connection {
    std::unique_ptr<TcpStream> stream;
    HttpReader reader{HttpReader::Kind::kRequest, kLimits};
    TimePoint due;
    bool answered = false;
  };
  void OnStream(std::unique_ptr<TcpStream> stream);
  void OnBytes(std::uint64_t id, std::string_view bytes);
  void Drop(std::uint64_t id);
  void OnTick();

  Loop& loop_;
  double &requests_, &refused_;
  Answer answer_;
  std::vector<std::unique_ptr<TcpAcceptor>> acceptors_;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::uint64_t> gone_;
  std::uint64_t last_id_ = 0;
  bool paused_ = false;
  Timer tick_, sweep_;
};

}  // namespace gatehouse
