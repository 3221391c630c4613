#include "plugins/sip_translator/told_dns.h"

#include <fmt/format.h>

#include <utility>

namespace gatehouse::translator {
namespace {

std::string TextOf(const SrvRecord& record) {
  return fmt::format("{} {} {} {}.", record.priority, record.weight, record.port, record.target);
}

std::string TextOf(const NaptrRecord& record) {
  return fmt::format("{} {} {} {} {}.", record.order, record.preference, record.flags,
                     record.service, record.replacement);
}

std::string TextOf(const SocketAddress& address) {
  return address.Ip();
}

// Only a failure is a step that failed: no record is a fact, and something else is tried.
template <class Record>
void TellAnswer(const ToldDns::Tell& tell, std::string_view type, std::string_view name,
                const DnsAnswer<Record>& answer) {
  std::string records;
  for (const Record& record : answer.records)
    records += (records.empty() ? "" : ", ") + TextOf(record);
  if (answer.status == DnsStatus::kNoData) records = "none";
  if (answer.status == DnsStatus::kTemporary) records = "the lookup failed";
  tell(answer.status != DnsStatus::kTemporary, fmt::format("{} {}: {}", type, name, records));
}

}  // namespace

void ToldDns::Srv(std::string_view name, std::function<void(DnsAnswer<SrvRecord>)> done) {
  dns_.Srv(name, [tell = tell_, asked = std::string(name),
                  done = std::move(done)](DnsAnswer<SrvRecord> answer) {
    TellAnswer(tell, "SRV", asked, answer);
    done(std::move(answer));
  });
}

void ToldDns::Naptr(std::string_view name, std::function<void(DnsAnswer<NaptrRecord>)> done) {
  dns_.Naptr(name, [tell = tell_, asked = std::string(name),
                    done = std::move(done)](DnsAnswer<NaptrRecord> answer) {
    TellAnswer(tell, "NAPTR", asked, answer);
    done(std::move(answer));
  });
}

void ToldDns::Addresses(std::string_view name, std::uint16_t port,
                        std::function<void(DnsAnswer<SocketAddress>)> done) {
  dns_.Addresses(name, port,
                 [tell = tell_, asked = std::string(name),
                  done = std::move(done)](DnsAnswer<SocketAddress> answer) {
                   TellAnswer(tell, "A/AAAA", asked, answer);
                   done(std::move(answer));
                 });
}

}  // namespace gatehouse::translator
