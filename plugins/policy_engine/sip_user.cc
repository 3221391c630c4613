#include "plugins/policy_engine/sip_user.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/address/sip_address.h"

namespace gatehouse::policy_engine {
namespace {

constexpr std::string_view kSip = "sip:";

// Schemes are told apart without case. RFC 3986 §3.1
bool IsSipUri(std::string_view text) {
  return std::ranges::equal(text.substr(0, kSip.size()), kSip, {}, [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
}

}  // namespace

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

}  // namespace gatehouse::policy_engine
