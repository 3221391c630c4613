#include "plugins/policy_engine/verdict_preview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/policy/partner_type.h"
#include "core/policy/partner_words.h"

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;

class VerdictPreview : public testing::Test {
 protected:
  VerdictPreview() {
    proto::AccessPolicy& everybody = *snapshot_.add_access_policies();
    everybody.set_name("global");
    everybody.set_xmpp_access(true);
    proto::Partner& partner = *snapshot_.add_partners();
    partner = DefaultPartner();
    partner.set_domain("partner.example");
  }
  Result<proto::PolicyVerdict> Try(const std::string& from, const std::string& to,
                                   const std::string& kind) {
    proto::PolicyTest test;
    test.set_from(from);
    test.set_to(to);
    test.set_kind(kind);
    asked_ = 0;
    return PreviewVerdict(PolicyView(snapshot_), served_, test,
                          [this](const std::string& user, const std::string& contact) {
                            ++asked_;
                            EXPECT_EQ(user, "ann@contoso.example");
                            EXPECT_EQ(contact, "bob@partner.example");
                            return Result<ContactState>(state_);
                          });
  }
  std::string WhyNot(const std::string& from, const std::string& to, const std::string& kind) {
    const auto verdict = Try(from, to, kind);
    EXPECT_FALSE(verdict.has_value());
    return verdict ? std::string() : verdict.error().text;
  }

  proto::PolicySnapshot snapshot_;
  std::vector<std::string> served_{"contoso.example"};
  ContactState state_ = ContactState::kNotAuthorised;
  int asked_ = 0;
};

TEST_F(VerdictPreview, SaysByWhichRuleAMessageWouldBeRefusedAndWhatItsSenderWouldGet) {
  const auto verdict = Try("bob@partner.example/home", "ann@contoso.example", "message");
  ASSERT_TRUE(verdict.has_value()) << verdict.error().text;
  EXPECT_EQ(verdict->direction(), "xmpp-to-sip");
  EXPECT_EQ(verdict->partner_type(), "public-unverified");
  EXPECT_EQ(verdict->contact_state(), "not-authorised");
  EXPECT_EQ(verdict->decision(), "deny");
  EXPECT_EQ(verdict->rule(), "xmpp-message");
  EXPECT_EQ(verdict->reason(), "contact-not-authorised");
  EXPECT_EQ(verdict->answer(), "forbidden");
  EXPECT_THAT(verdict->remedy(), HasSubstr("contact allow"));
}

TEST_F(VerdictPreview, TakesASipUriAsSipWritesIt) {
  const auto verdict =
      Try("bob@partner.example", "SIP:Ann@contoso.example;transport=tls", "message");
  ASSERT_TRUE(verdict.has_value()) << verdict.error().text;
  EXPECT_EQ(verdict->sip_user(), "ann@contoso.example");
}

TEST_F(VerdictPreview, TakesThePresenceAndMessageUrisThatTheWireTakes) {
  for (const char* uri : {"pres:Ann@contoso.example", "IM:ann@contoso.example"}) {
    const auto verdict = Try("pres:bob@partner.example", uri, "message");
    ASSERT_TRUE(verdict.has_value()) << verdict.error().text;
    EXPECT_EQ(verdict->sip_user(), "ann@contoso.example");
    EXPECT_EQ(verdict->contact(), "bob@partner.example");
  }
  EXPECT_THAT(WhyNot("sips:ann@contoso.example", "bob@partner.example", "message"),
              HasSubstr("scheme is not routed"));
}

TEST_F(VerdictPreview, RefusesAnAddressThatNoSipUriStandsFor) {
  for (const char* address : {R"(ann\20@contoso.example)", R"(\20ann@contoso.example)"}) {
    EXPECT_THAT(WhyNot(address, "bob@partner.example", "message"),
                HasSubstr("is no address that SIP has too"));
    EXPECT_THAT(WhyNot("bob@partner.example", address, "message"),
                HasSubstr("is no address that SIP has too"));
  }
  EXPECT_THAT(WhyNot("ann@contoso.example", R"(bob\20@partner.example)", "message"),
              HasSubstr("is no address that SIP has too"));
  EXPECT_TRUE(Try(R"(ann\20bob@contoso.example)", "bob@partner.example", "subscribe").has_value());
}

