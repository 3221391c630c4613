// What `apply` may make of contacts at most (12.5): judged as it will be once all is made.
#include "tests/unit/plugins/policy_engine/apply_scene.h"

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A partner may have five.
class ApplyLimits : public ApplyScene {
 protected:
  ApplyLimits() : ApplyScene(5) {}
};

TEST_F(ApplyLimits, MoreThanAPartnerMayHaveAreRefusedBeforeAnythingIsMade) {
  const std::uint64_t before = revision();
  const ctl::Ending ending =
      Apply("denied: [{domain: bad.example}]\ncontacts:\n" + Marks(0, 6, "allowed"));
  EXPECT_EQ(ending.exit_code, ctl::kRefused);
  EXPECT_THAT(ending.err, HasSubstr(":3: key 'contacts[0]': partner 'partner.example' has 6 "
                                    "contacts in this file and may have 5; leave some out\n"));
  EXPECT_THAT(Contacts(), IsEmpty());
  EXPECT_EQ(revision(), before);
  EXPECT_EQ(Apply("contacts:\n" + Marks(0, 5, "allowed")).exit_code, ctl::kDone);
}

TEST_F(ApplyLimits, WhatUsersAddedCountsAndHowManyOfThemHaveEndedIsSaid) {
  Subscribe("zoe@contoso.example", "old@partner.example");
  now_ += kTtl;
  Subscribe("zoe@contoso.example", "romeo@partner.example");
  const ctl::Ending ending = Apply("contacts:\n" + Marks(0, 4, "allowed"));
  EXPECT_THAT(ending.err,
              HasSubstr(":2: key 'contacts[0]': partner 'partner.example' has 4 contacts in this "
                        "file and 2 that are not in it, of all of which 1 have ended (see "
                        "gatehousectl contact list --ended), and may have 5; leave some out, or "
                        "take out who is needed no more with: gatehousectl contact forget\n"));
  EXPECT_THAT(Contacts(), SizeIs(1));
  Change(proto::ContactChange::FORGET, "zoe@contoso.example", "old@partner.example");
  EXPECT_EQ(Apply("contacts:\n" + Marks(0, 4, "allowed")).err, "");
  EXPECT_THAT(Contacts(), SizeIs(5));
}

TEST_F(ApplyLimits, WhatTheFileForgetsMakesRoomForWhatItBrings) {
  Apply("contacts:\n" + Marks(0, 5, "allowed"));
  EXPECT_EQ(Apply("contacts:\n" + Marks(2, 7, "allowed")).err, "");
  EXPECT_THAT(Contacts(), SizeIs(5));
}

TEST_F(ApplyLimits, WhatGoesWithADomainDoesNotCountForWhoHasItThen) {
  for (int i = 0; i < 5; ++i)
    Subscribe("zoe@contoso.example", "x" + std::to_string(i) + "@partner.example");
  EXPECT_EQ(Apply("partners: [{domain: other.example, additional_domains: [partner.example]}]\n"
                  "contacts:\n" +
                  Marks(0, 5, "allowed"))
                .err,
            "");
  EXPECT_THAT(Contacts(), SizeIs(5));
}

TEST_F(ApplyLimits, BlocksAreNotRefusedNorIsAnAllowanceOfWhoIsThere) {
  for (int i = 0; i < 5; ++i)
    Subscribe("ann@contoso.example", "u" + std::to_string(i) + "@partner.example");
  EXPECT_EQ(Apply("contacts:\n" + Marks(0, 5, "allowed") + Marks(5, 8, "blocked")).err, "");
  EXPECT_THAT(Contacts(), SizeIs(8));
}

// An apply may change ten.
class ChangesOfAnApply : public ApplyScene {
 protected:
  ChangesOfAnApply() : ApplyScene(1000, {.changed_contacts = 10}) {}
};

TEST_F(ChangesOfAnApply, AreNotMoreThanAreMadeInOneStep) {
  const ctl::Ending ending = Apply("contacts:\n" + Marks(0, 11, "allowed"));
  EXPECT_EQ(ending.exit_code, ctl::kRefused);
  EXPECT_THAT(
      ending.err,
      HasSubstr("11 contacts differ from what is here, and 10 can be changed at once; apply "
                "a file with fewer changes first"));
  EXPECT_THAT(Contacts(), IsEmpty());
  EXPECT_EQ(Apply("contacts:\n" + Marks(0, 10, "allowed")).err, "");
  EXPECT_EQ(Apply("contacts:\n" + Marks(0, 20, "allowed")).err, "") << "ten of them are there";
}

TEST_F(ChangesOfAnApply, AreNotCountedWhereOneIsWrong) {
  const ctl::Ending ending =
      Apply("contacts:\n" + Marks(0, 11, "allowed") +
            "  - {sip_user: ann@contoso.example, contact: a@nobodys.example, state: allowed}\n");
  EXPECT_THAT(ending.err, HasSubstr("no partner has the domain 'nobodys.example'"));
  EXPECT_THAT(ending.err, testing::Not(HasSubstr("differ")));
}

}  // namespace
}  // namespace gatehouse::policy_engine
