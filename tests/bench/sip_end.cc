#include "tests/bench/sip_end.h"

#include <fmt/format.h>

#include <utility>

namespace gatehouse::bench {

SipEnd::SipEnd(Loop& loop, SocketAddress gatehouse, std::string local_domain, Events events)
    : gatehouse_(gatehouse),
      local_domain_(std::move(local_domain)),
      events_(std::move(events)),
      agent_(loop, {.on_message =
                        [this](std::string_view body) {
                          if (const auto number = FindMark(body, 'b')) events_.on_message(*number);
                        },
                    .on_answer =
                        [this](std::string_view call_id, int status) {
                          if (const auto number = FindMark(call_id, 's'))
                            events_.on_answer(*number, status);
                        },
                    .on_closed =
                        [this](std::string_view why) {
                          events_.on_trouble("sip connection closed: " + std::string(why));
                        }}) {}

void SipEnd::Connect(std::function<void()> ready) {
  agent_.Connect(gatehouse_, [this, done = std::move(ready)](const Result<void>& connected) {
    if (!connected) return events_.on_trouble(connected.error().text);
    done();
  });
}

void SipEnd::SendMessage(std::size_t pair, const std::string& to, MessageNumber number,
                         std::size_t bytes) {
  std::string body = Mark('b', number) + " ";
  // What surrounds the body of a stanza of that size.
  const std::size_t envelope = 110 + to.size() + local_domain_.size();
  if (body.size() + envelope < bytes) body.append(bytes - body.size() - envelope, 'x');
  agent_.SendMessage(fmt::format("v{}@{}", pair, local_domain_), to, Mark('s', number), body);
}

}  // namespace gatehouse::bench
