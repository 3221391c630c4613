#include "plugins/sip_translator/sip_outgoing.h"

#include <array>
#include <charconv>

#include "core/sip/sip_builder.h"
#include "core/sip/sip_uri.h"

namespace gatehouse {
namespace {

constexpr std::uint32_t kMaxForwards = 70;  // RFC 3261 §8.1.1.6

// RFC 3263 on the domain of the Request-URI.
std::string NextHopOf(const SipRequest& request) {
  if (!request.next_hop.empty()) return std::string(request.next_hop);
  const auto uri = SipUri::Parse(request.request_uri);
  if (!uri) return {};
  std::string hop(uri->scheme);
  hop += ':';
  hop += uri->host;
  return hop;
}

std::string WriteText(const SipRequest& request) {
  std::array<char, 12> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), request.cseq).ptr;
  auto builder = SipBuilder::Request(request.method, request.request_uri);
  builder.Header("Max-Forwards", kMaxForwards)
      .Header("From", {"<", request.from_uri, ">;tag=", request.from_tag})
      .Header("To", {"<", request.to_uri, request.to_tag.empty() ? ">" : ">;tag=", request.to_tag})
      .Header("Call-ID", request.call_id)
      .Header("CSeq", {std::string_view(digits.begin(), end), " ", request.method});
  for (const SipHeaderField& header : request.headers)
    if (!header.value.empty()) builder.Header(header.name, header.value);
  return builder.Finish(request.content_type, request.body).value_or(std::string{});
}

}  // namespace

SipOutgoing::SipOutgoing(const SipRequest& request)
    : method_(request.method),
      branch_(request.branch),
      next_hop_(NextHopOf(request)),
      text_(WriteText(request)),
      max_bytes_(request.max_bytes),
      via_at_(text_.find('\n') + 1),
      clean_(!text_.empty() && SipBuilder::IsClean(request.branch)) {}

void SipOutgoing::SetVia(std::string_view transport, std::string_view sent_by,
                         std::string_view branch, std::string_view parameter) {
  std::string via;
  via.reserve(64 + sent_by.size() + branch.size());
  via.append("Via: SIP/2.0/").append(transport).append(" ").append(sent_by);
  via.append(";branch=").append(branch).append(parameter).append("\r\n");
  text_.replace(via_at_, via_bytes_, via);
  via_bytes_ = via.size();
}

}  // namespace gatehouse
