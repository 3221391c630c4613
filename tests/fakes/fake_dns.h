// DNS whose zone is a map. What is not in it does not exist.
#pragma once

#include <map>
#include <set>
#include <string>

#include "core/loop/dns_lookup.h"

namespace gatehouse {

class FakeDns final : public DnsLookup {
 public:
  explicit FakeDns(Loop& loop) : loop_(loop) {}

  std::map<std::string, std::vector<SrvRecord>, std::less<>> srv;
  std::map<std::string, std::vector<std::string>, std::less<>> addresses;  // IPs
  std::map<std::string, std::vector<TlsaRecord>, std::less<>> tlsa;
  std::map<std::string, std::vector<std::string>, std::less<>> texts;
  bool signed_zone = false;                   // all answers are secure
  std::set<std::string, std::less<>> broken;  // names that time out
  int questions = 0;

  void Srv(std::string_view name, std::function<void(DnsAnswer<SrvRecord>)> done) override {
    Answer(Find(srv, name), std::move(done));
  }
  void Naptr(std::string_view, std::function<void(DnsAnswer<NaptrRecord>)> done) override {
    Answer(DnsAnswer<NaptrRecord>{DnsStatus::kNoData, {}}, std::move(done));
  }
  void Addresses(std::string_view name, std::uint16_t port,
                 std::function<void(DnsAnswer<SocketAddress>)> done) override {
    if (const auto literal = SocketAddress::FromIp(name, port))
      return Answer(DnsAnswer<SocketAddress>{DnsStatus::kOk, {*literal}}, std::move(done));
    const auto found = Find(addresses, name);
    DnsAnswer<SocketAddress> answer{found.status, {}};
    for (const std::string& ip : found.records)
      answer.records.push_back(SocketAddress::FromIp(ip, port).value());
    answer.secure = found.secure;
    Answer(std::move(answer), std::move(done));
  }
  void Tlsa(std::string_view name, std::function<void(DnsAnswer<TlsaRecord>)> done) override {
    Answer(Find(tlsa, name), std::move(done));
  }
  void Txt(std::string_view name, std::function<void(DnsAnswer<std::string>)> done) override {
    Answer(Find(texts, name), std::move(done));
  }
  [[nodiscard]] bool validates() const override { return signed_zone; }

 private:
  template <class Zone>
  DnsAnswer<typename Zone::mapped_type::value_type> Find(const Zone& zone, std::string_view name) {
    ++questions;
    if (broken.contains(name)) return {DnsStatus::kTemporary, {}};
    const auto found = zone.find(name);
    if (found == zone.end()) return {DnsStatus::kNoData, {}, signed_zone};
    return {DnsStatus::kOk, found->second, signed_zone};
  }
  template <class Record>
  void Answer(DnsAnswer<Record> answer, std::function<void(DnsAnswer<Record>)> done) {
    loop_.Post([answer = std::move(answer), done = std::move(done)] { done(answer); });
  }

  Loop& loop_;
};

}  // namespace gatehouse
