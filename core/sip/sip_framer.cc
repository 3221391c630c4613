#include "core/sip/sip_framer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/sip/sip_grammar.h"

namespace gatehouse {
namespace {

using namespace sip_grammar;

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::size_t kMaxStrayBytes = 16;  // line ends before one start line (11.4)

std::string_view TrimWithFolds(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool IsContentLength(std::string_view line) {
  const char first = line.empty() ? '\0' : Lower(line.front());
  if (first != 'c' && first != 'l') return false;
  const std::string_view name = Trim(line.substr(0, line.find(':')));
  return EqualsNoCase(name, "l") || EqualsNoCase(name, "Content-Length");
}

// End of the header that starts at `at`, its continuation lines included: the position of its last
// CRLF's LF.
std::size_t EndOfHeader(std::string_view head, std::size_t at) {
  std::size_t end = head.find('\n', at);
  while (end != std::string_view::npos && end + 1 < head.size() && IsSpace(head[end + 1]))
    end = head.find('\n', end + 1);
  return end;
}

}  // namespace

void SipFramer::Add(std::string_view bytes) {
  if (buffer_.empty()) {
    view_ = bytes;
    taken_ = 0;
  } else {
    buffer_ += bytes;
    view_ = buffer_;
  }
  stray_bytes_ = 0;
}

void SipFramer::Keep() {
  if (taken_ == view_.size()) {
    buffer_.clear();
    if (buffer_.capacity() > kMaxSipHeadBytes) buffer_.shrink_to_fit();
  } else if (buffer_.empty()) {
    buffer_ = rest();
  } else {
    buffer_.erase(0, taken_);
  }
  view_ = buffer_;
  taken_ = 0;
  last_bytes_ = 0;
}

Result<std::optional<SipFramer::Frame>, SipFramer::Broken> SipFramer::Next() {
  if (head_bytes_ == 0) {
    if (auto frame = TakeLineEnd()) return frame;
    if (stray_bytes_ > kMaxStrayBytes)
      return std::unexpected(Broken{.fault = {400, "Too Many Empty Lines"}, .head = {}});
    auto found = FindHead();
    if (!found) return std::unexpected(found.error());
    if (!*found) return std::nullopt;
  }
  if (rest().size() < head_bytes_ + body_bytes_) return std::nullopt;
  const std::string_view message = rest().substr(0, head_bytes_ + body_bytes_);
  taken_ += message.size();
  last_bytes_ = message.size();
  head_bytes_ = body_bytes_ = scanned_ = stray_bytes_ = 0;
  half_ping_ = false;
  return Frame{.kind = Kind::kMessage, .bytes = message};
}

void SipFramer::PutBack() {
  taken_ -= std::exchange(last_bytes_, 0);
}

std::optional<SipFramer::Frame> SipFramer::TakeLineEnd() {
  if (!rest().starts_with(kCrlf)) return std::nullopt;
  taken_ += kCrlf.size();
  scanned_ = 0;
  stray_bytes_ += kCrlf.size();
  if (stray_bytes_ > kMaxStrayBytes) return std::nullopt;
  half_ping_ = !half_ping_;
  return Frame{.kind = half_ping_ ? Kind::kPong : Kind::kPing, .bytes = {}};
}

Result<bool, SipFramer::Broken> SipFramer::FindHead() {
  const std::string_view text = rest();
  // The end may straddle what was scanned before.
  const std::size_t from = scanned_ < kEndOfHead.size() ? 0 : scanned_ - kEndOfHead.size() + 1;
  const std::size_t end = text.find(kEndOfHead, from);
  scanned_ = text.size();
  const std::size_t bytes = end == std::string_view::npos ? text.size() : end + kEndOfHead.size();
  if (bytes > kMaxSipHeadBytes)
    return std::unexpected(
        Broken{.fault = {513, "Message Too Large"}, .head = text.substr(0, bytes)});
  if (end == std::string_view::npos) {
    const std::size_t last_line = text.rfind('\n');
    const std::size_t line = last_line == std::string_view::npos ? 0 : last_line + 1;
    if (text.size() - line > kMaxSipLineBytes)
      return std::unexpected(Broken{.fault = {400, "Header Line Too Long"}, .head = text});
    return false;
  }
  if (const auto fault = MeasureHead(text.substr(0, end + kCrlf.size())))
    return std::unexpected(Broken{.fault = *fault, .head = text.substr(0, end + kCrlf.size())});
  head_bytes_ = bytes;
  return true;
}

std::optional<SipFault> SipFramer::MeasureHead(std::string_view head) {
  std::optional<std::uint32_t> declared;
  std::size_t headers = 0;
  std::size_t at = head.find('\n');
  while (at != std::string_view::npos && at + 1 < head.size()) {
    const std::size_t start = at + 1;
    at = EndOfHeader(head, start);
    if (++headers > kMaxSipHeaders) return SipFault{513, "Too Many Headers"};
    const std::string_view line = head.substr(start, at - start);
    if (!IsContentLength(line)) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto value = Number<std::uint32_t>(TrimWithFolds(line.substr(colon + 1)));
    if (!value || *value > std::numeric_limits<std::int32_t>::max() ||
        (declared && *declared != *value))
      return SipFault{400, "Malformed Content-Length"};
    declared = value;
  }
  if (!declared) return SipFault{400, "Missing Content-Length"};
  if (*declared > kMaxSipBodyBytes) return SipFault{413, "Request Entity Too Large"};
  body_bytes_ = *declared;
  return std::nullopt;
}

}  // namespace gatehouse
