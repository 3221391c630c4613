// A hostile peer, a verifier and a certificate in any order: no stanza passes without a verified
// pair, nothing is said on a closed stream. The input is cut at NUL; the first byte of a part says
// what happens.
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/unit/core/xmpp/stream_scene.h"

namespace gatehouse {
namespace {

std::vector<proto::Partner> Partners() {
  return {WithBidi(PartnerOfRow(9)), PartnerOfRow(1, "chat.partner.example"),
          PartnerOfRow(2, "two.example"), PartnerOfRow(17, "clear.example")};
}

class HostileScene {
 public:
  void Play(std::string_view part) {
    if (part.empty()) return;
    const bool was_closed = scene_.machine_.state() == StreamState::kClosed;
    const bool was_open = scene_.machine_.has_verified_pair();
    const std::size_t delivered = scene_.delivered_.size();
    const std::string said = Do(part.front(), part.substr(1));
    if (was_closed) GATEHOUSE_CHECK(said.empty());
    if (scene_.delivered_.size() > delivered)
      GATEHOUSE_CHECK(was_open || said.find("[verified ") != std::string::npos);
    if (said.find(", takes ours]") != std::string::npos)
      GATEHOUSE_CHECK(heard_.find("urn:xmpp:bidi") != std::string::npos);
  }

 private:
  std::string Do(char what, std::string_view rest) {
    switch (what) {
      case 't':
      case 'u':
        if (scene_.machine_.state() != StreamState::kHandshake) return {};
        scene_.TlsDone(what == 't' ? std::vector<std::string>{"partner.example", "two.example"}
                                   : std::vector<std::string>{});
        return {};
      case 'f':
        return scene_.Told(scene_.machine_.OnTlsFailed());
      case 'v':
        return scene_.Proof(proto::DIALBACK_VALID);
      case 'i':
        return scene_.Proof(proto::DIALBACK_INVALID);
      case 'n':
        return scene_.Proof(proto::DIALBACK_NOT_FOUND);
      case 'j':
        return scene_.Judged(proto::DIALBACK_VALID);
      case 'e':
        return scene_.Told(scene_.machine_.OnEstablishmentTimeout());
      case 'r':
        scene_.rules_.policy = MakePolicy({PartnerOfRow(17)});
        return scene_.Told(scene_.machine_.OnRulesChanged());
      default:
        // During the handshake the bytes are TLS records: no reader sees them.
        if (scene_.machine_.state() == StreamState::kHandshake) return {};
        heard_ += rest;  // the word may come in two reads
        return scene_.In(rest);
    }
  }

  StreamScene scene_{Partners()};
  std::string heard_;  // all that the peer has written
};

}  // namespace
}  // namespace gatehouse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  gatehouse::HostileScene scene;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    scene.Play(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}
