#include "plugins/tls_listener/outbound_stream_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using Kind = OutboundStreamTable::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::uint64_t> Ids(std::span<OutboundStream* const> streams) {
  std::vector<std::uint64_t> ids;
  for (const OutboundStream* stream : streams) ids.push_back(stream->id());
  return ids;
}

TEST(OutboundStreamTable, FindsByIdRemoteDomainAndPartner) {
  OutboundStreamTable table;
  table.Add(Kind::kOwn, 1, "a.example", "p");
  table.Add(Kind::kLent, 2, "a.example", "p");
  table.Add(Kind::kOwn, 3, "b.example", "p");
  table.Add(Kind::kOwn, 4, "c.example", "q");
  EXPECT_EQ(table.Find(2)->remote(), "a.example");
  EXPECT_EQ(table.Find(5), nullptr);
  EXPECT_THAT(Ids(table.To("a.example")), ElementsAre(1, 2));
  EXPECT_THAT(Ids(table.To("d.example")), IsEmpty());
  EXPECT_EQ(table.own(), 3U);
  EXPECT_EQ(table.OwnOf("p"), 2U);
  EXPECT_EQ(table.OwnOf("q"), 1U);
}

TEST(OutboundStreamTable, ALentStreamServesEveryDomainItsPeerHasProven) {
  OutboundStreamTable table;
  OutboundStream& lent = table.Add(Kind::kLent, 1, "a.example", "p");
  table.Serve(lent, "b.example");
  table.Serve(lent, "b.example");
  EXPECT_THAT(Ids(table.To("b.example")), ElementsAre(1));
  table.Erase(1);
  EXPECT_THAT(Ids(table.To("a.example")), IsEmpty());
  EXPECT_THAT(Ids(table.To("b.example")), IsEmpty());
}

TEST(OutboundStreamTable, WhatIsErasedIsNowhereAnyMore) {
  OutboundStreamTable table;
  table.Add(Kind::kOwn, 1, "a.example", "p");
  table.Add(Kind::kLent, 2, "a.example", "p");
  table.Erase(1);
  table.Erase(1);
  EXPECT_THAT(Ids(table.To("a.example")), ElementsAre(2));
  EXPECT_EQ(table.own(), 0U);
  EXPECT_EQ(table.OwnOf("p"), 0U);
  EXPECT_FALSE(table.empty());
  table.Erase(2);
  EXPECT_THAT(Ids(table.To("a.example")), IsEmpty());
  EXPECT_TRUE(table.empty());
}

}  // namespace
}  // namespace gatehouse
