#include "plugins/sip_translator/refusal_note.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "core/address/ascii.h"
#include "core/address/sip_address.h"
#include "core/base/utf8_check.h"
#include "core/xmpp/element.h"
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

// Records keep words that live for ever: "300301302", and so on to 699.
constexpr int kFirstStatus = 300;
constexpr int kStatuses = 400;
constexpr auto kStatusDigits = [] {
  std::array<char, std::size_t{3} * kStatuses> digits{};
  for (std::size_t i = 0; i < kStatuses; ++i) {
    const std::size_t status = kFirstStatus + i;
    digits.at(3 * i) = static_cast<char>('0' + status / 100);
    digits.at(3 * i + 1) = static_cast<char>('0' + status / 10 % 10);
    digits.at(3 * i + 2) = static_cast<char>('0' + status % 10);
  }
  return digits;
}();

// `status` is one of a refusal.
std::string_view StatusWord(int status) {
  const std::string_view all(kStatusDigits.data(), kStatusDigits.size());
  return all.substr(3 * static_cast<std::size_t>(status - kFirstStatus), 3);
}

// A Warning that is there already gets the id.
void Tell(HandOverAnswer& answer, std::string_view host) {
  const auto said = std::ranges::find(answer.headers, "Warning", &SipExtraHeader::name);
  if (said != answer.headers.end()) {
    said->value.insert(said->value.size() - 1, " (" + answer.id + ")");
    return;
  }
  const ReasonEntry& entry = EntryOf(answer.reason);
  // It goes to servers of ours.
  std::string text(entry.sentence);
  text.append(" (").append(answer.id).append(")");
  answer.headers.push_back(Warning(host, text));
}

struct Where {
  RefusalShelf shelf;
  std::string_view kind, about;
};

void Note(FlowContext& context, const Where& where, Party from, Party to, HandOverAnswer& answer) {
  if (answer.status < kFirstStatus || !answer.id.empty() || answer.reason == Reason::kNone) return;
  const std::string host = context.served.Find(from.domain) != nullptr
                               ? from.domain
                               : context.endpoint.SentBy(SipTransport::kTls);
  answer.id = context.refusals
                  .Add(PlaceOf(context.policy.get(), to.domain),
                       {.shelf = where.shelf,
                        .remote_domain = to.domain,
                        .from = std::move(from.address),
                        .to = std::move(to.address),
                        .kind = where.kind,
                        .direction = Direction::kSipToXmpp,
                        .reason = answer.reason,
                        .answer = StatusWord(answer.status),
                        .about = where.about,
                        .detail = AsUtf8(answer.why),
                        .once_a_minute = true},
                       context.unix_ms())
                  .id;
  Tell(answer, host);
}

// `about`: static.
void NoteAs(FlowContext& context, std::string_view about, const RefusedRequest& request,
            HandOverAnswer& answer) {
  Party to = PartyOf(request.to);
  // What is for ourselves has no remote domain: it is no stranger's.
  if (context.served.Find(to.domain) != nullptr) to.domain.clear();
  Note(context, {RefusalShelf::kUnserved, KindOf(request.method), about}, PartyOf(request.from),
       std::move(to), answer);
}

}  // namespace

void NoteAnswer(FlowContext& context, TrafficKind kind, const PageAddresses& addresses,
                HandOverAnswer& answer) {
  Note(context, {RefusalShelf::kTold, KindName(kind), {}}, PartyOf(addresses.from),
       PartyOf(addresses.to), answer);
}

void NoteUnserved(FlowContext& context, const RefusedRequest& request, HandOverAnswer& answer) {
  NoteAs(context, MethodWord(request.method), request, answer);
}

void NoteRequest(FlowContext& context, const RefusedRequest& request, RequestAnswer& answer) {
  const bool read = !request.method.empty();
  HandOverAnswer told{.status = answer.status,
                      .why = read ? fmt::format("{}: {}", request.method, answer.reason)
                                  : std::string(answer.reason),
                      .headers = std::move(answer.headers),
                      .reason = answer.why};
  NoteAs(context, read ? MethodWord(request.method) : answer.reason, request, told);
  answer.headers = std::move(told.headers);
  answer.id = std::move(told.id);
}

bool NoteStanza(FlowContext& context, TrafficKind kind, const StanzaAddresses& addresses,
                SipResult& result) {
  std::string detail = result.status == 0
                           ? result.log
                           : fmt::format("{} {} {}", result.status, result.text, result.log);
  const auto added = context.refusals.Add(
      PlaceOf(context.policy.get(), addresses.from.domain),
      {.shelf = kind == TrafficKind::kMessage ? RefusalShelf::kTold : RefusalShelf::kUnserved,
       .remote_domain = addresses.from.domain,
       .from = addresses.from.Bare(),
       .to = addresses.to.Bare(),
       .kind = KindName(kind),
       .reason = result.reason,
       .answer = ConditionName(result.answer.condition),
       .detail = AsUtf8(ascii::Trim(detail)),
       .once_a_minute = true},
      context.unix_ms());
  result.id = added.id;
  if (result.text.empty()) result.text = "not delivered";
  result.text.append(" (").append(result.id).append(")");
  return added.is_new;
}

RefusalMemory::Added NoteEndedWatch(FlowContext& context, const ContactPair& pair, Reason reason,
                                    std::string_view about, std::string_view detail) {
  const auto contact = Jid::Parse(pair.contact);
  const std::string domain = contact ? contact->domain : std::string();
  return context.refusals.Add(PlaceOf(context.policy.get(), domain),
                              {.shelf = RefusalShelf::kUnserved,
                               .remote_domain = domain,
                               .from = pair.contact,
                               .to = pair.sip_user,
                               .kind = kWatchKind,
                               .reason = reason,
                               .about = about,
                               .detail = AsUtf8(detail),
                               .once_a_minute = true},
                              context.unix_ms());
}

}  // namespace gatehouse::translator
