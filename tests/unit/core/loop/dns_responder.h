// A name server of one test: answers from a table, over UDP, on the test's own loop.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/loop/udp_socket.h"
#include "tests/unit/core/loop/loopback_sockets.h"

namespace gatehouse {

class DnsResponder {
 public:
  enum class Code : std::uint8_t {
    kNoError = 0,
    kServerFailure = 2,
    kNoSuchName = 3,
    kSilent = 255
  };
  static constexpr std::uint16_t kA = 1;
  static constexpr std::uint16_t kNaptr = 35;
  static constexpr std::uint16_t kAaaa = 28;
  static constexpr std::uint16_t kSrv = 33;
  static constexpr std::uint16_t kTlsa = 52;

  explicit DnsResponder(Loop& loop) : socket_(SOCK_DGRAM) {
    udp_ = *UdpSocket::Create(loop, socket_.fd(), [this](auto bytes, const SocketAddress& from) {
      Answer({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, from);
    });
  }

  [[nodiscard]] std::string server() const { return socket_.address().ToText(); }
  void Set(const std::string& name, Code code) { codes_[name] = code; }
  // This type only goes unanswered.
  void Drop(const std::string& name, std::uint16_t type) { dropped_.insert({name, type}); }
  void Add(const std::string& name, std::uint16_t type, std::string data) {
    records_[{name, type}].push_back(std::move(data));
  }

  static std::string U16(unsigned value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
  }
  static std::string Name(std::string_view dotted) {
    std::string wire;
    while (!dotted.empty()) {
      const std::string_view label = dotted.substr(0, dotted.find('.'));
      wire += static_cast<char>(label.size());
      wire += label;
      dotted.remove_prefix(std::min(dotted.size(), label.size() + 1));
    }
    return wire + '\0';
  }
  static std::string Text(std::string_view text) {
    return static_cast<char>(text.size()) + std::string(text);
  }
  static std::string Srv(unsigned priority, unsigned weight, unsigned port,
                         std::string_view target) {
    return U16(priority) + U16(weight) + U16(port) + Name(target);
  }

  int questions = 0;
  // Says that its answers are validated, where the question lets it. RFC 6840 §5.7
  bool validating = false;

 private:
  void Answer(std::string_view query, const SocketAddress& from) {
    ++questions;
    std::string name;
    std::size_t at = 12;
    for (; query[at] != '\0'; at += static_cast<std::size_t>(query[at]) + 1) {
      if (!name.empty()) name += '.';
      name += query.substr(at + 1, static_cast<std::size_t>(query[at]));
    }
    const std::string_view question = query.substr(12, at + 5 - 12);
    const auto type = static_cast<std::uint16_t>(static_cast<unsigned char>(query[at + 2]));
    const Code code = codes_.contains(name) ? codes_[name] : Code::kNoError;
    if (code == Code::kSilent || dropped_.contains({name, type})) return;
    const std::vector<std::string>& data = records_[{name, type}];
    std::string reply(query.substr(0, 2));
    const bool authentic = validating && code != Code::kServerFailure && (query[3] & 0x20) != 0;
    reply += U16(0x8180U + (authentic ? 0x20U : 0U) + static_cast<unsigned>(code)) + U16(1);
    reply += U16(static_cast<unsigned>(data.size())) + U16(0) + U16(0);
    reply += question;
    for (const std::string& record : data)
      reply += U16(0xc00c) + U16(type) + U16(1) + U16(0) + U16(60) +
               U16(static_cast<unsigned>(record.size())) + record;
    udp_->Send(from, reply);
  }

  LoopbackSocket socket_;
  std::unique_ptr<UdpSocket> udp_;
  std::map<std::string, Code> codes_;
  std::set<std::pair<std::string, std::uint16_t>> dropped_;
  std::map<std::pair<std::string, std::uint16_t>, std::vector<std::string>> records_;
};

}  // namespace gatehouse
