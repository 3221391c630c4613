// Reads one HTTP/1.1 message (RFC 9112), by Debian's http-parser. Pure; any octets may come.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace gatehouse {

struct HttpMessage {
  unsigned status = 0;                                       // of a response
  std::string method;                                        // of a request: "GET"
  std::string target;                                        // of a request, as it came: "/a?b"
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // The first of that name, without white space at its ends; or empty.
  [[nodiscard]] std::string_view Header(std::string_view lower_case_name) const;
};

struct HttpLimits {
  std::size_t head_bytes = 16384;   // start line, headers and trailers
  std::size_t body_bytes = 262144;  // after chunks were put together
};

class HttpReader {
 public:
  enum class Kind { kRequest, kResponse };
  // Without a body: the response to HEAD.
  HttpReader(Kind kind, HttpLimits limits, bool without_body = false);
  ~HttpReader();
  HttpReader(const HttpReader&) = delete;
  HttpReader& operator=(const HttpReader&) = delete;

  // Takes what has come; true once the message is whole, and what follows it is not looked at.
  //   fails  kPeer: it is no HTTP, or larger than the limits; not to be called again
  Result<bool> Feed(std::string_view bytes);
  // The connection has ended; true where that ends the message.
  Result<bool> End();
  [[nodiscard]] const HttpMessage& message() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse
