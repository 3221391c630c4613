#include "plugins/sip_translator/refusal_memory.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace gatehouse::translator {
namespace {

RefusalNote Note(const std::string& id, std::uint64_t at, const std::string& remote) {
  return {id,
          at,
          remote,
          "bob@" + remote,
          "ann@corp.example",
          TrafficKind::kMessage,
          Reason::kContactNotAuthorised,
          "xmpp-message",
          "forbidden"};
}

TEST(RefusalMemory, ExplainsARefusalByItsId) {
  RefusalMemory memory;
  memory.Add("partner.example", Note("aaaa", 1000, "more.partner.example"));
  const proto::RefusalRecords found = memory.Find("aaaa");
  ASSERT_EQ(found.refusals_size(), 1);
  EXPECT_EQ(found.refusals(0).partner(), "partner.example");
  EXPECT_EQ(found.refusals(0).from(), "bob@more.partner.example");
  EXPECT_EQ(found.refusals(0).reason(), "contact-not-authorised");
  EXPECT_EQ(found.refusals(0).direction(), "xmpp-to-sip");
  EXPECT_FALSE(found.refusals(0).remedy().empty());
  EXPECT_EQ(memory.Find("bbbb").refusals_size(), 0);
}

TEST(RefusalMemory, KeepsTheLastOnesOfEachPartner) {
  RefusalMemory memory;
  memory.Add("quiet.example", Note("first", 1, "quiet.example"));
  for (std::size_t i = 0; i <= RefusalMemory::kPerPartner; ++i)
    memory.Add("loud.example", Note("n" + std::to_string(i), i, "loud.example"));
  EXPECT_EQ(memory.Of("loud.example").refusals_size(), 32);
  EXPECT_EQ(memory.Of("loud.example").refusals(0).id(), "n32");
  EXPECT_EQ(memory.Find("n0").refusals_size(), 0);
  EXPECT_EQ(memory.Find("first").refusals_size(), 1);
  EXPECT_EQ(memory.Of("other.example").refusals_size(), 0);
}

TEST(RefusalMemory, LetsStrangersPushOutNobodyButStrangers) {
  RefusalMemory memory;
  memory.Add("partner.example", Note("kept", 0, "partner.example"));
  for (int i = 0; i < 1000; ++i)
    memory.Add("", Note("s" + std::to_string(i), 5, "s" + std::to_string(i) + ".example"));
  EXPECT_EQ(memory.Find("kept").refusals_size(), 1);
  EXPECT_EQ(memory.Of("s999.example").refusals_size(), 1);
  EXPECT_EQ(memory.Of("s998.example").refusals(0).partner(), "s998.example");
  EXPECT_EQ(memory.Of("s1.example").refusals_size(), 0);
}

TEST(RefusalMemory, LetsGoOfThePartnerThatWasRefusedNothingForTheLongest) {
  RefusalMemory memory;
  for (std::size_t i = 0; i <= RefusalMemory::kPartners; ++i)
    memory.Add("p" + std::to_string(i), Note("n" + std::to_string(i), i, "x.example"));
  EXPECT_EQ(memory.Find("n0").refusals_size(), 0);
  EXPECT_EQ(memory.Find("n1").refusals_size(), 1);
}

TEST(RefusalMemory, GivesIdsThatCanBeReadOutLoud) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.insert(NewRefusalId());
  EXPECT_EQ(ids.size(), 100U);
  for (const std::string& id : ids) {
    EXPECT_EQ(id.size(), 8U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz"), std::string::npos) << id;
  }
}

}  // namespace
}  // namespace gatehouse::translator
