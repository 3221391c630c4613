// Cuts a TCP or TLS byte stream into SIP messages by Content-Length, before any parser sees it.
// Pure: no clock, no socket. RFC 3261 §7.5, §18.3; RFC 5626 §3.5.1; limits of 12.3 S3-S6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/sip/sip_head.h"

namespace gatehouse {

class SipFramer {
 public:
  enum class Kind : std::uint8_t {
    kMessage,  // `bytes` is one whole message, valid until Add, Keep or destruction
    kPing,     // CRLFCRLF between messages: answer CRLF
    kPong,     // a single CRLF between messages; the first half of a ping is reported so too
  };
  struct Frame {
    Kind kind = Kind::kMessage;
    std::string_view bytes;
  };
  // The stream cannot be followed any further: answer where `head` allows it, then close.
  struct Broken {
    SipFault fault;
    std::string_view head;  // what there is of the offending head, valid like a frame
  };

  // Gives the next bytes of the stream. Nothing is copied while whole messages arrive in one piece.
  void Add(std::string_view bytes);
  // The next frame; nullopt when more bytes are needed.
  Result<std::optional<Frame>, Broken> Next();
  // Takes the message given last back into the stream: Next gives it again.
  void PutBack();
  // Keeps what is left of the bytes given last. Call it before those bytes go away.
  void Keep();

  // A message has begun and is not complete: its time limit runs (12.3 S3).
  [[nodiscard]] bool inside_message() const { return !rest().empty(); }
  [[nodiscard]] std::size_t buffered_bytes() const { return buffer_.size(); }

 private:
  [[nodiscard]] std::string_view rest() const { return view_.substr(taken_); }
  std::optional<Frame> TakeLineEnd();
  Result<bool, Broken> FindHead();
  std::optional<SipFault> MeasureHead(std::string_view head);

  std::string buffer_;          // bytes kept over from earlier calls
  std::string_view view_;       // buffer_, or the caller's bytes while buffer_ is empty
  std::size_t taken_ = 0;       // of view_, already given out
  std::size_t scanned_ = 0;     // of rest(), known to hold no end of headers
  std::size_t head_bytes_ = 0;  // with the empty line; 0: not found yet
  std::size_t body_bytes_ = 0;
  std::size_t last_bytes_ = 0;  // of the message given last
  std::size_t stray_bytes_ = 0;
  bool half_ping_ = false;
};

}  // namespace gatehouse
