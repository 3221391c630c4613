#include "tests/bench/crowd.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace gatehouse::bench {
namespace {

constexpr milliseconds kConnectLimit{10000};
constexpr seconds kOpenLimit{120};
constexpr seconds kCloseLimit{30};
constexpr double kPollS = 0.02;
constexpr std::size_t kMessageBytes = 290;

std::string_view DirectionName(const CrowdOrder& order) {
  if (order.direction == CrowdOrder::Direction::kOut) return "out";
  return order.fresh ? "fresh" : "in";
}

}  // namespace

Result<CrowdOrder> ParseCrowd(const std::string& text) {
  CrowdOrder order;
  const auto colon = text.find(':');
  const auto equals = text.find('=');
  if (colon != std::string::npos && equals != std::string::npos && colon < equals) {
    const std::string kind = text.substr(0, colon);
    const std::string direction = text.substr(colon + 1, equals - colon - 1);
    order.stays = kind == "idle";
    order.direction = direction == "out" ? CrowdOrder::Direction::kOut : CrowdOrder::Direction::kIn;
    order.fresh = !order.stays && direction == "fresh";
    if ((order.stays || kind == "handshakes") &&
        (direction == "in" || direction == "out" || order.fresh))
      std::from_chars(text.data() + equals + 1, text.data() + text.size(), order.streams);
  }
  if (order.streams > 0) return order;
  return BadConfig("'" + text + "': a crowd is such as handshakes:in=2000 or idle:out=500");
}

Crowd::Crowd(Loop& loop, const CrowdSetup& setup, CrowdOrder order)
    : loop_(loop),
      setup_(setup),
      order_(order),
      events_{
          .on_open = [this](PartnerStream& /*stream*/) { OnOpen(); },
          .on_message = [](const proto::Element& /*message*/) {},
          .on_gone = [this](PartnerStream& stream, std::string_view why) { OnGone(stream, why); }},
      sip_(loop, setup.sip_gatehouse, setup.local_domain,
           {.on_message = [](MessageNumber /*number*/) {},
            .on_answer =
                [this](MessageNumber /*number*/, int status) {
                  if (status >= 300) Fail(fmt::format("a message was answered {}", status));
                },
            .on_trouble = [this](const std::string& why) { Fail(why); }}),
      timer_(loop, [this] { (this->*step_)(); }) {
  result_.order = order;
}

Result<CrowdResult> Crowd::Run() {
  GATEHOUSE_TRY_VOID(sip_.Listen(setup_.sip_fd));
  GATEHOUSE_TRY(acceptor_, TcpAcceptor::Create(loop_, setup_.partner_fd, [this](auto tcp) {
                  Add(std::move(tcp), {}, setup_.tls);
                }));
  for (std::size_t number = 0; order_.fresh && number < order_.streams; ++number) {
    GATEHOUSE_TRY(auto tls, setup_.fresh_tls(number));
    fresh_.push_back(std::move(tls));
  }
  sip_.Connect([this] { Begin(); });
  loop_.Run();
  if (!failure_.empty()) return Trouble(failure_);
  return std::move(result_);
}

std::string Crowd::DomainOf(std::size_t number) const {
  return fmt::format("d{}.{}", number, setup_.suffix);
}

void Crowd::After(double seconds, Step step) {
  step_ = step;
  timer_.Start(std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(seconds)));
}

void Crowd::Fail(const std::string& why) {
  if (closing_) return;
  if (failure_.empty()) failure_ = why;
  loop_.Stop();
}

// --- opening

void Crowd::Begin() {
  before_ = UsageOf(setup_.processes);
  since_ = loop_.Now();
  give_up_at_ = since_ + kOpenLimit;
  OpenMore();
  After(kPollS, &Crowd::AwaitAll);
}

void Crowd::OpenMore() {
  while (asked_ < order_.streams && asked_ - opened_ < setup_.window) OpenOne(asked_++);
}

// A message from the SIP side makes Gatehouse open a stream to its domain.
void Crowd::OpenOne(std::size_t number) {
  if (out())
    return sip_.SendMessage(number, "u@" + DomainOf(number), static_cast<MessageNumber>(number),
                            kMessageBytes);
  attempts_[number] =
      TcpStream::Connect(loop_, setup_.gatehouse, kConnectLimit, [this, number](auto tcp) {
        if (!tcp) return Fail(tcp.error().text);
        Add(*std::move(tcp), DomainOf(0), order_.fresh ? fresh_[number] : setup_.tls);
        loop_.Post([this, number] { attempts_.erase(number); });
      });
}

