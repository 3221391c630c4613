#include "core/loop/dns_lookup.h"

#include <arpa/nameser.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <utility>

#include "core/base/log.h"
#include "core/loop/ares_channel.h"
#include "core/loop/dns_replies.h"
#include "core/loop/dns_servers.h"
#include "core/loop/timer.h"

namespace gatehouse {
namespace {

using QueryId = std::uint64_t;

constexpr milliseconds kQueryLimit{5000};  // waiting in the queue included (3.3)
constexpr std::size_t kMaxUnderWay = 50;   // 12.5; the rest wait in order
// How long addresses of one family wait for those of the other. The sixth version gets the
// Resolution Delay of RFC 8305 §3; without the fourth there is nothing to fall back to.
constexpr milliseconds kWaitForSixth{50};
constexpr milliseconds kWaitForFourth{1000};

// A question on its way, answered once: when c-ares replied or when its time is over.
class Query {
 public:
  Query(Loop& loop, std::string_view asked) : name(asked), limit(loop, [this] { on_limit(); }) {}
  virtual ~Query() = default;
  [[nodiscard]] virtual std::size_t parts() const { return 1; }  // questions to c-ares
  virtual void Ask(ares_channel channel, std::size_t part, void* ticket) = 0;
  virtual void Take(std::size_t part, const DnsReply& reply) = 0;
  // How long the parts still missing are worth waiting for.
  [[nodiscard]] virtual milliseconds Patience() const { return kQueryLimit; }
  virtual void Answer() = 0;

  std::string name;
  TimePoint due{};
  std::size_t replies = 0;
  bool answered = false;
  std::function<void()> on_limit;
  Timer limit;
};

class CaresLookup;

// What c-ares hands back with its one callback. It outlives the query where that met its limit.
struct CallbackTicket {
  CaresLookup* lookup;
  QueryId id;
  std::size_t part;
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
  void Ask(ares_channel channel, std::size_t part, void* ticket) override;
  void Take(std::size_t /*part*/, const DnsReply& reply) override { answer = SrvAnswer(reply); }
};

class NaptrQuery final : public TypedQuery<NaptrRecord> {
 public:
  using TypedQuery::TypedQuery;
  void Ask(ares_channel channel, std::size_t part, void* ticket) override;
  void Take(std::size_t /*part*/, const DnsReply& reply) override { answer = NaptrAnswer(reply); }
};

// AAAA and A, asked side by side: a name server that drops one of them delays nobody for long.
class AddressQuery final : public TypedQuery<SocketAddress> {
 public:
  AddressQuery(Loop& loop, std::string_view asked, std::uint16_t port, Done done)
      : TypedQuery(loop, asked, std::move(done)), port_(port) {}
  [[nodiscard]] std::size_t parts() const override { return families_.size(); }
  void Ask(ares_channel channel, std::size_t part, void* ticket) override;
  void Take(std::size_t part, const DnsReply& reply) override;
  void TakeLiteral(const SocketAddress& literal) { families_[0] = {DnsStatus::kOk, {literal}}; }
  [[nodiscard]] milliseconds Patience() const override;
  void Answer() override;

 private:
  static constexpr std::array<int, 2> kFamilies = {AF_INET6, AF_INET};
  std::uint16_t port_;
  std::array<DnsAnswer<SocketAddress>, kFamilies.size()> families_;  // kTemporary until they came
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
  void Replied(QueryId id, std::size_t part, const DnsReply& reply);

 private:
  QueryId Add(std::unique_ptr<Query> query);
  void Enqueue(std::unique_ptr<Query> query);
  void AskWaiting();
  void Finish(QueryId id);
  void DeliverOne();
  [[nodiscard]] milliseconds Left(const Query& query) const {
    return std::max(std::chrono::ceil<milliseconds>(query.due - loop_.Now()), milliseconds{0});
  }

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
  ticket->lookup->Replied(ticket->id, ticket->part, reply);
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

void SrvQuery::Ask(ares_channel channel, std::size_t /*part*/, void* ticket) {
  ares_query(channel, name.c_str(), ns_c_in, ns_t_srv, &OnPacket, ticket);
}

void NaptrQuery::Ask(ares_channel channel, std::size_t /*part*/, void* ticket) {
  ares_query(channel, name.c_str(), ns_c_in, ns_t_naptr, &OnPacket, ticket);
}

void AddressQuery::Ask(ares_channel channel, std::size_t part, void* ticket) {
  ares_addrinfo_hints hints{};
  hints.ai_family = kFamilies[part];
  hints.ai_flags = ARES_AI_NOSORT;  // the caller races both families (3.2)
  ares_getaddrinfo(channel, name.c_str(), nullptr, &hints, &OnAddresses, ticket);
}

void AddressQuery::Take(std::size_t part, const DnsReply& reply) {
  families_[part] = AddressAnswer(reply, port_);
  if (reply.addresses != nullptr && reply.addresses->cnames != nullptr)  // 3.2
    Log(LogLevel::kInfo, "dns-alias", {{"name", name}, {"for", reply.addresses->cnames->name}});
}

milliseconds AddressQuery::Patience() const {
  if (!families_[0].records.empty()) return kWaitForFourth;
  return families_[1].records.empty() ? kQueryLimit : kWaitForSixth;
}

void AddressQuery::Answer() {
  const auto temporary = [](const auto& each) { return each.status == DnsStatus::kTemporary; };
  answer.status =
      std::ranges::any_of(families_, temporary) ? DnsStatus::kTemporary : DnsStatus::kNoData;
  for (const auto& family : families_)
    answer.records.insert(answer.records.end(), family.records.begin(), family.records.end());
  if (!answer.records.empty()) answer.status = DnsStatus::kOk;
  TypedQuery::Answer();
}

void CaresLookup::Addresses(std::string_view name, std::uint16_t port,
                            std::function<void(DnsAnswer<SocketAddress>)> done) {
  auto query = std::make_unique<AddressQuery>(loop_, name, port, std::move(done));
  const auto literal = SocketAddress::FromIp(name, port);
  if (!literal) return Enqueue(std::move(query));
  query->TakeLiteral(*literal);
  Finish(Add(std::move(query)));
}

QueryId CaresLookup::Add(std::unique_ptr<Query> query) {
  const QueryId id = ++last_id_;
  query->on_limit = [this, id] { Finish(id); };
  query->limit.Start(kQueryLimit);
  query->due = loop_.Now() + kQueryLimit;
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
    const std::size_t parts = found->second->parts();
    under_way_ += parts;
    for (std::size_t part = 0; part < parts; ++part)
      found->second->Ask(channel_->raw(), part, new CallbackTicket{this, id, part});
  }
  channel_->ScheduleTimeout();
}

void CaresLookup::Replied(QueryId id, std::size_t part, const DnsReply& reply) {
  --under_way_;
  const auto found = open_.find(id);
  if (found != open_.end() && !found->second->answered) {
    Query& query = *found->second;
    query.Take(part, reply);
    if (++query.replies == query.parts())
      Finish(id);
    else
      query.limit.Start(std::min(query.Patience(), Left(query)));
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
