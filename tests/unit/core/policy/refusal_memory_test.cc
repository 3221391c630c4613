#include "core/policy/refusal_memory.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace gatehouse {
namespace {

constexpr std::uint64_t kMinute = RefusalMemory::kSameWithinMs;

RefusalNote Note(const std::string& remote, RefusalShelf shelf = RefusalShelf::kTold) {
  return {.shelf = shelf,
          .remote_domain = remote,
          .from = "bob@" + remote,
          .to = "ann@corp.example",
          .kind = KindName(TrafficKind::kMessage),
          .reason = Reason::kContactNotAuthorised,
          .rule = "xmpp-message",
          .answer = shelf == RefusalShelf::kTold ? "forbidden" : ""};
}

RefusalNote Stream(const std::string& remote, RefusalShelf shelf = RefusalShelf::kClaimed) {
  return {.shelf = shelf,
          .remote_domain = remote,
          .from = remote.empty() ? "192.0.2.1" : remote,
          .to = "corp.example",
          .kind = kStreamKind,
          .reason = Reason::kUnknownPartner,
          .answer = "policy-violation"};
}

RefusalNote From(const std::string& user, RefusalNote note) {
  note.from = user + "@" + note.remote_domain;
  return note;
}

TEST(RefusalMemory, ExplainsARefusalByItsId) {
  RefusalMemory memory;
  const std::string id = memory.Add("partner.example", Note("more.partner.example"), 1000).id;
  const proto::RefusalRecords found = memory.Find(id);
  ASSERT_EQ(found.refusals_size(), 1);
  const proto::RefusalRecord& record = found.refusals(0);
  EXPECT_EQ(record.id(), id);
  EXPECT_EQ(record.at_unix_ms(), 1000U);
  EXPECT_EQ(record.partner(), "partner.example");
  EXPECT_EQ(record.from(), "bob@more.partner.example");
  EXPECT_EQ(record.kind(), "message");
  EXPECT_EQ(record.reason(), "contact-not-authorised");
  EXPECT_EQ(record.direction(), "xmpp-to-sip");
  EXPECT_EQ(record.answer(), "forbidden");
  EXPECT_FALSE(record.remedy().empty());
  EXPECT_EQ(memory.Find("bbbb").refusals_size(), 0);
}

TEST(RefusalMemory, KeepsAPeersWordsSoThatTheyCanBeTold) {
  RefusalMemory memory;
  RefusalNote note = Note("partner.example");
  note.detail = "x";
  for (int i = 0; i < 200; ++i) note.detail += "ü";
  note.from = "y";
  for (int i = 0; i < 5000; ++i) note.from += "ü";
  note.to = "ann\xff@corp.example";
  const std::string id = memory.Add("partner.example", note, 1000).id;
  const proto::RefusalRecords found = memory.Find(id);
  proto::RefusalRecords read;
  ASSERT_TRUE(read.ParseFromString(found.SerializeAsString())) << "octets that are no UTF-8";
  EXPECT_LE(read.refusals(0).from().size(), RefusalMemory::kMaxAddressBytes);
  EXPECT_TRUE(read.refusals(0).sentence().ends_with("ü)"));
}

TEST(RefusalMemory, TellsADetailBehindTheSentence) {
  RefusalMemory memory;
  RefusalNote note = Stream("partner.example");
  note.reason = Reason::kPartnerUnreachable;
  note.detail = "connect 192.0.2.7:5269: refused" + std::string(1000, '!');
  const std::string id = memory.Add("partner.example", note, 1).id;
  const std::string sentence = memory.Find(id).refusals(0).sentence();
  EXPECT_TRUE(sentence.starts_with(
      "no server of the partner took a connection (connect 192.0.2.7:5269: refused!"))
      << sentence;
  EXPECT_LT(sentence.size(), 400U);
}

TEST(RefusalMemory, KeepsTheLastOnesOfEachPartner) {
  RefusalMemory memory;
  const std::string quiet = memory.Add("quiet.example", Note("quiet.example"), 1).id;
  const std::string first = memory.Add("loud.example", Note("loud.example"), 1).id;
  std::string last;
  for (std::size_t i = 0; i < RefusalMemory::kPerPartner; ++i)
    last = memory.Add("loud.example", Note("loud.example"), 2 + i).id;
  EXPECT_EQ(memory.Of("loud.example").refusals_size(), 32);
  EXPECT_EQ(memory.Of("loud.example").refusals(0).id(), last);
  EXPECT_EQ(memory.Find(first).refusals_size(), 0);
  EXPECT_EQ(memory.Find(quiet).refusals_size(), 1);
  EXPECT_EQ(memory.Of("other.example").refusals_size(), 0);
}

TEST(RefusalMemory, LetsStrangersPushOutNobodyButStrangers) {
  for (const RefusalShelf shelf : {RefusalShelf::kTold, RefusalShelf::kClaimed}) {
    RefusalMemory memory;
    const std::string kept = memory.Add("partner.example", Note("partner.example"), 0).id;
    const std::string stream = memory.Add("partner.example", Stream("partner.example"), 0).id;
    const std::string nameless = memory.Add("", Stream(""), 0).id;
    for (int i = 0; i < 1000; ++i)
      memory.Add("", Stream("s" + std::to_string(i) + ".example", shelf), 5);
    EXPECT_EQ(memory.Find(kept).refusals_size(), 1);
    EXPECT_EQ(memory.Find(stream).refusals_size(), 1);
    EXPECT_EQ(memory.Find(nameless).refusals_size(), 1);
    ASSERT_EQ(memory.Of("s999.example").refusals_size(), 1);
    EXPECT_EQ(memory.Of("s998.example").refusals(0).partner(), "s998.example");
    EXPECT_EQ(memory.Of("s1.example").refusals_size(), 0);
    EXPECT_LE(memory.All().refusals_size(), 3 + 32);
  }
}

// Whoever claims to be one of many domains of a partner, and proves none, is only in his own way.
TEST(RefusalMemory, LetsClaimsPushOutNothingThatWasProven) {
  RefusalMemory memory;
  const std::string told = memory.Add("partner.example", Note("partner.example"), 0).id;
  const std::string ours =
      memory.Add("partner.example", Stream("partner.example", RefusalShelf::kTold), 0).id;
  for (int i = 0; i < 1000; ++i)
    memory.Add("partner.example", Stream("x" + std::to_string(i) + ".partner.example"), 5);
  for (std::size_t i = 0; i < 2 * RefusalMemory::kPartners; ++i) {
    const std::string domain = "p" + std::to_string(i) + ".example";
    memory.Add(domain, Stream(domain), 6);
  }
  EXPECT_EQ(memory.Find(told).refusals_size(), 1);
  EXPECT_EQ(memory.Find(ours).refusals_size(), 1);
}

TEST(RefusalMemory, LetsDropsPushOutNothingThatWasTold) {
  RefusalMemory memory;
  const std::string told = memory.Add("partner.example", Note("partner.example"), 0).id;
  for (int i = 0; i < 1000; ++i)
    memory.Add("partner.example",
               From("u" + std::to_string(i), Note("partner.example", RefusalShelf::kDropped)), 5);
  EXPECT_EQ(memory.Find(told).refusals_size(), 1);
  EXPECT_EQ(memory.Of("partner.example").refusals_size(), 33);
}

TEST(RefusalMemory, TakesTheSameDropWithinAMinuteForOne) {
  RefusalMemory memory;
  const RefusalNote drop = Note("partner.example", RefusalShelf::kDropped);
  const auto first = memory.Add("partner.example", drop, 1000);
  EXPECT_TRUE(first.is_new);
  memory.Add("partner.example", From("juliet", drop), 1001);
  const auto again = memory.Add("partner.example", drop, 1000 + kMinute - 1);
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.id, first.id);
  const proto::RefusalRecords both = memory.Of("partner.example");
  ASSERT_EQ(both.refusals_size(), 2);
  EXPECT_EQ(both.refusals(0).id(), first.id) << "the latest is first";
  EXPECT_EQ(both.refusals(0).at_unix_ms(), 1000 + kMinute - 1);
  RefusalNote otherwise = drop;
  otherwise.reason = Reason::kNotAwaited;
  EXPECT_TRUE(memory.Add("partner.example", otherwise, 1000 + kMinute).is_new);
  const auto later = memory.Add("partner.example", drop, 1000 + 2 * kMinute);
  EXPECT_TRUE(later.is_new);
  EXPECT_NE(later.id, first.id);
}

