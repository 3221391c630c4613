#include "plugins/policy_engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/policy/partner_words.h"
#include "tests/unit/plugins/policy_engine/engine_scene.h"

namespace gatehouse::policy_engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(EngineTest, ANewPartnerIsStoredPublishedAuditedAndShown) {
  const std::string hash_before = hash();
  const proto::CtlResponse response = New("Partner.Example");
  EXPECT_EQ(response.exit_code(), 0U) << response.error();
  EXPECT_EQ(response.id(), 17U);
  ASSERT_EQ(response.partners().partners_size(), 1);
  const proto::PartnerView& view = response.partners().partners(0);
  EXPECT_EQ(view.partner().domain(), "partner.example");
  EXPECT_EQ(view.partner().id().size(), 16U);
  EXPECT_THAT(view.methods(), ElementsAre("sasl_tls"));
  EXPECT_THAT(view.warnings(), ElementsAre(HasSubstr("W1: dialback is enabled")));
  EXPECT_NE(hash(), hash_before);
  EXPECT_EQ(engine_.policy().snapshot.partners(0).domain(), "partner.example");
  ASSERT_EQ(Audit().size(), 1U);
  EXPECT_EQ(Audit()[0].actor, "alice");
  EXPECT_EQ(Audit()[0].at_unix_ms, 1234);
  EXPECT_EQ(Audit()[0].action, "partner new");
  EXPECT_EQ(Audit()[0].subject, "partner.example");
  EXPECT_EQ(Audit()[0].uid, 1001);
  EXPECT_EQ(Audit()[0].revision, response.revision());
  ASSERT_EQ(Audit()[0].changes.size(), 1U);
  EXPECT_FALSE(Audit()[0].changes[0].has_before());
  EXPECT_EQ(Audit()[0].changes[0].after().partner().domain(), "partner.example");
}

TEST_F(EngineTest, ARefusedPartnerChangesNothing) {
  New("partner.example");
  const std::string hash_before = hash();
  EXPECT_EQ(New("partner.example").exit_code(), 1U);
  const proto::CtlResponse ours = New("contoso.example");
  EXPECT_EQ(ours.exit_code(), 1U);
  EXPECT_THAT(ours.error(), HasSubstr("one of our own"));
  EXPECT_EQ(hash(), hash_before);
  EXPECT_EQ(Audit().size(), 1U);
}

TEST_F(EngineTest, SetReplacesExactlyTheFieldsThatAreNamed) {
  proto::Partner first = DefaultPartner();
  first.set_domain("partner.example");
  first.add_additional_domains("old.partner.example");
  first.set_description("first");
  New(first);
  proto::Partner values;
  values.set_tls(proto::OPTIONAL);
  values.add_additional_domains("new.partner.example");
  const proto::CtlResponse response = Set("PARTNER.example", values, {"tls", "additional_domains"});
  ASSERT_EQ(response.exit_code(), 0U) << response.error();
  const proto::Partner& partner = response.partners().partners(0).partner();
  EXPECT_EQ(partner.tls(), proto::OPTIONAL);
  EXPECT_THAT(partner.additional_domains(), ElementsAre("new.partner.example"));
  EXPECT_EQ(partner.description(), "first");
  EXPECT_TRUE(partner.dialback());
  EXPECT_EQ(Audit()[0].changes[0].before().partner().tls(), proto::REQUIRED);
  EXPECT_EQ(Audit()[0].changes[0].after().partner().tls(), proto::OPTIONAL);
}

TEST_F(EngineTest, AnInvalidRowIsRefusedWithItsCodeAndTheOldOneStaysInForce) {
  New("partner.example");
  const std::string hash_before = hash();
  proto::Partner values;
  values.set_tls(proto::NOT_SUPPORTED);
  const proto::CtlResponse response = Set("partner.example", values, {"tls", "dialback"});
  EXPECT_EQ(response.exit_code(), 1U);
  EXPECT_THAT(response.error(), HasSubstr("E1: SASL cannot work without TLS"));
  EXPECT_EQ(hash(), hash_before);
}

