#include "core/sip/sip_refusal.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "core/sip/sip_grammar.h"
#include "core/sip/sip_header_values.h"

namespace gatehouse {
namespace {

using namespace sip_grammar;

void AppendLine(std::string& lines, const SipHeader& header) {
  lines += header.name;
  lines += ": ";
  lines += header.value;
  lines += "\r\n";
}

// The first element of a Via value, and what follows its comma.
std::pair<std::string_view, std::string_view> SplitFirst(std::string_view value) {
  const std::size_t comma = FindOutsideQuotes(value, ',', false);
  if (comma == std::string_view::npos) return {value, {}};
  return {Trim(value.substr(0, comma)), Trim(value.substr(comma + 1))};
}

bool IsAnswerableLine(std::string_view start_line) {
  const std::size_t space = start_line.find(' ');
  return space != std::string_view::npos && !start_line.starts_with("SIP/") &&
         !EqualsNoCase(start_line.substr(0, space), "ACK");
}

bool HasTag(std::string_view to) {
  const std::size_t close = to.rfind('>');
  const std::size_t semicolon = to.find(';', close == std::string_view::npos ? 0 : close);
  return semicolon != std::string_view::npos && Parameter(to.substr(semicolon), "tag");
}

void AppendTo(std::string& lines, const SipHeader& to, std::string_view tag) {
  AppendLine(lines, to);
  if (HasTag(to.value)) return;
  lines.resize(lines.size() - 2);
  lines += ";tag=";
  lines += tag;
  lines += "\r\n";
}

}  // namespace

std::string StatelessTag(std::string_view top_via, std::string_view call_id) {
  constexpr std::uint64_t kOffset = 14695981039346656037ULL;  // FNV-1a
  constexpr std::uint64_t kPrime = 1099511628211ULL;
  std::uint64_t hash = kOffset;
  for (const std::string_view part : {top_via, call_id})
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  std::string tag;
  for (int shift = 60; shift >= 0; shift -= 4) tag += "0123456789abcdef"[(hash >> shift) & 0xFU];
  return tag;
}

SipRefusal Refuse(const SipHead& head, SipFault fault, SipArena& arena) {
  SipRefusal refusal{.status = fault.status, .reason = fault.reason, .top_via = {}, .echo = {}};
  const SipHeader* via = head.First(SipHeaderId::kVia);
  if (via == nullptr || !IsAnswerableLine(head.start_line())) return refusal;
  const auto [top, others] = SplitFirst(via->value);
  // Where to send needs the host only; its parameters may be what is wrong.
  if (!ReadVia(Trim(top.substr(0, top.find(';'))), arena) && fault.status != 505) return refusal;
  refusal.answerable = true;
  refusal.top_via = top;
  if (!others.empty()) AppendLine(refusal.echo, {.name = "Via", .value = others});
  const SipHeader* call_id = head.First(SipHeaderId::kCallId);
  const std::string tag =
      StatelessTag(top, call_id == nullptr ? std::string_view{} : call_id->value);
  bool top_seen = false;
  for (std::size_t i = 0; i < head.headers().size(); ++i) {
    const SipHeader& header = head.headers()[i];
    const SipHeaderId id = head.id(i);
    if (id == SipHeaderId::kVia && std::exchange(top_seen, true)) AppendLine(refusal.echo, header);
    if (&header == head.First(id) &&
        (id == SipHeaderId::kFrom || id == SipHeaderId::kCallId || id == SipHeaderId::kCSeq))
      AppendLine(refusal.echo, header);
    if (id == SipHeaderId::kTo && &header == head.First(id)) AppendTo(refusal.echo, header, tag);
  }
  return refusal;
}

SipRefusal Refuse(std::string_view head_bytes, SipFault fault) {
  SipArena arena;
  const SipHead head(head_bytes, arena);
  return Refuse(head, fault, arena);
}

Result<std::optional<std::size_t>, SipFault> DeclaredBodyBytes(const SipHead& head) {
  constexpr std::uint32_t kMost = std::numeric_limits<std::int32_t>::max();
  std::optional<std::size_t> declared;
  for (std::size_t i = 0; i < head.headers().size(); ++i) {
    if (head.id(i) != SipHeaderId::kContentLength) continue;
    const auto value = Number<std::uint32_t>(head.headers()[i].value);
    if (!value || *value > kMost || (declared && *declared != *value))
      return std::unexpected(SipFault{400, "Malformed Content-Length"});
    declared = *value;
  }
  return declared;
}

}  // namespace gatehouse
