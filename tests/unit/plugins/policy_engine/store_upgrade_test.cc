// A file that an older Gatehouse wrote, as it was dumped from one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/unit/plugins/policy_engine/store_scene.h"

namespace gatehouse::policy_engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class OlderStore : public testing::Test {
 protected:
  OlderStore() {
    std::ifstream file(GATEHOUSE_TEST_DATA "/store/version14.sql");
    const std::string sql{std::istreambuf_iterator<char>(file), {}};
    EXPECT_FALSE(sql.empty());
    std::ofstream(path_).flush();
    EXPECT_TRUE(SqliteDatabase::Open(path_)->Run(sql.c_str()).has_value());
  }

  ScratchFolder folder_;
  std::string path_ = folder_.File("policy.db");
};

TEST_F(OlderStore, HasItsPartnersWithTheirTypesAsBefore) {
  Store store = OpenAt(path_);
  const Result<StoreContent> content = store.Read();
  ASSERT_TRUE(content.has_value()) << content.error().text;
  std::vector<std::string> said;
  for (const proto::Partner& partner : content->data.partners())
    said.push_back(partner.domain() + " " + partner.type());
  EXPECT_THAT(said,
              ElementsAre("fabrikam.example federated", "unverified.example public-unverified",
                          "verified.example public-verified"));
  EXPECT_EQ(content->data.partners(0).description(), "was \"type\":\"FEDERATED\"");
  EXPECT_EQ(content->data.denied_size(), 1);
  EXPECT_THAT(content->blocked_domains, ElementsAre("fabrikam.example"));
}

TEST_F(OlderStore, HasItsAuditInTheWordsOfToday) {
  const Result<std::vector<AuditEntry>> audit = OpenAt(path_).Audit({});
  ASSERT_TRUE(audit.has_value()) << audit.error().text;
  std::vector<std::string> types;
  for (const AuditEntry& entry : *audit)
    for (const proto::RecordChange& change : entry.changes)
      if (change.after().has_partner()) types.push_back(change.after().partner().type());
  EXPECT_THAT(types, ElementsAre("federated", "public-verified", "public-unverified",
                                 "public-verified", "federated"));
}

TEST_F(OlderStore, ThatSomebodyEditedIsNotTaken) {
  for (const char* edit :
       {"UPDATE partner SET type = 'federated' WHERE proxy <> ''", "DELETE FROM denied_domain",
        "UPDATE gateway SET connection_limit = 9", "UPDATE contact SET mark = 0"}) {
    const std::string copy = folder_.File("edited.db");
    std::filesystem::copy_file(path_, copy, std::filesystem::copy_options::overwrite_existing);
    ASSERT_TRUE(SqliteDatabase::Open(copy)->Run(edit).has_value());
    EXPECT_THAT(WhyNotOpened(copy), HasSubstr("its checksum differs")) << edit;
  }
}

}  // namespace
}  // namespace gatehouse::policy_engine
