#include "core/sip/sip_head.h"

#include <algorithm>
#include <cstring>

#include "core/sip/sip_grammar.h"

namespace gatehouse {
namespace {

using namespace sip_grammar;

struct KnownHeader {
  std::string_view name;
  char compact;
  SipHeaderId id;
};
// RFC 3261 §7.3.3 and §20; RFC 6665 §8.4 for "o" and "u"
constexpr std::array kKnownHeaders = {
    KnownHeader{"Via", 'v', SipHeaderId::kVia},
    KnownHeader{"From", 'f', SipHeaderId::kFrom},
    KnownHeader{"To", 't', SipHeaderId::kTo},
    KnownHeader{"Call-ID", 'i', SipHeaderId::kCallId},
    KnownHeader{"CSeq", '\0', SipHeaderId::kCSeq},
    KnownHeader{"Max-Forwards", '\0', SipHeaderId::kMaxForwards},
    KnownHeader{"Contact", 'm', SipHeaderId::kContact},
    KnownHeader{"Content-Length", 'l', SipHeaderId::kContentLength},
    KnownHeader{"Content-Type", 'c', SipHeaderId::kContentType},
    KnownHeader{"Content-Language", '\0', SipHeaderId::kContentLanguage},
    KnownHeader{"Subject", 's', SipHeaderId::kSubject},
    KnownHeader{"Date", '\0', SipHeaderId::kDate},
    KnownHeader{"Expires", '\0', SipHeaderId::kExpires},
    KnownHeader{"Supported", 'k', SipHeaderId::kOther},
    KnownHeader{"Content-Encoding", 'e', SipHeaderId::kOther},
    KnownHeader{"Event", 'o', SipHeaderId::kOther},
    KnownHeader{"Allow-Events", 'u', SipHeaderId::kOther},
    KnownHeader{"Refer-To", 'r', SipHeaderId::kOther},
};

const KnownHeader* Find(std::string_view name) {
  const char first = Lower(name.front());
  for (const KnownHeader& known : kKnownHeaders) {
    if (name.size() == 1 ? known.compact == first
                         : Lower(known.name.front()) == first && EqualsNoCase(known.name, name))
      return &known;
  }
  return nullptr;
}

// A NUL may only stand as a quoted pair (RFC 4475 §3.1.1.2); a CR may not stand alone.
bool HasStrayControl(std::span<const char> line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\r') return true;
    if (line[i] == '\0' && (i == 0 || line[i - 1] != '\\')) return true;
  }
  return false;
}

// No more than can be kept.
std::size_t CountLines(std::string_view block) {
  std::size_t lines = 1;
  for (auto feed = block.find('\n'); feed != std::string_view::npos && lines < kMaxSipHeaders;
       feed = block.find('\n', feed + 1))
    ++lines;
  return lines;
}

bool MayHoldControl(std::string_view text) {
  return text.find('\0') != std::string_view::npos || text.find('\r') != std::string_view::npos;
}

}  // namespace

SipHead::SipHead(std::string_view block, SipArena& arena) {
  if (block.size() > kMaxSipHeadBytes) {
    Blame(513, "Message Too Large");
    block = block.substr(0, kMaxSipHeadBytes);
  }
  const std::size_t lines = CountLines(block);
  headers_ = arena.Array<SipHeader>(std::min(lines, kMaxSipHeaders));
  ids_ = arena.Array<SipHeaderId>(std::min(lines, kMaxSipHeaders));
  auto* copy = static_cast<char*>(arena.Allocate(block.size() + 1));
  if (headers_.empty() || ids_.empty() || copy == nullptr) {
    Blame(513, "Message Too Large");
    return;
  }
  if (!block.empty()) std::memcpy(copy, block.data(), block.size());
  copy[block.size()] = '\0';
  Split({copy, block.size()});
}

void SipHead::Split(std::span<char> text) {
  while (!text.empty()) {
    // One line with its continuation lines; their CRLF become spaces. RFC 3261 §7.3.1
    std::size_t end = 0;
    std::size_t line_start = 0;
    for (;;) {
      const auto* feed =
          static_cast<const char*>(std::memchr(text.data() + end, '\n', text.size() - end));
      end = feed == nullptr ? text.size() : static_cast<std::size_t>(feed - text.data());
      if (end - line_start > kMaxSipLineBytes) Blame(400, "Header Line Too Long");
      const bool crlf = end > line_start && text[end - 1] == '\r';
      if (feed != nullptr && !crlf) Blame(400, "Bare LF");
      if (end + 1 >= text.size() || !IsSpace(text[end + 1]) || start_line_.empty()) break;
      if (crlf) text[end - 1] = ' ';
      text[end] = ' ';
      line_start = ++end;
    }
    const std::size_t bytes = end > 0 && text[end - 1] == '\r' ? end - 1 : end;
    if (bytes > 0) TakeLine(text.first(bytes));
    if (end + 1 >= text.size()) return;
    text = text.subspan(end + 1);
  }
}

void SipHead::TakeLine(std::span<char> line) {
  const std::string_view text(line.data(), line.size());
  if (MayHoldControl(text) && HasStrayControl(line)) return Blame(400, "Control Character");
  if (start_line_.empty()) {
    start_line_ = text;
    return;
  }
  const std::size_t colon = text.find(':');
  const std::string_view name = Trim(text.substr(0, colon));
  if (colon == std::string_view::npos || !IsToken(name) || IsSpace(text.front()))
    return Blame(400, "Malformed Header Line");
  if (count_ == headers_.size()) return Blame(513, "Too Many Headers");
  const std::string_view value = Trim(text.substr(colon + 1));
  line[static_cast<std::size_t>(value.data() - line.data()) + value.size()] = '\0';
  const KnownHeader* known = Find(name);
  const SipHeaderId id = known != nullptr ? known->id : SipHeaderId::kOther;
  const auto slot = static_cast<std::size_t>(id);
  if (counts_[slot]++ == 0) firsts_[slot] = static_cast<std::uint8_t>(count_);
  ids_[count_] = id;
  headers_[count_++] = {.name = known != nullptr ? known->name : name, .value = value};
}

const SipHeader* SipHead::First(SipHeaderId id) const {
  return Count(id) == 0 ? nullptr : &headers_[firsts_[static_cast<std::size_t>(id)]];
}

void SipHead::Blame(int status, std::string_view reason) {
  if (!fault_) fault_ = SipFault{status, reason};
}

}  // namespace gatehouse
