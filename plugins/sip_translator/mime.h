// The MIME of SIP bodies, as much as text needs (8.5). Pure; views stay inside the octets given.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/address/refusal.h"
#include "core/base/result.h"

namespace gatehouse::translator {

inline constexpr int kMaxMimeDepth = 4;
inline constexpr std::size_t kMaxMimeParts = 16;
inline constexpr std::size_t kMaxBoundaryOctets = 70;  // RFC 2046 §5.1.1

// One entity: the headers that matter and the body as it stands.
struct MimeEntity {
  std::string_view content_type;       // the whole value, empty: none
  std::string_view transfer_encoding;  // empty: none
  std::string_view body;
};

// "text/plain" of `Text/Plain; charset=x`, in lower case.
[[nodiscard]] std::string MediaType(std::string_view content_type);
// A parameter's value without its quotes; empty when absent.
[[nodiscard]] std::string MediaParameter(std::string_view content_type, std::string_view name);

// Headers, an empty line, a body. An entity without the empty line is all headers.
[[nodiscard]] MimeEntity ReadEntity(std::string_view octets);
// The parts of a multipart body in order.
//   fails  400 for a boundary that is missing or too long, a missing terminator, more than
//   kMaxMimeParts
Result<std::vector<MimeEntity>, Refusal> SplitMultipart(std::string_view body,
                                                        std::string_view boundary);
// Undoes 7bit, 8bit, binary, base64, quoted-printable; nullopt: another encoding or broken octets.
[[nodiscard]] std::optional<std::string> DecodeTransfer(std::string_view body,
                                                        std::string_view encoding);

}  // namespace gatehouse::translator
