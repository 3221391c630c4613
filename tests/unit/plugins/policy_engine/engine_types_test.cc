#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/policy/partner_type.h"
#include "core/policy/policy_view.h"
#include "tests/unit/plugins/policy_engine/commanded_engine.h"

namespace gatehouse::policy_engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TypesOfAnEngine : public CommandedEngine {
 protected:
  static constexpr const char* kSupplier =
      "partner_type_new { type { name: 'supplier' may_message_unlisted: true sees_note: true"
      " description: 'who delivers' } }";
  Permissions Of(std::string_view type) {
    return PolicyView(engine_.policy().snapshot).PermissionsOf(type);
  }
  std::string New(const std::string& domain, const std::string& type) {
    return "partner_new { partner { domain: '" + domain + "' type: '" + type +
           "' dialback: true enabled: true } }";
  }
};

TEST_F(TypesOfAnEngine, ThreeAreThereAlwaysAndStayAsTheyAre) {
  const proto::CtlResponse response = Done("partner_type_list {}");
  std::vector<std::string> names;
  for (const proto::PartnerTypeView& view : response.partner_types().types()) {
    names.push_back(view.type().name());
    EXPECT_TRUE(view.preset());
    EXPECT_EQ(PermissionsOf(view.type()), Of(view.type().name()));
  }
  EXPECT_THAT(names, ElementsAre("federated", "public-verified", "public-unverified"));
  EXPECT_THAT(Refused("partner_type_set { name: 'federated' type {} fields: 'sees_note' }"),
              HasSubstr("'federated' is there always and cannot be changed"));
  EXPECT_THAT(Refused("partner_type_remove { name: 'public-verified' }"),
              HasSubstr("cannot be changed"));
  EXPECT_THAT(Refused("partner_type_new { type { name: 'federated' } }"),
              HasSubstr("give yours another name"));
}

TEST_F(TypesOfAnEngine, OneOfOursIsLiveForItsPartnersAndInTheNextLife) {
  Done(kSupplier);
  Done(New("a.example", "supplier"));
  EXPECT_EQ(Of("supplier"), (Permissions{.may_message_unlisted = true, .sees_note = true}));
  EXPECT_EQ(Of("nobodys"), Permissions{}) << "a name nobody has given allows nothing";
  const proto::CtlResponse set = Done(
      "partner_type_set { name: 'supplier' type { may_subscribe: true } fields: 'may_subscribe'"
      " fields: 'sees_note' }");
  EXPECT_EQ(set.partner_types().types(0).partners(), 1U);
  EXPECT_EQ(Of("supplier"), (Permissions{.may_subscribe = true, .may_message_unlisted = true}));
  EXPECT_EQ(Open().policy().snapshot.hash(), engine_.policy().snapshot.hash());
  EXPECT_EQ(engine_.policy().snapshot.partners(0).type(), "supplier");
}

// A permission that is added to the message must be known everywhere.
TEST_F(TypesOfAnEngine, EachPermissionThereIsCanBeSetAndIsKept) {
  Done("partner_type_new { type { name: 'one' } }");
  const auto& fields = *proto::PartnerType::descriptor();
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto* const field = fields.field(i);
    if (field->cpp_type() != field->CPPTYPE_BOOL) continue;
    SCOPED_TRACE(field->name());
    const auto set = [&](const char* value) {
      Done("partner_type_set { name: 'one' type { " + field->name() + ": " + value +
           " } fields: '" + field->name() + "' }");
    };
    set("true");
    const proto::PartnerType kept = Open().policy().snapshot.partner_types(0);
    EXPECT_TRUE(kept.GetReflection()->GetBool(kept, field));
    EXPECT_NE(PermissionsOf(kept), Permissions{});
    set("false");
    EXPECT_EQ(Of("one"), Permissions{});
  }
}

TEST_F(TypesOfAnEngine, AChangedTypeLeavesTheRowsOfItsPartnersUntouched) {
  Done(kSupplier);
  Done(New("a.example", "supplier"));
  const std::string row = engine_.policy().snapshot.partners(0).SerializeAsString();
  Done(
      "partner_type_set { name: 'supplier' type { may_subscribe: true } fields: 'may_subscribe' }");
  EXPECT_EQ(engine_.policy().snapshot.partners(0).SerializeAsString(), row);
}

TEST_F(TypesOfAnEngine, APartnerIsOfNoTypeThatIsNotThere) {
  const std::string why = Refused(New("a.example", "supplier"));
  EXPECT_THAT(why, HasSubstr("'supplier' is no partner type; use one of federated, "
                             "public-verified, public-unverified, or make it with: gatehousectl "
                             "partner type new"));
  Done(kSupplier);
  EXPECT_THAT(Refused(New("a.example", "Supplier")), HasSubstr("public-unverified, supplier, or"));
  EXPECT_THAT(Refused(New("a.example", "")), HasSubstr("'' is no partner type"));
}

TEST_F(TypesOfAnEngine, OneThatAPartnerHasIsNotRemoved) {
  Done(kSupplier);
  Done(New("a.example", "supplier"));
  Done(New("b.example", "supplier"));
  EXPECT_THAT(Refused("partner_type_remove { name: 'supplier' }"),
              HasSubstr("partner 'a.example', as 2 in all, is of type 'supplier'; give it another "
                        "one first with: gatehousectl partner set a.example --type"));
  for (const char* domain : {"a.example", "b.example"})
    Done(std::string("partner_set { domain: '") + domain +
         "' partner { type: 'federated' } fields: 'type' }");
  Done("partner_type_remove { name: 'supplier' }");
  EXPECT_EQ(Done("partner_type_list {}").partner_types().types_size(), 3);
}

