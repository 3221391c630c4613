// Both flows with a partner, a served domain, and fakes at both ends.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "core/policy/partner_type.h"
#include "core/xmpp/element.h"
#include "plugins/sip_translator/sip_to_xmpp.h"
#include "plugins/sip_translator/xmpp_to_sip.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_data_links.h"
#include "tests/unit/plugins/sip_translator/fake_sip_endpoint.h"

namespace gatehouse::translator {

class FlowTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kEpoch = 77;

  static proto::Config Config() {
    proto::Config config;
    proto::Domain& domain = *config.add_domains();
    domain.set_name("corp.example");
    domain.set_next_hop("sip:pool.corp.example:5060;transport=tcp");
    return config;
  }
  static PolicyPointer Policy(const std::string& type = kFederated) {
    proto::PolicySnapshot snapshot;
    snapshot.set_hash("h1");
    proto::AccessPolicy& everybody = *snapshot.add_access_policies();
    everybody.set_name("global");
    everybody.set_xmpp_access(true);
    proto::AccessPolicy& nobody = *snapshot.add_access_policies();
    nobody.set_name("tag:nobody");
    nobody.add_users("carl@corp.example");
    proto::Partner& partner = *snapshot.add_partners();
    partner.set_domain("partner.example");
    partner.set_type(type);
    partner.set_tls(proto::REQUIRED);
    partner.set_sasl(proto::REQUIRED);
    partner.set_dialback(true);
    partner.set_enabled(true);
    return std::make_shared<const PolicyView>(std::move(snapshot));
  }

  // --- the listener's side
  static proto::Element Message(std::string_view body, std::string_view id,
                                std::string_view type = "chat") {
    proto::Element message = MakeElement("message", ns::kServer);
    SetAttribute(message, "from", "bob@partner.example/home");
    SetAttribute(message, "to", "ann@corp.example");
    if (!id.empty()) SetAttribute(message, "id", id);
    if (!type.empty()) SetAttribute(message, "type", type);
    if (!body.empty()) AddText(AddChild(message, "body", ns::kServer), body);
    return message;
  }
  static proto::InboundStanza Inbound(proto::Element stanza) {
    proto::InboundStanza inbound;
    inbound.set_from_domain("partner.example");
    inbound.set_to_domain("corp.example");
    inbound.set_method(proto::SASL_TLS);
    *inbound.mutable_stanza() = std::move(stanza);
    return inbound;
  }
  // Offers it and notes its outcome in `outcomes` under its seq.
  std::uint64_t OfferInbound(const proto::InboundStanza& inbound) {
    const std::uint64_t seq = ++seq_;
    const std::string body = inbound.SerializeAsString();
    ipc::Ticket ticket([this, seq](const ipc::Outcome& outcome) { outcomes[seq] = outcome; }, 0);
    xmpp_to_sip.OnOffer({"tls_listener/0", kEpoch, seq, 1, clock.In(seconds{60}), body},
                        std::move(ticket));
    return seq;
  }
  std::uint64_t Offer(proto::Element stanza) { return OfferInbound(Inbound(std::move(stanza))); }
  bool IsDelivered(std::uint64_t seq) const {
    return outcomes.contains(seq) && outcomes.at(seq).kind == ipc::OutcomeKind::kDelivered;
  }
  // The oldest stanza we sent to the partner, and lets the listener settle it.
  proto::Element TakeStanza(const ipc::Outcome& outcome = ipc::Outcome::Delivered()) {
    proto::OutboundStanza out;
    EXPECT_FALSE(links.At(0).offers.empty());
    if (links.At(0).offers.empty()) return {};
    EXPECT_TRUE(out.ParseFromString(links.At(0).offers.front().body));
    EXPECT_EQ(out.local_domain(), "corp.example");
    EXPECT_EQ(out.remote_domain(), "partner.example");
    links.At(0).SettleFirst(outcome);
    return out.stanza();
  }
  static std::string ConditionOf(const proto::Element& stanza) {
    const proto::Element* error = FindChild(stanza, "error", ns::kServer);
    return error == nullptr
               ? "(none)"
               : FirstChild(*error)->name() + "/" + std::string(Attribute(*error, "type"));
  }

  // --- the SIP side
  void Request(std::string_view body, std::string_view to = "sip:bob@partner.example",
               std::string_view from = "sip:ann@corp.example", std::string_view lines = {},
               std::string_view type = "text/plain") {
    std::string text =
        "MESSAGE " + std::string(to) + " SIP/2.0\r\nVia: SIP/2.0/TCP pool;branch=z9hG4bK1\r\n" +
        "Max-Forwards: 70\r\nFrom: <" + std::string(from) + ">;tag=c3\r\nTo: <" + std::string(to) +
        ">\r\nCall-ID: call-1\r\nCSeq: 1 MESSAGE\r\n" + std::string(lines);
    if (!body.empty()) text += "Content-Type: " + std::string(type) + "\r\n";
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
    const auto message = SipMessage::Parse(text, true);
    ASSERT_TRUE(message) << message.error().reason;
    sip_to_xmpp.OnRequest(*message, SipReply(replies, ++transaction_));
  }
  int LastStatus() const { return replies.answers.empty() ? 0 : replies.answers.back().status; }
  std::string LastHeader(std::string_view name) const {
    for (const SipExtraHeader& header : replies.answers.back().headers)
      if (header.name == name) return header.value;
    return "(none)";
  }
  // --- policy_engine's side
  void SayOfFirst(proto::ContactState state) {
    ASSERT_FALSE(asked.empty());
    const Asked first = std::move(asked.front());
    asked.pop_front();
    proto::PolicyAnswer answer;
    answer.mutable_contact()->set_state(state);
    first.on_answer(answer);
  }
  double Count(std::string_view name, std::string_view labels) {
    return metrics.Value(name, labels);
  }

  FakeClock clock;
  Metrics metrics;
  FakeDataLinks links{1};
  FakeSipEndpoint endpoint;
  FakeSipReplies replies;
  ListenerLinks listeners{links};
  struct Asked {
    proto::ContactWanted wanted;
    ContactStates::OnAnswer on_answer;
  };
  std::deque<Asked> asked;  // at policy_engine
  ContactStates contacts{clock, [this](const proto::PolicyQuestion& question, milliseconds,
                                       ContactStates::OnAnswer on_answer) {
                           asked.push_back({question.contact(), std::move(on_answer)});
                         }};
  FlowContext context{.clock = clock,
                      .wall = [] { return *ParseStamp("2026-11-22T14:03:00Z"); },
                      .metrics = metrics,
                      .endpoint = endpoint,
                      .listeners = listeners,
                      .served = *ServedDomains::Read(Config()),
                      .profile = SipProfile::kPage,
                      .policy = Policy(),
                      .spellings = {},
                      .sent = SentStanzas(clock),
                      .log_sampler = LogSampler(clock),
                      .verdicts = VerdictCounters(metrics),
                      .contacts = contacts};
  std::string malformed;
  XmppToSip xmpp_to_sip{
      context, [this](std::string_view instance, std::string_view) { malformed = instance; }};
  SipToXmpp sip_to_xmpp{context};
  std::map<std::uint64_t, ipc::Outcome> outcomes;

 private:
  std::uint64_t seq_ = 0;
  std::uint64_t transaction_ = 0;
};

}  // namespace gatehouse::translator
