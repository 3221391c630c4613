#include "core/loop/dns_lookup.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "core/loop/ares_channel.h"
#include "core/loop/dns_questions.h"
#include "core/loop/dns_servers.h"
#include "core/loop/timer.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxUnderWay = 50;  // 12.5; the rest wait in order

class CaresLookup final : public DnsLookup, private DnsReplyTaker {
 public:
  CaresLookup(Loop& loop, std::unique_ptr<AresChannel> channel, DnsTrust trust)
      : loop_(loop),
        trust_(trust),
        channel_(std::move(channel)),
        deliver_(loop, [this] { DeliverOne(); }) {}
  // The callbacks of the dying channel find nothing.
  ~CaresLookup() override {
    open_.clear();
    waiting_.clear();
  }

  void Srv(std::string_view name, std::function<void(DnsAnswer<SrvRecord>)> done) override {
    Enqueue(std::make_unique<SrvQuestion>(loop_, name, std::move(done)));
  }
  void Naptr(std::string_view name, std::function<void(DnsAnswer<NaptrRecord>)> done) override {
    Enqueue(std::make_unique<NaptrQuestion>(loop_, name, std::move(done)));
  }
  void Addresses(std::string_view name, std::uint16_t port,
                 std::function<void(DnsAnswer<SocketAddress>)> done) override;
  void Tlsa(std::string_view name, std::function<void(DnsAnswer<TlsaRecord>)> done) override {
    Enqueue(std::make_unique<TlsaQuestion>(loop_, name, std::move(done)));
  }
  void Txt(std::string_view name, std::function<void(DnsAnswer<std::string>)> done) override {
    Enqueue(std::make_unique<TxtQuestion>(loop_, name, std::move(done)));
  }
  [[nodiscard]] bool validates() const override { return trust_ != DnsTrust::kNobody; }

 private:
  void Replied(DnsQuestionId id, std::size_t part, const DnsReply& reply) override;
  DnsQuestionId Add(std::unique_ptr<DnsQuestion> query);
  void Enqueue(std::unique_ptr<DnsQuestion> query);
  void AskWaiting();
  void Finish(DnsQuestionId id);
  void DeliverOne();
  [[nodiscard]] milliseconds Left(const DnsQuestion& query) const {
    return std::max(std::chrono::ceil<milliseconds>(query.due - loop_.Now()), milliseconds{0});
  }

  Loop& loop_;
  DnsTrust trust_;
  std::map<DnsQuestionId, std::unique_ptr<DnsQuestion>> open_;
  std::deque<DnsQuestionId> waiting_;
  std::deque<DnsQuestionId> finished_;
  std::size_t under_way_ = 0;
  DnsQuestionId last_id_ = 0;
  std::unique_ptr<AresChannel> channel_;
  Timer deliver_;
};

void CaresLookup::Addresses(std::string_view name, std::uint16_t port,
                            std::function<void(DnsAnswer<SocketAddress>)> done) {
  auto query = std::make_unique<AddressQuestion>(loop_, name, port, std::move(done));
  const auto literal = SocketAddress::FromIp(name, port);
  if (!literal) return Enqueue(std::move(query));
  query->TakeLiteral(*literal);
  Finish(Add(std::move(query)));
}

DnsQuestionId CaresLookup::Add(std::unique_ptr<DnsQuestion> query) {
  const DnsQuestionId id = ++last_id_;
  query->on_limit = [this, id] { Finish(id); };
  query->limit.Start(kDnsQuestionLimit);
  query->due = loop_.Now() + kDnsQuestionLimit;
  open_.emplace(id, std::move(query));
  return id;
}

void CaresLookup::Enqueue(std::unique_ptr<DnsQuestion> query) {
  waiting_.push_back(Add(std::move(query)));
  AskWaiting();
}

void CaresLookup::AskWaiting() {
  while (!waiting_.empty() && under_way_ < kMaxUnderWay) {
    const DnsQuestionId id = waiting_.front();
    waiting_.pop_front();
    const auto found = open_.find(id);
    if (found == open_.end() || found->second->answered) continue;  // too late for it
    const std::size_t parts = found->second->parts();
    under_way_ += parts;
    for (std::size_t part = 0; part < parts; ++part)
      found->second->Ask({channel_->raw(), trust_}, part, new DnsTicket{this, id, part});
  }
  channel_->ScheduleTimeout();
}

void CaresLookup::Replied(DnsQuestionId id, std::size_t part, const DnsReply& reply) {
  --under_way_;
  const auto found = open_.find(id);
  if (found != open_.end() && !found->second->answered) {
    DnsQuestion& query = *found->second;
    query.Take(part, reply);
    if (++query.replies == query.parts())
      Finish(id);
    else
      query.limit.Start(std::min(query.Patience(), Left(query)));
  }
  if (!waiting_.empty()) deliver_.Start(milliseconds(0));  // not inside c-ares
}

void CaresLookup::Finish(DnsQuestionId id) {
  DnsQuestion& query = *open_.at(id);
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
                                                     std::span<const std::string> servers,
                                                     DnsTrust trust) {
  GATEHOUSE_TRY(const std::string list, DnsServerList(servers));
  const bool trusting = trust == DnsTrust::kLocalServers;
  const auto local = trusting ? CheckServersAreLocal(servers) : Result<void>();
  if (!local) return BadConfig("dns.dnssec " + local.error().text);
  GATEHOUSE_TRY(auto channel, AresChannel::Create(loop, list, trusting ? kEdnsBytes : 0));
  return std::make_unique<CaresLookup>(loop, std::move(channel), trust);
}

}  // namespace gatehouse
