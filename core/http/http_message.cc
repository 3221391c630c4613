#include "core/http/http_message.h"

#include <fmt/format.h>
#include <http_parser.h>

#include <algorithm>

#include "core/address/ascii.h"

namespace gatehouse {

std::string_view HttpMessage::Header(std::string_view lower_case_name) const {
  const auto found =
      std::ranges::find(headers, lower_case_name, &std::pair<std::string, std::string>::first);
  return found == headers.end() ? std::string_view() : ascii::Trim(found->second);
}

struct HttpReader::State {
  State(Kind kind, HttpLimits given, bool no_body) : limits(given), without_body(no_body) {
    http_parser_init(&parser, kind == Kind::kRequest ? HTTP_REQUEST : HTTP_RESPONSE);
    parser.data = this;
  }

  static State& Of(http_parser* parser) { return *static_cast<State*>(parser->data); }

  static constexpr std::size_t kBetween = 4;  // ": " and the line end

  // What is read of the head; not 0 stops the parser.
  int Take(std::size_t octets) {
    head_octets += octets;
    if (head_octets <= limits.head_bytes) return 0;
    why = fmt::format("its head is larger than {} octets", limits.head_bytes);
    return 1;
  }

  static int OnUrl(http_parser* parser, const char* at, std::size_t size) {
    State& state = Of(parser);
    state.message.target.append(at, size);
    return state.Take(size);
  }
  static int OnField(http_parser* parser, const char* at, std::size_t size) {
    State& state = Of(parser);
    const bool is_new = std::exchange(state.in_value, false) || state.message.headers.empty();
    if (is_new) state.message.headers.emplace_back();
    state.message.headers.back().first += ascii::Lower(std::string_view(at, size));
    return state.Take(size + (is_new ? kBetween : 0));
  }
  static int OnValue(http_parser* parser, const char* at, std::size_t size) {
    State& state = Of(parser);
    state.in_value = true;
    state.message.headers.back().second.append(at, size);
    return state.Take(size);
  }
  static int OnHeadersComplete(http_parser* parser) {
    State& state = Of(parser);
    state.message.status = parser->status_code;
    if (parser->type == HTTP_REQUEST)
      state.message.method = http_method_str(static_cast<http_method>(parser->method));
    return state.without_body ? 1 : 0;
  }
  static int OnBody(http_parser* parser, const char* at, std::size_t size) {
    State& state = Of(parser);
    if (state.message.body.size() + size > state.limits.body_bytes) {
      state.why = fmt::format("its body is larger than {} octets", state.limits.body_bytes);
      return 1;
    }
    state.message.body.append(at, size);
    return 0;
  }
  static int OnComplete(http_parser* parser) {
    Of(parser).whole = true;
    http_parser_pause(parser, 1);
    return 0;
  }
  static int OnStatus(http_parser* parser, const char* /*at*/, std::size_t size) {
    return Of(parser).Take(size);
  }

  static const http_parser_settings& Settings() {
    static const http_parser_settings settings = [] {
      http_parser_settings made;
      http_parser_settings_init(&made);
      made.on_url = OnUrl;
      made.on_status = OnStatus;
      made.on_header_field = OnField;
      made.on_header_value = OnValue;
      made.on_headers_complete = OnHeadersComplete;
      made.on_body = OnBody;
      made.on_message_complete = OnComplete;
      return made;
    }();
    return settings;
  }

  Result<bool> Run(const char* bytes, std::size_t size) {
    http_parser_execute(&parser, &Settings(), bytes, size);
    if (whole) return true;
    const http_errno code = HTTP_PARSER_ERRNO(&parser);
    if (code == HPE_OK && parser.upgrade == 0) return false;
    if (why.empty())
      why = parser.upgrade != 0 ? "it changes the protocol" : http_errno_description(code);
    return BadPeer("malformed HTTP: " + why);
  }

  http_parser parser{};
  HttpLimits limits;
  bool without_body;
  HttpMessage message;
  std::size_t head_octets = 0;
  std::string why;
  bool in_value = false;
  bool whole = false;
};

HttpReader::HttpReader(Kind kind, HttpLimits limits, bool without_body)
    : state_(std::make_unique<State>(kind, limits, without_body)) {}

HttpReader::~HttpReader() = default;

Result<bool> HttpReader::Feed(std::string_view bytes) {
  if (state_->whole) return true;
  if (bytes.empty()) return false;  // would mean the end
  return state_->Run(bytes.data(), bytes.size());
}

Result<bool> HttpReader::End() {
  if (state_->whole) return true;
  return state_->Run(nullptr, 0);
}

const HttpMessage& HttpReader::message() const {
  return state_->message;
}

}  // namespace gatehouse
