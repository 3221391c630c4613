#include "core/sip/sip_builder.h"

#include <array>
#include <charconv>
#include <cstring>

namespace gatehouse {
namespace {

constexpr std::size_t kTypicalBytes = 768;

}  // namespace

SipBuilder SipBuilder::Request(std::string_view method, std::string_view uri) {
  SipBuilder builder;
  builder.out_.reserve(kTypicalBytes);
  builder.Append(method);
  builder.out_ += ' ';
  builder.Append(uri);
  builder.out_ += " SIP/2.0\r\n";
  return builder;
}

SipBuilder SipBuilder::Response(int status, std::string_view reason) {
  SipBuilder builder;
  builder.out_.reserve(kTypicalBytes);
  builder.out_ += "SIP/2.0 ";
  std::array<char, 12> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), status).ptr;
  builder.out_.append(digits.begin(), end);
  builder.out_ += ' ';
  builder.Append(reason);
  builder.out_ += "\r\n";
  return builder;
}

bool SipBuilder::IsClean(std::string_view text) {
  bool bad = false;
  for (const char c : text) bad |= (c == '\r') | (c == '\n') | (c == '\0');
  return !bad;
}

void SipBuilder::Append(std::string_view piece) {
  clean_ &= IsClean(piece);
  out_ += piece;
}

SipBuilder& SipBuilder::Header(std::string_view name, std::string_view value) {
  return Header(name, {value});
}

SipBuilder& SipBuilder::Header(std::string_view name,
                               std::initializer_list<std::string_view> pieces) {
  Append(name);
  out_ += ": ";
  for (const std::string_view piece : pieces) Append(piece);
  out_ += "\r\n";
  return *this;
}

SipBuilder& SipBuilder::Header(std::string_view name, std::uint32_t value) {
  std::array<char, 12> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  return Header(name, std::string_view(digits.begin(), end));
}

SipBuilder& SipBuilder::Lines(std::string_view lines) {
  out_ += lines;
  return *this;
}

Result<std::string> SipBuilder::Finish(std::string_view content_type, std::string_view body) {
  if (!content_type.empty()) Header("Content-Type", content_type);
  Header("Content-Length", static_cast<std::uint32_t>(body.size()));
  if (!clean_) return Trouble("sip: a header value holds CR, LF or NUL");
  out_ += "\r\n";
  out_ += body;
  return std::move(out_);
}

}  // namespace gatehouse
