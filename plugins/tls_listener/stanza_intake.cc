#include "plugins/tls_listener/stanza_intake.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/xmpp/element.h"
#include "core/xmpp/jid.h"

namespace gatehouse {
namespace {

constexpr seconds kStanzaLimit{60};
constexpr seconds kPingLimit{10};  // 1.1 no. 5

double& Stanzas(Metrics& metrics, std::string_view result) {
  return metrics.Value("gatehouse_stanzas_total",
                       "{direction=\"in\",result=\"" + std::string(result) + "\"}");
}

std::string_view ConditionOf(const proto::Element& error) {
  return FirstChild(*FirstChild(error))->name();
}

// Why this listener answers a stanza itself.
Reason ReasonOfOurs(std::string_view condition) {
  if (condition == ConditionName(proto::POLICY_VIOLATION)) return Reason::kTooLarge;
  if (condition == ConditionName(proto::BAD_REQUEST)) return Reason::kProtocolError;
  if (condition == ConditionName(proto::REMOTE_SERVER_TIMEOUT)) return Reason::kExpired;
  return Reason::kWorkerAway;
}

}  // namespace

StanzaIntake::StanzaIntake(Setup setup)
    : setup_(std::move(setup)),
      delivered_(Stanzas(setup_.metrics, "delivered")),
      failed_(Stanzas(setup_.metrics, "failed")),
      expired_(Stanzas(setup_.metrics, "expired")),
      stanza_errors_(setup_.metrics.Value("gatehouse_stanza_errors_total", "{direction=\"in\"}")) {}

void StanzaIntake::Deliver(const Arrival& arrival, proto::Element& stanza,
                           std::function<void()> handled) {
  offer_.set_stream_id(arrival.stream_id.data(), arrival.stream_id.size());
  offer_.set_from_domain(arrival.from.data(), arrival.from.size());
  offer_.set_to_domain(arrival.to.data(), arrival.to.size());
  offer_.set_method(arrival.method);
  offer_.set_snapshot_hash(policy_->hash());
  offer_.set_received_unix_ms(UnixNowMs());
  // Lent for the time of writing it down; the reader's arena keeps it.
  offer_.unsafe_arena_set_allocated_stanza(&stanza);
  std::string body = offer_.SerializeAsString();
  static_cast<void>(offer_.unsafe_arena_release_stanza());

  share_key_.assign(arrival.from).append(" ").append(arrival.to);
  const TimePoint expires = setup_.loop.Now() + kStanzaLimit;
  if (!handled)
    return setup_.translator.Offer(
        share_key_, std::move(body), expires,
        [this, head = HeadOf(stanza)](const ipc::Outcome& outcome) { OnSettled(head, outcome); });
  setup_.translator.Offer(
      share_key_, std::move(body), expires,
      [this, head = HeadOf(stanza), handled = std::move(handled)](const ipc::Outcome& outcome) {
        OnSettled(head, outcome);
        handled();
      });
}

StanzaIntake::Head StanzaIntake::HeadOf(const proto::Element& stanza) {
  const std::string_view type = Attribute(stanza, "type");
  if (type == "error" || type == "result") return {};
  const std::string_view from = Attribute(stanza, "from");
  const std::string_view to = Attribute(stanza, "to");
  const std::string_view id = Attribute(stanza, "id");
  Head head;
  head.reserve(stanza.name().size() + from.size() + to.size() + id.size() + 3);
  head.append(stanza.name()).append(1, '\0').append(from).append(1, '\0');
  head.append(to).append(1, '\0').append(id);
  return head;
}

// What the translator refuses it tells the sender itself; where it gave no answer, we do (3.9).
void StanzaIntake::OnSettled(const Head& head, const ipc::Outcome& outcome) {
  switch (outcome.kind) {
    case ipc::OutcomeKind::kDelivered:
      ++delivered_;
      return;
    case ipc::OutcomeKind::kFailed:
      ++failed_;
      if (outcome.by_link) TellSender(head, static_cast<proto::StanzaCondition>(outcome.condition));
      return;
    case ipc::OutcomeKind::kExpired:
      ++expired_;
      return TellSender(head, proto::REMOTE_SERVER_TIMEOUT);
  }
}

void StanzaIntake::TellSender(const Head& head, proto::StanzaCondition condition) {
  if (head.empty()) return;
  std::array<std::string_view, 4> parts;  // name, from, to, id
  std::string_view rest = head;
  for (std::string_view& part : parts) {
    part = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  }
  const auto from = Jid::Parse(parts[1]);
  const auto to = Jid::Parse(parts[2]);
  if (!from || !to) return;  // cannot be: both were read when the stanza came
  proto::Element stanza = MakeElement(parts[0], ns::kServer);
  SetAttribute(stanza, "from", parts[1]);
  SetAttribute(stanza, "to", parts[2]);
  if (!parts[3].empty()) SetAttribute(stanza, "id", parts[3]);
  Answer(to->domain, from->domain, MakeErrorReply(stanza, condition));
}

void StanzaIntake::Answer(const std::string& local, const std::string& remote,
                          proto::Element error) {
  ++stanza_errors_;
  if (setup_.note_error) {
    const Reason why = ReasonOfOurs(ConditionOf(error));
    const NotedRefusal noted = setup_.note_error(remote, error, why);
    if (noted.is_new) LogRefusal(remote, error, why, noted.id);
    AddErrorText(error, "not delivered (" + noted.id + ")");
  }
  SendOwn(local, remote, error);
}

void StanzaIntake::LogRefusal(const std::string& remote, const proto::Element& error, Reason why,
                              std::string_view id) {
  const auto left_out = log_sampler_.Admit(remote);
  if (!left_out) return;
  Log(LogLevel::kInfo, "stanza-refused",
      {{"from", Attribute(error, "to")},
       {"to", Attribute(error, "from")},
       {"condition", ConditionOf(error)},
       {"reason", ReasonCode(why)},
       {"id", id},
       {"left_out", *left_out}});
}

void StanzaIntake::SendOwn(const std::string& local, const std::string& remote,
                           const proto::Element& stanza) {
  setup_.send_own(OwnStanza(local, remote, stanza));
}

proto::OutboundStanza StanzaIntake::OwnStanza(const std::string& local, const std::string& remote,
                                              const proto::Element& stanza) const {
  proto::OutboundStanza out;
  out.set_local_domain(local);
  out.set_remote_domain(remote);
  out.set_snapshot_hash(policy_->hash());
  *out.mutable_stanza() = stanza;
  return out;
}

void StanzaIntake::Ping(const std::string& local, const std::string& remote,
                        const proto::Element& ping, std::function<void(bool sent)> done) {
  proto::InboundStanza relayed;
  *relayed.mutable_own() = OwnStanza(local, remote, ping);
  relayed.mutable_own()->set_on_open_stream_only(true);
  setup_.translator.Offer(remote + " " + local, relayed.SerializeAsString(),
                          setup_.loop.Now() + kPingLimit,
                          [done = std::move(done)](const ipc::Outcome& outcome) {
                            done(outcome.kind == ipc::OutcomeKind::kDelivered);
                          });
}

}  // namespace gatehouse
