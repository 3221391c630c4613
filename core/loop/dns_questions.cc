#include "core/loop/dns_questions.h"

#include <arpa/nameser.h>

#include <algorithm>
#include <memory>

#include "core/base/log.h"

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

void OnAddresses(void* argument, int status, int /*timeouts*/, ares_addrinfo* addresses) noexcept {
  OnReply(argument, {status, {}, addresses});
  ares_freeaddrinfo(addresses);
}

}  // namespace

void SrvQuestion::Ask(ares_channel channel, std::size_t /*part*/, DnsTicket* ticket) {
  ares_query(channel, name.c_str(), ns_c_in, ns_t_srv, &OnPacket, ticket);
}

void NaptrQuestion::Ask(ares_channel channel, std::size_t /*part*/, DnsTicket* ticket) {
  ares_query(channel, name.c_str(), ns_c_in, ns_t_naptr, &OnPacket, ticket);
}

void AddressQuestion::Ask(ares_channel channel, std::size_t part, DnsTicket* ticket) {
  ares_addrinfo_hints hints{};
  hints.ai_family = kFamilies[part];
  hints.ai_flags = ARES_AI_NOSORT;  // the caller races both families (3.2)
  ares_getaddrinfo(channel, name.c_str(), nullptr, &hints, &OnAddresses, ticket);
}

void AddressQuestion::Take(std::size_t part, const DnsReply& reply) {
  families_[part] = AddressAnswer(reply, port_);
  if (reply.addresses != nullptr && reply.addresses->cnames != nullptr)  // 3.2
    Log(LogLevel::kInfo, "dns-alias", {{"name", name}, {"for", reply.addresses->cnames->name}});
}

milliseconds AddressQuestion::Patience() const {
  if (!families_[0].records.empty()) return kWaitForFourth;
  return families_[1].records.empty() ? kDnsQuestionLimit : kWaitForSixth;
}

void AddressQuestion::Answer() {
  const auto temporary = [](const auto& each) { return each.status == DnsStatus::kTemporary; };
  answer.status =
      std::ranges::any_of(families_, temporary) ? DnsStatus::kTemporary : DnsStatus::kNoData;
  for (const auto& family : families_)
    answer.records.insert(answer.records.end(), family.records.begin(), family.records.end());
  if (!answer.records.empty()) answer.status = DnsStatus::kOk;
  TypedDnsQuestion::Answer();
}

}  // namespace gatehouse