TEST_F(TypesOfAnEngine, WrongOnesAreToldInASentence) {
  const auto named = [](const std::string& name) {
    return "partner_type_new { type { name: '" + name + "' } }";
  };
  for (const char* name : {"", "Supplier", "9lives", "two words", "-a", "lieferant\\303\\244"})
    EXPECT_THAT(Refused(named(name)), HasSubstr("is no name of a partner type; use up to 32 of"));
  EXPECT_THAT(Refused(named(std::string(33, 'a'))), HasSubstr("is no name of a partner type"));
  EXPECT_THAT(Refused("partner_type_new { type { name: 'a' description: 'x\\ny' } }"),
              HasSubstr("on one line"));
  Done(named(std::string(32, 'a')));
  EXPECT_THAT(Refused(named(std::string(32, 'a'))), HasSubstr("exists already"));
  EXPECT_THAT(Refused("partner_type_set { name: 'b' type {} fields: 'sees_note' }"),
              HasSubstr("there is no partner type 'b'; see gatehousectl partner type list"));
  EXPECT_THAT(Refused("partner_type_set { name: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' type {}"
                      " fields: 'name' }"),
              HasSubstr("'name' cannot be set"));
}

TEST_F(TypesOfAnEngine, NoMoreThanAHundredAreMade) {
  for (int i = 0; i < 100; ++i)
    Done("partner_type_new { type { name: 't" + std::to_string(i) + "' } }");
  EXPECT_THAT(Refused("partner_type_new { type { name: 'more' } }"),
              HasSubstr("101 partner types are too many; at most 100 are possible"));
}

TEST_F(TypesOfAnEngine, EachChangeIsARevisionThatCanComeBack) {
  const auto none = Done("partner_type_list {}").revision();
  Done(kSupplier);
  const std::uint64_t first = Done(New("a.example", "supplier")).revision();
  Done("partner_type_set { name: 'supplier' type {} fields: 'sees_note' }");
  const auto said = Done("audit_get { last: 1 }").audit().records(0);
  EXPECT_EQ(said.action(), "partner type set");
  EXPECT_EQ(said.changes(0).kind(), "partner_type");
  EXPECT_EQ(said.changes(0).key(), "supplier");
  EXPECT_EQ(said.changes(0).fields(0).field(), "sees_note");
  EXPECT_EQ(said.changes(0).fields(0).before(), "true");
  Done("config_rollback { revision: " + std::to_string(first) + " }");
  EXPECT_TRUE(Of("supplier").sees_note);
  Done("config_rollback { revision: " + std::to_string(none) + " }");
  EXPECT_EQ(engine_.policy().snapshot.partner_types_size(), 0);
  Done("config_rollback { revision: " + std::to_string(first) + " }");
  EXPECT_EQ(engine_.policy().snapshot.partners(0).type(), "supplier");
}

TEST_F(TypesOfAnEngine, AnApplyBringsTypesAndTheirPartnersAtOnceOrNothing) {
  const std::string partners = " partners { domain: 'a.example' type: 'supplier' dialback: true }";
  const proto::CtlResponse refused =
      Answer("apply { data {" + partners + " } sections: 'partners' }");
  ASSERT_EQ(refused.mistakes_size(), 1);
  EXPECT_EQ(refused.mistakes(0).key(), "partners[0].type");
  Done("apply { data {" + partners +
       " partner_types { name: 'supplier' sees_note: true } }"
       " sections: 'partners' sections: 'partner_types' }");
  EXPECT_TRUE(Of("supplier").sees_note);
  const proto::CtlResponse used = Answer("apply { sections: 'partner_types' data {} }");
  ASSERT_EQ(used.mistakes_size(), 1) << "it is in use";
  EXPECT_EQ(used.mistakes(0).record(), "partner a.example");
  const proto::CtlResponse twice = Answer(
      "apply { sections: 'partner_types' data { partner_types { name: 'supplier' }"
      " partner_types { name: 'supplier' } partner_types { name: 'federated' } } }");
  ASSERT_EQ(twice.mistakes_size(), 2);
  EXPECT_EQ(twice.mistakes(0).key(), "partner_types[1].name");
  EXPECT_THAT(twice.mistakes(0).what(), HasSubstr("is there twice"));
  EXPECT_EQ(twice.mistakes(1).key(), "partner_types[2].name");
}

TEST_F(TypesOfAnEngine, APolicyTestGoesByTheTypeOfThePartner) {
  Done("policy_set { name: 'global' policy { xmpp_access: true } fields: 'xmpp_access' }");
  Done(kSupplier);
  Done(New("a.example", "supplier"));
  const auto verdict = [this](const char* kind) {
    return Answer(
               std::string("policy_test { from: 'romeo@a.example' to: 'ann@contoso.example' kind: "
                           "'") +
               kind + "' }")
        .verdict();
  };
  EXPECT_EQ(verdict("message").decision(), "allow");
  EXPECT_EQ(verdict("message").partner_type(), "supplier");
  EXPECT_EQ(verdict("subscribe").reason(), "contact-not-authorised");
  Done("partner_type_set { name: 'supplier' type {} fields: 'may_message_unlisted' }");
  EXPECT_EQ(verdict("message").reason(), "contact-not-authorised");
}

}  // namespace
}  // namespace gatehouse::policy_engine
