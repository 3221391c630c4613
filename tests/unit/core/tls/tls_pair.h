// A client and a server session that talk in memory.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/tls/tls_session.h"

namespace gatehouse {

class TlsPair {
 public:
  struct End {
    std::unique_ptr<TlsSession> session;
    std::deque<std::string> outbox;  // ciphertext for the other end
    std::string received;
    std::vector<std::size_t> record_sizes;
    int handshakes = 0;
    int peer_closed = 0;
    std::string error;
  };

  TlsPair(std::shared_ptr<const TlsContext> client_context,
          std::shared_ptr<const TlsContext> server_context,
          std::string_view server_name = "partner.example", std::string_view expected_name = {}) {
    Open(client, std::move(client_context), TlsSession::Role::kClient, server_name);
    Open(server, std::move(server_context), TlsSession::Role::kServer, expected_name);
  }

  // Starts the client and carries ciphertext until nobody has more to say.
  void Handshake() {
    Note(client, client.session->Start());
    Carry();
  }
  void Carry() {
    while (!client.outbox.empty() || !server.outbox.empty()) {
      Move(client, server);
      Move(server, client);
    }
  }
  [[nodiscard]] bool both_done() const { return client.handshakes == 1 && server.handshakes == 1; }

  End client;
  End server;

 private:
  static void Open(End& end, std::shared_ptr<const TlsContext> context, TlsSession::Role role,
                   std::string_view name) {
    TlsSession::Events events;
    events.on_ciphertext = [&end](std::string_view bytes) { end.outbox.emplace_back(bytes); };
    events.on_plaintext = [&end](std::span<const std::byte> bytes) {
      end.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      end.record_sizes.push_back(bytes.size());
    };
    events.on_handshake_done = [&end] { ++end.handshakes; };
    events.on_peer_closed = [&end] { ++end.peer_closed; };
    auto session = TlsSession::Create(std::move(context), role, name, std::move(events));
    ASSERT_TRUE(session) << session.error().text;
    end.session = *std::move(session);
  }
  static void Note(End& end, const Result<void>& result) {
    if (!result && end.error.empty()) end.error = result.error().text;
  }
  static void Move(End& from, End& to) {
    while (!from.outbox.empty()) {
      const std::string bytes = from.outbox.front();
      from.outbox.pop_front();
      Note(to, to.session->Feed(std::as_bytes(std::span(bytes))));
    }
  }
};

inline std::shared_ptr<const TlsContext> MustContext(const TlsFiles& files,
                                                     TlsContext::Options options = {}) {
  auto context = TlsContext::Create(files, std::move(options));
  EXPECT_TRUE(context) << context.error().text;
  return context ? *context : nullptr;
}

}  // namespace gatehouse
