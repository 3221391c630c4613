// What `apply` makes of the section `contacts:`, and what it finds wrong with it.
#include "tests/unit/plugins/policy_engine/apply_scene.h"

namespace gatehouse::policy_engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Verb = proto::ContactChange::Verb;

const char* const kAnn = "ann@contoso.example";

class ApplyContacts : public ApplyScene {};

TEST_F(ApplyContacts, MakesTheStoresMarksThoseOfTheFileAndLeavesWhatUsersAdded) {
  for (const char* contact : {"a@partner.example", "b@partner.example"})
    Change(proto::ContactChange::ALLOW, kAnn, contact);
  Change(proto::ContactChange::BLOCK, kAnn, "c@partner.example");
  Subscribe("zoe@contoso.example", "romeo@partner.example");
  const ctl::Ending ending = Apply(
      "contacts:\n"
      "  - {sip_user: 'SIP:Ann@contoso.example;transport=tls', contact: A@Partner.example, "
      "state: allowed}\n"
      "  - {sip_user: ann@contoso.example, contact: b@partner.example, state: blocked}\n"
      "  - {sip_user: bob@contoso.example, contact: d@partner.example, state: allowed}\n");
  EXPECT_EQ(ending.exit_code, ctl::kDone) << ending.err;
  EXPECT_EQ(ending.out,
            "contact ann@contoso.example b@partner.example: state allowed -> blocked\n"
            "contact ann@contoso.example c@partner.example removed: state blocked\n"
            "contact bob@contoso.example d@partner.example added: state allowed\n"
            "3 contacts changed\n");
  EXPECT_THAT(Contacts(), ElementsAre("ann@contoso.example a@partner.example allowed",
                                      "ann@contoso.example b@partner.example blocked",
                                      "bob@contoso.example d@partner.example allowed",
                                      "zoe@contoso.example romeo@partner.example learned"));
}

TEST_F(ApplyContacts, ADryRunShowsTheDifferenceAndWhatIsTheSameChangesNothing) {
  const std::string file = "contacts:\n" + Marks(0, 1, "blocked");
  EXPECT_EQ(Apply(file, Dry).out,
            "contact ann@contoso.example u0@partner.example added: state blocked\n"
            "1 contact would change\n");
  EXPECT_THAT(Contacts(), IsEmpty());
  Apply(file);
  const std::size_t audited = Audit().size();
  EXPECT_EQ(Apply(file).out, "no contact differs\n");
  EXPECT_EQ(Apply("denied: []\n").out, "no record differs\n") << "a missing section";
  EXPECT_EQ(Apply("denied: []\n" + file).out, "no record differs\nno contact differs\n");
  EXPECT_EQ(Audit().size(), audited);
  EXPECT_THAT(Contacts(), testing::SizeIs(1));
  Apply("contacts: []\n");
  EXPECT_THAT(Contacts(), IsEmpty());
}

TEST_F(ApplyContacts, EveryMistakeOfTheFileIsToldAndNothingOfItIsMade) {
  const ctl::Ending ending = Apply(
      "denied: [{domain: '@'}]\n"
      "contacts:\n"
      "  - {sip_user: ann@contoso.example, contact: a@partner.example, state: learned}\n"
      "  - {sip_user: ann@contoso.example, contact: a@partner.example, state: maybe}\n"
      "  - {sip_user: '@', contact: a@partner.example/home, state: allowed}\n"
      "  - {sip_user: ann@nowhere.example, contact: b@stranger.example, state: allowed}\n"
      "  - {sip_user: ann@contoso.example, contact: good@partner.example, state: allowed}\n");
  EXPECT_EQ(ending.exit_code, ctl::kRefused);
  EXPECT_THAT(ending.err, HasSubstr(":1: key 'denied[0].domain': "));
  EXPECT_THAT(ending.err, HasSubstr(":3: key 'contacts[0].state': is 'learned'; SIP users make "));
  EXPECT_THAT(ending.err, HasSubstr(":4: key 'contacts[1]': 'a@partner.example' of "
                                    "'ann@contoso.example' is there already, as 'contacts[0]'; "));
  EXPECT_THAT(ending.err, HasSubstr("would be right: allowed, blocked"));
  EXPECT_THAT(ending.err, HasSubstr(":5: key 'contacts[2].sip_user': '@' is no address"));
  EXPECT_THAT(ending.err, HasSubstr(":5: key 'contacts[2].contact': "));
  EXPECT_THAT(ending.err, HasSubstr(":6: key 'contacts[3].sip_user': 'ann@nowhere.example' is in "
                                    "no domain of ours"));
  EXPECT_THAT(ending.err, HasSubstr(":6: key 'contacts[3].contact': no partner has the domain "
                                    "'stranger.example'"));
  EXPECT_EQ(std::ranges::count(ending.err, '\n'), 8);
  EXPECT_THAT(Contacts(), IsEmpty());
  const ctl::Ending lost = Apply("denied: []\ncontacts:\n");
  EXPECT_THAT(lost.err, HasSubstr("write 'contacts: []' to remove all there is"));
}

