// What a verdict costs among few partners and among many. Prints numbers; asserts no time.
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/policy/decide.h"

namespace gatehouse {
namespace {

constexpr int kRounds = 2'000'000;
constexpr int kMany = 10'000;

PolicyView PolicyOf(int partners) {
  proto::PolicySnapshot snapshot;
  for (int i = 0; i < partners; ++i) {
    proto::Partner& partner = *snapshot.add_partners();
    partner.set_domain(fmt::format("partner{}.example", i));
    partner.set_type(static_cast<proto::PartnerType>(i % 3));
    partner.set_tls(proto::REQUIRED);
    partner.set_sasl(proto::OPTIONAL);
    partner.set_dialback(true);
    partner.set_enabled(true);
    if (i % 7 == 0) snapshot.add_blocked_domains(partner.domain());
  }
  return PolicyView(std::move(snapshot));
}

// Every kind, every state, all partners in turn and one that is none.
double NanosecondsPerVerdict(int partners) {
  const PolicyView policy = PolicyOf(partners);
  std::vector<std::string> domains{"stranger.example"};
  for (int i = 0; i < partners; ++i) domains.push_back(fmt::format("partner{}.example", i));
  std::size_t allowed = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) {
    const auto number = static_cast<std::size_t>(i);
    const Envelope envelope{.kind = static_cast<TrafficKind>(number % KindWords().size()),
                            .local_domain = "corp.example",
                            .remote_domain = domains[number * 7919 % domains.size()],
                            .method = proto::SASL_TLS,
                            .contact = static_cast<ContactState>(number / 3 % 4),
                            .awaited = number % 2 == 0};
    allowed += Decide(policy, envelope).allowed() ? 1 : 0;
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  if (allowed == 0) fmt::print("nothing was allowed\n");
  return took.count() / kRounds;
}

}  // namespace
}  // namespace gatehouse

int main() {
  const double few = gatehouse::NanosecondsPerVerdict(10);
  const double many = gatehouse::NanosecondsPerVerdict(gatehouse::kMany);
  fmt::print("a verdict among 10 partners {:.0f} ns, among {} partners {:.0f} ns, ratio {:.2f}\n",
             few, gatehouse::kMany, many, many / few);
}
