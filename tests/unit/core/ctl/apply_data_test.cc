#include "core/ctl/apply_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "core/ctl/contact_marks.h"
#include "tests/unit/core/ctl/scratch_file.h"

namespace gatehouse::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Command = proto::CtlRequest::CommandCase;

// A store with one partner, whose contacts are kept as the engine would.
class FakeStore {
 public:
  ContactMarks marks;
  std::size_t commands_until_trouble = 1000;
  std::vector<proto::CtlRequest> changes;

  Outside AsOutside() {
    Outside outside;
    outside.call = [this](const proto::CtlRequest& request, milliseconds) {
      return Result<std::optional<proto::CtlResponse>>(Answer(request));
    };
    return outside;
  }

 private:
  Result<proto::CtlResponse> Answer(const proto::CtlRequest& request) {
    proto::CtlResponse response;
    response.set_revision(7);
    switch (request.command_case()) {
      case Command::kStatus:
        response.mutable_status()->add_domains("contoso.example");
        break;
      case Command::kExportData:
        response.mutable_federation_data()->add_partners()->set_domain("partner.example");
        break;
      case Command::kContactList:
        *response.mutable_contacts() = ViewsOf(marks);
        Learned(*response.mutable_contacts());
        break;
      case Command::kApply:
        if (!request.apply().dry_run()) changes.push_back(request);
        response.mutable_changes()->set_to(7);
        break;
      case Command::kContactChange:
        changes.push_back(request);
        if (commands_until_trouble-- == 0) {
          response.set_exit_code(1);
          response.set_error("policy store: disk full");
        } else {
          Change(request.contact_change());
        }
        break;
      default:
        return Trouble("not asked for here");
    }
    return response;
  }
  static void Learned(proto::ContactViews& views) {
    proto::ContactView& view = *views.add_contacts();
    view.set_sip_user("zoe@contoso.example");
    view.set_contact("romeo@partner.example");
    view.set_state("learned");
  }
  void Change(const proto::ContactChange& change) {
    for (const proto::ContactName& name : change.contacts()) {
      const ContactPair pair{name.sip_user(), name.contact()};
      if (change.verb() == proto::ContactChange::FORGET)
        marks.erase(pair);
      else
        marks[pair] = change.verb() == proto::ContactChange::BLOCK ? "blocked" : "allowed";
    }
  }
};

Ending ApplyText(const std::string& text, FakeStore& store,
                 const std::function<void(Invocation&)>& adjust = {}) {
  const ScratchFile file(text);
  Invocation invocation;
  invocation.action = Action::kApply;
  invocation.file = file.path();
  invocation.request.mutable_apply();
  if (adjust) adjust(invocation);
  return CarryOut(invocation, store.AsOutside());
}

std::string Marks(int from, int to, const std::string& state) {
  std::string text = "contacts:\n";
  for (int i = from; i < to; ++i)
    text += "  - {sip_user: ann@contoso.example, contact: u" + std::to_string(i) +
            "@partner.example, state: " + state + "}\n";
  return text;
}

TEST(ApplyContacts, MakesTheStoresMarksThoseOfTheFileAndLeavesWhatUsersAdded) {
  FakeStore store;
  store.marks = {{{"ann@contoso.example", "a@partner.example"}, "allowed"},
                 {{"ann@contoso.example", "b@partner.example"}, "allowed"},
                 {{"ann@contoso.example", "c@partner.example"}, "blocked"}};
  const Ending ending = ApplyText(
      "contacts:\n"
      "  - {sip_user: 'SIP:Ann@contoso.example;transport=tls', contact: A@Partner.example, "
      "state: allowed}\n"
      "  - {sip_user: ann@contoso.example, contact: b@partner.example, state: blocked}\n"
      "  - {sip_user: bob@contoso.example, contact: d@partner.example, state: allowed}\n",
      store);
  EXPECT_EQ(ending.exit_code, kDone) << ending.err;
  EXPECT_EQ(ending.out,
            "contact ann@contoso.example b@partner.example: state allowed -> blocked\n"
            "contact ann@contoso.example c@partner.example removed: state blocked\n"
            "contact bob@contoso.example d@partner.example added: state allowed\n"
            "3 contacts changed\n");
  EXPECT_THAT(store.marks,
              ElementsAre(std::pair(ContactPair("ann@contoso.example", "a@partner.example"),
                                    std::string("allowed")),
                          std::pair(ContactPair("ann@contoso.example", "b@partner.example"),
                                    std::string("blocked")),
                          std::pair(ContactPair("bob@contoso.example", "d@partner.example"),
                                    std::string("allowed"))));
}

