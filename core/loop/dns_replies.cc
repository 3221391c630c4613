#include "core/loop/dns_replies.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/log.h"
#include "core/loop/dns_message.h"
#include "core/loop/dns_record.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxAddressesPerFamily = 4;  // 3.2

// Lower case, without the trailing dot; the root becomes "".
std::string PlainName(const char* name) {
  std::string plain(name);
  if (!plain.empty() && plain.back() == '.') plain.pop_back();
  for (char& c : plain)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return plain;
}

std::string Text(const unsigned char* text) {
  return reinterpret_cast<const char*>(text);
}

template <class T>
DnsAnswer<T> Finished(int status, std::vector<T> records, bool secure) {
  DnsAnswer<T> answer{DnsStatusOf(status), std::move(records), secure};
  if (answer.status == DnsStatus::kOk && answer.records.empty()) answer.status = DnsStatus::kNoData;
  return answer;
}

// Of an answer that was read: a name no host can have is the answer's fault then, not the
// question's.
int StatusOfReading(int ares_status) {
  const bool is_fact = ares_status == ARES_SUCCESS || ares_status == ARES_ENODATA;
  return is_fact ? ares_status : ARES_EBADRESP;
}

int StatusOfCode(std::uint8_t code, std::uint16_t answers) {
  if (code == ns_r_nxdomain) return ARES_ENOTFOUND;
  if (code != ns_r_noerror) return ARES_ESERVFAIL;
  return answers == 0 ? ARES_ENODATA : ARES_SUCCESS;
}

void NoteAlias(std::string_view name, std::string_view target) {
  Log(LogLevel::kInfo, "dns-alias", {{"name", name}, {"for", target}});
}

SocketAddress AddressOf(int family, const char* octets, std::uint16_t port) {
  SocketAddress address;
  address.storage.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET6)
    std::memcpy(&reinterpret_cast<sockaddr_in6&>(address.storage).sin6_addr, octets,
                sizeof(in6_addr));
  else
    std::memcpy(&reinterpret_cast<sockaddr_in&>(address.storage).sin_addr, octets, sizeof(in_addr));
  address.SetPort(port);
  return address;
}

struct FreeHost {
  void operator()(hostent* host) const noexcept { ares_free_hostent(host); }
};

DnsAnswer<SocketAddress> AddressesOfPacket(const DnsReply& reply, int family, std::uint16_t port) {
  hostent* found = nullptr;
  const auto* data = reply.packet.data();
  const int size = static_cast<int>(reply.packet.size());
  const int status = StatusOfReading(
      family == AF_INET6 ? ares_parse_aaaa_reply(data, size, &found, nullptr, nullptr)
                         : ares_parse_a_reply(data, size, &found, nullptr, nullptr));
  const std::unique_ptr<hostent, FreeHost> host(found);
  std::vector<SocketAddress> addresses;
  if (status != ARES_SUCCESS || !host) return Finished(status, addresses, reply.secure);
  if (host->h_aliases != nullptr && host->h_aliases[0] != nullptr)
    NoteAlias(host->h_aliases[0], host->h_name);
  for (char** at = host->h_addr_list; *at != nullptr; ++at)
    if (addresses.size() < kMaxAddressesPerFamily)
      addresses.push_back(AddressOf(family, *at, port));
  return Finished(status, std::move(addresses), reply.secure);
}

void Append(std::vector<SocketAddress>& to, const ares_addrinfo* addresses, int family,
            std::uint16_t port) {
  std::size_t taken = 0;
  for (const ares_addrinfo_node* node = addresses->nodes; node != nullptr; node = node->ai_next) {
    if (node->ai_family != family || taken == kMaxAddressesPerFamily) continue;
    to.push_back(SocketAddress::From(node->ai_addr));
    to.back().SetPort(port);
    ++taken;
  }
}

}  // namespace

