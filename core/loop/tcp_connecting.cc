// One attempt to connect: succeeds, fails or meets its limit, then tells so once.
#include <utility>

#include "core/loop/tcp_stream.h"
#include "core/loop/tcp_stream_state.h"

namespace gatehouse {

class TcpConnecting final : public TcpStream::Connecting {
 public:
  using Done = std::function<void(Result<std::unique_ptr<TcpStream>>)>;

  TcpConnecting(Loop& loop, const SocketAddress& to, milliseconds limit, Done done)
      : to_(to),
        done_(std::move(done)),
        state_(std::make_unique<TcpStream::State>(loop)),
        limit_(loop, [this] { Finish(limit_means_); }) {
    state_->connect.data = this;
    const int code = uv_tcp_connect(&state_->connect, &state_->tcp, to.raw(),
                                    [](uv_connect_t* request, int status) {
                                      auto* self = static_cast<TcpConnecting*>(request->data);
                                      if (self != nullptr) self->Finish(status);
                                    });
    if (code != 0) limit_means_ = code;
    limit_.Start(code == 0 ? limit : milliseconds(0));  // `done` is never called inside Connect
  }

  ~TcpConnecting() override { Abandon(); }
  TcpConnecting(const TcpConnecting&) = delete;
  TcpConnecting& operator=(const TcpConnecting&) = delete;

 private:
  void Abandon() {
    if (!state_) return;
    state_->connect.data = nullptr;
    uv_tcp_t& tcp = state_->tcp;
    DeleteWithHandle(std::move(state_), tcp);
  }

  // `done` may destroy this object: nothing is touched after it.
  void Finish(int code) {
    limit_.Stop();
    const Done done = std::move(done_);
    if (code != 0) {
      Abandon();
      return done(Trouble(UvText("connect to " + to_.ToText(), code)));
    }
    state_->connect.data = nullptr;
    state_->TakeConnectedSocket();
    done(std::unique_ptr<TcpStream>(new TcpStream(std::move(state_))));
  }

  SocketAddress to_;
  Done done_;
  std::unique_ptr<TcpStream::State> state_;
  int limit_means_ = UV_ETIMEDOUT;
  Timer limit_;
};

std::unique_ptr<TcpStream::Connecting> TcpStream::Connect(
    Loop& loop, const SocketAddress& to, milliseconds limit,
    std::function<void(Result<std::unique_ptr<TcpStream>>)> done) {
  return std::make_unique<TcpConnecting>(loop, to, limit, std::move(done));
}

}  // namespace gatehouse
