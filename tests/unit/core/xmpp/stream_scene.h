// A scene on one inbound stream: the machine fed through a real reader, its actions as text.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/xmpp/element.h"
#include "core/xmpp/stream_machine.h"
#include "core/xmpp/xml_reader.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse {

inline proto::Partner MakePartner(std::string id, std::string domain, proto::Negotiation tls,
                                  proto::Negotiation sasl, bool dialback) {
  proto::Partner partner;
  partner.set_id(std::move(id));
  partner.set_domain(std::move(domain));
  partner.set_tls(tls);
  partner.set_sasl(sasl);
  partner.set_dialback(dialback);
  partner.set_enabled(true);
  return partner;
}

inline PolicyPointer MakePolicy(const std::vector<proto::Partner>& partners) {
  proto::PolicySnapshot snapshot;
  snapshot.set_hash("hash");
  for (const proto::Partner& partner : partners) *snapshot.add_partners() = partner;
  return std::make_shared<const PolicyView>(std::move(snapshot));
}

// The row with stanzas of both ends on one stream.
inline proto::Partner WithBidi(proto::Partner partner) {
  partner.set_bidi(true);
  return partner;
}

// Row 1..18 of 4.2.
inline proto::Partner PartnerOfRow(int row, const std::string& domain = "partner.example") {
  const auto sasl = static_cast<proto::Negotiation>((row - 1) / 6);
  const auto tls = static_cast<proto::Negotiation>((row - 1) % 6 / 2);
  return MakePartner("p-" + domain, domain, tls, sasl, row % 2 == 1);
}

class StreamScene {
 public:
  explicit StreamScene(const std::vector<proto::Partner>& partners) {
    rules_.policy = MakePolicy(partners);
    rules_.domains = {"corp.example", "second.corp.example"};
    NewReader();
  }
  explicit StreamScene(int row) : StreamScene(std::vector{PartnerOfRow(row)}) {}

