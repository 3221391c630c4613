#include "plugins/sip_translator/request_checks.h"

#include <algorithm>
#include <array>

#include "core/sip/sip_grammar.h"
#include "core/sip/sip_uri.h"

namespace gatehouse {
namespace {

using namespace sip_grammar;

constexpr std::string_view kMagicCookie = "z9hG4bK";
constexpr std::array<std::string_view, 4> kTakenMethods = {"MESSAGE", "SUBSCRIBE", "OPTIONS",
                                                           "INVITE"};
// Methods that exist (the IANA registry, and Microsoft's) and are not served: 405; any other token:
// 501.
constexpr std::array<std::string_view, 12> kKnownMethods = {
    "ACK",  "BYE",     "CANCEL", "REGISTER", "NOTIFY",  "REFER",
    "INFO", "PUBLISH", "UPDATE", "PRACK",    "SERVICE", "BENOTIFY"};

// `sent_by` is "host:port".
bool Is(const SipVia& via, std::string_view sent_by) {
  const bool same_host = sent_by.size() > via.host.size() && sent_by[via.host.size()] == ':' &&
                         EqualsNoCase(sent_by.substr(0, via.host.size()), via.host);
  return same_host && Number<std::uint16_t>(sent_by.substr(via.host.size() + 1)) == via.port;
}

std::optional<RequestAnswer> CheckTransaction(const SipMessage& request,
                                              std::span<const std::string> own_sent_bys) {
  const std::string_view branch = request.vias().front().branch;
  if (!branch.starts_with(kMagicCookie) || branch.size() == kMagicCookie.size())
    return RequestAnswer{400, "Branch Without Magic Cookie", {}, Reason::kMalformedRequest};
  const auto is_own = [&](const SipVia& via) {
    return std::ranges::any_of(own_sent_bys, [&](const std::string& own) { return Is(via, own); });
  };
  if (std::ranges::any_of(request.vias(), is_own))
    return RequestAnswer{482, "Loop Detected", {}, Reason::kRoutingLoop};
  return std::nullopt;
}

std::optional<RequestAnswer> CheckMethod(std::string_view method) {
  if (std::ranges::find(kTakenMethods, method) != kTakenMethods.end()) return std::nullopt;
  // Its INVITE was refused at once, so there is nothing to cancel (RFC 3261 §9.2).
  if (method == "CANCEL")
    return RequestAnswer{481, "Call/Transaction Does Not Exist", {}, Reason::kNoSuchDialog};
  if (std::ranges::find(kKnownMethods, method) == kKnownMethods.end())
    return RequestAnswer{501, "Not Implemented", {}, Reason::kUnreadableContent};
  return RequestAnswer{405,
                       "Method Not Allowed",
                       {{"Allow", std::string(kServedMethods)}},
                       Reason::kUnreadableContent};
}

std::optional<RequestAnswer> CheckExtensions(const SipMessage& request) {
  std::string unsupported;
  for (const SipHeader& header : request.headers()) {
    if (!EqualsNoCase(header.name, "Require") && !EqualsNoCase(header.name, "Proxy-Require"))
      continue;
    if (!unsupported.empty()) unsupported += ", ";
    unsupported += header.value;
  }
  if (unsupported.empty()) return std::nullopt;
  return RequestAnswer{
      420, "Bad Extension", {{"Unsupported", std::move(unsupported)}}, Reason::kUnreadableContent};
}

bool IsSameAor(std::string_view a, std::string_view b) {
  const auto left = SipUri::Parse(a);
  const auto right = SipUri::Parse(b);
  return left && right && left->user == right->user && EqualsNoCase(left->host, right->host);
}

// The first sip or sips URI of a P-Asserted-Identity; empty when it only has others.
std::string_view AssertedSipUri(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = FindOutsideQuotes(value, ',', true);
    std::string_view uri = Trim(value.substr(0, comma));
    if (const std::size_t open = FindOutsideQuotes(uri, '<', false); open != std::string_view::npos)
      uri = uri.substr(open + 1, uri.find('>', open) - open - 1);
    if (SipUri::Parse(uri)) return uri;
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  return {};
}

// Whether it is a user of ours is seen in translation, where a refusal is remembered.
std::optional<RequestAnswer> CheckSender(const SipMessage& request) {
  if (!SipUri::Parse(request.from().uri))
    return RequestAnswer{403, "Forbidden", {}, Reason::kNotOurUser};
  const auto asserted = request.Header("P-Asserted-Identity");
  if (!asserted) return std::nullopt;
  const std::string_view uri = AssertedSipUri(*asserted);
  if (!uri.empty() && !IsSameAor(uri, request.from().uri))
    return RequestAnswer{403, "Forbidden", {}, Reason::kIdentityMismatch};
  return std::nullopt;
}

RequestAnswer OptionsAnswer() {
  return {200,
          "OK",
          {{"Allow", std::string(kServedMethods)},
           {"Accept", "text/plain"},
           {"Accept-Encoding", "identity"},
           {"Allow-Events", "presence"}}};
}

}  // namespace

std::optional<RequestAnswer> AnswerWithoutTranslation(const SipMessage& request, bool from_trusted,
                                                      std::span<const std::string> own_sent_bys) {
  if (auto answer = CheckTransaction(request, own_sent_bys)) return answer;
  if (!from_trusted) return RequestAnswer{403, "Forbidden", {}, Reason::kUntrustedPeer};
  if (auto answer = CheckMethod(request.method())) return answer;
  if (auto answer = CheckExtensions(request)) return answer;
  if (request.method() == "OPTIONS") return OptionsAnswer();
  if (request.max_forwards() == 0)
    return RequestAnswer{483, "Too Many Hops", {}, Reason::kRoutingLoop};
  return CheckSender(request);
}

RefusedRequest RefusedRequest::Of(const SipMessage& request) {
  return {request.method(), request.from().uri, request.request_uri()};
}

RequestAnswer AnswerTo(const SipRefusal& refusal) {
  Reason why = Reason::kMalformedRequest;
  if (refusal.status == 413 || refusal.status == 513) why = Reason::kTooLarge;
  if (refusal.status == 416) why = Reason::kNoAddress;
  return {refusal.status, refusal.reason, {}, why};
}

std::string_view MethodWord(std::string_view method) {
  for (const std::span<const std::string_view> methods :
       {std::span<const std::string_view>(kTakenMethods),
        std::span<const std::string_view>(kKnownMethods)})
    if (const auto found = std::ranges::find(methods, method); found != methods.end())
      return *found;
  return "another";
}

std::string_view ReasonPhrase(int status) {
  struct Phrase {
    int status;
    std::string_view text;
  };
  constexpr std::array kPhrases = {Phrase{100, "Trying"},
                                   Phrase{200, "OK"},
                                   Phrase{202, "Accepted"},
                                   Phrase{301, "Moved Permanently"},
                                   Phrase{302, "Moved Temporarily"},
                                   Phrase{305, "Use Proxy"},
                                   Phrase{400, "Bad Request"},
                                   Phrase{401, "Unauthorized"},
                                   Phrase{402, "Payment Required"},
                                   Phrase{403, "Forbidden"},
                                   Phrase{404, "Not Found"},
                                   Phrase{405, "Method Not Allowed"},
                                   Phrase{406, "Not Acceptable"},
                                   Phrase{407, "Proxy Authentication Required"},
                                   Phrase{408, "Request Timeout"},
                                   Phrase{410, "Gone"},
                                   Phrase{413, "Request Entity Too Large"},
                                   Phrase{414, "Request-URI Too Long"},
                                   Phrase{415, "Unsupported Media Type"},
                                   Phrase{416, "Unsupported URI Scheme"},
                                   Phrase{420, "Bad Extension"},
                                   Phrase{423, "Interval Too Brief"},
                                   Phrase{480, "Temporarily Unavailable"},
                                   Phrase{481, "Call/Transaction Does Not Exist"},
                                   Phrase{482, "Loop Detected"},
                                   Phrase{483, "Too Many Hops"},
                                   Phrase{484, "Address Incomplete"},
                                   Phrase{485, "Ambiguous"},
                                   Phrase{486, "Busy Here"},
                                   Phrase{487, "Request Terminated"},
                                   Phrase{488, "Not Acceptable Here"},
                                   Phrase{489, "Bad Event"},
                                   Phrase{491, "Request Pending"},
                                   Phrase{493, "Undecipherable"},
                                   Phrase{500, "Server Internal Error"},
                                   Phrase{501, "Not Implemented"},
                                   Phrase{502, "Bad Gateway"},
                                   Phrase{503, "Service Unavailable"},
                                   Phrase{504, "Server Time-out"},
                                   Phrase{505, "Version Not Supported"},
                                   Phrase{513, "Message Too Large"},
                                   Phrase{600, "Busy Everywhere"},
                                   Phrase{603, "Decline"},
                                   Phrase{604, "Does Not Exist Anywhere"},
                                   Phrase{606, "Not Acceptable"}};
  const auto found = std::ranges::find(kPhrases, status, &Phrase::status);
  return found == kPhrases.end() ? std::string_view("Unknown") : found->text;
}

}  // namespace gatehouse
