#include "core/config/listen_address.h"

#include <fmt/format.h>

namespace gatehouse {
namespace {

std::unexpected<Error> NotRight(std::string_view text, std::string_view right) {
  return BadConfig(fmt::format("is '{}'; would be right: {}", text, right));
}

}  // namespace

Result<ListenAddress> ListenAddress::ParseXmpp(std::string_view text) {
  auto address = SocketAddress::Parse(text);
  if (!address)
    return NotRight(text, "an address and a port such as \"[::]:5269\" or \"127.0.0.1:5269\"");
  return ListenAddress{"tcp", *address};
}

Result<ListenAddress> ListenAddress::ParseSip(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view transport = text.substr(0, colon);
  const bool known = transport == "tls" || transport == "tcp" || transport == "udp";
  if (!known || colon == std::string_view::npos)
    return NotRight(text,
                    "a transport (tls, tcp or udp), an address and a port such as "
                    "\"tls:[::]:5061\"");
  auto address = SocketAddress::Parse(text.substr(colon + 1));
  if (!address)
    return NotRight(text, fmt::format("an address and a port after the transport such as "
                                      "\"{}:[::]:5061\"",
                                      transport));
  return ListenAddress{std::string(transport), *address};
}

}  // namespace gatehouse
