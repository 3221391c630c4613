#include "core/loop/dns_record.h"

#include <gmock/gmock.h>

#include "tests/unit/core/loop/dns_responder.h"

namespace gatehouse {
namespace {

std::string U16(unsigned value) {
  return DnsResponder::U16(value);
}

std::optional<std::vector<DnsRecord>> Read(const std::string& message) {
  return ReadDnsRecords({reinterpret_cast<const unsigned char*>(message.data()), message.size()});
}

// The question stands at 12, its name ends in "corp.example" at 17.
std::string Head(unsigned answers) {
  return U16(7) + U16(0x8180) + U16(1) + U16(answers) + U16(0) + U16(0) +
         DnsResponder::Name("EDGE.corp.example") + U16(kDnsA) + U16(1);
}

std::string Record(const std::string& owner, unsigned type, const std::string& data) {
  return owner + U16(type) + U16(1) + U16(0) + U16(60) + U16(static_cast<unsigned>(data.size())) +
         data;
}

const std::string kOwner = U16(0xc00c);
const std::string kParent = U16(0xc011);

DnsRecord Only(const std::string& record) {
  const auto records = Read(Head(1) + record);
  return records && records->size() == 1 ? records->front() : DnsRecord{};
}

TEST(DnsRecord, NamesAreReadThroughPointersInLowerCase) {
  const DnsRecord alias = Only(Record(kOwner, kDnsCname, "\3www" + kParent));
  EXPECT_EQ(alias.owner, "edge.corp.example");
  EXPECT_EQ(alias.name, "www.corp.example");
  EXPECT_EQ(DnsDataText(alias), "www.corp.example.");
}

TEST(DnsRecord, EachTypeIsToldAsAZoneFileHasIt) {
  EXPECT_EQ(DnsDataText(
                Only(Record(kOwner, kDnsSrv, DnsResponder::Srv(5, 6, 5269, "edge.corp.example")))),
            "5 6 5269 edge.corp.example.");
  EXPECT_EQ(DnsDataText(Only(Record(kOwner, kDnsA, std::string("\xc0\0\2\x0a", 4)))), "192.0.2.10");
  EXPECT_EQ(DnsDataText(Only(Record(kOwner, kDnsCaa, std::string("\0\5issue", 7) + "ca.example"))),
            "0 issue \"ca.example\"");
  EXPECT_EQ(DnsDataText(Only(Record(kOwner, kDnsTlsa, "\3\1\1\x0b\x9f"))), "3 1 1 0b9f");
}

TEST(DnsRecord, WhatIsMalformedIsNoAnswer) {
  EXPECT_FALSE(Read("short"));
  EXPECT_FALSE(Read(Head(2) + Record(kOwner, kDnsA, "1234"))) << "one is missing";
  const std::string itself = U16(0xc000 + static_cast<unsigned>(Head(1).size()));
  EXPECT_FALSE(Read(Head(1) + Record(itself, kDnsA, "1234"))) << "a name that points to itself";
  EXPECT_FALSE(Read(Head(1) + Record(kOwner, kDnsSrv, "short")));
  EXPECT_FALSE(Read(Head(1) + Record(kOwner, kDnsCname, "\x40"))) << "a reserved label";
  EXPECT_FALSE(Read(Head(201)));
}

TEST(DnsRecord, OctetsNoHostNameHasAreEscaped) {
  EXPECT_EQ(Only(Record(kOwner, kDnsCname, std::string("\4a.\n\\\0", 6))).name, "a\\046\\010\\092");
}

TEST(DnsRecord, KnowsWhereTheNameOfAnAddressStands) {
  EXPECT_EQ(ReverseName(SocketAddress::FromIp("192.0.2.10", 0).value()), "10.2.0.192.in-addr.arpa");
  EXPECT_EQ(ReverseName(SocketAddress::FromIp("2001:db8::1", 0).value()),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(DnsRecord, TextsArePutTogether) {
  EXPECT_EQ(TextOf(Only(Record(kOwner, kDnsTxt, "\3abc\2de"))), "abcde");
  EXPECT_EQ(TextOf(Only(Record(kOwner, kDnsTxt, std::string("\0", 1)))), "");
  EXPECT_FALSE(TextOf(Only(Record(kOwner, kDnsTxt, "\4abc"))));
  EXPECT_FALSE(TextOf(Only(Record(kOwner, kDnsA, "abcd"))));
}

}  // namespace
}  // namespace gatehouse