DnsStatus DnsStatusOf(int ares_status) {
  switch (ares_status) {
    case ARES_SUCCESS:
      return DnsStatus::kOk;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:  // no such name can exist
      return DnsStatus::kNoData;
    default:
      return DnsStatus::kTemporary;
  }
}

DnsReply ReplyOf(int ares_status, std::span<const unsigned char> packet) {
  if (ares_status != ARES_SUCCESS) return {ares_status, {}, nullptr};
  const auto header = ReadDnsHeader(packet);
  // Over UDP c-ares has asked again by TCP.
  if (!header || header->truncated) return {ARES_EBADRESP, {}, nullptr};
  const int status = StatusOfCode(header->code, header->answers);
  const bool fact = DnsStatusOf(status) != DnsStatus::kTemporary;
  return {status, packet, nullptr, fact && header->authentic};
}

DnsAnswer<SrvRecord> SrvAnswer(const DnsReply& reply) {
  int status = reply.status;
  std::vector<SrvRecord> records;
  if (status == ARES_SUCCESS) {
    ares_srv_reply* list = nullptr;
    status = StatusOfReading(
        ares_parse_srv_reply(reply.packet.data(), static_cast<int>(reply.packet.size()), &list));
    for (const ares_srv_reply* srv = list; srv != nullptr; srv = srv->next)
      records.push_back({srv->priority, srv->weight, srv->port, PlainName(srv->host)});
    ares_free_data(list);
  }
  return Finished(status, std::move(records), reply.secure);
}

DnsAnswer<NaptrRecord> NaptrAnswer(const DnsReply& reply) {
  int status = reply.status;
  std::vector<NaptrRecord> records;
  if (status == ARES_SUCCESS) {
    ares_naptr_reply* list = nullptr;
    status = StatusOfReading(
        ares_parse_naptr_reply(reply.packet.data(), static_cast<int>(reply.packet.size()), &list));
    for (const ares_naptr_reply* naptr = list; naptr != nullptr; naptr = naptr->next)
      records.push_back({naptr->order, naptr->preference, Text(naptr->flags), Text(naptr->service),
                         PlainName(naptr->replacement)});
    ares_free_data(list);
  }
  return Finished(status, std::move(records), reply.secure);
}

DnsAnswer<std::string> TxtAnswer(const DnsReply& reply) {
  if (reply.status != ARES_SUCCESS) return Finished<std::string>(reply.status, {}, reply.secure);
  const auto records = ReadDnsRecords(reply.packet);
  if (!records) return Finished<std::string>(ARES_EBADRESP, {}, false);
  std::vector<std::string> texts;
  for (const DnsRecord& record : *records)
    if (auto text = TextOf(record)) texts.push_back(*std::move(text));
  const int status = texts.empty() ? ARES_ENODATA : ARES_SUCCESS;
  return Finished(status, std::move(texts), reply.secure);
}

DnsAnswer<TlsaRecord> TlsaAnswer(const DnsReply& reply) {
  if (reply.status != ARES_SUCCESS) return Finished<TlsaRecord>(reply.status, {}, reply.secure);
  auto records = ReadTlsa(reply.packet);
  if (!records) return Finished<TlsaRecord>(ARES_EBADRESP, {}, false);
  return Finished(ARES_SUCCESS, *std::move(records), reply.secure);
}

DnsAnswer<SocketAddress> AddressAnswer(const DnsReply& reply, int family, std::uint16_t port) {
  std::vector<SocketAddress> addresses;
  if (reply.status != ARES_SUCCESS) return Finished(reply.status, std::move(addresses), false);
  if (reply.addresses == nullptr) return AddressesOfPacket(reply, family, port);
  if (reply.addresses->cnames != nullptr)
    NoteAlias(reply.addresses->cnames->alias, reply.addresses->cnames->name);
  Append(addresses, reply.addresses, AF_INET6, port);
  Append(addresses, reply.addresses, AF_INET, port);
  return Finished(reply.status, std::move(addresses), false);
}

}  // namespace gatehouse
