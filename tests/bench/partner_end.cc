#include "tests/bench/partner_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse::bench {
namespace {

constexpr milliseconds kConnectLimit{5000};
constexpr std::size_t kAccepted =
    static_cast<std::size_t>(-1);  // the domain of a stream we did not open

}  // namespace

// One connection, either way round.
class PartnerStream {
 public:
  PartnerStream(PartnerEnd& end, std::unique_ptr<TcpStream> tcp, std::size_t domain)
      : end_(end), domain_(domain) {
    transport_ = StreamTransport::Create(
        end.loop_, std::move(tcp),
        {.on_header = [this](const StreamHeader& header) { OnHeader(header); },
         .on_element = [this](proto::Element& element, std::size_t) { OnElement(element); },
         .on_oversized = {},
         .on_footer = [this] { transport_->Close(); },
         .on_bad_xml = [this](auto) { end_.StreamGone(*this, "XML that is none"); },
         .on_tls = [this](Result<void> done) { OnTls(std::move(done)); },
         .on_closed = [this](std::string_view why) { end_.StreamGone(*this, why); },
         .on_writable = {},
         .on_whitespace = {}});
    if (domain_ != kAccepted) SendHeader(end_.setup_.domains[domain_], {});
  }

  void Send(std::string_view xml) { transport_->Send(xml); }
  [[nodiscard]] std::size_t domain() const { return domain_; }

 private:
  [[nodiscard]] bool accepted() const { return domain_ == kAccepted; }

  void SendHeader(std::string_view from, std::string_view id) {
    transport_->Send(StreamHeaderXml({.from = from, .to = end_.setup_.local_domain, .id = id}));
  }

  void OnHeader(const StreamHeader& header) {
    if (!accepted()) return;
    SendHeader(header.to, RandomHex(8));
    if (transport_->tls() == nullptr)
      return Send(
          "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/>"
          "</starttls></stream:features>");
    if (!authenticated_)
      return Send(
          "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
          "<mechanism>EXTERNAL</mechanism></mechanisms></stream:features>");
    Send("<stream:features/>");
    transport_->LiftUnverifiedBudget();
  }

  void OnTls(Result<void> done) {
    if (!done) return end_.StreamGone(*this, done.error().text);
    if (!accepted()) SendHeader(end_.setup_.domains[domain_], {});
  }

  void OnElement(proto::Element& element) {
    if (Is(element, "message", ns::kServer)) return OnMessage(element);
    if (element.ns() == ns::kTls) return OnTlsElement(element);
    if (Is(element, "features", ns::kStream)) return OnFeatures(element);
    if (Is(element, "auth", ns::kSasl) || Is(element, "success", ns::kSasl))
      return OnAuthenticated();
    if (Is(element, "iq", ns::kServer) || Is(element, "presence", ns::kServer)) return;
    end_.StreamGone(*this, "unexpected <" + element.name() + "/>");
  }

  void OnTlsElement(const proto::Element& element) {
    if (element.name() == "starttls") {
      Send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      return transport_->StartTls(end_.setup_.tls, TlsSession::Role::kServer, {});
    }
    transport_->StartTls(end_.setup_.tls, TlsSession::Role::kClient, end_.setup_.local_domain);
  }

  void OnFeatures(const proto::Element& features) {
    if (transport_->tls() == nullptr)
      return Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    if (authenticated_) return end_.StreamOpen(*this);
    if (FindChild(features, "mechanisms", ns::kSasl) == nullptr)
      return end_.StreamGone(*this, "SASL EXTERNAL is not offered");
    Send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>" +
         Base64(end_.setup_.domains[domain_]) + "</auth>");
  }

  // The certificate is checked by Gatehouse's own tests; here only speed counts.
  void OnAuthenticated() {
    authenticated_ = true;
    if (accepted()) Send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    transport_->RestartXml();
    transport_->LiftUnverifiedBudget();
    if (!accepted()) SendHeader(end_.setup_.domains[domain_], {});
  }

  void OnMessage(const proto::Element& message) {
    if (Attribute(message, "type") == "error") {
      if (const auto number = FindMark(Attribute(message, "id"), 'x'))
        end_.events_.on_error(*number);
      return;
    }
    const proto::Element* body = FindChild(message, "body", ns::kServer);
    if (body == nullptr) return;
    if (const auto number = FindMark(TextOf(*body), 'b')) end_.events_.on_message(*number);
  }

  PartnerEnd& end_;
  std::size_t domain_;
  std::unique_ptr<StreamTransport> transport_;
  bool authenticated_ = false;
};

PartnerEnd::PartnerEnd(Loop& loop, PartnerSetup setup, Events events)
    : loop_(loop),
      setup_(std::move(setup)),
      events_(std::move(events)),
      open_(setup_.domains.size(), nullptr) {}

PartnerEnd::~PartnerEnd() = default;

Result<void> PartnerEnd::Listen(int listening_fd) {
  GATEHOUSE_TRY(acceptor_, TcpAcceptor::Create(loop_, listening_fd, [this](auto tcp) {
                  auto stream = std::make_unique<PartnerStream>(*this, std::move(tcp), kAccepted);
                  PartnerStream* key = stream.get();
                  streams_.emplace(key, std::move(stream));
                }));
  return {};
}

void PartnerEnd::Connect(std::function<void()> ready) {
  ready_ = std::move(ready);
  for (std::size_t domain = 0; domain < setup_.domains.size(); ++domain)
    attempts_.push_back(
        TcpStream::Connect(loop_, setup_.gatehouse, kConnectLimit, [this, domain](auto tcp) {
          if (!tcp) return events_.on_trouble(tcp.error().text);
          auto stream = std::make_unique<PartnerStream>(*this, *std::move(tcp), domain);
          PartnerStream* key = stream.get();
          streams_.emplace(key, std::move(stream));
        }));
}

void PartnerEnd::StreamOpen(PartnerStream& stream) {
  open_[stream.domain()] = &stream;
  if (ready_ && std::find(open_.begin(), open_.end(), nullptr) == open_.end())
    std::exchange(ready_, {})();
}

// Told and forgotten in the next turn: the stream is on the stack now.
void PartnerEnd::StreamGone(PartnerStream& stream, std::string_view why) {
  std::replace(open_.begin(), open_.end(), &stream, static_cast<PartnerStream*>(nullptr));
  loop_.Post([this, gone = &stream, text = std::string(why)] {
    if (streams_.erase(gone) == 1) events_.on_trouble("stream closed: " + text);
  });
}

std::string PartnerEnd::UserOf(std::size_t pair) const {
  return fmt::format("u{}@{}", pair, setup_.domains[pair % setup_.domains.size()]);
}

void PartnerEnd::SendMessage(std::size_t pair, MessageNumber number, std::size_t bytes) {
  PartnerStream* stream = open_[pair % open_.size()];
  if (stream == nullptr) return;  // counted as lost
  std::string xml =
      fmt::format("<message type='chat' from='{}/bench' to='v{}@{}' id='{}'><body>{} ",
                  UserOf(pair), pair, setup_.local_domain, Mark('x', number), Mark('b', number));
  constexpr std::string_view kEnd = "</body></message>";
  if (xml.size() + kEnd.size() < bytes) xml.append(bytes - xml.size() - kEnd.size(), 'x');
  xml += kEnd;
  stream->Send(xml);
}

}  // namespace gatehouse::bench
