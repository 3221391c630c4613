#include "plugins/sip_translator/sip_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Answers at once from its maps; what is not there is a fact: no data.
class FakeDns final : public DnsLookup {
 public:
  void Srv(std::string_view name, std::function<void(DnsAnswer<SrvRecord>)> done) override {
    Reply(srv, name, done);
  }
  void Naptr(std::string_view name, std::function<void(DnsAnswer<NaptrRecord>)> done) override {
    Reply(naptr, name, done);
  }
  void Addresses(std::string_view name, std::uint16_t port,
                 std::function<void(DnsAnswer<SocketAddress>)> done) override {
    asked.emplace_back(name);
    DnsAnswer<SocketAddress> answer{trouble ? DnsStatus::kTemporary : DnsStatus::kNoData, {}};
    if (const auto found = hosts.find(name); found != hosts.end())
      answer = {DnsStatus::kOk, {*SocketAddress::FromIp(found->second, port)}};
    done(answer);
  }
  void Tlsa(std::string_view, std::function<void(DnsAnswer<TlsaRecord>)> done) override {
    done({});
  }
  void Txt(std::string_view, std::function<void(DnsAnswer<std::string>)> done) override {
    done({});
  }
  [[nodiscard]] bool validates() const override { return false; }
  std::map<std::string, std::vector<SrvRecord>, std::less<>> srv;
  std::map<std::string, std::vector<NaptrRecord>, std::less<>> naptr;
  std::map<std::string, std::string, std::less<>> hosts;
  std::vector<std::string> asked;
  bool trouble = false;

 private:
  template <class Map, class Done>
  void Reply(const Map& map, std::string_view name, const Done& done) {
    asked.emplace_back(name);
    const auto found = map.find(name);
    if (found == map.end()) return done({trouble ? DnsStatus::kTemporary : DnsStatus::kNoData, {}});
    done({DnsStatus::kOk, found->second});
  }
};

class Resolver : public testing::Test {
 protected:
  std::vector<std::string> Resolve(std::string_view uri,
                                   SipResolver::Options options = {.udp = true, .tls = true}) {
    SipResolver resolver(dns_, options, 1);
    std::vector<std::string> keys;
    failure_ = SipFailure::kNone;
    readable_ = resolver.Resolve(uri, [&](Result<std::vector<SipTarget>, SipFailure> targets) {
      if (!targets) {
        failure_ = targets.error();
        return;
      }
      for (SipTarget& target : *targets) {
        target.NameIt();
        keys.push_back(target.key);
      }
    });
    return keys;
  }
  FakeDns dns_;
  SipFailure failure_ = SipFailure::kNone;
  bool readable_ = false;
};

TEST_F(Resolver, NumericHostNeedsNoDns) {
  EXPECT_THAT(Resolve("sip:192.0.2.1"), ElementsAre("UDP 192.0.2.1:5060 "));
  EXPECT_THAT(Resolve("sip:192.0.2.1:5070;transport=tcp"), ElementsAre("TCP 192.0.2.1:5070 "));
  EXPECT_THAT(Resolve("sips:[2001:db8::1]"), ElementsAre("TLS [2001:db8::1]:5061 "));
  EXPECT_THAT(Resolve("sip:192.0.2.1", {.udp = false}), ElementsAre("TCP 192.0.2.1:5060 "));
  EXPECT_THAT(dns_.asked, IsEmpty());
}

TEST_F(Resolver, ExplicitPortAsksForAddressesOnly) {
  dns_.hosts["pool.corp.example"] = "192.0.2.9";
  EXPECT_THAT(Resolve("sip:pool.corp.example:5061;transport=tls"),
              ElementsAre("TLS 192.0.2.9:5061 pool.corp.example"));
  EXPECT_THAT(dns_.asked, ElementsAre("pool.corp.example"));
}

TEST_F(Resolver, TransportWithoutPortAsksItsSrvThenTheHost) {
  dns_.hosts["pool.corp.example"] = "192.0.2.9";
  EXPECT_THAT(Resolve("sip:pool.corp.example;transport=tcp"),
              ElementsAre("TCP 192.0.2.9:5060 pool.corp.example"));
  EXPECT_THAT(dns_.asked, ElementsAre("_sip._tcp.pool.corp.example", "pool.corp.example"));
}