TEST_F(ApplyContacts, TheMarkOfAUserWhoseDomainIsOursNoMoreMayStayOrGo) {
  engine_.SetServed({"former.example"});
  Change(proto::ContactChange::ALLOW, "ann@former.example", "a@partner.example");
  Change(proto::ContactChange::BLOCK, "ann@former.example", "b@partner.example");
  engine_.SetServed({"contoso.example"});
  const std::string head = "contacts:\n";
  const std::string one =
      "  - {sip_user: ann@former.example, contact: a@partner.example, state: allowed}\n";
  const std::string other =
      "  - {sip_user: ann@former.example, contact: b@partner.example, state: blocked}\n";
  EXPECT_EQ(Apply(head + one + other).out, "no contact differs\n");
  const std::string changed =
      "  - {sip_user: ann@former.example, contact: b@partner.example, state: allowed}\n";
  const std::string added =
      "  - {sip_user: bob@former.example, contact: a@partner.example, state: allowed}\n";
  for (const std::string& wrong : {changed, added}) {
    const ctl::Ending refused = Apply(head + one + wrong);
    EXPECT_EQ(refused.exit_code, ctl::kRefused) << wrong;
    EXPECT_THAT(refused.err, HasSubstr(":3: key 'contacts[1].sip_user': "));
    EXPECT_THAT(refused.err, HasSubstr("is in no domain of ours"));
    EXPECT_THAT(refused.err, Not(HasSubstr("contacts[0]"))) << "that one is there";
  }
  EXPECT_EQ(Apply(head + one).out,
            "contact ann@former.example b@partner.example removed: state blocked\n"
            "1 contact changed\n");
}

TEST_F(ApplyContacts, TheContactOfAPartnerThatComesWithTheFileIsGoodOneThatGoesIsNot) {
  const std::string come =
      "partners:\n  - domain: new.example\n    additional_domains: "
      "['*.new.example']\n"
      "contacts:\n  - {sip_user: ann@contoso.example, contact: "
      "x@a.new.example, state: allowed}\n";
  EXPECT_THAT(Apply(come, Dry).out, HasSubstr("2 records would change\n"));
  EXPECT_THAT(Apply(come).out, HasSubstr("1 contact changed\n"));
  EXPECT_THAT(Contacts(), ElementsAre("ann@contoso.example x@a.new.example allowed"));
  const ctl::Ending gone = Apply(
      "partners: []\ncontacts:\n"
      "  - {sip_user: ann@contoso.example, contact: x@a.new.example, "
      "state: allowed}\n");
  EXPECT_THAT(gone.err, HasSubstr("key 'contacts[0].contact': no partner has the domain"));
  EXPECT_THAT(Contacts(), testing::SizeIs(1));
}

TEST_F(ApplyContacts, WhatIsForgottenWithADomainThatMovesIsMadeAnewByTheFile) {
  Change(proto::ContactChange::ALLOW, kAnn, "a@partner.example");
  Change(proto::ContactChange::BLOCK, kAnn, "b@partner.example");
  const std::string moved =
      "partners: [{domain: other.example, additional_domains: [partner.example]}]\ncontacts:\n"
      "  - {sip_user: ann@contoso.example, contact: a@partner.example, state: allowed}\n";
  const ctl::Ending ending = Apply(moved);
  EXPECT_THAT(ending.out,
              HasSubstr("contact ann@contoso.example a@partner.example added: state allowed\n"
                        "1 contact changed\n"));
  EXPECT_THAT(ending.out, HasSubstr("contact partner.example removed: blocked_contacts some\n"));
  EXPECT_THAT(Contacts(), ElementsAre("ann@contoso.example a@partner.example allowed"));
  EXPECT_THAT(Apply(moved).out, HasSubstr("no contact differs\n"));
}

TEST_F(ApplyContacts, WhatHasEndedIsSetAgainWhereTheFileHasItAndElseLeftToTheSweep) {
  Change(proto::ContactChange::ALLOW, kAnn, "u0@partner.example");
  Change(proto::ContactChange::ALLOW, kAnn, "u1@partner.example");
  now_ += kTtl;
  EXPECT_EQ(Apply("contacts:\n" + Marks(0, 1, "allowed")).out,
            "contact ann@contoso.example u0@partner.example added: state allowed\n"
            "1 contact changed\n");
  now_ -= kTtl;  // the clock had been wrong
  EXPECT_THAT(Contacts(), testing::SizeIs(2));
}

TEST_F(ApplyContacts, EveryChangeSaysWhoAndWhyAndGoesByTheRevision) {
  const std::string file = "denied: [{domain: bad.example}]\ncontacts:\n" + Marks(0, 1, "allowed");
  const auto with = [](std::uint64_t if_revision) {
    return [if_revision](ctl::Invocation& invocation) {
      invocation.request.set_reason("ticket 5");
      invocation.request.set_if_revision(if_revision);
    };
  };
  EXPECT_THAT(Apply(file, with(revision() - 1)).err, HasSubstr("it was changed meanwhile"));
  EXPECT_THAT(Contacts(), IsEmpty());
  EXPECT_EQ(Apply(file, with(revision())).err, "");
  const std::vector<AuditEntry> audit = Audit();
  ASSERT_GE(audit.size(), 2U);
  EXPECT_EQ(audit[0].action, "apply");
  EXPECT_EQ(audit[1].action, "contact allow");
  EXPECT_EQ(audit[1].subject, "ann@contoso.example u0@partner.example");
  for (const int at : {0, 1}) {
    EXPECT_EQ(audit[at].reason, "ticket 5");
    EXPECT_EQ(audit[at].actor, "alice");
  }
}

}  // namespace
}  // namespace gatehouse::policy_engine
