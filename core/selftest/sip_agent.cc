#include "core/selftest/sip_agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace gatehouse::selftest {
namespace {

constexpr milliseconds kAgentConnectLimit{5000};
constexpr std::string_view kHeadEnd = "\r\n\r\n";

// The value of the header called `name` ("\r\nContent-Length:"), as Gatehouse writes it.
std::string_view Header(std::string_view head, std::string_view name) {
  const std::size_t at = head.find(name);
  if (at == std::string_view::npos) return {};
  std::string_view value = head.substr(at + name.size());
  value = value.substr(0, value.find("\r\n"));
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

int Number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// RFC 3261 §8.2.6.2
std::string AnswerTo(std::string_view head) {
  std::string answer = "SIP/2.0 200 OK\r\n";
  std::string_view rest = head;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    if (line.starts_with("Via:") || line.starts_with("From:") || line.starts_with("Call-ID:") ||
        line.starts_with("CSeq:"))
      answer.append(line).append("\r\n");
    if (line.starts_with("To:")) answer.append(line).append(";tag=selftest\r\n");
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
  }
  return answer + "Content-Length: 0\r\n\r\n";
}

}  // namespace

class SipWire {
 public:
  SipWire(SipAgent& agent, std::unique_ptr<TcpStream> tcp) : agent_(agent), tcp_(std::move(tcp)) {
    tcp_->Start({.on_bytes = [this](auto bytes) { OnBytes(bytes); },
                 .on_closed = [this](std::string_view why) { OnClosed(why); }});
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
    const std::size_t end = text.find(kHeadEnd);
    if (end == std::string_view::npos) return 0;
    const std::string_view head = text.substr(0, end + 2);
    const auto length = static_cast<std::size_t>(Number(Header(head, "\r\nContent-Length:")));
    const std::size_t size = end + kHeadEnd.size() + length;
    if (text.size() < size) return 0;
    const std::string_view body = text.substr(size - length, length);
    if (head.starts_with("SIP/2.0 ")) {
      OnAnswer(head);
    } else {
      Write(AnswerTo(head));
      if (head.starts_with("MESSAGE ")) agent_.events_.on_message(body);
    }
    return size;
  }

  void OnAnswer(std::string_view head) {
    const int status = Number(head.substr(8, 3));
    if (status >= 200) agent_.events_.on_answer(Header(head, "\r\nCall-ID:"), status);
  }

  void OnClosed(std::string_view why) {
    if (agent_.ours_ == this) agent_.ours_ = nullptr;
    if (agent_.events_.on_closed) agent_.events_.on_closed(why);
    agent_.loop_.Post([agent = &agent_, gone = this] { agent->wires_.erase(gone); });
  }

  SipAgent& agent_;
  std::unique_ptr<TcpStream> tcp_;
  std::string buffer_;
};

SipAgent::SipAgent(Loop& loop, Events events) : loop_(loop), events_(std::move(events)) {}

SipAgent::~SipAgent() = default;

SipWire& SipAgent::Adopt(std::unique_ptr<TcpStream> tcp) {
  auto wire = std::make_unique<SipWire>(*this, std::move(tcp));
  SipWire& adopted = *wire;
  wires_.emplace(&adopted, std::move(wire));
  return adopted;
}

Result<void> SipAgent::Listen(int listening_fd) {
  GATEHOUSE_TRY(acceptor_, TcpAcceptor::Create(loop_, listening_fd,
                                               [this](auto tcp) { Adopt(std::move(tcp)); }));
  return {};
}

void SipAgent::Connect(const SocketAddress& gatehouse, std::function<void(Result<void>)> ready) {
  attempt_ = TcpStream::Connect(loop_, gatehouse, kAgentConnectLimit,
                                [this, ready = std::move(ready)](auto tcp) {
                                  if (!tcp) return ready(std::unexpected(tcp.error()));
                                  ours_ = &Adopt(*std::move(tcp));
                                  ready({});
                                });
}

void SipAgent::SendMessage(std::string_view from, std::string_view to, std::string_view call_id,
                           std::string_view body) {
  if (ours_ == nullptr) return;
  ours_->Write(
      fmt::format("MESSAGE sip:{0} SIP/2.0\r\nVia: SIP/2.0/TCP {1};branch=z9hG4bK{2}\r\n"
                  "Max-Forwards: 70\r\nFrom: <sip:{3}>;tag=selftest\r\nTo: <sip:{0}>\r\n"
                  "Call-ID: {2}\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\n"
                  "Content-Length: {4}\r\n\r\n{5}",
                  to, ours_->LocalAddress(), call_id, from, body.size(), body));
}

}  // namespace gatehouse::selftest
