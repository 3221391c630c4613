#include "core/address/sip_user.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/address/ascii.h"
#include "core/address/sip_address.h"

namespace gatehouse {
namespace {

constexpr std::array<std::string_view, 4> kSchemes = {"sip", "sips", "im", "pres"};

}  // namespace

bool IsSipUri(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos &&
         std::ranges::find(kSchemes, ascii::Lower(text.substr(0, colon))) != kSchemes.end();
}

Result<Jid> ReadSipUser(std::string_view text, std::string_view example) {
  Jid jid;
  if (IsSipUri(text)) {
    Result<Jid, Refusal> mapped = SipUriToJid(text);
    if (!mapped)
      return BadConfig(fmt::format("'{}' is no SIP address of a user ({}); write one like {}", text,
                                   mapped.error().why, example));
    jid = *std::move(mapped);
  } else {
    Result<Jid> parsed = Jid::Parse(text);
    if (!parsed)
      return BadConfig(fmt::format("'{}' is no address of a user ({}); write one like {}", text,
                                   parsed.error().text, example));
    jid = *std::move(parsed);
  }
  if (jid.local.empty() || !jid.resource.empty())
    return BadConfig(fmt::format("'{}' is not one user; write one like {}", text, example));
  return jid;
}

Result<void> CheckServed(const std::string& domain, const std::vector<std::string>& served,
                         std::string_view written) {
  if (served.empty() || std::ranges::find(served, domain) != served.end()) return {};
  return BadConfig(fmt::format("'{}' is in no domain of ours; they are {} (gatehouse.yaml)",
                               written, fmt::join(served, ", ")));
}

Result<std::string> SipUserOf(std::string_view text, const std::vector<std::string>& served,
                              std::string_view example) {
  GATEHOUSE_TRY(const Jid jid, ReadSipUser(text, example));
  GATEHOUSE_TRY_VOID(CheckServed(jid.domain, served, text));
  return jid.Bare();
}

Result<std::string> XmppContactOf(std::string_view text) {
  const Result<Jid> jid = Jid::Parse(text);
  if (!jid)
    return BadConfig(
        fmt::format("'{}' is no XMPP address ({}); write one like "
                    "romeo@partner.example",
                    text, jid.error().text));
  if (!jid->resource.empty())
    return BadConfig(fmt::format("'{}' has a resource; a contact is all of them, write '{}'", text,
                                 jid->Bare()));
  return jid->Bare();
}

}  // namespace gatehouse
