// The peer we called, a verifier and the clock in any order: no pair opens by a method its row does
// not permit, no key leaves where none may, a stream that is over says nothing more. The first two
// bytes choose the terms; the rest is cut at NUL, the first byte of a part says what happens.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/base/result.h"
#include "core/xmpp/outbound_machine.h"

namespace gatehouse {
namespace {

constexpr std::uint8_t kRows = 18;
constexpr std::uint8_t kVerifies = 1, kShowsCertificate = 2, kMayGoClear = 4, kTakesTheirs = 8;

OutboundTerms TermsOf(std::uint8_t row, std::uint8_t flags) {
  proto::Partner partner;
  partner.set_sasl(static_cast<proto::Negotiation>(row % kRows / 6));
  partner.set_tls(static_cast<proto::Negotiation>(row % kRows % 6 / 2));
  partner.set_dialback(row % 2 == 0);
  return {.local = "corp.example",
          .remote = "partner.example",
          .row = RowOf(partner),
          .purpose = (flags & kVerifies) != 0 ? OutboundPurpose::kVerifyKeys
                                              : OutboundPurpose::kSendStanzas,
          .shows_certificate = (flags & kShowsCertificate) != 0,
          .takes_theirs = (flags & kTakesTheirs) != 0,
          .may_go_clear = (flags & kMayGoClear) != 0};
}

class OutboundScene {
 public:
  explicit OutboundScene(OutboundTerms terms)
      : permitted_(PermittedMethods(terms.row)), machine_(std::move(terms)) {}

  void Play(std::string_view part) {
    if (part.empty()) return;
    const bool was_over = machine_.state() == OutboundState::kClosed;
    said_ = false;
    Do(part.front(), part.substr(1));
    GATEHOUSE_CHECK(!was_over || !said_);
  }

  void operator()(const outbound::SendXml& a) {
    said_ = true;
    if (a.xml.starts_with("<db:result") && !a.xml.contains("type='error'")) {
      GATEHOUSE_CHECK(permitted_.Has(in_tls_ ? proto::TLS_DIALBACK : proto::TCP_DIALBACK));
    }
    if (a.xml.starts_with("<auth")) GATEHOUSE_CHECK(certificate_ok_ && permitted_.sasl_tls);
  }
  void operator()(const outbound::OpenXml&) { NewReader(); }
  void operator()(const outbound::BeginTls&) { reader_.reset(); }
  void operator()(const outbound::ReconnectInClear&) {
    GATEHOUSE_CHECK(permitted_.tcp_dialback && machine_.terms().may_go_clear);
    said_ = may_reconnect_ = true;
  }
  void operator()(const outbound::MakeKey& a) {
    GATEHOUSE_CHECK(!a.stream_id.empty());
    asked_ = a.local;
  }
  void operator()(const outbound::PairOpen& a) {
    said_ = true;
    GATEHOUSE_CHECK(machine_.state() == OutboundState::kOpen);
    GATEHOUSE_CHECK(a.method == machine_.method() && permitted_.Has(a.method));
    GATEHOUSE_CHECK(in_tls_ == (a.method != proto::TCP_DIALBACK));
    GATEHOUSE_CHECK(a.method == proto::SASL_TLS ? certificate_ok_ : keyed_.contains(a.local));
    GATEHOUSE_CHECK(open_.insert(a.local).second);
  }
  void operator()(const outbound::PairFailed& a) {
    said_ = true;
    GATEHOUSE_CHECK(!open_.contains(a.local));
  }
  void operator()(const outbound::ReadyToVerify&) { said_ = true; }
  void operator()(const outbound::Verified& a) {
    said_ = true;
    GATEHOUSE_CHECK(verifying_.erase(a.request.id) == 1);
  }
  void operator()(const outbound::Acknowledged&) {}
  void operator()(const outbound::AcksRefused&) {}
  void operator()(const outbound::Deliver& a) {
    GATEHOUSE_CHECK(machine_.terms().takes_theirs && open_.contains(std::string(a.local)));
    GATEHOUSE_CHECK(in_tls_ && a.method != proto::TCP_DIALBACK && permitted_.Has(a.method));
    GATEHOUSE_CHECK(a.method != proto::SASL_TLS || certificate_ok_);
  }
  void operator()(const outbound::AnswerStanza& a) { GATEHOUSE_CHECK(open_.contains(a.local)); }
  void operator()(const outbound::Dropped&) {}
  void operator()(const outbound::Fail&) {
    said_ = true;
    GATEHOUSE_CHECK(machine_.state() == OutboundState::kClosed);
  }