TEST_F(EngineTest, SettingWhatIsSetAlreadyIsNoChange) {
  New("partner.example");
  const std::string hash_before = hash();
  proto::Partner values;
  values.set_tls(proto::REQUIRED);
  EXPECT_EQ(Set("partner.example", values, {"tls"}).exit_code(), 0U);
  EXPECT_EQ(hash(), hash_before);
  EXPECT_EQ(Audit().size(), 1U);
}

TEST_F(EngineTest, FieldsThatCannotBeSetAreRefused) {
  New("partner.example");
  for (const char* field : {"id", "domain", "revision", "colour"}) {
    const proto::CtlResponse response = Set("partner.example", {}, {field});
    EXPECT_EQ(response.exit_code(), 1U) << field;
    EXPECT_THAT(response.error(), HasSubstr("cannot be set; what can be set is")) << field;
  }
  EXPECT_THAT(Set("partner.example", {}, {}).error(), HasSubstr("nothing is named"));
}

TEST_F(EngineTest, FindsAPartnerByAnyDomainButChangesItByItsPrimaryOneOnly) {
  proto::Partner partner = DefaultPartner();
  partner.set_domain("partner.example");
  partner.add_additional_domains("more.example");
  New(partner);
  EXPECT_EQ(Get("more.example").partners().partners(0).partner().domain(), "partner.example");
  EXPECT_THAT(Remove("more.example").error(), HasSubstr("additional domain of partner"));
  EXPECT_THAT(Get("sub.more.example").error(), HasSubstr("no partner has the domain"));
  EXPECT_THAT(Get("@").error(), HasSubstr("is not a domain"));
}

TEST_F(EngineTest, ARemovedPartnerIsGoneFromStoreAndSnapshot) {
  New("partner.example");
  EXPECT_EQ(Remove("partner.example").exit_code(), 0U);
  EXPECT_EQ(engine_.policy().snapshot.partners_size(), 0);
  EXPECT_EQ(Remove("partner.example").exit_code(), 1U);
  EXPECT_EQ(Audit()[0].action, "partner remove");
  EXPECT_FALSE(Audit()[0].changes[0].has_after());
}

TEST_F(EngineTest, GatewaySettingsAreCheckedStoredAndPublished) {
  proto::CtlRequest request;
  request.mutable_gateway_set()->mutable_settings()->set_keep_alive_interval_s(120);
  request.mutable_gateway_set()->add_fields("keep_alive_interval_s");
  EXPECT_EQ(Answer(request).gateway().keep_alive_interval_s(), 120U);
  EXPECT_EQ(engine_.policy().snapshot.gateway().keep_alive_interval_s(), 120U);
  EXPECT_EQ(engine_.policy().snapshot.gateway().connection_limit(), 1000U);
  request.mutable_gateway_set()->mutable_settings()->set_keep_alive_interval_s(0);
  EXPECT_EQ(Answer(request).exit_code(), 1U);
  proto::CtlRequest get;
  get.mutable_gateway_get();
  EXPECT_EQ(Answer(get).gateway().keep_alive_interval_s(), 120U);
}

TEST_F(EngineTest, TheNextLifePublishesTheSameSnapshot) {
  New("partner.example");
  EXPECT_EQ(Open().policy().snapshot.hash(), hash());
}

TEST_F(EngineTest, APartnerWhoseDomainBecomesOursIsLeftOutUntilItIsNot) {
  New("partner.example");
  const std::string hash_before = hash();
  engine_.SetServed({"contoso.example", "partner.example"});
  EXPECT_EQ(engine_.policy().snapshot.partners_size(), 0);
  EXPECT_EQ(engine_.policy().rejected.size(), 1U);
  engine_.SetServed({"contoso.example"});
  EXPECT_EQ(hash(), hash_before);
}

TEST_F(EngineTest, CommandsOfOthersAreWrongUsage) {
  proto::CtlRequest request;
  request.mutable_reload();
  EXPECT_EQ(Answer(request).exit_code(), 2U);
}

