// Two SIP endpoints on one loop, joined over loopback.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/loop/loop.h"
#include "core/loop/socket_address.h"
#include "core/loop/tcp_stream.h"
#include "core/worker/worker.h"
#include "plugins/sip_translator/sip_endpoint.h"
#include "tests/fakes/fake_worker_context.h"

namespace gatehouse::sip_scene {

// A bound (and for streams listening) loopback socket with a port from the kernel.
struct Socket {
  int fd = -1;
  std::string address;
};
inline Socket Bind(bool stream) {
  const int fd = socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(in);
  if (bind(fd, reinterpret_cast<sockaddr*>(&in), size) != 0) return {};
  if (stream && listen(fd, 64) != 0) return {};
  getsockname(fd, reinterpret_cast<sockaddr*>(&in), &size);
  return {fd, "127.0.0.1:" + std::to_string(ntohs(in.sin_port))};
}

using Context = FakeWorkerContext;

// One endpoint with sockets of its own.
struct Edge {
  Edge(Loop& loop, const std::string& domain, const std::vector<std::string>& trusted,
       const std::function<void(WorkerConfig&)>& adjust = {}) {
    WorkerConfig config;
    config.mutable_config()->add_domains()->set_name(domain);
    config.mutable_config()->mutable_sip()->set_host("edge." + domain);
    for (const std::string& peer : trusted)
      config.mutable_config()->mutable_sip()->add_trusted_peers(peer);
    if (adjust) adjust(config);
    const bool with_tls = !config.config().tls().chain_file().empty();
    for (const std::string transport : {"udp", "tcp", "tls"}) {
      if (transport == "tls" && !with_tls) continue;
      const Socket bound = Bind(transport != "udp");
      auto* socket = config.add_listeners();
      socket->set_kind(proto::SIP);
      socket->set_transport(transport);
      socket->set_address(bound.address);
      socket->set_fd(bound.fd);
      (transport == "udp" ? udp : transport == "tcp" ? tcp : tls) = bound.address;
    }
    context = std::make_unique<Context>(loop, config);
    auto keys = SipEndpoint::ReadKeys(config);
    if (!keys) {
      error = keys.error().text;
      return;
    }
    auto made = SipEndpoint::Create(*context, *std::move(keys));
    if (!made) {
      error = made.error().text;
      return;
    }
    endpoint = *std::move(made);
    endpoint->ShowCertificate(nullptr);
  }
  double Metric(std::string_view name) { return context->metrics().Value(name); }

  std::unique_ptr<Context> context;
  std::unique_ptr<SipEndpoint> endpoint;
  std::string udp, tcp, tls, error;
};

inline SipOutgoing Message(const std::string& next_hop, int number,
                           const std::string& body = "hello",
                           const std::function<void(SipRequest&)>& adjust = {}) {
  const std::string tag = "t" + std::to_string(number);
  const std::string call_id = "call" + std::to_string(number) + "@alpha.example";
  const std::string branch = "z9hG4bKbranch" + std::to_string(number);
  SipRequest request{.request_uri = "sip:bob@beta.example",
                     .from_uri = "sip:ann@alpha.example",
                     .from_tag = tag,
                     .to_uri = "sip:bob@beta.example",
                     .call_id = call_id,
                     .branch = branch,
                     .content_type = "text/plain",
                     .body = body,
                     .next_hop = next_hop};
  if (adjust) adjust(request);
  return SipOutgoing(request);
}

// What a plain client sees.
class RawTcp {
 public:
  RawTcp(Loop& loop, const std::string& address) {
    connecting_ = TcpStream::Connect(
        loop, *SocketAddress::Parse(address), milliseconds{2000},
        [this](Result<std::unique_ptr<TcpStream>> stream) {
          stream_ = *std::move(stream);
          stream_->Start({.on_bytes =
                              [this](std::span<const std::byte> bytes) {
                                seen.append(reinterpret_cast<const char*>(bytes.data()),
                                            bytes.size());
                              },
                          .on_closed = [this](std::string_view) { closed = true; },
                          .on_drained = {},
                          .on_flushed = {}});
          stream_->Write(to_send);
        });
  }
  void PauseReading() { stream_->PauseReading(); }
  void Write(std::string_view bytes) { stream_->Write(bytes); }
  void CloseAfterWrites() { stream_->CloseAfterWrites(); }
  [[nodiscard]] std::size_t queued_bytes() const { return stream_->queued_bytes(); }
  [[nodiscard]] bool open() const { return stream_ != nullptr; }
  std::string to_send;
  std::string seen;
  bool closed = false;

 private:
  std::unique_ptr<TcpStream::Connecting> connecting_;
  std::unique_ptr<TcpStream> stream_;
};

}  // namespace gatehouse::sip_scene
