#include "core/dnscheck/zone_picture.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace gatehouse::dnscheck {
namespace {

constexpr std::size_t kMaxTargets = 8;       // 3.2
constexpr std::size_t kMaxReverseNames = 3;  // more say nothing
constexpr std::size_t kMaxQuestions = 300;   // of one domain

// Collects what is not asked yet.
class Collector {
 public:
  Collector(std::string_view domain, const ZonePicture& picture)
      : domain_(domain), picture_(picture) {}

  std::vector<ZoneQuestion> Collect() {
    for (const std::string& service : {XmppService(domain_), XmppsService(domain_),
                                       SipFederationService(domain_), SipsService(domain_)})
      Want(service, kDnsSrv);
    WantHost(domain_);
    WantIssuers();
    for (const std::string& service : {XmppService(domain_), XmppsService(domain_)})
      WantTargets(picture_.Srv(service));
    const std::size_t room = kMaxQuestions - std::min(kMaxQuestions, picture_.sections.size());
    std::vector<ZoneQuestion> wanted(wanted_.begin(), wanted_.end());
    wanted.resize(std::min(wanted.size(), room));
    return wanted;
  }

 private:
  void Want(std::string_view name, std::uint16_t type) {
    if (picture_.Find(name, type) == nullptr) wanted_.insert({std::string(name), type});
  }

  void WantAddresses(std::string_view name) {
    Want(name, kDnsA);
    Want(name, kDnsAaaa);
  }

  // Its addresses, their names, and whether these lead back.
  void WantHost(std::string_view name) {
    WantAddresses(name);
    for (const SocketAddress& address : picture_.Addresses(name)) {
      Want(ReverseName(address), kDnsPtr);
      for (const std::string& reverse : picture_.ReverseNames(address)) WantAddresses(reverse);
    }
  }

  // RFC 8659 §3: the nearest name above that has any.
  void WantIssuers() {
    for (std::string_view name = domain_;; name = name.substr(name.find('.') + 1)) {
      Want(name, kDnsCaa);
      const DnsSection* section = picture_.Find(name, kDnsCaa);
      const bool higher =
          section != nullptr && section->IsFact() && section->said != DnsSaid::kRecords;
      if (!higher || name.find('.') == std::string_view::npos) return;
    }
  }

  void WantTargets(std::vector<SrvRecord> records) {
    records.resize(std::min(records.size(), kMaxTargets));
    for (const SrvRecord& record : records) {
      if (!IsHostName(record.target)) continue;
      WantHost(record.target);
      if (picture_.Addresses(record.target).empty()) continue;
      Want(TlsaName(record.target, record.port), kDnsTlsa);
      if (const std::string alias_of = picture_.AliasOf(record.target); !alias_of.empty())
        Want(TlsaName(alias_of, record.port), kDnsTlsa);
    }
  }

  std::string_view domain_;
  const ZonePicture& picture_;
  std::set<ZoneQuestion> wanted_;
};

}  // namespace

const DnsSection* ZonePicture::Find(std::string_view name, std::uint16_t type) const {
  const auto found = sections.find(ZoneQuestion{std::string(name), type});
  return found == sections.end() ? nullptr : &found->second;
}

std::vector<DnsRecord> ZonePicture::Records(std::string_view name, std::uint16_t type) const {
  const DnsSection* section = Find(name, type);
  if (section == nullptr) return {};
  std::vector<DnsRecord> records = section->records;
  std::erase_if(records, [type](const DnsRecord& each) { return each.type != type; });
  return records;
}

std::vector<SrvRecord> ZonePicture::Srv(std::string_view name) const {
  std::vector<SrvRecord> all;
  for (const DnsRecord& record : Records(name, kDnsSrv))
    if (const auto srv = SrvOf(record)) all.push_back(*srv);
  std::ranges::sort(all, {}, [](const SrvRecord& each) {
    return std::tuple(each.priority, each.weight, each.port, each.target);
  });
  return all;
}

std::vector<SocketAddress> ZonePicture::Addresses(std::string_view name, std::uint16_t port) const {
  std::vector<SocketAddress> all;
  for (const std::uint16_t type : {kDnsAaaa, kDnsA})
    for (const DnsRecord& record : Records(name, type))
      if (auto address = AddressOf(record)) {
        address->SetPort(port);
        all.push_back(*address);
      }
  return all;
}

bool ZonePicture::AddressesAreFacts(std::string_view name) const {
  const DnsSection* v4 = Find(name, kDnsA);
  const DnsSection* v6 = Find(name, kDnsAaaa);
  return v4 != nullptr && v6 != nullptr && v4->IsFact() && v6->IsFact();
}

std::string ZonePicture::AliasOf(std::string_view name) const {
  for (const std::uint16_t type : {kDnsA, kDnsAaaa}) {
    const DnsSection* section = Find(name, type);
    if (section == nullptr) continue;
    for (const DnsRecord& record : section->records)
      if (record.type == kDnsCname && record.owner == name) return record.name;
  }
  return {};
}

std::vector<std::string> ZonePicture::ReverseNames(const SocketAddress& address) const {
  std::vector<std::string> names;
  for (const DnsRecord& record : Records(ReverseName(address), kDnsPtr))
    if (names.size() < kMaxReverseNames) names.push_back(record.name);
  return names;
}

std::string XmppService(std::string_view domain) {
  return "_xmpp-server._tcp." + std::string(domain);
}

std::string XmppsService(std::string_view domain) {
  return "_xmpps-server._tcp." + std::string(domain);
}

std::string SipFederationService(std::string_view domain) {
  return "_sipfederationtls._tcp." + std::string(domain);
}

std::string SipsService(std::string_view domain) {
  return "_sips._tcp." + std::string(domain);
}

std::string TlsaName(std::string_view host, std::uint16_t port) {
  return '_' + std::to_string(port) + "._tcp." + std::string(host);
}

bool IsAddress(std::string_view name) {
  return SocketAddress::FromIp(name, 0).has_value();
}

bool IsHostName(std::string_view name) {
  return name.find('.') != std::string_view::npos && !IsAddress(name);
}

std::vector<ZoneQuestion> NextQuestions(std::string_view domain, const ZonePicture& picture) {
  return Collector(domain, picture).Collect();
}

}  // namespace gatehouse::dnscheck
