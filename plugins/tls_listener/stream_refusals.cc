#include "plugins/tls_listener/stream_refusals.h"

#include <array>
#include <string>
#include <utility>

#include "core/policy/negotiation.h"
#include "core/policy/refusal_answer.h"
#include "core/xmpp/element.h"
#include "core/xmpp/jid.h"

namespace gatehouse {
namespace {

// Of the negotiation matrix (4.2), in its order.
constexpr std::array<std::string_view, 18> kRowRules = {
    "row-1",  "row-2",  "row-3",  "row-4",  "row-5",  "row-6",  "row-7",  "row-8",  "row-9",
    "row-10", "row-11", "row-12", "row-13", "row-14", "row-15", "row-16", "row-17", "row-18"};

bool IsByRow(Reason reason) {
  switch (reason) {
    case Reason::kMethodNotPermitted:
    case Reason::kCertificateRefused:
    case Reason::kCertificateRevoked:
    case Reason::kTlsFailed:
    case Reason::kDowngradeRefused:
    case Reason::kNegotiationFailed:
      return true;
    default:
      return false;
  }
}

RefusalNote NoteOf(const StreamRefusal& refusal) {
  RefusalNote note{.shelf = refusal.proven ? RefusalShelf::kTold : RefusalShelf::kClaimed,
                   .remote_domain = std::string(refusal.remote),
                   .from = {},
                   .to = {},
                   .kind = kStreamKind,
                   .direction = refusal.direction,
                   .reason = refusal.reason,
                   .answer = refusal.answer,
                   .detail = refusal.detail};
  const bool outwards = refusal.direction == Direction::kSipToXmpp;
  note.from = outwards ? refusal.local : refusal.remote.empty() ? refusal.address : refusal.remote;
  note.to = outwards ? refusal.remote : refusal.local;
  return note;
}

std::string BareOf(std::string_view address) {
  const auto jid = Jid::Parse(address);
  return jid ? jid->Bare() : std::string(address);
}

std::string_view KindOfStanza(std::string_view name) {
  if (name == "iq") return KindName(TrafficKind::kIqToUser);
  return KindName(name == "presence" ? TrafficKind::kPresence : TrafficKind::kMessage);
}

}  // namespace

std::string_view StreamRefusals::RuleOf(const StreamRefusal& refusal) const {
  const proto::Partner* partner =
      policy_ && IsByRow(refusal.reason) ? policy_->FindListed(refusal.remote) : nullptr;
  if (partner == nullptr) return {};
  return kRowRules.at(static_cast<std::size_t>(RowNumber(RowOf(*partner)) - 1));
}

NotedRefusal StreamRefusals::Note(const StreamRefusal& refusal) {
  RefusalNote note = NoteOf(refusal);
  note.rule = RuleOf(refusal);
  auto [id, is_new] =
      memory_.Add(PlaceOf(policy_.get(), refusal.remote), std::move(note), unix_ms_());
  return {std::move(id), is_new};
}

NotedRefusal StreamRefusals::NoteError(std::string_view remote, const proto::Element& error,
                                       Reason why) {
  const std::string& condition = FirstChild(*FirstChild(error))->name();
  auto [id, is_new] = memory_.Add(PlaceOf(policy_.get(), remote),
                                  {.shelf = RefusalShelf::kUnserved,
                                   .remote_domain = std::string(remote),
                                   .from = BareOf(Attribute(error, "to")),
                                   .to = BareOf(Attribute(error, "from")),
                                   .kind = KindOfStanza(error.name()),
                                   .reason = why,
                                   .answer = ConditionName(ConditionFromName(condition))},
                                  unix_ms_());
  return {std::move(id), is_new};
}

proto::CtlResponse StreamRefusals::Answer(const proto::Why& why) const {
  return AnswerWhy(memory_, policy_.get(), why);
}

}  // namespace gatehouse
