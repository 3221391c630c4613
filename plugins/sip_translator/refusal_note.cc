#include "plugins/sip_translator/refusal_note.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "core/address/sip_address.h"
#include "core/base/utf8_check.h"
#include "plugins/sip_translator/sip_warning.h"

namespace gatehouse::translator {
namespace {

struct Party {
  std::string address;
  std::string domain;  // empty: what was sent is no address
};

Party PartyOf(const Jid& address) {
  return {address.Bare(), address.domain};
}

Party PartyOf(std::string_view uri) {
  const auto address = SipUriToJid(uri);
  return address ? PartyOf(*address) : Party{AsUtf8(uri), {}};
}

std::string_view KindOf(std::string_view method) {
  if (method == "MESSAGE") return KindName(TrafficKind::kSipMessage);
  if (method == "SUBSCRIBE") return KindName(TrafficKind::kSipSubscribe);
  if (method == "OPTIONS") return KindName(TrafficKind::kSipOptions);
  return kRequestKind;
}

// Records keep words that live for ever.
std::string_view StatusWord(int status) {
  constexpr std::array<std::string_view, 17> kWords = {"400", "403", "404", "405", "408", "413",
                                                       "415", "416", "420", "480", "481", "486",
                                                       "488", "500", "501", "504", "513"};
  const auto found = std::ranges::find(kWords, std::to_string(status));
  return found == kWords.end() ? std::string_view() : *found;
}

// A Warning that is there already gets the id.
void Tell(HandOverAnswer& answer, std::string_view host) {
  const auto said = std::ranges::find(answer.headers, "Warning", &SipExtraHeader::name);
  if (said != answer.headers.end()) {
    said->value.insert(said->value.size() - 1, " (" + answer.id + ")");
    return;
  }
  const ReasonEntry& entry = EntryOf(answer.reason);
  std::string text(entry.told.empty() ? entry.sentence : entry.told);
  text.append(" (").append(answer.id).append(")");
  answer.headers.push_back(Warning(host, text));
}

void Note(FlowContext& context, std::string_view kind, Party from, Party to,
          HandOverAnswer& answer) {
  if (answer.status < 300 || !answer.id.empty() || answer.reason == Reason::kNone) return;
  const std::string host = context.served.Find(from.domain) != nullptr
                               ? from.domain
                               : context.endpoint.SentBy(SipTransport::kTls);
  answer.id = context.refusals
                  .Add(PlaceOf(context.policy.get(), to.domain),
                       {.remote_domain = to.domain,
                        .from = std::move(from.address),
                        .to = std::move(to.address),
                        .kind = kind,
                        .direction = Direction::kSipToXmpp,
                        .reason = answer.reason,
                        .answer = StatusWord(answer.status),
                        .detail = AsUtf8(answer.why)},
                       context.unix_ms())
                  .id;
  Tell(answer, host);
}

}  // namespace

void NoteAnswer(FlowContext& context, TrafficKind kind, const PageAddresses& addresses,
                HandOverAnswer& answer) {
  Note(context, KindName(kind), PartyOf(addresses.from), PartyOf(addresses.to), answer);
}

void NoteAnswer(FlowContext& context, TrafficKind kind, std::string_view from_uri,
                std::string_view to_uri, HandOverAnswer& answer) {
  Note(context, KindName(kind), PartyOf(from_uri), PartyOf(to_uri), answer);
}

void NoteRequest(FlowContext& context, const SipMessage& request, RequestAnswer& answer) {
  Party to = PartyOf(request.request_uri());
  // What is for ourselves has no remote domain: it is no stranger's.
  if (context.served.Find(to.domain) != nullptr) to.domain.clear();
  HandOverAnswer told{.status = answer.status,
                      .why = fmt::format("{}: {}", request.method(), answer.reason),
                      .headers = std::move(answer.headers),
                      .reason = answer.why};
  Note(context, KindOf(request.method()), PartyOf(request.from().uri), std::move(to), told);
  answer.headers = std::move(told.headers);
  answer.id = std::move(told.id);
}

}  // namespace gatehouse::translator
