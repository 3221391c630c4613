#include "core/loop/dns_message.h"

#include <gmock/gmock.h>

#include <string>

#include "core/loop/dns_replies.h"
#include "tests/unit/core/loop/dns_responder.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

std::string U16(unsigned value) {
  return DnsResponder::U16(value);
}

std::span<const unsigned char> Octets(const std::string& text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

std::optional<std::vector<TlsaRecord>> Read(const std::string& message) {
  return ReadTlsa(Octets(message));
}

std::string Head(unsigned answers, unsigned flags = 0x81a0) {
  return U16(7) + U16(flags) + U16(1) + U16(answers) + U16(0) + U16(0) +
         DnsResponder::Name("_5269._tcp.host.example") + U16(kTlsaType) + U16(1);
}

std::string Record(const std::string& owner, unsigned type, const std::string& data,
                   unsigned kind = 1) {
  return owner + U16(type) + U16(kind) + U16(0) + U16(60) +
         U16(static_cast<unsigned>(data.size())) + data;
}

const std::string kOwner = U16(0xc00c);  // the name in the question

std::string Tlsa(const std::string& data) {
  return Record(kOwner, kTlsaType, data);
}

TEST(DnsMessage, GivesTheRecordsOfTheAnswer) {
  const std::string digest(32, 'd');
  const auto records =
      Read(Head(2) + Tlsa("\x03\x01\x01" + digest) + Tlsa(std::string("\x02\0\x02", 3) + "x"));
  EXPECT_THAT(records,
              Optional(ElementsAre(TlsaRecord{3, 1, 1, digest}, TlsaRecord{2, 0, 2, "x"})));
}

// No record in it does not say that there is none.
TEST(DnsMessage, ATruncatedAnswerIsTrouble) {
  const auto status = [](unsigned flags) {
    return DnsStatusOf(ReplyOf(ARES_SUCCESS, Octets(Head(0, flags))).status);
  };
  EXPECT_EQ(status(0x83a0), DnsStatus::kTemporary);
  EXPECT_EQ(status(0x81a0), DnsStatus::kNoData);
}

TEST(DnsMessage, PassesOverAliasesSignaturesAndOtherClasses) {
  const std::string alias = Record(kOwner, 5, DnsResponder::Name("other.example"));
  const std::string signature = Record(DnsResponder::Name("other.example"), 46, "sig");
  const std::string chaos = Record(kOwner, kTlsaType, "\x03\x01\x01 no", 3);
  EXPECT_THAT(Read(Head(4) + alias + chaos + Tlsa("\x03\x01\x01 yes") + signature),
              Optional(ElementsAre(TlsaRecord{3, 1, 1, " yes"})));
}

TEST(DnsMessage, ARecordTooShortForItsNumbersHasNumbersNobodyKnows) {
  for (const std::size_t size : {0U, 1U, 2U})
    EXPECT_THAT(Read(Head(1) + Tlsa(std::string(size, '\x01'))),
                Optional(ElementsAre(TlsaRecord{255, 255, 255, ""})));
  EXPECT_THAT(Read(Head(1) + Tlsa("\x03\x01\x01")), Optional(ElementsAre(TlsaRecord{3, 1, 1, ""})));
}

TEST(DnsMessage, AMessageCutAnywhereIsRefused) {
  const std::string whole = Head(2) + Tlsa("\x03\x01\x01" + std::string(32, 'd')) +
                            Record(DnsResponder::Name("a.example"), kTlsaType, "\x03\x01\x01x");
  ASSERT_TRUE(Read(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(Read(whole.substr(0, size)).has_value()) << size;
}

TEST(DnsMessage, ACountThatLiesIsRefused) {
  EXPECT_FALSE(Read(Head(2) + Tlsa("\x03\x01\x01x")).has_value());
  EXPECT_FALSE(Read(Head(65535)).has_value());
  EXPECT_THAT(Read(Head(0)), Optional(IsEmpty()));
}

TEST(DnsMessage, NamesThatAreNoneAreRefused) {
  const std::string reserved = Record(std::string("\x40g", 2), kTlsaType, "\x03\x01\x01x");
  EXPECT_FALSE(Read(Head(1) + reserved).has_value());
  std::string endless;
  for (int i = 0; i < 300; ++i) endless += std::string("\x01x");
  EXPECT_FALSE(Read(Head(1) + Record(endless + '\0', kTlsaType, "\x03\x01\x01x")).has_value());
  // Where a pointer leads is nobody's business here, so that none can lead in a circle.
  EXPECT_TRUE(Read(Head(1) + Record(U16(0xffff), kTlsaType, "\x03\x01\x01x")).has_value());
}

TEST(DnsMessage, MoreRecordsThanAnybodyPublishesAreRefused) {
  std::string many;
  for (std::size_t i = 0; i <= kMaxTlsaRecords; ++i) many += Tlsa("\x03\x01\x01x");
  EXPECT_FALSE(Read(Head(kMaxTlsaRecords + 1) + many).has_value());
  EXPECT_TRUE(Read(Head(kMaxTlsaRecords) + many).has_value());
}

TEST(DnsMessage, TellsTheCodeAndWhetherTheAnswerIsAuthentic) {
  const auto header = [](unsigned flags) { return ReadDnsHeader(Octets(Head(3, flags))); };
  EXPECT_TRUE(header(0x81a0)->authentic);
  EXPECT_FALSE(header(0x8180)->authentic);
  EXPECT_TRUE(header(0x83a0)->truncated);
  EXPECT_FALSE(header(0x81a0)->truncated);
  EXPECT_EQ(header(0x8182)->code, 2);
  EXPECT_EQ(header(0x8180)->answers, 3);
  EXPECT_FALSE(header(0x0120).has_value());  // a question
  EXPECT_FALSE(ReadDnsHeader(Octets("short")).has_value());
}

TEST(DnsMessage, AsksForTheBitAndTouchesNothingElse) {
  std::string query = U16(7) + U16(0x0100) + U16(1) + U16(0) + U16(0) + U16(0);
  const std::string before = query;
  AskForAuthentic({reinterpret_cast<unsigned char*>(query.data()), query.size()});
  EXPECT_EQ(query, before.substr(0, 3) + '\x20' + before.substr(4));
  std::string stump = "abcd";
  AskForAuthentic({reinterpret_cast<unsigned char*>(stump.data()), stump.size()});
  EXPECT_EQ(stump, "abcd");
}

}  // namespace
}  // namespace gatehouse