 private:
  void Take(const OutboundActions& actions) {
    for (const OutboundAction& action : actions) std::visit(*this, action);
  }
  void Do(char what, std::string_view rest) {
    switch (what) {
      case 's':
      case 'd':
        return Start(what == 'd');
      case 'r':
        return Reconnect();
      case 't':
      case 'u':
        return EndHandshake(what == 't');
      case 'f':
        return Take(machine_.OnTlsFailed("handshake"));
      case 'k':
        keyed_.insert(asked_);
        return Take(machine_.OnKey(asked_, "9f0c77"));
      case 'n':
        return Take(machine_.OnKey(asked_, {}));
      case 'a':
        if (machine_.MayAddPair() && pairs_ < 8)
          Take(machine_.AddPair("corp" + std::to_string(++pairs_) + ".example"));
        return;
      case 'p':
        return Take(machine_.OnPairTimeout(asked_));
      case 'v':
        return Verify(rest);
      case 'c':
        return Take(machine_.OnClosed("gone"));
      case 'e':
        return Take(machine_.OnTimeout());
      default:
        return Read(rest);
    }
  }
  // As for the next target: a machine starts anew only where it failed early, or was never started.
  void Start(bool direct_tls) {
    const bool idle = machine_.state() == OutboundState::kIdle;
    const bool next =
        machine_.state() == OutboundState::kClosed && machine_.MayTryNextTarget() && open_.empty();
    if (!idle && !next) return;
    Forget();
    Take(machine_.Start(direct_tls));
    said_ = false;
  }
  void Reconnect() {
    if (!std::exchange(may_reconnect_, false)) return;
    Forget();
    Take(machine_.StartInClear());
    said_ = false;
  }
  void Forget() {
    in_tls_ = certificate_ok_ = false;
    asked_.clear();
    keyed_.clear();
    verifying_.clear();
  }
  void EndHandshake(bool certificate_ok) {
    if (machine_.state() != OutboundState::kHandshake) return;
    in_tls_ = true;
    certificate_ok_ = certificate_ok;
    Take(machine_.OnTls(certificate_ok));
  }
  void Verify(std::string_view rest) {
    if (machine_.state() != OutboundState::kOpen ||
        machine_.terms().purpose != OutboundPurpose::kVerifyKeys)
      return;
    const std::string id = "D" + std::to_string(++verified_);
    verifying_.insert(id);
    Take(machine_.Verify({"corp.example", "partner.example", id, std::string(rest)}));
  }
  // During the handshake the bytes are TLS records: no reader sees them.
  void Read(std::string_view bytes) {
    if (!reader_) return;
    const auto read = reader_->Feed(std::as_bytes(std::span(bytes)));
    if (!read) Take(machine_.OnClosed("bad XML", read.error()));
  }
  void NewReader() {
    reader_ = XmlReader::Create(
        {.on_header = [this](const StreamHeader& header) { Take(machine_.OnHeader(header)); },
         .on_element = [this](proto::Element& element,
                              std::size_t) { Take(machine_.OnElement(element)); },
         .on_footer = [this] { Take(machine_.OnFooter()); },
         .on_oversized = [this](const proto::Element& head) { Take(machine_.OnOversized(head)); },
         .on_whitespace = {}});
  }

  MethodSet permitted_;
  OutboundMachine machine_;
  std::unique_ptr<XmlReader> reader_;
  bool said_ = false, in_tls_ = false, certificate_ok_ = false, may_reconnect_ = false;
  std::string asked_;
  std::set<std::string> keyed_, open_, verifying_;
  int pairs_ = 0, verified_ = 0;
};

}  // namespace
}  // namespace gatehouse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  gatehouse::OutboundScene scene(gatehouse::TermsOf(data[0], data[1]));
  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    scene.Play(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}
