// A zone of one test: records in, the picture a resolver has of it out.
#pragma once

#include <netinet/in.h>

#include <set>
#include <string>

#include "core/dnscheck/zone_picture.h"

namespace gatehouse::dnscheck {

class ZoneScene {
 public:
  ZoneScene& Srv(const std::string& service, unsigned priority, unsigned weight, unsigned port,
                 const std::string& target) {
    DnsRecord record{service, kDnsSrv, target, U16(priority) + U16(weight) + U16(port) + "x"};
    return Add(std::move(record));
  }
  ZoneScene& Address(const std::string& host, const std::string& ip) {
    const auto address = SocketAddress::FromIp(ip, 0).value();
    const bool v6 = address.storage.ss_family == AF_INET6;
    const auto* octets = v6 ? reinterpret_cast<const char*>(
                                  &reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr)
                            : reinterpret_cast<const char*>(
                                  &reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr);
    return Add({host, v6 ? kDnsAaaa : kDnsA, {}, std::string(octets, v6 ? 16 : 4)});
  }
  ZoneScene& Reverse(const std::string& ip, const std::string& name) {
    return Add({ReverseName(SocketAddress::FromIp(ip, 0).value()), kDnsPtr, name, "x"});
  }
  // `alias` is another name of `target`, whose addresses stand in the same answer.
  ZoneScene& Alias(const std::string& alias, const std::string& target) {
    aliases_[alias] = target;
    return *this;
  }
  ZoneScene& Caa(const std::string& domain, const std::string& issuer) {
    return Add({domain, kDnsCaa, {}, std::string("\0\5issue", 7) + issuer});
  }
  ZoneScene& Tlsa(const std::string& name, const std::string& data) {
    return Add({name, kDnsTlsa, {}, data});
  }
  ZoneScene& Break(const std::string& name) {
    broken_.insert(name);
    return *this;
  }
  bool is_signed = false;

  // What `LookUpZone` gathers of it.
  [[nodiscard]] ZonePicture Picture(const std::string& domain,
                                    const std::string& resolver = "resolver") const {
    ZonePicture picture;
    picture.resolver = resolver;
    for (auto next = NextQuestions(domain, picture); !next.empty();
         next = NextQuestions(domain, picture))
      for (const ZoneQuestion& question : next) picture.sections[question] = Answer(question);
    return picture;
  }

 private:
  static std::string U16(unsigned value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
  }
  ZoneScene& Add(DnsRecord record) {
    records_[{record.owner, record.type}].push_back(std::move(record));
    return *this;
  }
  [[nodiscard]] DnsSection Answer(const ZoneQuestion& question) const {
    if (broken_.contains(question.name)) return {DnsSaid::kFailure, "SERVFAIL", false, {}};
    DnsSection section{DnsSaid::kNoRecords, {}, is_signed, {}};
    std::string owner = question.name;
    const bool of_host = question.type == kDnsA || question.type == kDnsAaaa;
    if (const auto alias = aliases_.find(owner); of_host && alias != aliases_.end()) {
      section.records.push_back({owner, kDnsCname, alias->second, "x"});
      owner = alias->second;
    }
    if (const auto found = records_.find({owner, question.type}); found != records_.end()) {
      section.said = DnsSaid::kRecords;
      section.records.insert(section.records.end(), found->second.begin(), found->second.end());
    }
    return section;
  }

  std::map<ZoneQuestion, std::vector<DnsRecord>> records_;
  std::map<std::string, std::string> aliases_;
  std::set<std::string> broken_;
};

}  // namespace gatehouse::dnscheck
