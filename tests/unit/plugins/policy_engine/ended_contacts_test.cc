// Contacts that have ended and are not taken away yet: an operator sees them and forgets them, and
// they authorise nobody.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plugins/policy_engine/engine_scene.h"

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;
using Verb = proto::ContactChange::Verb;

const char* const kAnn = "ann@contoso.example";
const char* const kRomeo = "romeo@partner.example";

class ContactsThatEnded : public EngineTest {
 protected:
  // Long after EngineTest's commands, which are given 1.234 s after 1970.
  static constexpr std::int64_t kLater = 3'000'000;

  ContactsThatEnded() {
    New("partner.example");
    Change(proto::ContactChange::ALLOW, "tybalt@partner.example", 1);
    Change(proto::ContactChange::BLOCK, "eve@partner.example", 1);
    Change(proto::ContactChange::ALLOW, kRomeo, kLater);
  }
  proto::CtlResponse At(proto::CtlRequest request, std::int64_t now_unix) {
    request.set_actor("alice");
    return engine_.Answer(request,
                          std::chrono::system_clock::time_point{std::chrono::seconds{now_unix}});
  }
  proto::CtlResponse Change(Verb verb, const std::string& contact, std::int64_t now_unix) {
    proto::CtlRequest request;
    request.mutable_contact_change()->set_verb(verb);
    proto::ContactName& name = *request.mutable_contact_change()->add_contacts();
    name.set_sip_user(kAnn);
    name.set_contact(contact);
    return At(request, now_unix);
  }
  // "romeo@partner.example allowed ended", by contact.
  std::vector<std::string> List(bool ended) {
    proto::CtlRequest request;
    request.mutable_contact_list()->set_limit(10);
    request.mutable_contact_list()->set_ended(ended);
    std::vector<std::string> lines;
    const proto::ContactViews views = At(request, kLater).contacts();
    for (const proto::ContactView& view : views.contacts())
      lines.push_back(view.contact() + ' ' + view.state() + (view.ended() ? " ended" : ""));
    return lines;
  }
  proto::ContactState Ask(const std::string& contact) {
    proto::ContactWanted wanted;
    wanted.set_sip_user(kAnn);
    wanted.set_contact(contact);
    return engine_.ContactOf(wanted, kLater).value_or(proto::CONTACT_UNKNOWN);
  }
};

TEST_F(ContactsThatEnded, AreListedOnlyWhereTheyAreAskedForAndMarked) {
  EXPECT_THAT(List(false),
              testing::ElementsAre("eve@partner.example blocked", "romeo@partner.example allowed"));
  EXPECT_THAT(List(true),
              testing::ElementsAre("eve@partner.example blocked", "romeo@partner.example allowed",
                                   "tybalt@partner.example allowed ended"));
}

TEST_F(ContactsThatEnded, OpenNoDoorHoweverOftenTheyAreListed) {
  List(true);
  EXPECT_EQ(Ask("tybalt@partner.example"), proto::CONTACT_UNKNOWN);
  EXPECT_EQ(Ask(kRomeo), proto::CONTACT_AUTHORISED);
}

TEST_F(ContactsThatEnded, AreForgottenAtOnceAndTheAuditSaysWhatTheyWere) {
  const proto::CtlResponse forgotten =
      Change(proto::ContactChange::FORGET, "tybalt@partner.example", kLater);
  EXPECT_EQ(forgotten.error(), "");
  EXPECT_THAT(forgotten.done(), testing::EndsWith("is forgotten"));
  EXPECT_EQ(Audit()[0].before, R"({"state":"allowed","seen_unix":1})");
  EXPECT_THAT(List(true), testing::SizeIs(2));
  EXPECT_THAT(Change(proto::ContactChange::FORGET, "tybalt@partner.example", kLater).error(),
              HasSubstr("is no contact of"));
}

}  // namespace
}  // namespace gatehouse::policy_engine