TEST(ApplyContacts, ADryRunShowsTheDifferenceAndWhatIsTheSameSendsNothing) {
  FakeStore store;
  const auto dry = [](Invocation& invocation) {
    invocation.request.mutable_apply()->set_dry_run(true);
  };
  const Ending would = ApplyText(Marks(0, 1, "blocked"), store, dry);
  EXPECT_EQ(would.out,
            "contact ann@contoso.example u0@partner.example added: state blocked\n"
            "1 contact would change\n");
  EXPECT_THAT(store.changes, IsEmpty());
  ApplyText(Marks(0, 1, "blocked"), store);
  store.changes.clear();
  EXPECT_EQ(ApplyText(Marks(0, 1, "blocked"), store).out, "no contact differs\n");
  EXPECT_THAT(store.changes, IsEmpty());
  EXPECT_EQ(ApplyText("denied: []\n", store).out, "no record differs\n") << "a missing section";
  EXPECT_EQ(store.marks.size(), 1U);
  ApplyText("contacts: []\n", store);
  EXPECT_THAT(store.marks, IsEmpty());
}

TEST(ApplyContacts, NothingIsSentWhereTheFileHasAMistake) {
  FakeStore store;
  const Ending ending = ApplyText(
      "denied: []\n"
      "contacts:\n"
      "  - {sip_user: ann@contoso.example, contact: a@partner.example, state: learned}\n"
      "  - {sip_user: ann@contoso.example, contact: a@partner.example, state: maybe}\n"
      "  - {sip_user: '@', contact: a@partner.example/home, state: allowed}\n"
      "  - {sip_user: ann@nowhere.example, contact: b@stranger.example, state: allowed}\n",
      store);
  EXPECT_EQ(ending.exit_code, kRefused);
  EXPECT_THAT(ending.err, HasSubstr(":3: key 'contacts[0].state': is 'learned'; SIP users make "));
  EXPECT_THAT(ending.err, HasSubstr(":4: key 'contacts[1]': 'a@partner.example' of "
                                    "'ann@contoso.example' is there already, in line 3; "));
  EXPECT_THAT(ending.err, HasSubstr("would be right: allowed, blocked"));
  EXPECT_THAT(ending.err, HasSubstr(":5: key 'contacts[2].sip_user': '@' is no address"));
  EXPECT_THAT(ending.err, HasSubstr(":5: key 'contacts[2].contact': "));
  EXPECT_THAT(ending.err, HasSubstr(":6: key 'contacts[3].sip_user': 'ann@nowhere.example' is in "
                                    "no domain of ours"));
  EXPECT_THAT(ending.err, HasSubstr(":6: key 'contacts[3].contact': no partner has the domain "
                                    "'stranger.example'"));
  EXPECT_THAT(store.changes, IsEmpty());
  const Ending lost = ApplyText("denied: []\ncontacts:\n", store);
  EXPECT_THAT(lost.err, HasSubstr("write 'contacts: []' to remove all there is"));
  EXPECT_THAT(store.changes, IsEmpty());
}

TEST(ApplyContacts, TheMarkOfAUserWhoseDomainIsOursNoMoreMayStayOrGo) {
  FakeStore store;
  store.marks = {{{"ann@former.example", "a@partner.example"}, "allowed"},
                 {{"ann@former.example", "b@partner.example"}, "blocked"}};
  const std::string head = "contacts:\n";
  const std::string one =
      "  - {sip_user: ann@former.example, contact: a@partner.example, state: allowed}\n";
  const std::string other =
      "  - {sip_user: ann@former.example, contact: b@partner.example, state: blocked}\n";
  EXPECT_EQ(ApplyText(head + one + other, store).out, "no contact differs\n");
  const std::string changed =
      "  - {sip_user: ann@former.example, contact: b@partner.example, state: allowed}\n";
  const std::string added =
      "  - {sip_user: bob@former.example, contact: a@partner.example, state: allowed}\n";
  for (const std::string& wrong : {changed, added}) {
    const Ending refused = ApplyText(head + one + wrong, store);
    EXPECT_EQ(refused.exit_code, kRefused) << wrong;
    EXPECT_THAT(refused.err, HasSubstr(":3: key 'contacts[1].sip_user': "));
    EXPECT_THAT(refused.err, HasSubstr("is in no domain of ours"));
    EXPECT_THAT(refused.err, Not(HasSubstr("contacts[0]"))) << "that one is there";
  }
  EXPECT_THAT(store.changes, IsEmpty());
  EXPECT_EQ(ApplyText(head + one, store).out,
            "contact ann@former.example b@partner.example removed: state blocked\n"
            "1 contact changed\n");
}

