#include "core/loop/dns_lookup.h"

#include <arpa/nameser.h>

#include <deque>
#include <map>
#include <utility>

#include "core/loop/ares_channel.h"
#include "core/loop/dns_replies.h"
#include "core/loop/dns_servers.h"
#include "core/loop/timer.h"

namespace gatehouse {
namespace {

using QueryId = std::uint64_t;

constexpr milliseconds kQueryLimit{5000};  // waiting in the queue included (3.3)
constexpr std::size_t kMaxUnderWay = 50;   // 12.5; the rest wait in order

// A question on its way, answered once: when c-ares replied or when its time is over.
class Query {
 public:
  Query(Loop& loop, std::string_view asked) : name(asked), limit(loop, [this] { on_limit(); }) {}
  virtual ~Query() = default;
  virtual void Ask(ares_channel channel, void* ticket) = 0;
  virtual void Take(const DnsReply& reply) = 0;
  virtual void Answer() = 0;

  std::string name;
  bool answered = false;
  std::function<void()> on_limit;
  Timer limit;
};

class CaresLookup;

// What c-ares hands back with its one callback. It outlives the query where that met its limit.
struct CallbackTicket {
  CaresLookup* lookup;
  QueryId id;
};

template <class Record>
class TypedQuery : public Query {
 public:
  using Done = std::function<void(DnsAnswer<Record>)>;
  TypedQuery(Loop& loop, std::string_view asked, Done done)
      : Query(loop, asked), done_(std::move(done)) {}
  void Answer() override { done_(std::move(answer)); }

 protected:
  DnsAnswer<Record> answer;

 private:
  Done done_;
};

class SrvQuery final : public TypedQuery<SrvRecord> {
 public:
  using TypedQuery::TypedQuery;
  void Ask(ares_channel channel, void* ticket) override;
  void Take(const DnsReply& reply) override { answer = SrvAnswer(reply); }
};

class NaptrQuery final : public TypedQuery<NaptrRecord> {
 public:
  using TypedQuery::TypedQuery;
  void Ask(ares_channel channel, void* ticket) override;
  void Take(const DnsReply& reply) override { answer = NaptrAnswer(reply); }
};

class AddressQuery final : public TypedQuery<SocketAddress> {
 public:
  AddressQuery(Loop& loop, std::string_view asked, std::uint16_t port, Done done)
      : TypedQuery(loop, asked, std::move(done)), port_(port) {}
  void Ask(ares_channel channel, void* ticket) override;
  void Take(const DnsReply& reply) override { answer = AddressAnswer(reply, port_); }
  void Take(const SocketAddress& literal) { answer = {DnsStatus::kOk, {literal}}; }

 private:
  std::uint16_t port_;
};

class CaresLookup final : public DnsLookup {
 public:
  CaresLookup(Loop& loop, std::unique_ptr<AresChannel> channel)
      : loop_(loop), channel_(std::move(channel)), deliver_(loop, [this] { DeliverOne(); }) {}
  // The callbacks of the dying channel find nothing.
  ~CaresLookup() override {
    open_.clear();
    waiting_.clear();
  }

  void Srv(std::string_view name, std::function<void(DnsAnswer<SrvRecord>)> done) override {
    Enqueue(std::make_unique<SrvQuery>(loop_, name, std::move(done)));
  }
  void Naptr(std::string_view name, std::function<void(DnsAnswer<NaptrRecord>)> done) override {
    Enqueue(std::make_unique<NaptrQuery>(loop_, name, std::move(done)));
  }
  void Addresses(std::string_view name, std::uint16_t port,
                 std::function<void(DnsAnswer<SocketAddress>)> done) override;
  void Replied(QueryId id, const DnsReply& reply);

 private:
  QueryId Add(std::unique_ptr<Query> query);
  void Enqueue(std::unique_ptr<Query> query);
  void AskWaiting();
  void Finish(QueryId id);
  void DeliverOne();

