// An `apply` of many contacts goes in portions: what may come between them, and what is left then.
#include "tests/unit/plugins/policy_engine/apply_scene.h"

namespace gatehouse::policy_engine {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Command = proto::CtlRequest::CommandCase;

class ApplyPortions : public ApplyScene {
 protected:
  ApplyPortions() : ApplyScene(4000) {}
  // What happens once, before the first command of this kind.
  void BeforeFirst(Command command, const std::function<void()>& what) {
    before_ = [this, command, what](const proto::CtlRequest& request) {
      if (request.command_case() != command || request.apply().dry_run()) return;
      before_ = {};
      what();
    };
  }
  const std::string many_ =
      "denied: [{domain: bad.example}]\ncontacts:\n" + Marks(0, 2500, "allowed");
};

TEST_F(ApplyPortions, RecordsAndTheFirstContactsAreOneStepOthersFollow) {
  std::vector<std::size_t> held;
  before_ = [&](const proto::CtlRequest& request) {
    if (request.has_apply_on()) held.push_back(Contacts().size());
  };
  const ctl::Ending ending = Apply(many_);
  EXPECT_THAT(held, testing::ElementsAre(1000, 2000));
  EXPECT_THAT(ending.out, EndsWith("2500 contacts changed\n"));
  EXPECT_EQ(std::ranges::count(ending.out, '\n'), 2500 + 3);
  EXPECT_THAT(Contacts(), SizeIs(2500));
  EXPECT_FALSE(std::filesystem::exists(folder_.File("policy.db.apply")));
  asked_.clear();
  Apply("contacts:\n" + Marks(0, 2499, "allowed"));
  EXPECT_EQ(std::ranges::count(asked_, Command::kApplyOn), 0) << "one step is enough";
}

TEST_F(ApplyPortions, NobodyElseChangesAnythingBetweenThemButWhatUsersAddGoesIn) {
  BeforeFirst(Command::kApplyOn, [this] {
    EXPECT_EQ(
        Change(proto::ContactChange::BLOCK, "ann@contoso.example", "u1@partner.example").error(),
        kIsApplying);
    proto::CtlRequest other;
    other.mutable_apply_part();
    EXPECT_EQ(Answer(other).error(), kIsApplying);
    EXPECT_THAT(Contacts(), SizeIs(1000)) << "whoever only reads is served";
    Subscribe("zoe@contoso.example", "romeo@partner.example");
  });
  EXPECT_EQ(Apply(many_).err, "");
  EXPECT_THAT(Contacts(), SizeIs(2501));
  EXPECT_EQ(
      Change(proto::ContactChange::BLOCK, "ann@contoso.example", "u1@partner.example").error(), "");
}

TEST_F(ApplyPortions, WhatSomebodyChangedWhileTheFileWasComparedIsNotOverwritten) {
  BeforeFirst(Command::kApply, [this] {
    Change(proto::ContactChange::BLOCK, "ann@contoso.example", "u1@partner.example");
  });
  const std::uint64_t before = revision();
  const ctl::Ending ending = Apply(many_);
  EXPECT_EQ(ending.exit_code, ctl::kRefused);
  EXPECT_EQ(ending.err,
            "somebody changed partners, settings or contacts while the file was compared; apply it "
            "again\n");
  EXPECT_EQ(revision(), before);
  EXPECT_THAT(Contacts(), SizeIs(1));
  EXPECT_EQ(Apply(many_).err, "");
}

TEST_F(ApplyPortions, WhereUsersTookThePlacesMeanwhileItIsSaidWhatIsMadeAndWhatNot) {
  BeforeFirst(Command::kApplyOn, [this] {
    for (int i = 0; i < 2500; ++i)
      Subscribe("zoe@contoso.example", "x" + std::to_string(i) + "@partner.example");
  });
  const ctl::Ending ending = Apply(many_);
  EXPECT_EQ(ending.exit_code, ctl::kRefused);
  EXPECT_THAT(ending.err, testing::StartsWith(
                              "partners and settings are applied; of 2500 contacts that differ "
                              "1000 are changed, and with the next there was trouble: contact "));
  EXPECT_THAT(ending.err, HasSubstr("would be one too many"));
  EXPECT_THAT(ending.err, EndsWith("gatehousectl apply --dry-run shows what is left; once that is "
                                   "mended, apply the file again\n"));
  EXPECT_THAT(ending.out, EndsWith("1000 contacts changed\n"));
  EXPECT_THAT(Contacts(), SizeIs(3500));
  EXPECT_FALSE(engine_.IsApplying());
}

TEST_F(ApplyPortions, WhatWasBegunIsMadeToItsEndWithoutGatehousectl) {
  BeforeFirst(Command::kApplyOn, [this] {
    while (engine_.IsApplying()) ASSERT_TRUE(engine_.ApplyOnAlone(now_).has_value());
  });
  EXPECT_EQ(Apply(many_).exit_code, ctl::kDone);
  EXPECT_THAT(Contacts(), SizeIs(2500));
}

TEST_F(ApplyPortions, AnotherFileTakesThePlaceOfOneThatWasNotFinished) {
  BeforeFirst(Command::kApplyCompare, [this] {
    proto::CtlRequest other;
    other.mutable_apply_part();
    EXPECT_EQ(Answer(other).error(), "");
  });
  EXPECT_EQ(Apply(many_).err,
            "another apply has begun meanwhile, or policy_engine anew; apply the file again\n");
  EXPECT_THAT(Contacts(), IsEmpty());
}

TEST_F(ApplyPortions, NothingIsMadeThatWasNotComparedAndFoundGood) {
  proto::CtlRequest part;
  part.mutable_apply_part()->add_contacts()->set_sip_user("ann@contoso.example");
  part.mutable_apply_part()->mutable_contacts(0)->set_contact("a@partner.example");
  part.mutable_apply_part()->mutable_contacts(0)->set_state("allowed");
  const std::uint64_t plan = Answer(part).apply_plan().plan();
  proto::CtlRequest apply;
  apply.mutable_apply()->set_plan(plan);
  EXPECT_THAT(Answer(apply).error(), HasSubstr("compare it before it is made"));
  apply.mutable_apply()->set_dry_run(true);
  Answer(apply);
  apply.mutable_apply()->set_dry_run(false);
  EXPECT_THAT(Answer(apply).error(), HasSubstr("compare it before it is made"));
  proto::CtlRequest on;
  on.mutable_apply_on()->set_plan(plan);
  EXPECT_NE(Answer(on).error(), "");
  EXPECT_THAT(Contacts(), IsEmpty());
}

}  // namespace
}  // namespace gatehouse::policy_engine
