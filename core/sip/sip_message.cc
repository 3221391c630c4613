#include "core/sip/sip_message.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "core/sip/sip_grammar.h"
#include "core/sip/sip_head.h"
#include "core/sip/sip_header_values.h"
#include "core/sip/sip_refusal.h"
#include "core/sip/sip_uri.h"

namespace gatehouse {
namespace {

using namespace sip_grammar;

constexpr int kMaxForwardsDefault = 70;
constexpr int kMaxForwardsLimit = 255;  // RFC 3261 §20.22

constexpr CharacterSet kNotInRequestUri(" \t<>");
constexpr CharacterSet kNotInCallId(" \t,");

using Flaw = std::optional<SipFault>;  // empty: sound so far

std::string_view ValueOr(const SipHeader* header) {
  return header == nullptr ? std::string_view{} : header->value;
}

// "Sat, 13 Nov 2010 23:29:00 GMT"; any other time zone makes the header meaningless (12.3 S11).
std::string_view UsableDate(std::string_view date) {
  constexpr std::size_t kDateBytes = 29;
  return date.size() == kDateBytes && date.ends_with(" GMT") ? date : std::string_view{};
}

std::optional<std::uint32_t> ClampedSeconds(std::string_view text) {
  constexpr std::uint32_t kMost = std::numeric_limits<std::int32_t>::max();
  if (text.empty() || !std::ranges::all_of(text, IsDigit)) return std::nullopt;
  return std::min(Number<std::uint32_t>(text).value_or(kMost), kMost);
}

}  // namespace

std::string_view ViaName(SipTransport transport) {
  switch (transport) {
    case SipTransport::kUdp:
      return "UDP";
    case SipTransport::kTcp:
      return "TCP";
    case SipTransport::kTls:
      return "TLS";
  }
  return {};
}

struct SipMessage::Fields {
  std::optional<SipHead> head;
  bool request = false;
  std::string_view method, uri, reason, call_id, date, body;
  int status = 0;
  int max_forwards = kMaxForwardsDefault;
  SipNameAddr from, to;
  SipCSeq cseq;
  std::span<SipVia> vias;
  SipContentType content_type;
  std::optional<std::uint32_t> expires;
};

struct SipMessage::Parts : Fields {
  SipArena arena;

  void Clear() {
    static_cast<Fields&>(*this) = Fields{};
    arena.Clear();
  }
};

// Reads the parts in an order that finds first what decides the answer.
struct SipMessage::Reader {
  Parts& parts;

  Flaw StartLine();
  Flaw RequestLine(std::string_view line);
  Flaw StatusLine(std::string_view line);
  Flaw OnlyOnce();
  Flaw Vias();
  Flaw Identity();
  Flaw Numbers();
  Flaw ContactShape();
  Flaw Body(std::string_view rest, bool stream);
  Flaw All(std::string_view rest, bool stream);
};

Flaw SipMessage::Reader::StartLine() {
  const std::string_view line = parts.head->start_line();
  parts.request = !line.starts_with("SIP/");
  return parts.request ? RequestLine(line) : StatusLine(line);
}

// METHOD SP Request-URI SP SIP/2.0, and not a space more (12.3 S13).
Flaw SipMessage::Reader::RequestLine(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return SipFault{400, "Malformed Request-Line"};
  parts.method = line.substr(0, first);
  parts.uri = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(parts.method) || parts.uri.empty() || kNotInRequestUri.In(parts.uri))
    return SipFault{400, "Malformed Request-Line"};
  if (!EqualsNoCase(version, "SIP/2.0")) {
    if (version.size() > 4 && EqualsNoCase(version.substr(0, 4), "SIP/"))
      return SipFault{505, "Version Not Supported"};
    return SipFault{400, "Malformed Request-Line"};
  }
  if (const auto uri = SipUri::Parse(parts.uri)) {
    if (uri->headers.empty()) return std::nullopt;
    return SipFault{400, "Headers In Request-URI"};
  }
  const std::string_view scheme = parts.uri.substr(0, parts.uri.find(':'));
  if (scheme.size() == parts.uri.size() || !IsToken(scheme) || EqualsNoCase(scheme, "sip") ||
      EqualsNoCase(scheme, "sips"))
    return SipFault{400, "Malformed Request-URI"};
  return SipFault{416, "Unsupported URI Scheme"};
}

