#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/policy/partner_words.h"
#include "plugins/policy_engine/engine.h"
#include "tests/unit/plugins/policy_engine/engine_scene.h"

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;

class ContactsOfUsers : public EngineTest {
 protected:
  ContactsOfUsers() { New("partner.example"); }
  static constexpr std::int64_t kNow = 1'800'000'000;
  proto::ContactState Ask(const std::string& user, const std::string& contact,
                          std::int64_t now = kNow) {
    proto::ContactWanted wanted;
    wanted.set_sip_user(user);
    wanted.set_contact(contact);
    const auto state = engine_.ContactOf(wanted, now);
    EXPECT_TRUE(state.has_value()) << state.error().text;
    return state.value_or(proto::CONTACT_UNKNOWN);
  }
  proto::ContactState Subscribe(const std::string& user, const std::string& contact) {
    proto::ContactSeen seen;
    seen.set_sip_user(user);
    seen.set_contact(contact);
    const auto states = engine_.NoteContacts(std::span(&seen, 1), kNow);
    EXPECT_TRUE(states.has_value()) << states.error().text;
    return states->front();
  }
};

TEST_F(ContactsOfUsers, ASubscribeAuthorisesForTheTimeTheGatewaySays) {
  EXPECT_EQ(Ask("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
  const std::string hash_before = hash();
  EXPECT_EQ(Subscribe("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_AUTHORISED);
  EXPECT_EQ(hash(), hash_before);
  EXPECT_EQ(Ask("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_AUTHORISED);
  EXPECT_EQ(Ask("ann@contoso.example", "romeo@partner.example", kNow + 2'592'000),
            proto::CONTACT_UNKNOWN);
  proto::CtlRequest set;
  set.mutable_gateway_set()->mutable_settings()->set_authorisation_ttl_s(60);
  set.mutable_gateway_set()->add_fields("authorisation_ttl_s");
  ASSERT_EQ(Answer(set).exit_code(), 0U);
  EXPECT_EQ(Ask("ann@contoso.example", "romeo@partner.example", kNow + 60), proto::CONTACT_UNKNOWN);
}

TEST_F(ContactsOfUsers, NobodyOutsideOurDomainsHasContactsAndNobodyOutsideThePartnersIsOne) {
  EXPECT_EQ(Subscribe("ann@elsewhere.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
  EXPECT_EQ(Ask("ann@elsewhere.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
  EXPECT_EQ(Subscribe("ann@contoso.example", "romeo@elsewhere.example"), proto::CONTACT_UNKNOWN);
}

TEST_F(ContactsOfUsers, AddressesThatAreNotBareAndPreparedAreASiblingsFault) {
  for (const auto& [user, contact] :
       {std::pair{"Ann@contoso.example", "romeo@partner.example"},
        std::pair{"ann@contoso.example/desk", "romeo@partner.example"},
        std::pair{"ann@contoso.example", "romeo@@partner.example"},
        std::pair{"", "romeo@partner.example"}})
    EXPECT_EQ(Engine::CheckAddresses(user, contact).error().fault, Fault::kPeer) << user;
}

TEST_F(ContactsOfUsers, WithAPartnerItsContactsGoAndTheSnapshotSaysSo) {
  Subscribe("ann@contoso.example", "romeo@partner.example");
  const std::uint64_t epoch = engine_.policy().snapshot.contacts_epoch();
  EXPECT_NE(epoch, 0U);
  Remove("partner.example");
  EXPECT_EQ(engine_.policy().snapshot.contacts_epoch(), epoch + 1);
  New("partner.example");
  EXPECT_EQ(Ask("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
}

class ContactCommandsOfTheEngine : public ContactsOfUsers {
 protected:
  proto::CtlResponse Change(proto::ContactChange::Verb verb, const std::string& user,
                            const std::string& contact) {
    proto::CtlRequest request;
    request.mutable_contact_change()->set_verb(verb);
    proto::ContactName& name = *request.mutable_contact_change()->add_contacts();
    name.set_sip_user(user);
    name.set_contact(contact);
    return Answer(request);
  }
  proto::CtlResponse Listed(const std::string& user) {
    proto::CtlRequest request;
    request.mutable_contact_list()->set_sip_user(user);
    request.mutable_contact_list()->set_limit(10);
    return Answer(request);
  }
  proto::ContactViews List(const std::string& user) { return Listed(user).contacts(); }
  // EngineTest's commands are given 1.234 s after 1970.
  proto::ContactState AskThen(const std::string& user, const std::string& contact) {
    return Ask(user, contact, 1);
  }
};

TEST_F(ContactCommandsOfTheEngine, AllowAuthorisesAuditsAndVoidsEarlierAnswers) {
  const std::uint64_t epoch = engine_.policy().snapshot.contacts_epoch();
  const proto::CtlResponse response =
      Change(proto::ContactChange::ALLOW, "sip:Ann@contoso.example", "Romeo@partner.example");
  EXPECT_EQ(response.exit_code(), 0U) << response.error();
  EXPECT_EQ(response.done(), "contact 'romeo@partner.example' of 'ann@contoso.example' is allowed");
  EXPECT_EQ(AskThen("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_AUTHORISED);
  EXPECT_EQ(engine_.policy().snapshot.contacts_epoch(), epoch + 1);
  EXPECT_EQ(Audit()[0].action, "contact allow");
  EXPECT_EQ(Audit()[0].subject, "ann@contoso.example romeo@partner.example");
  EXPECT_EQ(Audit()[0].before, "");
  EXPECT_EQ(Audit()[0].after, R"({"state":"allowed","seen_unix":1})");
}

TEST_F(ContactCommandsOfTheEngine, BlockAndForgetChangeWhatIsThere) {
  Change(proto::ContactChange::ALLOW, "ann@contoso.example", "romeo@partner.example");
  Change(proto::ContactChange::BLOCK, "ann@contoso.example", "romeo@partner.example");
  EXPECT_EQ(AskThen("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_BLOCKED);
  EXPECT_EQ(List("sip:ann@contoso.example").contacts(0).state(), "blocked");
  EXPECT_EQ(List("sip:ann@contoso.example").contacts(0).ends_unix(), 0);
  EXPECT_EQ(
      Change(proto::ContactChange::FORGET, "ann@contoso.example", "romeo@partner.example").done(),
      "contact 'romeo@partner.example' of 'ann@contoso.example' is forgotten; the block is lifted");
  EXPECT_EQ(AskThen("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
  EXPECT_TRUE(List("ann@contoso.example").contacts().empty());
  EXPECT_EQ(Audit()[0].after, "");
  const proto::CtlResponse again =
      Change(proto::ContactChange::FORGET, "ann@contoso.example", "romeo@partner.example");
  EXPECT_EQ(again.exit_code(), 1U);
  EXPECT_THAT(again.error(), HasSubstr("see gatehousectl contact list"));
}

TEST_F(ContactCommandsOfTheEngine, WhoLiftsABlockByAllowingIsToldSo) {
  Change(proto::ContactChange::BLOCK, "ann@contoso.example", "romeo@partner.example");
  const auto allow = [this] {
    return Change(proto::ContactChange::ALLOW, "ann@contoso.example", "romeo@partner.example")
        .done();
  };
  EXPECT_THAT(allow(), testing::EndsWith("is allowed; the block is lifted"));
  EXPECT_THAT(allow(), testing::EndsWith("is allowed"));
}

TEST_F(ContactCommandsOfTheEngine, WhatIsLeftOfADomainThatWasOursCanBeSeenAndForgotten) {
  Change(proto::ContactChange::BLOCK, "ann@contoso.example", "romeo@partner.example");
  engine_.SetServed({"fabrikam.example"});
  const auto change = [this](proto::ContactChange::Verb verb) {
    return Change(verb, "sip:ann@contoso.example", "romeo@partner.example");
  };
  EXPECT_THAT(change(proto::ContactChange::BLOCK).error(), HasSubstr("in no domain of ours"));
  EXPECT_EQ(List("sip:ann@contoso.example").contacts_size(), 1);
  EXPECT_THAT(Listed("sip:bob@contoso.example").error(), HasSubstr("in no domain of ours"));
  EXPECT_THAT(change(proto::ContactChange::FORGET).done(), HasSubstr("is forgotten"));
  EXPECT_THAT(engine_.policy().snapshot.blocked_domains(), testing::IsEmpty());
}

TEST_F(ContactCommandsOfTheEngine, AUserMayBeWrittenAsSipWritesHim) {
  Change(proto::ContactChange::ALLOW, "sip:o'malley@contoso.example", "romeo@partner.example");
  EXPECT_EQ(AskThen("o\\27malley@contoso.example", "romeo@partner.example"),
            proto::CONTACT_AUTHORISED);
}

TEST_F(ContactCommandsOfTheEngine, WhoCannotBeNamedIsRefusedAndNothingChanges) {
  struct Row {
    const char* user;
    const char* contact;
    const char* why;
  };
  for (const Row& row :
       {Row{"sip:ann@elsewhere.example", "romeo@partner.example",
            "in no domain of ours; they are contoso.example"},
        Row{"sips:ann@contoso.example", "romeo@partner.example", "write one like"},
        Row{"sip:@contoso.example", "romeo@partner.example", "is no SIP address of a user"},
        Row{"contoso.example", "romeo@partner.example", "is not one user"},
        Row{"ann@contoso.example", "romeo@elsewhere.example",
            "no partner has the domain 'elsewhere.example'"},
        Row{"ann@contoso.example", "romeo@partner.example/home", "write 'romeo@partner.example'"},
        Row{"ann@contoso.example", "@partner.example", "is no XMPP address"}}) {
    const std::string before = hash();
    const proto::CtlResponse response = Change(proto::ContactChange::ALLOW, row.user, row.contact);
    EXPECT_EQ(response.exit_code(), 1U) << row.user << ' ' << row.contact;
    EXPECT_THAT(response.error(), HasSubstr(row.why));
    EXPECT_EQ(hash(), before);
  }
}

TEST_F(ContactCommandsOfTheEngine, ManyAreChangedTogetherOrNotAtAll) {
  proto::CtlRequest request;
  for (const char* contact : {"romeo@partner.example", "x@elsewhere.example"}) {
    proto::ContactName& name = *request.mutable_contact_change()->add_contacts();
    name.set_sip_user("ann@contoso.example");
    name.set_contact(contact);
  }
  EXPECT_EQ(Answer(request).exit_code(), 1U);
  EXPECT_EQ(AskThen("ann@contoso.example", "romeo@partner.example"), proto::CONTACT_UNKNOWN);
  request.mutable_contact_change()->mutable_contacts(1)->set_contact("nurse@partner.example");
  EXPECT_EQ(Answer(request).done(), "2 contacts are allowed");
  EXPECT_EQ(AskThen("ann@contoso.example", "nurse@partner.example"), proto::CONTACT_AUTHORISED);
  Change(proto::ContactChange::BLOCK, "ann@contoso.example", "nurse@partner.example");
  EXPECT_EQ(Answer(request).done(), "2 contacts are allowed; 1 of them was blocked");
  request.mutable_contact_change()->set_verb(proto::ContactChange::BLOCK);
  Answer(request);
  request.mutable_contact_change()->set_verb(proto::ContactChange::FORGET);
  EXPECT_EQ(Answer(request).done(), "2 contacts are forgotten; 2 of them were blocked");
}

}  // namespace
}  // namespace gatehouse::policy_engine
