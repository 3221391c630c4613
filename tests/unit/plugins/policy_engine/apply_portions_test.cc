// The contacts of an `apply` come in parts and are compared in portions: what may come between.
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
      if (request.has_apply_compare()) plan_ = request.apply_compare().plan();
      if (request.command_case() != command || request.apply().dry_run()) return;
      before_ = {};
      what();
    };
  }
  std::uint64_t plan_ = 0;  // once it is being compared
  const std::string many_ =
      "denied: [{domain: bad.example}]\ncontacts:\n" + Marks(0, 2500, "allowed");
};

TEST_F(ApplyPortions, AllOfAFileIsOneStep) {
  std::vector<std::size_t> held;
  before_ = [&](const proto::CtlRequest& request) {
    if (request.has_apply() || request.has_apply_differing()) held.push_back(Contacts().size());
  };
  const ctl::Ending ending = Apply(many_);
  EXPECT_THAT(held, testing::ElementsAre(0, 0, 2500, 2500, 2500))
      << "dry, made, and shown by the thousand";
  EXPECT_THAT(ending.out, EndsWith("2500 contacts changed\n"));
  EXPECT_EQ(std::ranges::count(ending.out, '\n'), 2500 + 3);
  EXPECT_FALSE(std::filesystem::exists(folder_.File("policy.db.apply")));
}

TEST_F(ApplyPortions, WhoAsksWhileAFileIsComparedIsServedButForAnotherFile) {
  BeforeFirst(Command::kApplyCompare, [this] {
    proto::CtlRequest other;
    other.mutable_apply_part();
    EXPECT_THAT(Answer(other).error(), HasSubstr("try again in some seconds"));
    EXPECT_THAT(Contacts(), IsEmpty());
    Subscribe("zoe@contoso.example", "romeo@partner.example");
  });
  EXPECT_EQ(Apply(many_).err, "");
  EXPECT_THAT(Contacts(), SizeIs(2501));
}

TEST_F(ApplyPortions, AFileThatIsRefusedShownOrDroppedLeavesTheWayFree) {
  EXPECT_EQ(Apply("contacts:\n" + Marks(0, 1, "friend")).exit_code, ctl::kRefused);
  EXPECT_EQ(Apply("partnerz: 1\ncontacts: []\n").exit_code, ctl::kRefused) << "a word of the file";
  EXPECT_EQ(Apply("gateway: {connection_limit: x}\n" + many_).exit_code, ctl::kRefused);
  EXPECT_EQ(Apply("gateway: {connection_limit: 0}\n" + many_).exit_code, ctl::kRefused);
  EXPECT_EQ(Apply(many_, Dry).exit_code, ctl::kDone);
  proto::CtlRequest left_alone;
  left_alone.mutable_apply_part();
  const std::uint64_t uses = engine_.plan_uses();
  EXPECT_EQ(Answer(left_alone).error(), "");
  EXPECT_NE(engine_.plan_uses(), uses);
  engine_.DropPlan();
  EXPECT_FALSE(std::filesystem::exists(folder_.File("policy.db.apply")));
  EXPECT_EQ(Apply(many_).err, "");
}

TEST_F(ApplyPortions, AFileThatIsMadeIsDoneThoughAnotherCameBeforeItWasShown) {
  BeforeFirst(Command::kApplyDiffering, [this] {
    proto::CtlRequest other;
    other.mutable_apply_part();
    EXPECT_EQ(Answer(other).error(), "");
  });
  const ctl::Ending ending = Apply(many_);
  EXPECT_EQ(ending.exit_code, ctl::kDone);
  EXPECT_EQ(
      ending.err,
      "the file is applied and has changed 2500 contacts; see which with gatehousectl audit\n");
  EXPECT_THAT(ending.out, HasSubstr("bad.example"));
  EXPECT_THAT(Contacts(), SizeIs(2500));
}

TEST_F(ApplyPortions, WhatIsShownFirstIsMadeWholeAfterwards) {
  BeforeFirst(Command::kApply, [this] {
    proto::CtlRequest show;
    show.mutable_apply_differing()->set_plan(plan_);
    EXPECT_EQ(Answer(show).contact_changes_size(), 1000);
  });
  EXPECT_THAT(Apply(many_).out, EndsWith("2500 contacts changed\n"));
  EXPECT_THAT(Contacts(), SizeIs(2500));
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

TEST_F(ApplyPortions, WhereUsersTookThePlacesMeanwhileNothingIsMade) {
  BeforeFirst(Command::kApply, [this] {
    for (int i = 0; i < 2500; ++i)
      Subscribe("zoe@contoso.example", "x" + std::to_string(i) + "@partner.example");
  });
  const std::uint64_t before = revision();
  const ctl::Ending ending = Apply(many_);
  EXPECT_EQ(ending.exit_code, ctl::kRefused);
  EXPECT_THAT(ending.err, HasSubstr("would be one too many"));
  EXPECT_EQ(revision(), before);
  EXPECT_THAT(Contacts(), SizeIs(2500));
}

TEST_F(ApplyPortions, AFileComparedTwiceIsComparedWithWhatTheSecondSays) {
  BeforeFirst(Command::kApply, [this] {
    proto::CtlRequest again;
    again.mutable_apply()->set_plan(plan_);
    again.mutable_apply()->set_dry_run(true);
    again.mutable_apply()->add_sections("partners");  // without any
    EXPECT_EQ(Answer(again).error(), "");
    proto::CtlRequest compare;
    compare.mutable_apply_compare()->set_plan(plan_);
    std::size_t mistakes = 0;
    for (bool more = true; more;) {
      const proto::CtlResponse answer = Answer(compare);
      mistakes += static_cast<std::size_t>(answer.mistakes_size());
      more = answer.apply_plan().more();
    }
    EXPECT_EQ(mistakes, 2500U) << "each is nobody's then";
  });
  EXPECT_THAT(Apply(many_).err, HasSubstr("was not found good"));
  EXPECT_THAT(Contacts(), IsEmpty());
}

TEST_F(ApplyPortions, ContactsThatComeAfterTheComparisonAreRefused) {
  BeforeFirst(Command::kApply, [this] {
    proto::CtlRequest late;
    late.mutable_apply_part()->set_plan(plan_);
    EXPECT_THAT(Answer(late).error(), HasSubstr("being compared already"));
  });
  Apply(many_);
}

TEST_F(ApplyPortions, NothingIsMadeOrShownThatWasNotComparedAndFoundGood) {
  proto::CtlRequest part;
  proto::ContactView& contact = *part.mutable_apply_part()->add_contacts();
  contact.set_sip_user("ann@contoso.example");
  contact.set_contact("a@partner.example");
  contact.set_state("allowed");
  for (const bool begun : {false, true}) {
    proto::CtlRequest show;
    show.mutable_apply_differing()->set_plan(Answer(part).apply_plan().plan());
    proto::CtlRequest apply;
    apply.mutable_apply()->set_plan(show.apply_differing().plan());
    apply.mutable_apply()->set_dry_run(true);
    if (begun) {
      EXPECT_EQ(Answer(apply).error(), "");
    }
    EXPECT_THAT(Answer(show).error(), HasSubstr("are not compared yet"));
    apply.mutable_apply()->set_dry_run(false);
    EXPECT_THAT(Answer(apply).error(), HasSubstr("compare it before it is made"));
  }
  EXPECT_THAT(Contacts(), IsEmpty());
}

}  // namespace
}  // namespace gatehouse::policy_engine
