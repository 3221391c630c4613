#include "core/address/sip_user.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/address/ascii.h"
#include "core/address/sip_address.h"

namespace gatehouse {
namespace {

constexpr std::size_t kLongestScheme = 5;  // "sips:"

}  // namespace

bool IsSipUri(std::string_view text) {
  const std::string begin = ascii::Lower(text.substr(0, kLongestScheme));
  return begin.starts_with("sip:") || begin == "sips:";
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