TEST(RefusalMemory, TakesTheSameStreamWithinAMinuteForOneAndEachToldStanzaForItself) {
  RefusalMemory memory;
  for (const RefusalShelf shelf : {RefusalShelf::kTold, RefusalShelf::kClaimed}) {
    EXPECT_TRUE(memory.Add("a.example", Stream("a.example", shelf), 1).is_new);
    EXPECT_FALSE(memory.Add("a.example", Stream("a.example", shelf), 2).is_new);
  }
  EXPECT_NE(memory.Add("a.example", Note("a.example"), 1).id,
            memory.Add("a.example", Note("a.example"), 1).id);
}

RefusalNote Request(const std::string& user, std::string_view method) {
  return {.shelf = RefusalShelf::kUnserved,
          .remote_domain = "partner.example",
          .from = user + "@corp.example",
          .to = "bob@partner.example",
          .kind = kRequestKind,
          .reason = Reason::kUnreadableContent,
          .answer = "405",
          .about = method};
}

TEST(RefusalMemory, TakesRequestsOfTwoMethodsForTwoAndTheSameWithinAMinuteForOne) {
  RefusalMemory memory;
  const auto first = memory.Add("partner.example", Request("ann", "REGISTER"), 1);
  const auto other = memory.Add("partner.example", Request("ann", "PUBLISH"), 2);
  EXPECT_TRUE(other.is_new);
  EXPECT_EQ(memory.Add("partner.example", Request("ann", "REGISTER"), 3).id, first.id);
  EXPECT_EQ(memory.Add("partner.example", Request("ann", "PUBLISH"), 4).id, other.id);
  EXPECT_EQ(memory.Of("partner.example").refusals_size(), 2);
}