Flaw SipMessage::Reader::StatusLine(std::string_view line) {
  constexpr std::size_t kStatusAt = 8;
  constexpr std::size_t kReasonAt = 12;
  const auto status =
      Number<int>(line.substr(0, kReasonAt - 1).substr(std::min(line.size(), kStatusAt)));
  if (!line.starts_with("SIP/2.0 ") || !status || *status < 100 || *status > 699) return SipFault{};
  if (line.size() >= kReasonAt && line[kReasonAt - 1] != ' ') return SipFault{};
  parts.status = *status;
  parts.reason = line.size() > kReasonAt ? line.substr(kReasonAt) : std::string_view{};
  return std::nullopt;
}

Flaw SipMessage::Reader::OnlyOnce() {
  for (const SipHeaderId id :
       {SipHeaderId::kFrom, SipHeaderId::kTo, SipHeaderId::kCallId, SipHeaderId::kCSeq}) {
    if (parts.head->Count(id) == 0) return SipFault{400, "Missing Header"};
    if (parts.head->Count(id) > 1) return SipFault{400, "Repeated Header"};
  }
  if (parts.head->Count(SipHeaderId::kMaxForwards) > 1 ||
      parts.head->Count(SipHeaderId::kContentType) > 1)
    return SipFault{400, "Repeated Header"};
  if (parts.head->Count(SipHeaderId::kVia) == 0) return SipFault{400, "Missing Via"};
  return std::nullopt;
}

Flaw SipMessage::Reader::Vias() {
  std::size_t most = 0;
  const auto headers = parts.head->headers();
  for (std::size_t i = 0; i < headers.size(); ++i)
    if (parts.head->id(i) == SipHeaderId::kVia)
      most += 1 + static_cast<std::size_t>(std::ranges::count(headers[i].value, ','));
  parts.vias = parts.arena.Array<SipVia>(std::min(most, kMaxSipVias));
  std::size_t count = 0;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (parts.head->id(i) != SipHeaderId::kVia) continue;
    const auto read = ReadVias(headers[i].value, parts.vias.subspan(count), parts.arena);
    if (!read) return SipFault{400, "Malformed Via"};
    count += *read;
  }
  parts.vias = parts.vias.first(count);
  return std::nullopt;
}

Flaw SipMessage::Reader::Identity() {
  const auto from = ReadNameAddr(parts.head->First(SipHeaderId::kFrom)->value, parts.arena);
  const auto to = ReadNameAddr(parts.head->First(SipHeaderId::kTo)->value, parts.arena);
  const auto cseq = ReadCSeq(parts.head->First(SipHeaderId::kCSeq)->value, parts.arena);
  parts.call_id = parts.head->First(SipHeaderId::kCallId)->value;
  if (!from) return SipFault{400, "Malformed From"};
  if (!to) return SipFault{400, "Malformed To"};
  if (!cseq) return SipFault{400, "Malformed CSeq"};
  if (parts.call_id.empty() || kNotInCallId.In(parts.call_id))
    return SipFault{400, "Malformed Call-ID"};
  parts.from = *from;
  parts.to = *to;
  parts.cseq = *cseq;
  if (!parts.request) {
    parts.method = parts.cseq.method;
  } else if (parts.cseq.method != parts.method) {
    return SipFault{400, "CSeq Method Mismatch"};
  }
  return std::nullopt;
}

Flaw SipMessage::Reader::Numbers() {
  if (const SipHeader* header = parts.head->First(SipHeaderId::kMaxForwards)) {
    const auto value = Number<int>(header->value);
    if (!value || *value > kMaxForwardsLimit) return SipFault{400, "Malformed Max-Forwards"};
    parts.max_forwards = *value;
  }
  parts.expires = ClampedSeconds(ValueOr(parts.head->First(SipHeaderId::kExpires)));
  parts.date = UsableDate(ValueOr(parts.head->First(SipHeaderId::kDate)));
  return std::nullopt;
}

// A Contact's headers must stand inside <>, or they would be the message's (RFC 4475 §3.1.2.13).
Flaw SipMessage::Reader::ContactShape() {
  const std::string_view value = ValueOr(parts.head->First(SipHeaderId::kContact));
  if (!IsBalanced(value) || FindOutsideQuotes(value, '?', true) != std::string_view::npos)
    return SipFault{400, "Malformed Contact"};
  return std::nullopt;
}

