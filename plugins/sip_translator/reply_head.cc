#include "plugins/sip_translator/reply_head.h"

#include "core/sip/sip_arena.h"
#include "core/sip/sip_grammar.h"
#include "core/sip/sip_header_values.h"
#include "core/sip/sip_refusal.h"

namespace gatehouse {
namespace {

using namespace sip_grammar;

void AppendLine(std::string& lines, std::string_view name, std::string_view value) {
  lines += name;
  lines += ": ";
  lines += value;
  lines += "\r\n";
}

// The Via as it came, without a received of the sender's own making, and with what we know better.
void AppendTopVia(std::string& lines, std::string_view text, std::string_view host, bool rport,
                  const SocketAddress& from) {
  lines += "Via: ";
  std::size_t at = text.find(';');
  lines += text.substr(0, at);
  while (at != std::string_view::npos) {
    const std::size_t end = FindOutsideQuotes(text.substr(at + 1), ';', false);
    const std::size_t next = end == std::string_view::npos ? end : at + 1 + end;
    const std::string_view item =
        text.substr(at, next == std::string_view::npos ? next : next - at);
    const std::string_view name = Trim(item.substr(1, item.find('=') - 1));
    if (!EqualsNoCase(name, "received") && !(rport && EqualsNoCase(name, "rport"))) lines += item;
    at = next;
  }
  const std::string ip = from.Ip();
  if (rport || !EqualsNoCase(host, ip)) lines += ";received=" + ip;
  if (rport) lines += ";rport=" + std::to_string(from.Port());
  lines += "\r\n";
}

}  // namespace

std::string ReplyHead(const SipMessage& request, const SipSource& source) {
  constexpr std::size_t kTypicalBytes = 384;
  const SipVia& top = request.vias().front();
  std::string lines;
  lines.reserve(kTypicalBytes);
  AppendTopVia(lines, top.text, top.host, top.rport, source.address);
  for (const SipVia& via : request.vias().subspan(1)) AppendLine(lines, "Via", via.text);
  AppendLine(lines, "From", request.from().text);
  AppendLine(lines, "To", request.to().text);
  if (request.to().tag.empty()) {
    lines.resize(lines.size() - 2);
    lines += ";tag=" + StatelessTag(top.text, request.call_id()) + "\r\n";
  }
  AppendLine(lines, "Call-ID", request.call_id());
  lines += "CSeq: " + std::to_string(request.cseq().number) + ' ';
  lines += request.cseq().method;
  lines += "\r\n";
  return lines;
}

RefusalReply ReplyHead(const SipRefusal& refusal, const SipSource& source) {
  RefusalReply reply;
  if (!refusal.answerable) return reply;
  SipArena arena;
  const auto whole = ReadVia(refusal.top_via, arena);
  // A Via with bad parameters still says where it came from.
  const std::string_view start =
      Trim(std::string_view(refusal.top_via).substr(0, refusal.top_via.find(';')));
  const SipVia via = whole ? *whole : ReadVia(start, arena).value_or(SipVia{});
  AppendTopVia(reply.head, refusal.top_via, via.host, via.rport, source.address);
  reply.head += refusal.echo;
  reply.path = SipTransportLayer::ReturnPath(source, via.port, via.rport);
  return reply;
}

}  // namespace gatehouse
