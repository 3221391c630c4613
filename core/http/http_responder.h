// Answers GET requests of anybody on listening sockets, each connection once, within hard limits.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
  struct Bounds {
    // For one more the oldest whose request is not whole yet goes. Where all are being answered,
    // that one stays, and newcomers wait in the kernel's queue.
    std::size_t connections = 256;
    milliseconds request{10'000};  // from the beginning of a connection to the last octet sent
  };

  // The body for a target such as "/x/y", sent as application/octet-stream; nullopt: 404.
  using Answer = std::function<std::optional<std::string>(std::string_view target)>;
  HttpResponder(Loop& loop, Metrics& metrics, Answer answer, Bounds bounds);
  HttpResponder(Loop& loop, Metrics& metrics, Answer answer)
      : HttpResponder(loop, metrics, std::move(answer), Bounds{}) {}
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
    bool gone = false;
  };
  void OnStream(std::unique_ptr<TcpStream> stream);
  void OnBytes(std::uint64_t id, std::string_view bytes);
  void Drop(std::uint64_t id);
  void MakeRoom();
  void OnTick();

  Loop& loop_;
  Bounds bounds_;
  double &requests_, &refused_, &evicted_;
  Answer answer_;
  std::vector<std::unique_ptr<TcpAcceptor>> acceptors_;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::uint64_t> gone_;
  std::uint64_t last_id_ = 0;
  bool paused_ = false;
  Timer tick_, sweep_;
};

}  // namespace gatehouse