  // What the stream says to these bytes of the peer's, in one piece: XML, and words in [] for other
  // actions.
  std::string In(std::string_view xml) {
    out_.clear();
    const auto read = reader_->Feed(std::as_bytes(std::span(xml)));
    if (!read) Do(machine_.OnBadXml(read.error()));
    return std::exchange(out_, {});
  }
  std::string Header(std::string_view from = "partner.example",
                     std::string_view to = "corp.example") {
    return In(HeaderXml(from, to));
  }
  static std::string HeaderXml(std::string_view from, std::string_view to) {
    std::string xml =
        "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
        "xmlns:db='jabber:server:dialback' version='1.0'";
    if (!from.empty()) xml += " from='" + std::string(from) + "'";
    if (!to.empty()) xml += " to='" + std::string(to) + "'";
    return xml + ">";
  }
  // The handshake ends; the certificate is valid for these names, or not trusted if there are none.
  void TlsDone(std::vector<std::string> names) {
    certificate_.presented = true;
    certificate_.chain_valid = !names.empty();
    certificate_.dns_names = std::move(names);
    NewReader();
    Do(machine_.OnTlsDone(certificate_, [this](const std::string& anchors) -> const auto& {
      judged_by_ = anchors;
      return pinned_;
    }));
  }
  // The handshake ends; the certificate is for these names, and nobody we know vouches for it.
  void TlsDoneUntrusted(std::vector<std::string> names) {
    certificate_.sha256 = "5ha256";
    TlsDone(std::move(names));
    certificate_.chain_valid = false;
  }
  void CertificateIsRevoked() {
    certificate_.revoked = true;
    certificate_.chain_valid = false;
    certificate_.chain_error = "its authority has revoked it";
  }
  // What a partner's own anchors say of the peer's certificate.
  void JudgedByItsOwnAnchors(std::vector<std::string> names) {
    pinned_.presented = true;
    pinned_.chain_valid = !names.empty();
    pinned_.dns_names = std::move(names);
    pinned_.not_after_unix = 4711;
  }
  // Up to the second header's features.
  std::string UpToTls(std::vector<std::string> names) {
    Header();
    In("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    TlsDone(std::move(names));
    return Header();
  }
  // Authenticated by SASL as partner.example; its last answer is the third header's.
  std::string UpToSasl() {
    UpToTls({"partner.example"});
    In("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
    return Header();
  }
  std::string Proof(proto::DialbackVerdict verdict) {
    out_.clear();
    Do(machine_.OnProof(last_ask_, verdict));
    return std::exchange(out_, {});
  }
  std::string Judged(proto::DialbackVerdict verdict) {
    out_.clear();
    Do(machine_.OnJudged(last_ask_, verdict));
    return std::exchange(out_, {});
  }
  std::string Told(StreamMachine::Actions actions) {
    out_.clear();
    Do(actions);
    return std::exchange(out_, {});
  }

  InboundRules rules_;
  StreamMachine machine_{rules_, [this] { return "id" + std::to_string(++ids_); },
                         [this](const StreamRefusal& refusal) { return Note(refusal); }};
  // What was refused, a line each: "partner.example to corp.example: code (detail), told".
  std::vector<std::string> refused_;
  std::vector<std::string> texts_;       // of our stream errors, which show them no more
  std::string judged_by_;                // the anchors last asked about
  std::map<std::string, int> answered_;  // our <db:result/>s by their result
  std::vector<std::string> delivered_;   // "from -> to by method: <xml>"

 private:
  void NewReader() {
    reader_ = XmlReader::Create(
        {.on_header = [this](const StreamHeader& header) { Do(machine_.OnHeader(header)); },
         .on_element =
             [this](proto::Element& element, std::size_t) {
               element_ = &element;
               Do(machine_.OnElement(element));
             },
         .on_footer = [this] { Do(machine_.OnFooter()); },
         .on_oversized = [this](const proto::Element& head) { Do(machine_.OnOversized(head)); },
         .on_whitespace = {}});
  }
  NotedRefusal Note(const StreamRefusal& refusal) {
    std::string line = std::string(refusal.remote) + " to " + std::string(refusal.local) + ": " +
                       std::string(ReasonCode(refusal.reason));
    if (!refusal.detail.empty()) line += " (" + refusal.detail + ")";
    line += ", " + std::string(refusal.answer.empty() ? "nothing" : refusal.answer);
    refused_.push_back(line + (refusal.proven ? ", proven" : ""));
    return {"r" + std::to_string(refused_.size()), true};
  }
  std::string WithoutText(std::string xml) {
    constexpr std::string_view kOpen =
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>";
    constexpr std::string_view kClose = "</text>";
    const std::size_t at = xml.find(kOpen);
    if (at == std::string::npos) return xml;
    const std::size_t end = xml.find(kClose, at);
    texts_.push_back(xml.substr(at + kOpen.size(), end - at - kOpen.size()));
    return xml.erase(at, end + kClose.size() - at);
  }
  void Do(StreamMachine::Actions actions) {
    for (const StreamAction& action : actions) std::visit(*this, action);
  }

 public:
  void operator()(const SendXml& a) { out_ += WithoutText(a.xml); }
  void operator()(const BeginTls& a) { out_ += "[tls " + a.server_name + "]"; }
  void operator()(const RestartXml&) { NewReader(); }
  void operator()(const DialbackAnswered& a) { ++answered_[std::string(a.result)]; }
  void operator()(const AskProof& a) {
    last_ask_ = a.id;
    out_ += "[prove " + a.sender + " to " + a.target + " id " + a.stream_id + " key " + a.key +
            (a.peer_sha256.empty() ? "]" : " or certificate " + a.peer_sha256 + "]");
  }
  void operator()(const AskJudgement& a) {
    last_ask_ = a.id;
    out_ += "[judge " + a.receiving + " of " + a.originating + " id " + a.stream_id + " key " +
            a.key + " weight " + std::to_string(a.weight) + "]";
  }
  void operator()(const PairVerified& a) {
    if (a.first) reader_->LiftUnverifiedBudget();
    out_ += "[verified " + std::string(a.from) + " to " + std::string(a.to) + " by " +
            std::string(MethodName(a.method)) + (a.takes_ours ? ", takes ours]" : "]");
  }
  void operator()(const PeerAcknowledged& a) { out_ += "[handled " + std::to_string(a.h) + "]"; }
  void operator()(const DeliverStanza& a) {
    std::string xml;
    AppendXml(xml, *element_);
    delivered_.push_back(std::string(a.from) + " -> " + std::string(a.to) + " by " +
                         std::string(MethodName(a.method)) + ": " + xml);
    out_ += a.number == 0 ? "[deliver]" : "[deliver " + std::to_string(a.number) + "]";
  }
  void operator()(const AnswerStanza& a) {
    std::string xml;
    AppendXml(xml, a.reply);
    out_ += "[answer " + a.from_domain + " to " + a.to_domain + " " + xml + "]";
  }
  void operator()(const CloseStream& a) { out_ += "[close " + std::string(a.why) + "]"; }
  void operator()(const AbortStream& a) { out_ += "[abort " + std::string(a.why) + "]"; }

 private:
  std::unique_ptr<XmlReader> reader_;
  PeerCertificate certificate_, pinned_;
  const proto::Element* element_ = nullptr;
  std::string out_;
  std::uint64_t last_ask_ = 0;
  int ids_ = 0;
};

// Our answering header.
inline std::string OurHeader(std::string_view id, std::string_view to = "partner.example",
                             std::string_view from = "corp.example") {
  return StreamHeaderXml({.from = from, .to = to, .id = id});
}
inline std::string OurError(std::string_view condition) {
  return "<stream:error><" + std::string(condition) +
         " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>[close " +
         std::string(condition) + "]";
}
inline std::string SaslFailure(std::string_view condition) {
  return "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><" + std::string(condition) +
         "/></failure>";
}
inline std::string DialbackError(std::string_view from, std::string_view to, std::string_view type,
                                 std::string_view condition) {
  return "<db:result from='" + std::string(from) + "' to='" + std::string(to) +
         "' type='error'><error type='" + std::string(type) + "'><" + std::string(condition) +
         " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>";
}

constexpr std::string_view kStartTls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view kOfferTlsRequired =
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";
constexpr std::string_view kOfferTls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view kOfferExternal =
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism>"
    "</mechanisms>";
constexpr std::string_view kOfferDialback =
    "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";
constexpr std::string_view kOfferAcks = "<sm xmlns='urn:xmpp:sm:3'/>";
// With dialback the stream may become open from there: then acknowledgements are offered too.
inline std::string Features(std::string_view a = {}, std::string_view b = {}) {
  const bool acks = a == kOfferDialback || b == kOfferDialback;
  return "<stream:features>" + std::string(a) + std::string(b) +
         std::string(acks ? kOfferAcks : "") + "</stream:features>";
}
inline std::string Key(std::string_view from = "partner.example",
                       std::string_view to = "corp.example", std::string_view key = "9f0c77") {
  return "<db:result from='" + std::string(from) + "' to='" + std::string(to) + "'>" +
         std::string(key) + "</db:result>";
}
inline std::string Auth(std::string_view content) {
  return "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>" +
         std::string(content) + "</auth>";
}
inline std::string Message(std::string_view from = "bob@partner.example/home",
                           std::string_view to = "ann@corp.example") {
  return "<message from='" + std::string(from) + "' to='" + std::string(to) +
         "' id='m1'><body>Hi</body></message>";
}

}  // namespace gatehouse
