// Writes one SIP message by hand. No header value can carry CR, LF or NUL out of here (12.3 S1).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gatehouse {

class SipBuilder {
 public:
  static SipBuilder Request(std::string_view method, std::string_view uri);
  static SipBuilder Response(int status, std::string_view reason);
  // No CR, LF or NUL in it.
  [[nodiscard]] static bool IsClean(std::string_view text);

  // Appends "name: value"; the value may come in pieces.
  SipBuilder& Header(std::string_view name, std::string_view value);
  SipBuilder& Header(std::string_view name, std::initializer_list<std::string_view> pieces);
  SipBuilder& Header(std::string_view name, std::uint32_t value);
  // Whole lines that were read and checked before, each with its CRLF.
  SipBuilder& Lines(std::string_view lines);

  // Adds Content-Type (where not empty), Content-Length and the body.
  // Fails (kTrouble, our own fault: 12.3 S1) when any piece held CR, LF or NUL.
  [[nodiscard]] Result<std::string> Finish(std::string_view content_type = {},
                                           std::string_view body = {});

 private:
  void Append(std::string_view piece);
  std::string out_;
  bool clean_ = true;
};

}  // namespace gatehouse
