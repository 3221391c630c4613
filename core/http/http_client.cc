#include "core/http/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "core/address/ascii.h"
#include "core/loop/tcp_stream.h"
#include "core/loop/timer.h"
#include "core/tls/tls_session.h"

namespace gatehouse {
namespace {

constexpr milliseconds kConnectLimit{10'000};

std::string_view TextOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool IsHostCharacter(char c) {
  return ascii::IsAlphanumeric(c) || c == '-' || c == '.' || c == '_';
}

}  // namespace

std::optional<HttpsUrl> HttpsUrl::Parse(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  if (ascii::Lower(text.substr(0, kScheme.size())) != kScheme) return std::nullopt;
  text.remove_prefix(kScheme.size());
  if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '#'; }))
    return std::nullopt;
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  HttpsUrl url;
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    const auto [at, failed] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (failed != std::errc() || at != port.data() + port.size() || url.port == 0)
      return std::nullopt;
    authority = authority.substr(0, colon);
  }
  if (authority.empty() || !std::ranges::all_of(authority, IsHostCharacter) ||
      SocketAddress::FromIp(authority, 0))
    return std::nullopt;
  url.host = ascii::Lower(authority);
  return url;
}

struct HttpExchange::State : std::enable_shared_from_this<HttpExchange::State> {
  State(const Setup& given, HttpRequest asked, Done action)
      : setup(given),
        request(std::move(asked)),
        done(std::move(action)),
        reader(HttpReader::Kind::kResponse, given.limits, request.method == "HEAD"),
        timer(given.loop, [this] { Fail("it did not answer in time"); }) {}

  void Begin(milliseconds limit) {
    timer.Start(limit);
    const auto parsed = HttpsUrl::Parse(request.url);
    if (!parsed) {
      url.host = "the server";
      return Fail(
          fmt::format("'{}' is no https URL with a name for its host", request.url.substr(0, 200)));
    }
    url = *parsed;
    setup.dns.Addresses(url.host, url.port,
                        [weak = weak_from_this()](DnsAnswer<SocketAddress> answer) {
                          if (const auto state = weak.lock()) state->OnAddresses(std::move(answer));
                        });
  }

  void OnAddresses(DnsAnswer<SocketAddress> answer) {
    if (finished) return;
    if (answer.status == DnsStatus::kTemporary) return Fail("DNS does not answer");
    if (answer.records.empty()) return Fail("DNS knows no address of it");
    const std::string first = answer.records.front().Ip();
    if (setup.may_go)
      std::erase_if(answer.records,
                    [this](const SocketAddress& address) { return !setup.may_go(address); });
    if (answer.records.empty())
      return Fail(
          fmt::format("its address {} is none that a connection may go to without "
                      "dns.allow_loopback_targets",
                      first));
    addresses = std::move(answer.records);
    ConnectNext();
  }

  void ConnectNext() {
    const SocketAddress to = addresses[next_address++];
    connecting = TcpStream::Connect(
        setup.loop, to, kConnectLimit, [this, to](Result<std::unique_ptr<TcpStream>> result) {
          if (finished) return;
          if (result) return OnConnected(*std::move(result));
          if (next_address == addresses.size())
            return Fail(fmt::format("no connection to {}: {}", to.ToText(), result.error().text));
          setup.loop.Post([weak = weak_from_this()] {
            if (const auto state = weak.lock(); state && !state->finished) state->ConnectNext();
          });
        });
  }

  void OnConnected(std::unique_ptr<TcpStream> connected) {
    stream = std::move(connected);
    TlsSession::Events events;
    events.on_ciphertext = [this](std::string_view bytes) { stream->Write(bytes); };
    events.on_plaintext = [this](std::span<const std::byte> bytes) {
      OnRead(reader.Feed(TextOf(bytes)));
    };
    events.on_handshake_done = [this] { OnSecured(); };
    events.on_peer_closed = [this] {
      closed_well = true;
      OnEnd();
    };
    auto made =
        TlsSession::Create(setup.tls, TlsSession::Role::kClient, url.host, std::move(events));
    if (!made) return Fail(made.error().text);
    session = *std::move(made);
    stream->Start({.on_bytes = [this](std::span<const std::byte> bytes) { OnBytes(bytes); },
                   .on_closed = [this](std::string_view why) { OnClosed(why); }});
    if (const auto started = session->Start(); !started) Fail(started.error().text);
  }

  void OnBytes(std::span<const std::byte> bytes) {
    if (finished) return;
    if (const auto fed = session->Feed(bytes); !fed) Fail("TLS failed: " + fed.error().text);
  }

  // What has failed already sends nothing: its request is made anew.
  void OnSecured() {
    if (finished) return;
    const PeerCertificate& peer = session->peer();
    if (!peer.chain_valid)
      return Fail(fmt::format("its certificate is not to be trusted: {}", peer.chain_error));
    if (!MatchesHttpsHost(peer, url.host)) return Fail("its certificate is for another name");
    std::string text =
        fmt::format("{} {} HTTP/1.1\r\nHost: {}", request.method, url.target, url.host);
    if (url.port != 443) text += fmt::format(":{}", url.port);
    text += "\r\nUser-Agent: gatehouse/" GATEHOUSE_VERSION
            "\r\nAccept-Language: en\r\nConnection: close\r\n";
    if (!request.content_type.empty())
      text += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", request.content_type,
                          request.body.size());
    text += "\r\n" + request.body;
    if (const auto written = session->Write(text); !written) Fail(written.error().text);
  }

  void OnRead(const Result<bool>& whole) {
    if (!whole) return Fail(whole.error().text);
    if (*whole) Finish(reader.message());
  }

  void OnEnd() {
    if (finished) return;
    const auto whole = reader.End();
    if (whole && *whole) return Finish(reader.message());
    Fail("the connection ended before the answer did");
  }

  void OnClosed(std::string_view why) {
    if (finished || closed_well) return;
    Fail(why.empty() ? std::string("the connection ended before the answer did")
                     : fmt::format("the connection broke: {}", why));
  }

  void Fail(const std::string& why) { Finish(Trouble(fmt::format("{}: {}", url.host, why))); }

  // Not inside: what calls us may be what is destroyed.
  void Finish(Result<HttpMessage> result) {
    if (std::exchange(finished, true)) return;
    timer.Stop();
    setup.loop.Post([weak = weak_from_this(), result = std::move(result)] {
      const auto state = weak.lock();
      if (!state) return;
      state->connecting.reset();
      if (state->session) state->session->Shutdown();
      state->stream.reset();
      state->session.reset();
      const Done action = std::move(state->done);
      action(result);
    });
  }

  const Setup setup;
  const HttpRequest request;
  Done done;
  HttpsUrl url;
  HttpReader reader;
  Timer timer;
  std::vector<SocketAddress> addresses;
  std::size_t next_address = 0;
  std::unique_ptr<TcpStream::Connecting> connecting;
  std::unique_ptr<TcpStream> stream;
  std::unique_ptr<TlsSession> session;
  bool closed_well = false;
  bool finished = false;
};

HttpExchange::HttpExchange(const Setup& setup, HttpRequest request, milliseconds limit, Done done)
    : state_(std::make_shared<State>(setup, std::move(request), std::move(done))) {
  state_->Begin(limit);
}

HttpExchange::~HttpExchange() = default;

}  // namespace gatehouse
