#include "plugins/acme_client/attempt.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/log.h"
#include "core/config/check_acme.h"

namespace gatehouse::acme {
namespace {

// Also before the first time: that a record is not there yet would be remembered by the resolver.
constexpr milliseconds kLookForRecordEvery{2000};

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

}  // namespace

template <class Action>
auto Attempt::Guarded(Action action) {
  return [weak = std::weak_ptr<bool>(alive_), action = std::move(action)](auto&&... values) {
    if (!weak.expired()) action(std::forward<decltype(values)>(values)...);
  };
}

Attempt::Attempt(Setup setup, const Es256Key& key, AcmeOrder::Setup order, Done done)
    : setup_(std::move(setup)),
      by_dns_(order.challenge == kDnsChallenge),
      limit_time_(AttemptLimit(order.names.size())),
      targets_(setup_.allow_inside),
      order_(key, std::move(order)),
      done_(std::move(done)),
      wait_(setup_.loop, [this] { Follow(order_.OnWaited()); }),
      look_(setup_.loop, [this] { LookForRecord(); }),
      limit_(setup_.loop, [this] {
        if (!result_) End(std::unexpected(AttemptFailure{"the CA does not come to an end"}));
      }) {
  limit_.Start(limit_time_);
  Follow(order_.Begin());
}

Attempt::~Attempt() {
  for (const std::string& token : tokens_) setup_.board.Take(token);
}

void Attempt::Follow(Step step) {
  if (result_) return;
  std::visit(Overloaded{[this](const SendStep& send) { Send(send); },
                        [this](const ProvideStep& provide) { Provide(provide); },
                        [this](const WaitStep& wait) { wait_.Start(wait.delay); },
                        [this](IssuedStep& issued) { End(std::move(issued.chain)); },
                        [this](RefusedStep& refused) {
                          End(std::unexpected(
                              AttemptFailure{std::move(refused.why), refused.retry_after}));
                        }},
             step);
}

void Attempt::Send(const SendStep& step) {
  HttpRequest request{step.method, step.url, step.body.empty() ? "" : "application/jose+json",
                      step.body};
  const bool is_directory = exchange_ == nullptr;
  exchange_ = std::make_unique<HttpExchange>(
      HttpExchange::Setup{
          .loop = setup_.loop,
          .dns = setup_.dns,
          .tls = setup_.tls,
          .may_go = [this, is_directory](
                        const SocketAddress& to) { return targets_.MayGo(to, is_directory); }},
      std::move(request), kRequestLimit, [this](const Result<HttpMessage>& response) {
        if (response) return Follow(order_.OnResponse(*response, UnixNow()));
        if (!result_)
          End(std::unexpected(
              AttemptFailure{fmt::format("the CA cannot be asked: {}", response.error().text)}));
      });
}

void Attempt::Provide(const ProvideStep& step) {
  if (by_dns_) return AddRecord(step);
  setup_.board.Put(step.token, step.content);
  tokens_.push_back(step.token);
  Follow(order_.OnProvided());
}

// --- dns-01

void Attempt::AddRecord(const ProvideStep& step) {
  records_.push_back({std::string(kChallengeLabel) + step.domain, step.content});
  proto::DnsHookCall call;
  call.set_add(true);
  call.set_name(records_.back().name);
  call.set_value(records_.back().value);
  setup_.call_hook(call, Guarded([this](const Result<void>& called) {
                     if (result_) return;
                     if (!called) return End(std::unexpected(AttemptFailure{called.error().text}));
                     record_added_ = setup_.loop.Now();
                     look_.Start(kLookForRecordEvery);
                   }));
}

// What the CA finds may be there later than for us, or we may not see it at all: it is a help only.
void Attempt::LookForRecord() {
  if (result_) return;
  if (setup_.loop.Now() >= record_added_ + patience_.ForNext()) {
    Log(LogLevel::kWarning, "acme-record-not-seen",
        {{"name", records_.back().name},
         {"why", "our DNS does not show it; the CA is told all the same"}});
    return OnRecordAwaited();
  }
  setup_.dns.Txt(records_.back().name, Guarded([this](const DnsAnswer<std::string>& answer) {
                   if (result_) return;
                   for (const std::string& text : answer.records)
                     if (text == records_.back().value) return OnRecordAwaited();
                   look_.Start(kLookForRecordEvery);
                 }));
}

void Attempt::OnRecordAwaited() {
  patience_.Spent(std::chrono::duration_cast<milliseconds>(setup_.loop.Now() - record_added_));
  Follow(order_.OnProvided());
}

// --- the end

void Attempt::End(Result<std::string, AttemptFailure> result) {
  if (result_) return;
  result_ = std::move(result);
  wait_.Stop();
  look_.Stop();
  limit_.Stop();
  for (const std::string& token : std::exchange(tokens_, {})) setup_.board.Take(token);
  ClearNext();
}

void Attempt::ClearNext() {
  if (records_.empty()) {
    setup_.loop.Post(Guarded([this] {
      const Done done = std::move(done_);
      done(*std::move(result_), order_.account_url());
    }));
    return;
  }
  const Record record = std::move(records_.back());
  records_.pop_back();
  proto::DnsHookCall call;
  call.set_name(record.name);
  call.set_value(record.value);
  setup_.call_hook(call, Guarded([this](const Result<void>& called) {
                     if (!called)
                       Log(LogLevel::kWarning, "acme-record-left", {{"why", called.error().text}});
                     ClearNext();
                   }));
}

}  // namespace gatehouse::acme
