#include "core/loop/dns_sections.h"

#include <ares.h>
#include <arpa/nameser.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/loop/ares_channel.h"
#include "core/loop/dns_message.h"
#include "core/loop/dns_questions.h"
#include "core/loop/dns_servers.h"

namespace gatehouse {
namespace {

// Of the OPT record, which ends a query: its flags are its last octets but three (RFC 6891 §6.1.3).
constexpr std::size_t kFlagsFromEnd = 4;
constexpr unsigned char kWantSignatures = 0x80;  // DO (RFC 3225 §3)

DnsSection Trouble(DnsSaid said, std::string trouble) {
  return {.said = said, .trouble = std::move(trouble), .authentic = false, .records = {}};
}

// RFC 1035 §4.1.1
std::string CodeWord(std::uint8_t code) {
  if (code == ns_r_servfail) return "SERVFAIL";
  if (code == ns_r_refused) return "REFUSED";
  if (code == ns_r_notimpl) return "NOTIMP";
  return "RCODE " + std::to_string(code);
}

bool HasType(const std::vector<DnsRecord>& records, std::uint16_t type) {
  return std::ranges::find(records, type, &DnsRecord::type) != records.end();
}

DnsSection SectionOf(int status, std::span<const unsigned char> message, std::uint16_t type) {
  if (status != ARES_SUCCESS) return Trouble(DnsSaid::kSilence, "no answer");
  const auto header = ReadDnsHeader(message);
  auto records = ReadDnsRecords(message);
  if (!header || header->truncated || !records)
    return Trouble(DnsSaid::kFailure, "an answer that cannot be read");
  if (header->code != ns_r_noerror && header->code != ns_r_nxdomain)
    return Trouble(DnsSaid::kFailure, CodeWord(header->code));
  DnsSection section;
  section.authentic = header->authentic;
  section.records = *std::move(records);
  const bool found = HasType(section.records, type);
  section.said = found                           ? DnsSaid::kRecords
                 : header->code == ns_r_nxdomain ? DnsSaid::kNoSuchName
                                                 : DnsSaid::kNoRecords;
  return section;
}

class CaresSections final : public DnsSections {
 public:
  CaresSections(Loop& loop, std::unique_ptr<AresChannel> channel)
      : deliver_(loop, [this] { Deliver(); }), channel_(std::move(channel)) {}
  // The callbacks of the dying channel find nothing.
  ~CaresSections() override { open_.clear(); }

  void Ask(std::string_view name, std::uint16_t type,
           std::function<void(DnsSection)> done) override {
    const std::uint64_t id = ++last_id_;
    open_.emplace(id, Question{type, std::move(done)});
    unsigned char* query = nullptr;
    int size = 0;
    const int status = ares_create_query(std::string(name).c_str(), ns_c_in, type,
                                         NewDnsMessageId(), 1, &query, &size, kEdnsBytes);
    if (status != ARES_SUCCESS) return Answered(id, ARES_ENOTFOUND, {});
    const std::span<unsigned char> message(query, static_cast<std::size_t>(size));
    AskForAuthentic(message);
    message[message.size() - kFlagsFromEnd] |= kWantSignatures;
    ares_send(channel_->raw(), query, size, &OnResponse, new Ticket{this, id});
    ares_free_string(query);
    channel_->ScheduleTimeout();
  }

 private:
  struct Question {
    std::uint16_t type;
    std::function<void(DnsSection)> done;
  };
  struct Ticket {
    CaresSections* self;
    std::uint64_t id;
  };

  static void OnResponse(void* argument, int status, int /*timeouts*/, unsigned char* packet,
                         int length) noexcept {
    const std::unique_ptr<Ticket> ticket(static_cast<Ticket*>(argument));
    if (status == ARES_EDESTRUCTION) return;
    const auto size = static_cast<std::size_t>(packet == nullptr ? 0 : length);
    ticket->self->Answered(ticket->id, status, {packet, size});
  }

  void Answered(std::uint64_t id, int status, std::span<const unsigned char> message) {
    auto node = open_.extract(id);
    if (node.empty()) return;
    answered_.emplace_back(std::move(node.mapped().done),
                           SectionOf(status, message, node.mapped().type));
    deliver_.Start(milliseconds(0));  // not inside c-ares
  }

  // One a turn: the answer's taker may destroy this.
  void Deliver() {
    auto next = std::move(answered_.front());
    answered_.erase(answered_.begin());
    if (!answered_.empty()) deliver_.Start(milliseconds(0));
    next.first(std::move(next.second));
  }

  std::map<std::uint64_t, Question> open_;
  std::vector<std::pair<std::function<void(DnsSection)>, DnsSection>> answered_;
  std::uint64_t last_id_ = 0;
  Timer deliver_;
  std::unique_ptr<AresChannel> channel_;
};

}  // namespace

bool DnsSection::IsSigned() const {
  return authentic || HasType(records, kDnsRrsig);
}

Result<std::unique_ptr<DnsSections>> DnsSections::Create(Loop& loop, const std::string& server) {
  GATEHOUSE_TRY(const std::string list, DnsServerList(std::span(&server, 1)));
  GATEHOUSE_TRY(auto channel, AresChannel::Create(loop, list, kEdnsBytes, true));
  return std::make_unique<CaresSections>(loop, std::move(channel));
}

Result<std::vector<std::string>> SystemDnsServers(Loop& loop) {
  GATEHOUSE_TRY(const auto channel, AresChannel::Create(loop, {}));
  ares_addr_port_node* first = nullptr;
  if (ares_get_servers_ports(channel->raw(), &first) != ARES_SUCCESS)
    return gatehouse::Trouble("dns: the name servers of this machine cannot be read");
  std::vector<std::string> servers;
  for (const ares_addr_port_node* node = first; node != nullptr; node = node->next) {
    DnsRecord record;
    record.type = node->family == AF_INET6 ? kDnsAaaa : kDnsA;
    record.data.assign(reinterpret_cast<const char*>(&node->addr),
                       node->family == AF_INET6 ? sizeof(in6_addr) : sizeof(in_addr));
    auto address = AddressOf(record);
    if (!address) continue;
    address->SetPort(node->udp_port == 0 ? NS_DEFAULTPORT
                                         : static_cast<std::uint16_t>(node->udp_port));
    servers.push_back(address->ToText());
  }
  ares_free_data(first);
  return servers;
}

}  // namespace gatehouse