TEST_F(VerdictPreview, NamesTheAccessPolicyThatDecided) {
  proto::AccessPolicy& none = *snapshot_.add_access_policies();
  none.set_name("tag:none");
  none.add_users("ann@contoso.example");
  const auto refused = Try("ann@contoso.example", "bob@partner.example", "message");
  ASSERT_TRUE(refused.has_value()) << refused.error().text;
  EXPECT_EQ(refused->reason(), "no-xmpp-access");
  EXPECT_THAT(refused->sentence(), HasSubstr("by the access policy 'tag:none'"));
  snapshot_.mutable_access_policies(1)->set_xmpp_access(true);
  state_ = ContactState::kAuthorised;
  const auto let = Try("ann@contoso.example", "bob@partner.example", "message");
  EXPECT_EQ(let->decision(), "allow");
  EXPECT_EQ(let->sentence(), "XMPP is his by the access policy 'tag:none'");
}

TEST_F(VerdictPreview, TakesSipUrisAndFindsTheDirectionByWhoIsOurs) {
  state_ = ContactState::kAuthorised;
  const auto out = Try("sip:Ann@contoso.example", "sip:bob@partner.example", "message");
  ASSERT_TRUE(out.has_value()) << out.error().text;
  EXPECT_EQ(out->direction(), "sip-to-xmpp");
  EXPECT_EQ(out->sip_user(), "ann@contoso.example");
  EXPECT_EQ(out->decision(), "allow");
  EXPECT_EQ(out->reason(), "");
  EXPECT_EQ(Try("sip:ann@contoso.example", "bob@partner.example", "presence")->decision(),
            "allow-strip-note");
}

TEST_F(VerdictPreview, AsksForTheContactOnlyWhereItMatters) {
  EXPECT_EQ(Try("ann@contoso.example", "bob@partner.example", "subscribe")->contact_state(),
            "not-asked");
  EXPECT_EQ(asked_, 0);
  snapshot_.mutable_partners(0)->set_type(kFederated);
  EXPECT_EQ(Try("bob@partner.example", "ann@contoso.example", "subscribe")->decision(),
            "allow-auto-approve");
  EXPECT_EQ(asked_, 0);
}

TEST_F(VerdictPreview, KnowsWhatGoesToTheDomainByItsAddress) {
  EXPECT_EQ(Try("bob@partner.example", "contoso.example", "iq")->decision(), "allow");
  EXPECT_EQ(Try("bob@partner.example", "contoso.example", "message")->reason(),
            "no-user-addressed");
  EXPECT_EQ(Try("bob@partner.example", "contoso.example", "subscribe")->kind(), "domain-presence");
}

TEST_F(VerdictPreview, NamesADomainThatIsNoPartner) {
  const auto verdict = Try("ann@contoso.example", "bob@stranger.example", "message");
  EXPECT_EQ(verdict->reason(), "unknown-partner");
  EXPECT_EQ(verdict->partner_type(), "");
  EXPECT_EQ(verdict->answer(), "404");
}

TEST_F(VerdictPreview, SaysWhatIsWrongWithTheQuestion) {
  EXPECT_THAT(WhyNot("@@", "ann@contoso.example", "message"), HasSubstr("'@@' is no address"));
  EXPECT_THAT(WhyNot("sip:", "ann@contoso.example", "message"), HasSubstr("is no SIP URI"));
  EXPECT_THAT(WhyNot("a@x.example", "b@y.example", "message"), HasSubstr("both not ours"));
  EXPECT_THAT(WhyNot("a@contoso.example", "b@contoso.example", "message"), HasSubstr("both ours"));
  EXPECT_THAT(WhyNot("contoso.example", "b@partner.example", "message"),
              HasSubstr("names no user"));
  EXPECT_THAT(WhyNot("ann@contoso.example", "b@partner.example", "groupchat"),
              HasSubstr("use one of subscribe, presence, message, typing, options"));
}

}  // namespace
}  // namespace gatehouse::policy_engine
