// What a refused stream is called, and what its peer reads of it.
#include "core/xmpp/stream_refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/xmpp/outbound_machine.h"
#include "tests/unit/core/xmpp/stream_scene.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kStartTlsXml = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view kKey =
    "<db:result from='partner.example' to='corp.example'>key</db:result>";

PolicyPointer PolicyOf(const std::vector<proto::Partner>& partners,
                       proto::GatewaySettings::Federation federation = proto::GatewaySettings::ON) {
  proto::PolicySnapshot snapshot;
  for (const proto::Partner& partner : partners) *snapshot.add_partners() = partner;
  snapshot.mutable_gateway()->set_federation(federation);
  snapshot.add_denied_domains("*.bad.example");
  return std::make_shared<const PolicyView>(std::move(snapshot));
}

TEST(StreamRefusal, SaysWhyADomainIsNoPartnerAndTellsItOnlyThat) {
  proto::Partner disabled = PartnerOfRow(7, "off.example");
  disabled.set_enabled(false);
  proto::Partner expired = PartnerOfRow(7, "old.example");
  expired.set_enabled(false);
  expired.set_expires_unix(1);
  proto::Partner left_out;  // as the engine publishes one that breaks a rule
  left_out.set_domain("broken.example");
  left_out.set_sasl(proto::NOT_SUPPORTED);
  for (const auto& [domain, federation, code] :
       {std::tuple{"stranger.example", proto::GatewaySettings::ON, "unknown-partner"},
        std::tuple{"very.bad.example", proto::GatewaySettings::ON, "domain-denied"},
        std::tuple{"off.example", proto::GatewaySettings::ON, "partner-disabled"},
        std::tuple{"old.example", proto::GatewaySettings::ON, "partner-expired"},
        std::tuple{"broken.example", proto::GatewaySettings::ON, "partner-invalid"},
        std::tuple{"partner.example", proto::GatewaySettings::OFF, "federation-off"}}) {
    StreamScene scene(7);
    scene.rules_.policy = PolicyOf({PartnerOfRow(7), disabled, expired, left_out}, federation);
    scene.Header(domain);
    EXPECT_THAT(scene.refused_, ElementsAre(std::string(domain) + " to corp.example: " + code +
                                            ", policy-violation"));
    EXPECT_THAT(scene.texts_, ElementsAre("not a partner (r1)")) << domain;
  }
}

TEST(StreamRefusal, NamesWhomAForeignDomainWasAskedOf) {
  StreamScene scene(7);
  scene.Header("partner.example", "other.example");
  EXPECT_THAT(scene.refused_,
              ElementsAre("partner.example to other.example: not-our-domain, host-unknown"));
  EXPECT_THAT(scene.texts_, ElementsAre("not served here (r1)"));
}

TEST(StreamRefusal, SaysWhatIsWrongWithACertificateThatHadToProve) {
  StreamScene unnamed(2);
  unnamed.UpToTls({"other.example"});
  EXPECT_THAT(unnamed.refused_,
              ElementsAre("partner.example to corp.example: certificate-refused (none of its names "
                          "is partner.example), not-authorized"));
  EXPECT_THAT(unnamed.texts_, ElementsAre("your certificate does not prove your domain (r1)"));
  StreamScene untrusted(2);
  untrusted.UpToTls({});
  EXPECT_THAT(untrusted.refused_, ElementsAre(HasSubstr("certificate-refused (not trusted")));
  StreamScene pinned({[] {
    proto::Partner partner = PartnerOfRow(2);
    partner.set_trust_anchors("anchors");
    return partner;
  }()});
  pinned.UpToTls({"partner.example"});
  EXPECT_THAT(pinned.refused_, ElementsAre(HasSubstr("certificate-refused (none was shown)")));
}

TEST(StreamRefusal, OfARevokedCertificateHasAReasonOfItsOwn) {
  StreamScene revoked(2);
  revoked.CertificateIsRevoked();
  revoked.UpToTls({});
  EXPECT_THAT(revoked.refused_,
              ElementsAre("partner.example to corp.example: certificate-revoked (not trusted: its "
                          "authority has revoked it), not-authorized"));
  EXPECT_THAT(revoked.texts_, ElementsAre("your certificate has been revoked (r1)"));
  StreamScene open(2);
  open.UpToSasl();
  open.CertificateIsRevoked();
  open.Told(open.machine_.OnRulesChanged());
  EXPECT_THAT(open.refused_, ElementsAre(HasSubstr("certificate-revoked")));
}

TEST(StreamRefusal, SaysThatTheRowDoesNotPermitTheMethod) {
  StreamScene needs_tls(7);
  needs_tls.Header();
  needs_tls.In(kKey);
  EXPECT_THAT(needs_tls.refused_,
              ElementsAre("partner.example to corp.example: method-not-permitted (dialback without "
                          "TLS), policy-violation"));
  StreamScene off(8);
  off.Header();
  off.In(kKey);
  EXPECT_THAT(off.refused_, ElementsAre(HasSubstr("method-not-permitted (dialback is switched "
                                                  "off), not-authorized")));
  StreamScene clear(17);
  clear.Header();
  clear.In(kStartTlsXml);
  EXPECT_THAT(clear.refused_, ElementsAre(HasSubstr("method-not-permitted")));
}

