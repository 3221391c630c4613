#include "tests/bench/sip_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace gatehouse::bench {
namespace {

constexpr milliseconds kConnectLimit{5000};
constexpr std::string_view kHeadEnd = "\r\n\r\n";

// The value of the first header that begins with `name` ("\r\nContent-Length:"), as Gatehouse
// writes them.
std::string_view Header(std::string_view head, std::string_view name) {
  const auto at = head.find(name);
  if (at == std::string_view::npos) return {};
  std::string_view value = head.substr(at + name.size());
  value = value.substr(0, value.find("\r\n"));
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

std::size_t Number(std::string_view text) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string AnswerTo(std::string_view head) {
  std::string answer = "SIP/2.0 200 OK\r\n";
  std::string_view rest = head.substr(head.find("\r\n") + 2);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    if (line.starts_with("Via:") || line.starts_with("From:") || line.starts_with("Call-ID:") ||
        line.starts_with("CSeq:"))
      answer.append(line).append("\r\n");
    if (line.starts_with("To:")) answer.append(line).append(";tag=bench\r\n");
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
  }
  return answer + "Content-Length: 0\r\n\r\n";
}

}  // namespace

class SipConnection {
 public:
  SipConnection(SipEnd& end, std::unique_ptr<TcpStream> tcp) : end_(end), tcp_(std::move(tcp)) {
    tcp_->Start({.on_bytes = [this](auto bytes) { OnBytes(bytes); },
                 .on_closed = [this](std::string_view why) { end_.Gone(*this, why); }});
  }
  void Write(std::string_view bytes) { tcp_->Write(bytes); }
  [[nodiscard]] std::string LocalAddress() const { return tcp_->local().ToText(); }

 private:
  void OnBytes(std::span<const std::byte> bytes) {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::string_view rest = buffer_;
    while (true) {
      while (rest.starts_with("\r\n")) rest.remove_prefix(2);  // keepalive
      const std::size_t used = TakeMessage(rest);
      if (used == 0) break;
      rest.remove_prefix(used);
    }
    buffer_.erase(0, buffer_.size() - rest.size());
  }

  // Octets of the first whole message; 0 where there is none yet.
  std::size_t TakeMessage(std::string_view text) {
    const auto end = text.find(kHeadEnd);
    if (end == std::string_view::npos) return 0;
    const std::string_view head = text.substr(0, end + 2);
    const std::size_t body = end + kHeadEnd.size();
    const std::size_t size = body + Number(Header(head, "\r\nContent-Length:"));
    if (text.size() < size) return 0;
    if (head.starts_with("SIP/2.0 "))
      OnAnswer(head);
    else
      OnRequest(head, text.substr(body, size - body));
    return size;
  }

  void OnAnswer(std::string_view head) {
    const auto status = static_cast<int>(Number(head.substr(8, 3)));
    const auto number = FindMark(Header(head, "\r\nCall-ID:"), 's');
    if (status >= 200 && number) end_.events_.on_answer(*number, status);
  }

  void OnRequest(std::string_view head, std::string_view body) {
    Write(AnswerTo(head));
    if (!head.starts_with("MESSAGE ")) return;
    if (const auto number = FindMark(body, 'b')) end_.events_.on_message(*number);
  }

  SipEnd& end_;
  std::unique_ptr<TcpStream> tcp_;
  std::string buffer_;
};

SipEnd::SipEnd(Loop& loop, SocketAddress gatehouse, std::string local_domain, Events events)
    : loop_(loop),
      gatehouse_(gatehouse),
      local_domain_(std::move(local_domain)),
      events_(std::move(events)) {}

SipEnd::~SipEnd() = default;

SipConnection& SipEnd::Adopt(std::unique_ptr<TcpStream> tcp) {
  auto connection = std::make_unique<SipConnection>(*this, std::move(tcp));
  SipConnection& adopted = *connection;
  connections_.emplace(&adopted, std::move(connection));
  return adopted;
}

void SipEnd::Gone(SipConnection& connection, std::string_view why) {
  if (ours_ == &connection) ours_ = nullptr;
  loop_.Post([this, gone = &connection, text = std::string(why)] {
    if (connections_.erase(gone) == 1) events_.on_trouble("sip connection closed: " + text);
  });
}

Result<void> SipEnd::Listen(int listening_fd) {
  GATEHOUSE_TRY(acceptor_, TcpAcceptor::Create(loop_, listening_fd,
                                               [this](auto tcp) { Adopt(std::move(tcp)); }));
  return {};
}

void SipEnd::Connect(std::function<void()> ready) {
  attempt_ = TcpStream::Connect(loop_, gatehouse_, kConnectLimit,
                                [this, done = std::move(ready)](auto tcp) {
                                  if (!tcp) return events_.on_trouble(tcp.error().text);
                                  ours_ = &Adopt(*std::move(tcp));
                                  done();
                                });
}

void SipEnd::SendMessage(std::size_t pair, const std::string& to, MessageNumber number,
                         std::size_t bytes) {
  if (ours_ == nullptr) return;  // counted as lost
  std::string body = Mark('b', number) + " ";
  // What surrounds the body of a stanza of that size.
  const std::size_t envelope = 110 + to.size() + local_domain_.size();
  if (body.size() + envelope < bytes) body.append(bytes - body.size() - envelope, 'x');
  ours_->Write(
      fmt::format("MESSAGE sip:{0} SIP/2.0\r\nVia: SIP/2.0/TCP {1};branch=z9hG4bKbench{2}\r\n"
                  "Max-Forwards: 70\r\nFrom: <sip:v{3}@{4}>;tag=v{3}\r\nTo: <sip:{0}>\r\n"
                  "Call-ID: bench{5}\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\n"
                  "Content-Length: {6}\r\n\r\n{7}",
                  to, ours_->LocalAddress(), number, pair, local_domain_, Mark('s', number),
                  body.size(), body));
}

}  // namespace gatehouse::bench
