// DNS that tells each question with its answer: what `test sip` shows.
#pragma once

#include <functional>
#include <string>

#include "core/loop/dns_lookup.h"

namespace gatehouse::translator {

class ToldDns final : public DnsLookup {
 public:
  // Of every answer: whether records came, and "SRV _sips._tcp.corp.example: 0 0 5061 pool…".
  using Tell = std::function<void(bool ok, std::string detail)>;
  // `dns` outlives this and its answers.
  ToldDns(DnsLookup& dns, Tell tell) : dns_(dns), tell_(std::move(tell)) {}

  void Srv(std::string_view name, std::function<void(DnsAnswer<SrvRecord>)> done) override;
  void Naptr(std::string_view name, std::function<void(DnsAnswer<NaptrRecord>)> done) override;
  void Addresses(std::string_view name, std::uint16_t port,
                 std::function<void(DnsAnswer<SocketAddress>)> done) override;
  void Tlsa(std::string_view name, std::function<void(DnsAnswer<TlsaRecord>)> done) override {
    dns_.Tlsa(name, std::move(done));
  }
  void Txt(std::string_view name, std::function<void(DnsAnswer<std::string>)> done) override {
    dns_.Txt(name, std::move(done));
  }
  [[nodiscard]] bool validates() const override { return dns_.validates(); }

 private:
  DnsLookup& dns_;
  Tell tell_;
};

}  // namespace gatehouse::translator