TEST(ApplyContacts, TheContactOfAPartnerThatComesWithTheFileIsGoodOneThatGoesIsNot) {
  FakeStore store;
  const std::string mark =
      "contacts:\n  - {sip_user: ann@contoso.example, contact: x@a.new.example, state: allowed}\n";
  EXPECT_EQ(ApplyText("partners:\n  - domain: new.example\n    additional_domains: "
                      "['*.new.example']\n" +
                          mark,
                      store)
                .exit_code,
            kDone);
  EXPECT_EQ(store.changes[0].command_case(), Command::kApply) << "the partner before its contact";
  EXPECT_EQ(ApplyText("partners: []\n" + Marks(0, 1, "allowed"), store).exit_code, kRefused);
}

TEST(ApplyContacts, MoreThanAPartnerMayHaveAreRefusedBeforeAnythingIsMade) {
  FakeStore store;
  const Ending ending = ApplyText(Marks(0, 100'001, "allowed"), store);
  EXPECT_EQ(ending.exit_code, kRefused);
  EXPECT_THAT(ending.err, HasSubstr("has 100001 contacts in this file and may have 100000; leave "
                                    "some out"));
  EXPECT_TRUE(store.changes.empty());
}

TEST(ApplyContacts, WhereAPortionFailsItIsSaidWhatIsDoneAndWhatNot) {
  FakeStore store;
  store.commands_until_trouble = 2;
  const Ending ending = ApplyText(Marks(0, 3500, "allowed"), store);
  EXPECT_EQ(ending.exit_code, kRefused);
  EXPECT_EQ(ending.err,
            "of 3500 contacts that differ 2000 are changed, 500 were not tried, and with the 1000 "
            "between there was trouble: policy store: disk full; gatehousectl apply --dry-run "
            "shows what is left; once that is mended, apply the file again\n");
  EXPECT_THAT(ending.out, HasSubstr("2000 contacts changed\n"));
  EXPECT_EQ(store.marks.size(), 2000U);
  store.commands_until_trouble = 1000;
  EXPECT_THAT(ApplyText(Marks(0, 3500, "allowed"), store).out, HasSubstr("1500 contacts changed"));
}

TEST(ApplyContacts, EveryCommandSaysWhyAndWhichRevisionItGoesBy) {
  FakeStore store;
  ApplyText("denied: []\n" + Marks(0, 1, "allowed"), store, [](Invocation& invocation) {
    invocation.request.set_reason("ticket 5");
    invocation.request.set_if_revision(6);
  });
  ASSERT_EQ(store.changes.size(), 2U);
  EXPECT_EQ(store.changes[0].if_revision(), 6U);
  EXPECT_EQ(store.changes[1].if_revision(), 7U) << "what the file itself has made";
  EXPECT_EQ(store.changes[1].reason(), "ticket 5");
}

TEST(ExportContacts, PrintsWhatOperatorsSaidSortedAndApplyReadsIt) {
  FakeStore store;
  store.marks = {{{"bob@contoso.example", "a@partner.example"}, "blocked"},
                 {{"ann@contoso.example", "z@partner.example"}, "allowed"}};
  Invocation invocation;
  invocation.action = Action::kExport;
  invocation.request.mutable_export_data();
  invocation.contacts = true;
  const Ending ending = CarryOut(invocation, store.AsOutside());
  EXPECT_THAT(ending.out, testing::EndsWith("contacts:\n"
                                            "  - sip_user: \"ann@contoso.example\"\n"
                                            "    contact: \"z@partner.example\"\n"
                                            "    state: allowed\n"
                                            "  - sip_user: \"bob@contoso.example\"\n"
                                            "    contact: \"a@partner.example\"\n"
                                            "    state: blocked\n"));
  EXPECT_THAT(ApplyText(ending.out, store).out, HasSubstr("no contact differs\n"));
  invocation.json = true;
  EXPECT_THAT(CarryOut(invocation, store.AsOutside()).out,
              testing::EndsWith(R"(,"contacts":[{"sip_user":"ann@contoso.example","contact":)"
                                R"("z@partner.example","state":"allowed"},{"sip_user":)"
                                R"("bob@contoso.example","contact":"a@partner.example",)"
                                R"("state":"blocked"}]})"
                                "\n"));
}

}  // namespace
}  // namespace gatehouse::ctl