void Crowd::Add(std::unique_ptr<TcpStream> tcp, const std::string& domain,
                std::shared_ptr<const TlsContext> tls) {
  auto stream = std::make_unique<PartnerStream>(
      loop_, std::move(tcp), PartnerStream::Facts{domain, setup_.local_domain, std::move(tls)},
      events_);
  PartnerStream* key = stream.get();
  streams_.emplace(key, std::move(stream));
}

void Crowd::OnOpen() {
  ++opened_;
  OpenMore();
}

// Destroyed in the next turn: the stream is on the stack now.
void Crowd::OnGone(PartnerStream& stream, std::string_view why) {
  loop_.Post([this, gone = &stream, text = std::string(why)] {
    if (streams_.erase(gone) == 0) return;
    ++gone_;
    Fail("a stream closed: " + text);
  });
}

void Crowd::AwaitAll() {
  if (opened_ >= order_.streams) return MeasureOpening();
  if (loop_.Now() > give_up_at_)
    return Fail(fmt::format("{} of {} streams have opened", opened_, order_.streams));
  After(kPollS, &Crowd::AwaitAll);
}

// --- figures

void Crowd::MeasureOpening() {
  result_.open_s = std::chrono::duration<double>(loop_.Now() - since_).count();
  const auto now = UsageOf(setup_.processes);
  for (std::size_t i = 0; i < now.size(); ++i)
    result_.workers.push_back(
        {.worker = setup_.processes[i].name, .open_cpu_us = now[i].cpu_us - before_[i].cpu_us});
  if (!order_.stays) return Close();
  After(setup_.settle_s, &Crowd::MeasureIdle);
}

void Crowd::MeasureIdle() {
  const auto now = UsageOf(setup_.processes);
  for (std::size_t i = 0; i < now.size(); ++i) {
    CrowdResult::OfWorker& worker = result_.workers[i];
    worker.grown_kib =
        static_cast<std::int64_t>(now[i].pss_kib) - static_cast<std::int64_t>(before_[i].pss_kib);
    worker.idle_cpu_us = -now[i].cpu_us;  // what it then was is added in Close
  }
  since_ = loop_.Now();
  After(setup_.idle_s, &Crowd::Close);
}

void Crowd::Close() {
  if (order_.stays) {
    result_.idle_s = std::chrono::duration<double>(loop_.Now() - since_).count();
    const auto now = UsageOf(setup_.processes);
    for (std::size_t i = 0; i < now.size(); ++i) result_.workers[i].idle_cpu_us += now[i].cpu_us;
    result_.left_while_idle = gone_;
  }
  closing_ = true;
  for (const auto& [key, stream] : streams_) stream->CloseOrderly();
  give_up_at_ = loop_.Now() + kCloseLimit;
  After(kPollS, &Crowd::AwaitNone);
}

void Crowd::AwaitNone() {
  if (streams_.empty() || loop_.Now() > give_up_at_) return loop_.Stop();
  After(kPollS, &Crowd::AwaitNone);
}

std::string ToJson(const CrowdResult& result) {
  const auto streams = static_cast<double>(result.order.streams);
  double open_cpu_us = 0;
  double idle_cpu_us = 0;
  std::int64_t grown_kib = 0;
  std::string workers;
  for (const CrowdResult::OfWorker& of : result.workers) {
    open_cpu_us += of.open_cpu_us;
    idle_cpu_us += of.idle_cpu_us;
    grown_kib += of.grown_kib;
    workers += fmt::format(
        R"({}{{"worker":"{}","cpu_us_per_negotiation":{:.1f},"grown_kib":{},"idle_cpu_us":{:.0f}}})",
        workers.empty() ? "" : ",", of.worker, of.open_cpu_us / streams, of.grown_kib,
        of.idle_cpu_us);
  }
  std::string json = fmt::format(
      R"({{"phase":"{} {}","streams":{},"per_second":{:.1f},"cpu_us_per_negotiation":{:.1f})",
      result.order.stays ? "idle" : "handshakes", DirectionName(result.order), result.order.streams,
      streams / result.open_s, open_cpu_us / streams);
  if (result.order.stays)
    json +=
        fmt::format(R"(,"kib_per_stream":{:.1f},"idle_cpu_percent":{:.2f},"left_while_idle":{})",
                    static_cast<double>(grown_kib) / streams, idle_cpu_us / result.idle_s / 10000,
                    result.left_while_idle);
  return json + R"(,"workers":[)" + workers + "]}";
}

}  // namespace gatehouse::bench
