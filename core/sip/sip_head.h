// The header block of one message, cut into lines before anybody interprets them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/sip/sip_arena.h"
#include "core/sip/sip_message.h"

namespace gatehouse {

// Limits of 12.3 S5, S6. Every one of the RFC 4475 messages passes them.
inline constexpr std::size_t kMaxSipLineBytes = 8192;
inline constexpr std::size_t kMaxSipHeaders = 128;
inline constexpr std::size_t kMaxSipHeadBytes = 65536;
inline constexpr std::size_t kMaxSipBodyBytes = 262144;
inline constexpr std::size_t kMaxSipVias = 70;

enum class SipHeaderId : std::uint8_t {
  kOther,
  kVia,
  kFrom,
  kTo,
  kCallId,
  kCSeq,
  kMaxForwards,
  kContact,
  kContentLength,
  kContentType,
  kContentLanguage,
  kSubject,
  kDate,
  kExpires,
  kCount
};

struct SipFault {
  int status = 400;
  std::string_view reason = "Bad Request";  // static text
};

class SipHead {
 public:
  // Copies `block` (start line and headers, with or without the empty line) into `arena`, unfolds
  // continuation lines, trims, and spells out compact names. Every value is followed by a NUL, for
  // osipparser2. Goes on after a fault as far as it can, so that the fault can be answered; see
  // fault().
  SipHead(std::string_view block, SipArena& arena);

  [[nodiscard]] std::string_view start_line() const { return start_line_; }
  [[nodiscard]] std::span<const SipHeader> headers() const { return headers_.first(count_); }
  [[nodiscard]] SipHeaderId id(std::size_t index) const { return ids_[index]; }
  // First of its kind; null when absent.
  [[nodiscard]] const SipHeader* First(SipHeaderId id) const;
  [[nodiscard]] std::size_t Count(SipHeaderId id) const {
    return counts_[static_cast<std::size_t>(id)];
  }
  // Limits and line syntax: bare CR or LF, NUL outside a quoted pair, no colon, a name that is no
  // token.
  [[nodiscard]] const std::optional<SipFault>& fault() const { return fault_; }

 private:
  void Split(std::span<char> text);
  void TakeLine(std::span<char> line);
  void Blame(int status, std::string_view reason);

  std::string_view start_line_;
  std::span<SipHeader> headers_;
  std::span<SipHeaderId> ids_;
  std::size_t count_ = 0;
  std::array<std::uint8_t, static_cast<std::size_t>(SipHeaderId::kCount)> counts_{};
  std::array<std::uint8_t, static_cast<std::size_t>(SipHeaderId::kCount)> firsts_{};
  std::optional<SipFault> fault_;
};

}  // namespace gatehouse