TEST_F(EngineTest, AChangeIsRefusedWhenTheStoreHasMovedOn) {
  const std::uint64_t seen = New("first.example").revision();
  New("second.example");
  proto::CtlRequest request;
  request.mutable_partner_remove()->set_domain("first.example");
  request.set_if_revision(seen);
  const proto::CtlResponse late = Answer(request);
  EXPECT_EQ(late.exit_code(), 1U);
  EXPECT_EQ(late.error(),
            "the store is at revision 3, not 2: it was changed meanwhile; see what with "
            "gatehousectl config history, then name the revision it is at");
  EXPECT_EQ(engine_.policy().snapshot.partners_size(), 2);
  request.set_if_revision(late.revision());
  EXPECT_EQ(Answer(request).exit_code(), 0U);
}

TEST_F(EngineTest, TheAuditSaysWhoWhenWhatAndWhyFieldByField) {
  New("partner.example");
  proto::CtlRequest request;
  request.set_reason("their certificate has run out");
  request.mutable_partner_set()->set_domain("partner.example");
  request.mutable_partner_set()->mutable_partner()->set_tls(proto::OPTIONAL);
  request.mutable_partner_set()->add_fields("tls");
  ASSERT_EQ(Answer(request).exit_code(), 0U);
  proto::CtlRequest ask;
  ask.mutable_audit_get()->set_last(1);
  ask.mutable_audit_get()->set_subject("Partner.Example");
  const proto::CtlResponse response = Answer(ask);
  ASSERT_EQ(response.audit().records_size(), 1);
  const proto::AuditRecord& record = response.audit().records(0);
  EXPECT_EQ(record.revision(), 3U);
  EXPECT_EQ(record.user(), "alice");
  EXPECT_EQ(record.uid(), 1001);
  EXPECT_EQ(record.at_unix_ms(), 1234);
  EXPECT_EQ(record.reason(), "their certificate has run out");
  ASSERT_EQ(record.changes_size(), 1);
  EXPECT_EQ(record.changes(0).kind(), "partner");
  EXPECT_EQ(record.changes(0).key(), "partner.example");
  ASSERT_EQ(record.changes(0).fields_size(), 1);
  EXPECT_EQ(record.changes(0).fields(0).field(), "tls");
  EXPECT_EQ(record.changes(0).fields(0).before(), "required");
  EXPECT_EQ(record.changes(0).fields(0).after(), "optional");
}

TEST_F(EngineTest, AReasonOfSeveralLinesOrWithoutEndIsRefused) {
  proto::CtlRequest request;
  request.mutable_partner_new()->mutable_partner()->set_domain("partner.example");
  request.set_reason("one\ntwo");
  EXPECT_THAT(Answer(request).error(), HasSubstr("write it on one line"));
  request.set_reason(std::string(1025, 'x'));
  EXPECT_THAT(Answer(request).error(), HasSubstr("at most 1024 are possible"));
  EXPECT_TRUE(Audit().empty());
}

class StreamsOfAPartner : public EngineTest {
 protected:
  static constexpr std::int64_t kNow = 1'800'000'000;

  StreamsOfAPartner() {
    proto::Partner partner = DefaultPartner();
    partner.set_domain("partner.example");
    partner.set_tls(proto::OPTIONAL);
    id_ = New(partner).partners().partners(0).partner().id();
  }
  proto::StreamRecord Record(bool outbound, const std::string& method, const std::string& tls) {
    proto::StreamRecord record;
    record.set_partner_id(id_);
    record.set_outbound(outbound);
    record.set_method(method);
    record.set_tls(tls);
    return record;
  }
  void Note(const proto::StreamRecord& record, std::int64_t now = kNow) {
    proto::StreamsSeen seen;
    *seen.add_streams() = record;
    const Result<void> noted = engine_.NoteStreams(seen, now);
    EXPECT_TRUE(noted.has_value()) << noted.error().text;
  }
  proto::PartnerView Explain() {
    proto::CtlRequest request;
    request.mutable_partner_explain()->set_domain("partner.example");
    return Answer(request).partners().partners(0);
  }
  std::uint64_t TlsSeen() { return engine_.policy().snapshot.partners(0).tls_seen_unix(); }

  std::string id_;
};