TEST(StreamRefusal, SaysWhatBecameOfADialback) {
  for (const auto& [verdict, what] :
       {std::pair{proto::DIALBACK_INVALID, "dialback-failed, invalid"},
        std::pair{proto::DIALBACK_TIMEOUT, "dialback-unanswered, remote-server-timeout"},
        std::pair{proto::DIALBACK_CONNECTION_FAILED,
                  "dialback-unanswered (no connection), remote-connection-failed"}}) {
    StreamScene scene(17);
    scene.Header();
    scene.In(kKey);
    scene.Proof(verdict);
    EXPECT_THAT(scene.refused_,
                ElementsAre(std::string("partner.example to corp.example: ") + what));
  }
}

TEST(StreamRefusal, SaysWhichLimitOrTimeAStreamMet) {
  StreamScene full(7);
  full.rules_.partner_has_room = [](const proto::Partner&) { return false; };
  full.Header();
  EXPECT_THAT(full.refused_, ElementsAre(HasSubstr("partner-connection-limit")));
  StreamScene late(7);
  late.Header();
  late.Told(late.machine_.OnEstablishmentTimeout());
  EXPECT_THAT(late.refused_, ElementsAre(HasSubstr("establishment-timeout, connection-timeout")));
  EXPECT_THAT(late.texts_, ElementsAre("no domain was proven in time (r1)"));
}

TEST(StreamRefusal, IsNoOrderlyEnd) {
  StreamScene scene(7);
  scene.UpToSasl();
  scene.Told(scene.machine_.CloseWith(StreamCondition::kSystemShutdown));
  EXPECT_TRUE(scene.refused_.empty());
  StreamScene silent(7);
  silent.Told(silent.machine_.OnEstablishmentTimeout());
  EXPECT_TRUE(silent.refused_.empty());
}

TEST(StreamRefusal, OfAProvenDomainIsMarkedSo) {
  StreamScene scene(7);
  scene.UpToSasl();
  scene.rules_.policy = PolicyOf({PartnerOfRow(13)});
  scene.Told(scene.machine_.OnRulesChanged());
  EXPECT_THAT(scene.refused_,
              ElementsAre("partner.example to corp.example: method-not-permitted (sasl_tls), "
                          "reset, proven"));
}

// --- streams of ours

TEST(StreamRefusal, HasAReasonForEachFailureOfOurs) {
  for (int i = 0; i <= static_cast<int>(OutboundFailure::kOverload); ++i) {
    const OutboundFault fault{.failure = static_cast<OutboundFailure>(i), .text = ""};
    EXPECT_NE(ReasonOf(fault), Reason::kNone) << FailureName(fault.failure);
  }
  EXPECT_EQ(ReasonOf(StreamErrorFault("policy-violation")), Reason::kRefusedByPartner);
  EXPECT_EQ(ReasonOf(StreamErrorFault("host-unknown")), Reason::kRefusedByPartner);
  EXPECT_EQ(ReasonOf(StreamErrorFault("bad-format")), Reason::kClosedByPartner);
}

std::string ReasonGiven(const OutboundActions& actions) {
  for (const OutboundAction& action : actions)
    if (const auto* fail = std::get_if<outbound::Fail>(&action))
      return std::string(ReasonCode(ReasonOf(fail->fault)));
  return "no failure";
}

TEST(StreamRefusal, TellsADowngradeFromTlsThatFails) {
  OutboundTerms terms{.local = "corp.example",
                      .remote = "partner.example",
                      .row = RowOf(PartnerOfRow(9)),
                      .shows_certificate = true};
  terms.may_go_clear = false;
  OutboundMachine machine(terms);
  static_cast<void>(machine.Start(false));
  StreamHeader header;
  header.ns = std::string(ns::kStream);
  header.name = "stream";
  header.default_ns = std::string(ns::kServer);
  header.id = "id1";
  EXPECT_EQ(ReasonGiven(machine.OnHeader(header)), "downgrade-refused");
  OutboundMachine other(terms);
  static_cast<void>(other.Start(true));
  EXPECT_EQ(ReasonGiven(other.OnTlsFailed("no shared cipher")), "tls-failed");
  EXPECT_EQ(ReasonGiven(OutboundMachine(terms).OnTlsFailed("no", OutboundFailure::kDaneMismatch)),
            "dane-mismatch");
}

TEST(StreamRefusal, GivesEveryConditionThatRefusesAReason) {
  EXPECT_EQ(ReasonOf(StreamCondition::kSystemShutdown), Reason::kNone);
  EXPECT_EQ(ReasonOf(StreamCondition::kReset), Reason::kNone);
  EXPECT_EQ(ReasonOf(StreamCondition::kNotWellFormed), Reason::kProtocolError);
  EXPECT_EQ(ReasonOf(StreamCondition::kConflict), Reason::kSecondStream);
  EXPECT_EQ(ReasonOf(StreamCondition::kInternalServerError), Reason::kWorkerAway);
}

}  // namespace
}  // namespace gatehouse
