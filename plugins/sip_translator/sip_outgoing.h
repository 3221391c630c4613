// A request of ours: described once by its caller, kept as the text that goes out. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gatehouse {

struct SipHeaderField {
  std::string_view name;
  std::string_view value;  // empty: the header is left out
};

// One request. Via, Max-Forwards and Content-Length are the endpoint's.
// Call-ID, CSeq, tag and branch are the caller's, so that they can be derived from an offer's
// (epoch, seq): the same offer sent again after a crash is the same transaction for the peer.
// Views, valid as long as SipOutgoing's constructor runs.
struct SipRequest {
  std::string_view method = "MESSAGE";  // static text
  std::string_view request_uri = {};
  std::string_view from_uri = {};
  std::string_view from_tag = {};
  std::string_view to_uri = {};
  std::string_view to_tag = {};  // in a dialog
  std::string_view call_id = {};
  std::uint32_t cseq = 1;
  std::string_view branch = {};                  // with its magic cookie "z9hG4bK"
  std::span<const SipHeaderField> headers = {};  // Subject, Content-Language, ...
  std::string_view content_type = {};            // empty: no body
  std::string_view body = {};
  std::string_view next_hop = {};  // SIP URI of a fixed next hop; empty: RFC 3263 on the host of
                                   // request_uri
  std::size_t max_bytes = 0;       // of the whole message; 0: no limit but the transport's (8.2.4)
};

// The request as it goes out. Its Via depends on the way it takes, and is written for each attempt.
class SipOutgoing {
 public:
  explicit SipOutgoing(const SipRequest& request);

  // False where a value held CR, LF or NUL: it must not leave (12.3 S1).
  [[nodiscard]] bool clean() const { return clean_; }
  [[nodiscard]] std::string_view method() const { return method_; }
  [[nodiscard]] const std::string& branch() const { return branch_; }
  // Empty: request_uri was no URI with a host and no next hop was given.
  [[nodiscard]] const std::string& next_hop() const { return next_hop_; }
  [[nodiscard]] std::size_t max_bytes() const { return max_bytes_; }

  // Writes the Via, in the place of the last one.
  void SetVia(std::string_view transport, std::string_view sent_by, std::string_view branch,
              std::string_view parameter);
  // The whole message; without a Via before the first SetVia.
  [[nodiscard]] const std::string& text() const { return text_; }
  void DropText() { std::string().swap(text_); }  // nothing will be sent any more

 private:
  std::string_view method_;
  std::string branch_;
  std::string next_hop_;
  std::string text_;
  std::size_t max_bytes_;
  std::size_t via_at_;
  std::size_t via_bytes_ = 0;
  bool clean_;
};

}  // namespace gatehouse