Flaw SipMessage::Reader::Body(std::string_view rest, bool stream) {
  const auto length = DeclaredBodyBytes(*parts.head);
  if (!length) return length.error();
  if (!*length && stream) return SipFault{400, "Missing Content-Length"};
  const std::size_t bytes = length->value_or(rest.size());
  if (bytes > kMaxSipBodyBytes) return SipFault{413, "Request Entity Too Large"};
  if (bytes > rest.size()) return SipFault{400, "Content-Length Too Large"};
  const std::string_view body = rest.substr(0, bytes);
  if (const SipHeader* header = parts.head->First(SipHeaderId::kContentType)) {
    const auto type = ReadContentType(header->value, parts.arena);
    if (!type) return SipFault{400, "Malformed Content-Type"};
    parts.content_type = *type;
  }
  if (body.empty()) return std::nullopt;
  auto* copy = static_cast<char*>(parts.arena.Allocate(body.size()));
  if (copy == nullptr) return SipFault{513, "Message Too Large"};
  std::memcpy(copy, body.data(), body.size());
  parts.body = {copy, body.size()};
  return std::nullopt;
}

Flaw SipMessage::Reader::All(std::string_view rest, bool stream) {
  if (auto fault = StartLine()) return fault;
  if (parts.head->fault()) return parts.head->fault();
  if (auto fault = OnlyOnce()) return fault;
  if (auto fault = Vias()) return fault;
  if (auto fault = Identity()) return fault;
  if (auto fault = Numbers()) return fault;
  if (auto fault = ContactShape()) return fault;
  return Body(rest, stream);
}

Result<SipMessage, SipRefusal> SipMessage::Parse(std::string_view bytes, bool stream) {
  return Parse(bytes, stream, std::nullopt);
}

Result<SipMessage, SipRefusal> SipMessage::Parse(std::string_view bytes, bool stream,
                                                 std::optional<SipMessage> old) {
  auto parts = old ? std::move(old->parts_) : nullptr;
  if (parts == nullptr)
    parts = std::make_unique_for_overwrite<Parts>();
  else
    parts->Clear();
  const std::size_t end = bytes.find("\r\n\r\n");
  const std::size_t head_bytes = end == std::string_view::npos ? bytes.size() : end + 2;
  parts->head.emplace(bytes.substr(0, head_bytes), parts->arena);
  if (end == std::string_view::npos)
    return std::unexpected(Refuse(*parts->head, {400, "No End Of Headers"}, parts->arena));
  if (const auto fault = Reader{*parts}.All(bytes.substr(end + 4), stream))
    return std::unexpected(Refuse(*parts->head, *fault, parts->arena));
  return SipMessage(std::move(parts));
}

SipMessage::SipMessage(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SipMessage::SipMessage(SipMessage&&) noexcept = default;
SipMessage& SipMessage::operator=(SipMessage&&) noexcept = default;
SipMessage::~SipMessage() = default;

bool SipMessage::is_request() const {
  return parts_->request;
}
std::string_view SipMessage::method() const {
  return parts_->method;
}
std::string_view SipMessage::request_uri() const {
  return parts_->uri;
}
int SipMessage::status() const {
  return parts_->status;
}
std::string_view SipMessage::reason() const {
  return parts_->reason;
}
const SipNameAddr& SipMessage::from() const {
  return parts_->from;
}
const SipNameAddr& SipMessage::to() const {
  return parts_->to;
}
std::string_view SipMessage::call_id() const {
  return parts_->call_id;
}
const SipCSeq& SipMessage::cseq() const {
  return parts_->cseq;
}
std::span<const SipVia> SipMessage::vias() const {
  return parts_->vias;
}
int SipMessage::max_forwards() const {
  return parts_->max_forwards;
}
std::string_view SipMessage::content_type() const {
  return parts_->content_type.type;
}
std::string_view SipMessage::charset() const {
  return parts_->content_type.charset;
}
std::string_view SipMessage::content_language() const {
  return ValueOr(parts_->head->First(SipHeaderId::kContentLanguage));
}
std::string_view SipMessage::subject() const {
  return ValueOr(parts_->head->First(SipHeaderId::kSubject));
}
std::string_view SipMessage::date() const {
  return parts_->date;
}
std::optional<std::uint32_t> SipMessage::expires() const {
  return parts_->expires;
}
std::span<const SipHeader> SipMessage::headers() const {
  return parts_->head->headers();
}
std::string_view SipMessage::body() const {
  return parts_->body;
}

std::optional<std::string_view> SipMessage::Header(std::string_view name) const {
  for (const SipHeader& header : headers())
    if (EqualsNoCase(header.name, name)) return header.value;
  return std::nullopt;
}

}  // namespace gatehouse
