// Every limit of the federation data holds through every way in but a restore, and what is refused
// changes nothing.
#include "plugins/policy_engine/data_limits.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <array>

#include "core/policy/partner_words.h"
#include "plugins/policy_engine/engine.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;

constexpr std::chrono::system_clock::time_point kAt{std::chrono::seconds{1}};
const std::vector<std::string> kServedHere = {"contoso.example"};
const std::vector<std::string> kServedBefore = {"contoso.example", "gone.example"};

template <class Message>
Message Read(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

std::string PartnerText(const std::string& domain) {
  proto::Partner partner = DefaultPartner();
  partner.set_domain(domain);
  return "{ " + partner.ShortDebugString() + " }";
}

class DataOfAnEngine : public testing::Test {
 protected:
  Engine Open(const std::string& file, const DataLimits& limits = {},
              const std::vector<std::string>& served = kServedHere) {
    return *Engine::Create(*Store::Open(folder_.File(file)), served, 1, limits);
  }
  static proto::CtlResponse Answer(Engine& engine, const std::string& command) {
    return engine.Answer(Read<proto::CtlRequest>(command), kAt);
  }
  static proto::CtlResponse Must(Engine& engine, const std::string& command) {
    proto::CtlResponse response = Answer(engine, command);
    EXPECT_EQ(response.exit_code(), 0U) << command << ": " << response.error();
    return response;
  }
  // The store in `file` with three of most things.
  void Fill(const std::string& file, const std::vector<std::string>& more = {}) {
    Engine engine = Open(file, {}, kServedBefore);
    Must(engine, "gateway_set { settings { discover: true } fields: 'discover' }");
    for (const char* domain : {"one.example", "two.example", "three.example"})
      Must(engine, "partner_new { partner " + PartnerText(domain) + " }");
    for (const char* name : {"a", "b"})
      Must(engine, fmt::format("policy_new {{ policy {{ name: '{}' }} }}", name));
    Must(engine,
         "policy_grant { name: 'a' to { users: 'ann@contoso.example'"
         " patterns: 'c*@contoso.example' patterns: 'd*@contoso.example' } }");
    for (const char* domain : {"bad.example", "worse.example"})
      Must(engine, fmt::format("partner_deny {{ domain: '{}' }}", domain));
    for (const std::string& command : more) Must(engine, command);
  }
  static proto::FederationData Export(Engine& engine) {
    return Answer(engine, "export_data {}").federation_data();
  }
  // The sentence of a refusal, wherever it stands.
  static std::string Refused(Engine& engine, const proto::CtlRequest& request) {
    const std::string before = Export(engine).SerializeAsString();
    const proto::CtlResponse response = engine.Answer(request, kAt);
    EXPECT_EQ(response.exit_code(), 1U) << request.ShortDebugString();
    EXPECT_EQ(Export(engine).SerializeAsString(), before);
    if (response.mistakes().empty()) return response.error();
    return response.mistakes(0).what();
  }
  static std::string Refused(Engine& engine, const std::string& command) {
    return Refused(engine, Read<proto::CtlRequest>(command));
  }
  static proto::CtlRequest ApplyOf(const proto::FederationData& data) {
    proto::CtlRequest request;
    *request.mutable_apply()->mutable_data() = data;
    for (const char* section : {"partners", "policies", "denied"})
      request.mutable_apply()->add_sections(section);
    return request;
  }

  ScratchFolder folder_;
};

TEST_F(DataOfAnEngine, EachLimitHoldsThroughEveryWayIn) {
  struct Row {
    DataLimits limits;  // one that what is there has reached
    const char* says;
    std::vector<std::string> commands;
    std::string applied;  // what the file of `apply` has more
  };
  const std::string four = PartnerText("four.example");
  const std::array rows = {
      Row{{.partners = 3},
          "4 partners are too many; at most 3 are possible, take out who is needed no more",
          {"partner_new { partner " + four + " }",
           "partner_accept { accepted { partner " + PartnerText("knocks.example") + " } }",
           "import { records { partner " + four + " } }",
           "import { dry_run: true records { partner " + four + " } }"},
          "partners " + four},
      Row{{.policies = 3},
          "4 access policies are too many; at most 3 are possible, take out those that are granted "
          "to nobody",
          {"policy_new { policy { name: 'c' } }", "import { records { policy { name: 'c' } } }"},
          "policies { name: 'c' }"},
      Row{{.patterns = 2},
          "3 patterns are too many; at most 2 are possible, grant to users or domains",
          {"policy_grant { name: 'b' to { patterns: 'e*@contoso.example' } }"},
          "policies { name: 'c' patterns: 'e*@contoso.example' }"},
      Row{{.grants = 3},
          "4 grants are too many; at most 3 are possible, grant to patterns or domains",
          {"policy_grant { name: 'b' to { users: 'eve@contoso.example' } }"},
          "policies { name: 'c' users: 'eve@contoso.example' }"},
      Row{{.denied = 2},
          "3 denied domains are too many; at most 2 are possible, use wildcards like *.bad.example",
          {"partner_deny { domain: 'more.example' }",
           "partner_refuse { domain: 'knocks.example' }"},
          "denied { domain: 'more.example' }"},
      Row{{.octets = 1},
          "octets; at most 1 are possible, take some out or shorten their texts and certificates",
          {"partner_new { partner " + four + " }",
           "partner_set { domain: 'one.example' partner { description: 'x' } fields: "
           "'description' }",
           "import { records { partner " + four + " } }",
           "import { records { policy { name: 'c' } } }", "policy_new { policy { name: 'c' } }",
           "policy_set { name: 'a' policy { description: 'x' } fields: 'description' }",
           "policy_grant { name: 'b' to { users: 'eve@contoso.example' } }",
           "partner_deny { domain: 'more.example' }"},
          "denied { domain: 'more.example' }"},
  };
  int number = 0;
  for (const Row& row : rows) {
    const std::string file = fmt::format("store{}.db", ++number);
    Fill(file);
    Engine engine = Open(file, row.limits);
    engine.NoteStrangers(
        Read<proto::StrangersSeen>("strangers { domain: 'knocks.example' knocks: 1 }"));
    for (const std::string& command : row.commands)
      EXPECT_THAT(Refused(engine, command), HasSubstr(row.says)) << command;
    proto::FederationData data = Export(engine);
    data.MergeFrom(Read<proto::FederationData>(row.applied));
    EXPECT_THAT(Refused(engine, ApplyOf(data)), HasSubstr(row.says));
  }
}

TEST_F(DataOfAnEngine, WhatIsAboveALimitAlreadyIsMadeLessStepByStep) {
  Fill("policy.db");
  const std::uint64_t full = Open("policy.db").policy().snapshot.revision();
  Engine engine =
      Open("policy.db",
           {.partners = 1, .policies = 1, .patterns = 1, .grants = 1, .denied = 1, .octets = 1});
  proto::FederationData data = Export(engine);
  data.mutable_partners()->RemoveLast();
  EXPECT_EQ(engine.Answer(ApplyOf(data), kAt).exit_code(), 0U);
  Must(engine, "policy_revoke { from { users: 'ann@contoso.example' } }");
  Must(engine, "policy_remove { name: 'b' }");
  Must(engine, "partner_undeny { domain: 'bad.example' }");
  Must(engine, "partner_remove { domain: 'one.example' }");
  const std::string why = Refused(engine, fmt::format("config_rollback {{ revision: {} }}", full));
  EXPECT_THAT(why, HasSubstr("would not be valid today: access policies: 3 access policies are too "
                             "many; at most 1"));
}

TEST_F(DataOfAnEngine, NobodyOutsideOurDomainsIsGrantedAPolicyByAnyWayIn) {
  const char* const says = "is in no domain of ours; they are contoso.example (gatehouse.yaml)";
  const std::string grant = "policy_grant { name: 'b' to { users: 'eve@gone.example' } }";
  Fill("policy.db", {grant});
  const std::uint64_t with = Open("policy.db").policy().snapshot.revision();
  {
    Engine before = Open("policy.db", {}, kServedBefore);
    Must(before, "policy_revoke { from { users: 'eve@gone.example' } }");
  }
  Engine engine = Open("policy.db");
  EXPECT_THAT(Refused(engine, grant), HasSubstr(says));
  for (const char* grantee :
       {"users: 'eve@gone.example'", "patterns: 'e*@gone.example'", "domains: 'gone.example'"}) {
    proto::FederationData data = Export(engine);
    data.MergeFrom(
        Read<proto::FederationData>(fmt::format("policies {{ name: 'c' {} }}", grantee)));
    EXPECT_THAT(Refused(engine, ApplyOf(data)), HasSubstr(says)) << grantee;
  }
  EXPECT_THAT(Refused(engine, fmt::format("config_rollback {{ revision: {} }}", with)),
              HasSubstr(says));
}

TEST_F(DataOfAnEngine, AGrantThatADomainOfOursLeftBehindKeepsNothingElseFromBeingDone) {
  Fill("policy.db", {"policy_grant { name: 'b' to { domains: 'gone.example' } }"});
  Engine engine = Open("policy.db");
  EXPECT_EQ(engine.Answer(ApplyOf(Export(engine)), kAt).exit_code(), 0U);
  Must(engine, "import { records { partner " + PartnerText("four.example") + " } }");
  Must(engine, "policy_grant { name: 'b' to { users: 'eve@contoso.example' } }");
  Must(engine, "policy_revoke { from { domains: 'gone.example' } }");
}

TEST_F(DataOfAnEngine, ABackupIsItsOwnMeasureOnAMachineThatIsNew) {
  Fill("old.db", {"policy_grant { name: 'b' to { domains: 'gone.example' } }"});
  const proto::FederationData held = [this] {
    Engine old = Open("old.db");
    return Export(old);
  }();
  Engine engine =
      Open("policy.db",
           {.partners = 1, .policies = 1, .patterns = 1, .grants = 1, .denied = 1, .octets = 1});
  const proto::CtlResponse taken = engine.TakeStore(
      folder_.File("old.db"), Read<proto::CtlRequest>("restore_write { last: true }"), kAt);
  EXPECT_EQ(taken.exit_code(), 0U) << taken.error();
  EXPECT_EQ(Export(engine).SerializeAsString(), held.SerializeAsString());
}

TEST_F(DataOfAnEngine, DomainsOfBlockedContactsAreBoundedAndLeaveLessForRecords) {
  const auto block = [](const std::string& contact) {
    return fmt::format(
        "contact_change {{ verb: BLOCK contacts {{ sip_user: 'ann@contoso.example' contact: '{}' "
        "}} }}",
        contact);
  };
  const std::string label(40, 'x');
  Fill("policy.db", {"partner_set { domain: 'one.example' partner { additional_domains:"
                     " '*.one.example' } fields: 'additional_domains' }"});
  const std::size_t records = OctetsOf(Store::Open(folder_.File("policy.db"))->Read()->data);
  Engine engine = Open("policy.db", {.octets = records + 100});
  Must(engine, block("eve@" + label + ".one.example"));
  Must(engine, block("mallory@" + label + ".one.example"));
  EXPECT_THAT(Refused(engine, block("eve@y" + label + ".one.example")),
              HasSubstr("deny whole domains with gatehousectl partner deny"));
  EXPECT_EQ(engine.policy().snapshot.blocked_domains_size(), 1);
  const std::string deny = "partner_deny { domain: '" + label + ".bad.example' }";
  EXPECT_THAT(Refused(engine, deny), HasSubstr("all records together would take"));
  Must(engine,
       "contact_change { verb: FORGET contacts { sip_user: 'ann@contoso.example' contact: 'eve@" +
           label + ".one.example' } contacts { sip_user: 'ann@contoso.example' contact: 'mallory@" +
           label + ".one.example' } }");
  Must(engine, deny);
}

TEST_F(DataOfAnEngine, WhatAnImportWouldBringTogetherWithTheRestIsOneMoreLineOfItsReport) {
  Fill("policy.db");
  Engine engine = Open("policy.db", {.policies = 3});
  const proto::CtlResponse refused =
      Answer(engine, "import { records { from: 'a.xml' policy { name: 'c' } } }");
  EXPECT_EQ(refused.error(),
            "nothing is imported: access policies: 4 access policies are too many; at most 3 are "
            "possible, take out those that are granted to nobody");
  ASSERT_EQ(refused.imported().results_size(), 2);
  EXPECT_EQ(refused.imported().results(0).result(), "imported");
  EXPECT_EQ(refused.imported().results(1).result(), "refused");
  EXPECT_EQ(refused.imported().results(1).name(), "access policies");
  EXPECT_FALSE(refused.imported().written());
}

}  // namespace
}  // namespace gatehouse::policy_engine
