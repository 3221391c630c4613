#include "core/loop/dns_replies.h"

#include <algorithm>
#include <string>
#include <utility>

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
DnsAnswer<T> Finished(int status, std::vector<T> records) {
  DnsAnswer<T> answer{DnsStatusOf(status), std::move(records)};
  if (answer.status == DnsStatus::kOk && answer.records.empty()) answer.status = DnsStatus::kNoData;
  return answer;
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

DnsAnswer<SrvRecord> SrvAnswer(const DnsReply& reply) {
  int status = reply.status;
  std::vector<SrvRecord> records;
  if (status == ARES_SUCCESS) {
    ares_srv_reply* list = nullptr;
    status =
        ares_parse_srv_reply(reply.packet.data(), static_cast<int>(reply.packet.size()), &list);
    for (const ares_srv_reply* srv = list; srv != nullptr; srv = srv->next)
      records.push_back({srv->priority, srv->weight, srv->port, PlainName(srv->host)});
    ares_free_data(list);
  }
  return Finished(status, std::move(records));
}

DnsAnswer<NaptrRecord> NaptrAnswer(const DnsReply& reply) {
  int status = reply.status;
  std::vector<NaptrRecord> records;
  if (status == ARES_SUCCESS) {
    ares_naptr_reply* list = nullptr;
    status =
        ares_parse_naptr_reply(reply.packet.data(), static_cast<int>(reply.packet.size()), &list);
    for (const ares_naptr_reply* naptr = list; naptr != nullptr; naptr = naptr->next)
      records.push_back({naptr->order, naptr->preference, Text(naptr->flags), Text(naptr->service),
                         PlainName(naptr->replacement)});
    ares_free_data(list);
  }
  return Finished(status, std::move(records));
}

DnsAnswer<SocketAddress> AddressAnswer(const DnsReply& reply, std::uint16_t port) {
  std::vector<SocketAddress> addresses;
  if (reply.status == ARES_SUCCESS && reply.addresses != nullptr) {
    Append(addresses, reply.addresses, AF_INET6, port);
    Append(addresses, reply.addresses, AF_INET, port);
  }
  return Finished(reply.status, std::move(addresses));
}

}  // namespace gatehouse
