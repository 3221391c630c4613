// One HTTPS request over a connection of its own (RFC 9110, RFC 9112): our loop, DNS and TLS.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/http/http_message.h"
#include "core/loop/dns_lookup.h"
#include "core/loop/loop.h"
#include "core/loop/socket_address.h"
#include "core/tls/tls_context.h"

namespace gatehouse {

struct HttpsUrl {
  std::string host;  // a name in lower case; no address: certificates are checked by names
  std::uint16_t port = 443;
  std::string target;  // "/directory?x=y", never empty

  // nullopt: another scheme, a user, no host, a port that is none, or octets no URL has.
  static std::optional<HttpsUrl> Parse(std::string_view text);
};

struct HttpRequest {
  std::string method;  // "GET", "HEAD", "POST"
  std::string url;
  std::string content_type;  // empty: no body
  std::string body;
};

class HttpExchange {
 public:
  struct Setup {
    Loop& loop;
    DnsLookup& dns;
    std::shared_ptr<const TlsContext> tls;  // its anchors are those of the server
    HttpLimits limits = {};
    // Addresses that it says no to are not gone to; empty: any may be gone to.
    std::function<bool(const SocketAddress&)> may_go = {};
  };
  using Done = std::function<void(Result<HttpMessage>)>;

  // Calls `done` once within `limit`, never inside this call; the object may go inside of it.
  // Destroying it cancels. No redirect is followed. Whatever status came is no failure.
  //   fails  kTrouble with a sentence's part that names the host: DNS, no address that may be gone
  //          to, TCP, TLS, a certificate that does not prove the host, HTTP that cannot be read,
  //          time
  HttpExchange(const Setup& setup, HttpRequest request, milliseconds limit, Done done);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;  // answers under way hold it weakly
};

}  // namespace gatehouse