TEST(RefusalMemory, LetsUnservedRequestsPushOutNothingElse) {
  RefusalMemory memory;
  const std::string told = memory.Add("partner.example", Note("partner.example"), 0).id;
  for (int i = 0; i < 1000; ++i)
    memory.Add("partner.example", Request("u" + std::to_string(i), "REGISTER"), 5);
  EXPECT_EQ(memory.Find(told).refusals_size(), 1);
  EXPECT_EQ(memory.Of("partner.example").refusals_size(), 33);
}

TEST(RefusalMemory, TakesToldStanzasForOneWhereTheyAreToBeSo) {
  RefusalMemory memory;
  RefusalNote note = Note("partner.example");
  note.once_a_minute = true;
  const auto first = memory.Add("partner.example", note, 1);
  EXPECT_EQ(memory.Add("partner.example", note, 2).id, first.id);
  EXPECT_NE(memory.Add("partner.example", note, 2 + kMinute).id, first.id);
}

TEST(RefusalMemory, LetsGoOfThePartnerThatWasRefusedNothingForTheLongest) {
  RefusalMemory memory;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i <= RefusalMemory::kPartners; ++i)
    ids.push_back(memory.Add("p" + std::to_string(i), Note("x.example"), i).id);
  EXPECT_EQ(memory.Find(ids[0]).refusals_size(), 0);
  EXPECT_EQ(memory.Find(ids[1]).refusals_size(), 1);
}

TEST(RefusalMemory, ListsTheLastOnesOfEverybodyNewestFirst) {
  RefusalMemory memory;
  memory.Add("a.example", Note("a.example"), 3);
  memory.Add("", Stream(""), 1);
  memory.Add("", Stream("b.example"), 2);
  const proto::RefusalRecords all = memory.All();
  ASSERT_EQ(all.refusals_size(), 3);
  EXPECT_EQ(all.refusals(0).partner(), "a.example");
  EXPECT_EQ(all.refusals(1).partner(), "b.example");
  EXPECT_EQ(all.refusals(2).from(), "192.0.2.1");
  EXPECT_EQ(all.refusals(2).partner(), "");
}

TEST(RefusalMemory, GivesIdsThatCanBeReadOutLoud) {
  RefusalMemory memory;
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.insert(memory.Add("a.example", Note("a.example"), 1).id);
  EXPECT_EQ(ids.size(), 100U);
  for (const std::string& id : ids) {
    EXPECT_EQ(id.size(), 8U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz"), std::string::npos) << id;
  }
}

}  // namespace
}  // namespace gatehouse
