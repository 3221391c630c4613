#include "plugins/sip_translator/mime.h"

#include <algorithm>

#include "core/address/ascii.h"
#include "core/address/percent_encoding.h"
#include "core/tls/crypto.h"

namespace gatehouse::translator {
namespace {

// Cuts the first line off `rest`; the line comes without its CRLF or LF.
std::string_view TakeLine(std::string_view& rest) {
  const auto end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// "name: value" where the name is `name`.
std::optional<std::string_view> HeaderValue(std::string_view line, std::string_view name) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  if (ascii::Lower(ascii::Trim(line.substr(0, colon))) != name) return std::nullopt;
  return ascii::Trim(line.substr(colon + 1));
}

// Where a parameter that starts at `from` ends: at a ';' outside quotes.
std::size_t EndOfParameter(std::string_view text, std::size_t from) {
  bool quoted = false;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ';' && !quoted) {
      return i;
    }
  }
  return text.size();
}

std::string Unquote(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  value = value.substr(1, value.size() - 2);
  std::string plain;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    plain += value[i];
  }
  return plain;
}

std::optional<std::string> DecodeLooseBase64(std::string_view body) {
  std::string tight;
  std::ranges::copy_if(body, std::back_inserter(tight), [](char c) { return c > ' '; });
  std::string bytes;
  if (!DecodeBase64(tight, bytes)) return std::nullopt;
  return bytes;
}

// RFC 2045 §6.7
std::optional<std::string> DecodeQuotedPrintable(std::string_view body) {
  std::string bytes;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '=') {
      bytes += body[i];
      continue;
    }
    const std::string_view next = body.substr(i + 1, 2);
    if (next.starts_with('\n')) {
      i += 1;
    } else if (next == "\r\n") {
      i += 2;
    } else if (next.size() == 2 && HexValue(next[0]) >= 0 && HexValue(next[1]) >= 0) {
      bytes += static_cast<char>(HexValue(next[0]) * 16 + HexValue(next[1]));
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

}  // namespace

std::string MediaType(std::string_view content_type) {
  return ascii::Lower(ascii::Trim(content_type.substr(0, content_type.find(';'))));
}

std::string MediaParameter(std::string_view content_type, std::string_view name) {
  std::size_t at = EndOfParameter(content_type, 0);
  while (at < content_type.size()) {
    const std::size_t end = EndOfParameter(content_type, at + 1);
    const std::string_view one = content_type.substr(at + 1, end - at - 1);
    at = end;
    const auto equals = one.find('=');
    if (equals == std::string_view::npos) continue;
    if (ascii::Lower(ascii::Trim(one.substr(0, equals))) != name) continue;
    return Unquote(ascii::Trim(one.substr(equals + 1)));
  }
  return {};
}

MimeEntity ReadEntity(std::string_view octets) {
  MimeEntity entity;
  while (!octets.empty()) {
    const std::string_view line = TakeLine(octets);
    if (line.empty()) break;
    if (const auto type = HeaderValue(line, "content-type")) entity.content_type = *type;
    if (const auto coding = HeaderValue(line, "content-transfer-encoding"))
      entity.transfer_encoding = *coding;
  }
  entity.body = octets;
  return entity;
}

Result<std::vector<MimeEntity>, Refusal> SplitMultipart(std::string_view body,
                                                        std::string_view boundary) {
  if (boundary.empty() || boundary.size() > kMaxBoundaryOctets)
    return std::unexpected(Refusal{400, "bad multipart boundary"});
  const std::string delimiter = "--" + std::string(boundary);
  std::vector<MimeEntity> parts;
  std::string_view rest = body;
  const char* start = nullptr;  // of the part being read; null in the preamble
  while (!rest.empty()) {
    const char* const line_start = rest.data();
    const std::string_view line = TakeLine(rest);
    if (!line.starts_with(delimiter)) continue;
    const std::string_view after = ascii::Trim(line.substr(delimiter.size()));
    if (!after.empty() && after != "--") continue;
    if (start != nullptr) {
      std::string_view part(start, static_cast<std::size_t>(line_start - start));
      if (part.ends_with('\n'))
        part.remove_suffix(1);  // the line end before a delimiter is part of it
      if (part.ends_with('\r')) part.remove_suffix(1);
      parts.push_back(ReadEntity(part));
    }
    if (after == "--") return parts;
    if (parts.size() == kMaxMimeParts) return std::unexpected(Refusal{400, "too many parts"});
    start = rest.data();
  }
  return std::unexpected(Refusal{400, "multipart without its end"});
}

std::optional<std::string> DecodeTransfer(std::string_view body, std::string_view encoding) {
  const std::string name = ascii::Lower(ascii::Trim(encoding));
  if (name.empty() || name == "7bit" || name == "8bit" || name == "binary")
    return std::string(body);
  if (name == "base64") return DecodeLooseBase64(body);
  if (name == "quoted-printable") return DecodeQuotedPrintable(body);
  return std::nullopt;
}

}  // namespace gatehouse::translator
