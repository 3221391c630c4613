#include "core/http/http_responder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gatehouse {
namespace {

constexpr milliseconds kLongestTick{1000};

std::string Response(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "Connection: close\r\n\r\n{}",
      status, type, body.size(), body);
}

}  // namespace

HttpResponder::HttpResponder(Loop& loop, Metrics& metrics, Answer answer, Bounds bounds)
    : loop_(loop),
      bounds_(bounds),
      requests_(metrics.Value("gatehouse_http_requests_total")),
      refused_(metrics.Value("gatehouse_http_requests_refused_total")),
      evicted_(metrics.Value("gatehouse_http_connections_evicted_total")),
      answer_(std::move(answer)),
      tick_(loop, [this] { OnTick(); }),
      sweep_(loop, [this] {
        for (const std::uint64_t id : std::exchange(gone_, {})) connections_.erase(id);
        if (!std::exchange(paused_, false)) return;
        for (const auto& acceptor : acceptors_) acceptor->Resume();
      }) {}

HttpResponder::~HttpResponder() = default;

Result<void> HttpResponder::Listen(int listening_fd) {
  GATEHOUSE_TRY(auto acceptor,
                TcpAcceptor::Create(loop_, listening_fd, [this](std::unique_ptr<TcpStream> stream) {
                  OnStream(std::move(stream));
                }));
  acceptors_.push_back(std::move(acceptor));
  return {};
}

void HttpResponder::Close() {
  acceptors_.clear();
}

void HttpResponder::OnStream(std::unique_ptr<TcpStream> stream) {
  const std::uint64_t id = ++last_id_;
  auto connection = std::make_unique<Connection>();
  connection->stream = std::move(stream);
  connection->due = loop_.Now() + bounds_.request;
  TcpStream& line = *connection->stream;
  connections_.emplace(id, std::move(connection));
  line.Start({.on_bytes =
                  [this, id](std::span<const std::byte> bytes) {
                    OnBytes(id, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
                  },
              .on_closed = [this, id](std::string_view /*why*/) { Drop(id); }});
  if (!tick_.active()) tick_.StartRepeating(std::min(kLongestTick, bounds_.request));
  if (connections_.size() > bounds_.connections) MakeRoom();
}

// Whoever asks for a challenge has his request whole at once; who is slow is not to keep him out.
// No other is taken before one has gone.
void HttpResponder::MakeRoom() {
  paused_ = true;
  for (const auto& acceptor : acceptors_) acceptor->Pause();
  if (!gone_.empty()) return;  // there is room soon
  for (const auto& [id, connection] : connections_) {
    if (connection->answered || id == last_id_) continue;
    evicted_ += 1;
    return Drop(id);
  }
}

void HttpResponder::OnBytes(std::uint64_t id, std::string_view bytes) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second->answered) return;
  Connection& connection = *found->second;
  const Result<bool> whole = connection.reader.Feed(bytes);
  if (whole && !*whole) return;
  connection.answered = true;
  requests_ += 1;
  if (!whole) refused_ += 1;
  connection.stream->Write(ResponseTo(whole ? &connection.reader.message() : nullptr, answer_));
  connection.stream->CloseAfterWrites();
}

std::string HttpResponder::ResponseTo(const HttpMessage* request, const Answer& answer) {
  if (request == nullptr) return Response("400 Bad Request", "text/plain", "bad request\n");
  const bool is_head = request->method == "HEAD";
  if (request->method != "GET" && !is_head)
    return Response("405 Method Not Allowed\r\nAllow: GET, HEAD", "text/plain", "only GET\n");
  const std::optional<std::string> body = answer(request->target);
  std::string response = body ? Response("200 OK", "application/octet-stream", *body)
                              : Response("404 Not Found", "text/plain", "nothing is here\n");
  if (is_head) response.resize(response.find("\r\n\r\n") + 4);
  return response;
}

// Not inside: the stream that tells us is what would go.
void HttpResponder::Drop(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || std::exchange(found->second->gone, true)) return;
  gone_.push_back(id);
  sweep_.Start(milliseconds{0});
}

void HttpResponder::OnTick() {
  const TimePoint now = loop_.Now();
  for (const auto& [id, connection] : connections_)
    if (now >= connection->due) Drop(id);
  if (connections_.empty()) tick_.Stop();
}

}  // namespace gatehouse
