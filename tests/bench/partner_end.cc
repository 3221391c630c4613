#include "tests/bench/partner_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/xmpp/element.h"

namespace gatehouse::bench {
namespace {

constexpr milliseconds kPartnerConnectLimit{5000};

}  // namespace

PartnerEnd::PartnerEnd(Loop& loop, PartnerSetup setup, Events events)
    : loop_(loop),
      setup_(std::move(setup)),
      events_(std::move(events)),
      stream_events_{.on_open = [this](PartnerStream& stream) { StreamOpen(stream); },
                     .on_message = [this](const proto::Element& message) { OnMessage(message); },
                     .on_gone = [this](PartnerStream& stream,
                                       std::string_view why) { StreamGone(stream, why); }},
      open_(setup_.domains.size(), nullptr) {}

void PartnerEnd::Add(std::unique_ptr<TcpStream> tcp, const std::string& domain) {
  auto stream = std::make_unique<PartnerStream>(
      loop_, std::move(tcp), PartnerStream::Facts{domain, setup_.local_domain, setup_.tls},
      stream_events_);
  PartnerStream* key = stream.get();
  streams_.emplace(key, std::move(stream));
}

Result<void> PartnerEnd::Listen(int listening_fd) {
  GATEHOUSE_TRY(acceptor_, TcpAcceptor::Create(loop_, listening_fd,
                                               [this](auto tcp) { Add(std::move(tcp), {}); }));
  return {};
}

void PartnerEnd::Connect(std::function<void()> ready) {
  ready_ = std::move(ready);
  for (const std::string& domain : setup_.domains)
    attempts_.push_back(TcpStream::Connect(loop_, setup_.gatehouse, kPartnerConnectLimit,
                                           [this, &domain](auto tcp) {
                                             if (!tcp) return events_.on_trouble(tcp.error().text);
                                             Add(*std::move(tcp), domain);
                                           }));
}

void PartnerEnd::StreamOpen(PartnerStream& stream) {
  const auto domain = std::ranges::find(setup_.domains, stream.from());
  if (domain == setup_.domains.end()) return;  // Gatehouse opened it
  open_[static_cast<std::size_t>(domain - setup_.domains.begin())] = &stream;
  if (ready_ && std::find(open_.begin(), open_.end(), nullptr) == open_.end())
    std::exchange(ready_, {})();
}

void PartnerEnd::OnMessage(const proto::Element& message) {
  if (Attribute(message, "type") == "error") {
    if (const auto number = FindMark(Attribute(message, "id"), 'x')) events_.on_error(*number);
    return;
  }
  const proto::Element* body = FindChild(message, "body", ns::kServer);
  if (body == nullptr) return;
  if (const auto number = FindMark(TextOf(*body), 'b')) events_.on_message(*number);
}

// Told and forgotten in the next turn: the stream is on the stack now.
void PartnerEnd::StreamGone(PartnerStream& stream, std::string_view why) {
  std::replace(open_.begin(), open_.end(), &stream, static_cast<PartnerStream*>(nullptr));
  loop_.Post([this, gone = &stream, text = std::string(why)] {
    if (streams_.erase(gone) == 1) events_.on_trouble("stream closed: " + text);
  });
}

std::string PartnerEnd::UserOf(std::size_t pair) const {
  return fmt::format("u{}@{}", pair, setup_.domains[pair % setup_.domains.size()]);
}

void PartnerEnd::SendMessage(std::size_t pair, MessageNumber number, std::size_t bytes) {
  PartnerStream* stream = open_[pair % open_.size()];
  if (stream == nullptr) return;  // counted as lost
  std::string xml =
      fmt::format("<message type='chat' from='{}/bench' to='v{}@{}' id='{}'><body>{} ",
                  UserOf(pair), pair, setup_.local_domain, Mark('x', number), Mark('b', number));
  constexpr std::string_view kEnd = "</body></message>";
  if (xml.size() + kEnd.size() < bytes) xml.append(bytes - xml.size() - kEnd.size(), 'x');
  xml += kEnd;
  stream->Send(xml);
}

}  // namespace gatehouse::bench