  Loop& loop_;
  std::map<QueryId, std::unique_ptr<Query>> open_;
  std::deque<QueryId> waiting_;
  std::deque<QueryId> finished_;
  std::size_t under_way_ = 0;
  QueryId last_id_ = 0;
  std::unique_ptr<AresChannel> channel_;
  Timer deliver_;
};

void OnReply(void* argument, const DnsReply& reply) {
  const std::unique_ptr<CallbackTicket> ticket(static_cast<CallbackTicket*>(argument));
  ticket->lookup->Replied(ticket->id, reply);
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

void SrvQuery::Ask(ares_channel channel, void* ticket) {
  ares_query(channel, name.c_str(), ns_c_in, ns_t_srv, &OnPacket, ticket);
}

void NaptrQuery::Ask(ares_channel channel, void* ticket) {
  ares_query(channel, name.c_str(), ns_c_in, ns_t_naptr, &OnPacket, ticket);
}

void AddressQuery::Ask(ares_channel channel, void* ticket) {
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_flags = ARES_AI_NOSORT;  // the caller races both families (3.2)
  ares_getaddrinfo(channel, name.c_str(), nullptr, &hints, &OnAddresses, ticket);
}

void CaresLookup::Addresses(std::string_view name, std::uint16_t port,
                            std::function<void(DnsAnswer<SocketAddress>)> done) {
  auto query = std::make_unique<AddressQuery>(loop_, name, port, std::move(done));
  const auto literal = SocketAddress::FromIp(name, port);
  if (!literal) return Enqueue(std::move(query));
  query->Take(*literal);
  Finish(Add(std::move(query)));
}

QueryId CaresLookup::Add(std::unique_ptr<Query> query) {
  const QueryId id = ++last_id_;
  query->on_limit = [this, id] { Finish(id); };
  query->limit.Start(kQueryLimit);
  open_.emplace(id, std::move(query));
  return id;
}

void CaresLookup::Enqueue(std::unique_ptr<Query> query) {
  waiting_.push_back(Add(std::move(query)));
  AskWaiting();
}

void CaresLookup::AskWaiting() {
  while (!waiting_.empty() && under_way_ < kMaxUnderWay) {
    const QueryId id = waiting_.front();
    waiting_.pop_front();
    const auto found = open_.find(id);
    if (found == open_.end() || found->second->answered) continue;  // too late for it
    ++under_way_;
    found->second->Ask(channel_->raw(), new CallbackTicket{this, id});
  }
  channel_->ScheduleTimeout();
}

void CaresLookup::Replied(QueryId id, const DnsReply& reply) {
  --under_way_;
  const auto found = open_.find(id);
  if (found != open_.end() && !found->second->answered) {
    found->second->Take(reply);
    Finish(id);
  }
  if (!waiting_.empty()) deliver_.Start(milliseconds(0));  // not inside c-ares
}

void CaresLookup::Finish(QueryId id) {
  Query& query = *open_.at(id);
  query.answered = true;
  query.limit.Stop();
  finished_.push_back(id);
  deliver_.Start(milliseconds(0));
}

// One a turn: the answer's taker may destroy this lookup.
void CaresLookup::DeliverOne() {
  AskWaiting();
  if (finished_.empty()) return;
  auto node = open_.extract(finished_.front());
  finished_.pop_front();
  if (!finished_.empty()) deliver_.Start(milliseconds(0));
  node.mapped()->Answer();
}

}  // namespace

Result<std::unique_ptr<DnsLookup>> DnsLookup::Create(Loop& loop,
                                                     std::span<const std::string> servers) {
  GATEHOUSE_TRY(const std::string list, DnsServerList(servers));
  GATEHOUSE_TRY(auto channel, AresChannel::Create(loop, list));
  return std::make_unique<CaresLookup>(loop, std::move(channel));
}

}  // namespace gatehouse