TEST_F(StreamsOfAPartner, AnOutboundSuccessOverTlsIsStoredAndPublished) {
  const std::string before = hash();
  Note(Record(false, "sasl_tls", "TLSv1.3"));
  Note(Record(true, "", "TLSv1.3"));
  Note(Record(true, "tcp_dialback", ""));
  EXPECT_EQ(hash(), before);
  Note(Record(true, "tls_dialback", "TLSv1.3"));
  EXPECT_NE(hash(), before);
  EXPECT_EQ(TlsSeen(), static_cast<std::uint64_t>(kNow));
}

TEST_F(StreamsOfAPartner, ASuccessOverTlsIsWrittenOnceADay) {
  Note(Record(true, "sasl_tls", "TLSv1.3"));
  const std::string before = hash();
  Note(Record(true, "sasl_tls", "TLSv1.3"), kNow + 86399);
  EXPECT_EQ(hash(), before);
  Note(Record(true, "sasl_tls", "TLSv1.3"), kNow + 86400);
  EXPECT_EQ(TlsSeen(), static_cast<std::uint64_t>(kNow + 86400));
}

TEST_F(StreamsOfAPartner, TheOperatorMayLetTlsBeForgotten) {
  Note(Record(true, "sasl_tls", "TLSv1.3"));
  proto::CtlRequest forget;
  forget.mutable_partner_forget_tls()->set_domain("partner.example");
  EXPECT_EQ(Answer(forget).exit_code(), 0U);
  EXPECT_EQ(TlsSeen(), 0U);
  EXPECT_EQ(Audit().front().action, "partner forget-tls");
}

TEST_F(StreamsOfAPartner, TheExplanationShowsTheLastOnesNewestFirst) {
  for (int i = 0; i < 10; ++i) {
    proto::StreamRecord record = Record(true, "sasl_tls", "TLSv1.3");
    record.set_peer(std::to_string(i));
    Note(record);
  }
  const proto::PartnerView view = Explain();
  ASSERT_EQ(view.last_streams_size(), static_cast<int>(StreamMemory::kKept));
  EXPECT_EQ(view.last_streams(0).peer(), "9");
  EXPECT_EQ(view.row(), 3U);
  EXPECT_FALSE(view.inbound().empty());
  EXPECT_FALSE(view.outbound().empty());
}

TEST_F(StreamsOfAPartner, AStreamOfARemovedPartnerIsNotKept) {
  proto::StreamRecord record = Record(true, "sasl_tls", "TLSv1.3");
  record.set_partner_id("another");
  Note(record);
  EXPECT_EQ(Explain().last_streams_size(), 0);
  EXPECT_EQ(TlsSeen(), 0U);
}

TEST_F(EngineTest, APolicyTestThatIsRefusedEndsWithOneAndSaysWhyAllTheSame) {
  New("partner.example");
  proto::CtlRequest access;
  access.mutable_policy_set()->set_name("global");
  access.mutable_policy_set()->mutable_policy()->set_xmpp_access(true);
  access.mutable_policy_set()->add_fields("xmpp_access");
  ASSERT_EQ(Answer(access).exit_code(), 0U);
  proto::CtlRequest request;
  request.mutable_policy_test()->set_from("bob@partner.example");
  request.mutable_policy_test()->set_to("ann@contoso.example");
  request.mutable_policy_test()->set_kind("message");
  const proto::CtlResponse refused = Answer(request);
  EXPECT_EQ(refused.exit_code(), 1U);
  EXPECT_EQ(refused.verdict().reason(), "contact-not-authorised");
  EXPECT_THAT(refused.error(), HasSubstr("refused: "));
  proto::ContactSeen seen;
  seen.set_sip_user("ann@contoso.example");
  seen.set_contact("bob@partner.example");
  ASSERT_TRUE(engine_.NoteContacts(std::span(&seen, 1), 1).has_value());
  const proto::CtlResponse allowed = Answer(request);
  EXPECT_EQ(allowed.exit_code(), 0U) << allowed.error();
  EXPECT_EQ(allowed.verdict().contact_state(), "authorised");
}

}  // namespace
}  // namespace gatehouse::policy_engine