TEST_F(Resolver, NaptrChoosesTheService) {
  dns_.naptr["corp.example"] = {{20, 1, "s", "SIP+D2T", "_sip._tcp.corp.example"},
                                {10, 1, "s", "SIPS+D2T", "_sips._tcp.corp.example"},
                                {5, 1, "u", "E2U+sip", "x"}};
  dns_.srv["_sips._tcp.corp.example"] = {{1, 0, 5071, "a.corp.example"}};
  dns_.srv["_sip._tcp.corp.example"] = {{1, 0, 5070, "b.corp.example"}};
  dns_.hosts = {{"a.corp.example", "192.0.2.1"}, {"b.corp.example", "192.0.2.2"}};
  EXPECT_THAT(Resolve("sip:corp.example"),
              ElementsAre("TLS 192.0.2.1:5071 corp.example", "TCP 192.0.2.2:5070 corp.example"));
}

TEST_F(Resolver, WithoutNaptrEverySrvInOrderOfTrustworthiness) {
  dns_.srv["_sip._udp.corp.example"] = {{1, 0, 5060, "u.corp.example"}};
  dns_.srv["_sip._tls.corp.example"] = {{1, 0, 5061, "t.corp.example"}};
  dns_.hosts = {{"u.corp.example", "192.0.2.1"}, {"t.corp.example", "192.0.2.2"}};
  EXPECT_THAT(Resolve("sip:corp.example"),
              ElementsAre("TLS 192.0.2.2:5061 corp.example", "UDP 192.0.2.1:5060 corp.example"));
}

TEST_F(Resolver, SipsStaysOnTls) {
  dns_.srv["_sip._tcp.corp.example"] = {{1, 0, 5060, "a.corp.example"}};
  dns_.srv["_sips._tcp.corp.example"] = {{1, 0, 5061, "a.corp.example"}};
  dns_.hosts["a.corp.example"] = "192.0.2.1";
  EXPECT_THAT(Resolve("sips:corp.example"), ElementsAre("TLS 192.0.2.1:5061 corp.example"));
}

TEST_F(Resolver, ForbiddenAddressesFromDnsAreNoTargets) {
  dns_.hosts["corp.example"] = "127.0.0.1";
  EXPECT_THAT(Resolve("sip:corp.example:5060"), IsEmpty());
  EXPECT_EQ(failure_, SipFailure::kNoRoute);
  EXPECT_THAT(Resolve("sip:corp.example:5060", {.udp = true, .allow_loopback_targets = true}),
              ElementsAre("UDP 127.0.0.1:5060 corp.example"));
}

TEST_F(Resolver, TellsAFactFromTrouble) {
  EXPECT_THAT(Resolve("sip:nowhere.example"), IsEmpty());
  EXPECT_EQ(failure_, SipFailure::kNoRoute);
  dns_.trouble = true;
  EXPECT_THAT(Resolve("sip:nowhere.example"), IsEmpty());
  EXPECT_EQ(failure_, SipFailure::kTransport);
}

TEST_F(Resolver, RefusesWhatItCannotSpeak) {
  Resolve("sip:corp.example;transport=sctp");
  EXPECT_FALSE(readable_);
  Resolve("tel:123");
  EXPECT_FALSE(readable_);
}

TEST(OrderSrv, SortsByPriorityAndDrawsByWeight) {
  std::vector<SrvRecord> records = {
      {2, 0, 1, "late"}, {1, 10, 1, "ten"}, {1, 90, 1, "ninety"}, {1, 0, 1, "zero"}};
  OrderSrv(records, [](std::uint32_t n) { return n - 1; });
  std::vector<std::string> order;
  for (const SrvRecord& record : records) order.push_back(record.target);
  EXPECT_THAT(order, ElementsAre("ninety", "ten", "zero", "late"));
  OrderSrv(records, [](std::uint32_t) { return 0U; });
  EXPECT_EQ(records[0].target, "zero");
  EXPECT_EQ(records[3].target, "late");
}

}  // namespace
}  // namespace gatehouse
