#include "plugins/sip_translator/subscribe_request.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "core/sip/sip_grammar.h"
#include "core/sip/sip_uri.h"

namespace gatehouse::translator {
namespace {

using namespace sip_grammar;

constexpr std::size_t kMaxUriOctets = 1024;  // a dialog keeps them as long as it lasts
constexpr std::string_view kPresence = "presence";
constexpr std::array<std::string_view, 3> kAcceptable = {"application/pidf+xml", "application/*",
                                                         "*/*"};

std::unexpected<HandOverAnswer> Refuse(int status, Reason reason, std::string_view why,
                                       std::vector<SipExtraHeader> headers = {}) {
  return std::unexpected(HandOverAnswer{status, std::string(why), std::move(headers), reason});
}

// Calls take(item) for each item of every header called `name`; false when that says so.
template <class Take>
bool ForEachItem(const SipMessage& message, std::string_view name, const Take& take) {
  for (const SipHeader& header : message.headers()) {
    if (!EqualsNoCase(header.name, name)) continue;
    std::string_view rest = header.value;
    while (true) {
      const std::size_t comma = FindOutsideQuotes(rest, ',', true);
      if (!take(Trim(rest.substr(0, comma)))) return false;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return true;
}

// The sip URI of "name <uri>;parameters" or "uri;parameters".
std::optional<std::string_view> UriOf(std::string_view item) {
  std::string_view uri = item.substr(0, item.find(';'));
  if (const std::size_t open = FindOutsideQuotes(item, '<', false);
      open != std::string_view::npos) {
    const std::size_t close = item.find('>', open);
    if (close == std::string_view::npos) return std::nullopt;
    uri = item.substr(open + 1, close - open - 1);
  }
  uri = Trim(uri);
  const auto parsed = SipUri::Parse(uri);
  if (!parsed || !parsed->headers.empty() || uri.size() > kMaxUriOctets) return std::nullopt;
  return uri;
}

std::optional<std::string> PresenceEventOf(const SipMessage& message) {
  const std::string_view value = message.Header("Event").value_or("");
  const std::size_t semicolon = std::min(value.find(';'), value.size());
  if (!EqualsNoCase(Trim(value.substr(0, semicolon)), kPresence)) return std::nullopt;
  std::string event(kPresence);
  const auto id = Parameter(value.substr(semicolon), "id");
  if (id && IsToken(*id)) event.append(";id=").append(*id);
  return event;
}

// No Accept at all means PIDF. RFC 3856 §6.7
bool AcceptsPidf(const SipMessage& message) {
  if (!message.Header("Accept")) return true;
  return !ForEachItem(message, "Accept", [](std::string_view item) {
    const std::string_view type = Trim(item.substr(0, item.find(';')));
    return std::ranges::none_of(kAcceptable,
                                [type](std::string_view one) { return EqualsNoCase(one, type); });
  });
}

}  // namespace

Result<SubscribeRequest, HandOverAnswer> ReadSubscribe(const SipMessage& message) {
  SubscribeRequest request;
  auto event = PresenceEventOf(message);
  if (!event)
    return Refuse(489, Reason::kUnreadableContent, "not the presence event",
                  {{"Allow-Events", "presence"}});
  request.event = *std::move(event);
  if (!AcceptsPidf(message))
    return Refuse(406, Reason::kUnreadableContent, "PIDF is not accepted",
                  {{"Accept", "application/pidf+xml"}});
  const std::uint32_t asked = message.expires().value_or(kDefaultExpiresSeconds);
  if (asked != 0 && asked < kMinExpiresSeconds)
    return Refuse(423, Reason::kIntervalTooBrief, "expires too soon",
                  {{"Min-Expires", std::to_string(kMinExpiresSeconds)}});
  request.expires_s = std::min(asked, kMaxExpiresSeconds);
  std::size_t contacts = 0;
  const bool sound = ForEachItem(message, "Contact", [&](std::string_view item) {
    const auto uri = UriOf(item);
    if (uri) request.target = *uri;
    return uri.has_value() && ++contacts == 1;
  });
  if (!sound || contacts == 0)
    return Refuse(400, Reason::kMalformedRequest, "not one usable Contact");
  const bool routed = ForEachItem(message, "Record-Route", [&](std::string_view item) {
    const auto uri = UriOf(item);
    if (uri) request.routes.emplace_back(*uri);
    return uri.has_value() && request.routes.size() <= kMaxRoutes;
  });
  if (!routed) return Refuse(400, Reason::kMalformedRequest, "unusable Record-Route");
  return request;
}

}  // namespace gatehouse::translator
