#include "core/loop/dns_questions.h"

#include <arpa/nameser.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/loop/dns_message.h"
#include "core/loop/dns_record.h"
#include "core/tls/crypto.h"

namespace gatehouse {
namespace {

// How long addresses of one family wait for those of the other. The sixth version gets the
// Resolution Delay of RFC 8305 §3; without the fourth there is nothing to fall back to.
constexpr milliseconds kWaitForSixth{50};
constexpr milliseconds kWaitForFourth{1000};

void OnReply(void* argument, const DnsReply& reply) {
  const std::unique_ptr<DnsTicket> ticket(static_cast<DnsTicket*>(argument));
  ticket->taker->Replied(ticket->id, ticket->part, reply);
}

void OnPacket(void* argument, int status, int /*timeouts*/, unsigned char* packet,
              int length) noexcept {
  const auto size = static_cast<std::size_t>(packet == nullptr ? 0 : length);
  OnReply(argument, {status, {packet, size}, nullptr});
}

void OnResponse(void* argument, int status, int /*timeouts*/, unsigned char* packet,
                int length) noexcept {
  const auto size = static_cast<std::size_t>(packet == nullptr ? 0 : length);
  OnReply(argument, ReplyOf(status, {packet, size}));
}

void OnAddresses(void* argument, int status, int /*timeouts*/, ares_addrinfo* addresses) noexcept {
  OnReply(argument, {status, {}, addresses});
  ares_freeaddrinfo(addresses);
}

void AskForPacket(const DnsAsker& asker, const std::string& name, int type, DnsTicket* ticket) {
  if (asker.trust == DnsTrust::kNobody)
    return ares_query(asker.channel, name.c_str(), ns_c_in, type, &OnPacket, ticket);
  unsigned char* query = nullptr;
  int size = 0;
  const int status = ares_create_query(name.c_str(), ns_c_in, type, NewDnsMessageId(), 1, &query,
                                       &size, kEdnsBytes);
  if (status != ARES_SUCCESS) return OnReply(ticket, {status, {}, nullptr});
  AskForAuthentic({query, static_cast<std::size_t>(size)});
  ares_send(asker.channel, query, size, &OnResponse, ticket);
  ares_free_string(query);
}

}  // namespace

std::uint16_t NewDnsMessageId() {
  std::uint16_t id = 0;
  const std::string bytes = RandomBytes(sizeof id);
  std::memcpy(&id, bytes.data(), sizeof id);
  return id;
}

void SrvQuestion::Ask(const DnsAsker& asker, std::size_t /*part*/, DnsTicket* ticket) {
  AskForPacket(asker, name, ns_t_srv, ticket);
}

void NaptrQuestion::Ask(const DnsAsker& asker, std::size_t /*part*/, DnsTicket* ticket) {
  AskForPacket(asker, name, ns_t_naptr, ticket);
}

void TxtQuestion::Ask(const DnsAsker& asker, std::size_t /*part*/, DnsTicket* ticket) {
  AskForPacket(asker, name, kDnsTxt, ticket);
}

void TlsaQuestion::Ask(const DnsAsker& asker, std::size_t /*part*/, DnsTicket* ticket) {
  AskForPacket(asker, name, kTlsaType, ticket);
}

void AddressQuestion::Ask(const DnsAsker& asker, std::size_t part, DnsTicket* ticket) {
  if (asker.trust == DnsTrust::kLocalServers)
    return AskForPacket(asker, name, kFamilies[part] == AF_INET6 ? ns_t_aaaa : ns_t_a, ticket);
  ares_addrinfo_hints hints{};
  hints.ai_family = kFamilies[part];
  hints.ai_flags = ARES_AI_NOSORT;  // the caller races both families (3.2)
  ares_getaddrinfo(asker.channel, name.c_str(), nullptr, &hints, &OnAddresses, ticket);
}

void AddressQuestion::Take(std::size_t part, const DnsReply& reply) {
  families_[part] = AddressAnswer(reply, kFamilies[part], port_);
}

milliseconds AddressQuestion::Patience() const {
  if (!families_[0].records.empty()) return kWaitForFourth;
  return families_[1].records.empty() ? kDnsQuestionLimit : kWaitForSixth;
}

void AddressQuestion::Answer() {
  const auto temporary = [](const auto& each) { return each.status == DnsStatus::kTemporary; };
  answer.status =
      std::ranges::any_of(families_, temporary) ? DnsStatus::kTemporary : DnsStatus::kNoData;
  for (const auto& family : families_) {
    answer.records.insert(answer.records.end(), family.records.begin(), family.records.end());
    if (family.secure && !family.records.empty()) answer.secure = true;
  }
  if (!answer.records.empty()) answer.status = DnsStatus::kOk;
  TypedDnsQuestion::Answer();
}

}  // namespace gatehouse
