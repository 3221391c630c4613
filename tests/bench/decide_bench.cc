// What a verdict costs among few partners and among many, and among few grants and many. Prints
// numbers; asserts no time.
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/policy/access.h"
#include "core/policy/decide.h"
#include "core/policy/partner_type.h"

namespace gatehouse {
namespace {

constexpr int kRounds = 2'000'000;
constexpr int kUsers = 20'000;
constexpr int kMany = 10'000;

PolicyView PolicyOf(int partners) {
  proto::PolicySnapshot snapshot;
  for (int i = 0; i < partners; ++i) {
    proto::Partner& partner = *snapshot.add_partners();
    partner.set_domain(fmt::format("partner{}.example", i));
    partner.set_type(kPresetTypes.at(i % 3).name);
    partner.set_tls(proto::REQUIRED);
    partner.set_sasl(proto::OPTIONAL);
    partner.set_dialback(true);
    partner.set_enabled(true);
    if (i % 7 == 0) snapshot.add_blocked_domains(partner.domain());
  }
  return PolicyView(std::move(snapshot));
}

// A tag policy for each of `grants` patterns, half of them for one domain.
PolicyView GrantsOf(int grants) {
  proto::PolicySnapshot snapshot;
  proto::AccessPolicy& global = *snapshot.add_access_policies();
  global.set_name("global");
  global.set_xmpp_access(true);
  proto::AccessPolicy& sales = *snapshot.add_access_policies();
  sales.set_name("tag:sales");
  for (int i = 0; i < grants; ++i)
    sales.add_patterns(i % 2 == 0 ? fmt::format("team{}-*@corp.example", i)
                                  : fmt::format("team-*@site{}.example", i));
  return PolicyView(std::move(snapshot));
}

// Users who fit a pattern, and as many who fit none.
double NanosecondsPerUser(int grants, int rounds) {
  const PolicyView policy = GrantsOf(grants);
  std::vector<std::string> users;
  for (int i = 0; i < 2 * grants; ++i)
    users.push_back(i % 2 == 0 ? fmt::format("team{}-ann", i) : fmt::format("ann{}", i));
  std::size_t allowed = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    const std::string& user = users[static_cast<std::size_t>(i) * 7919 % users.size()];
    allowed += MayUseXmpp(policy, {user, "corp.example"}, Direction::kSipToXmpp).may ? 1 : 0;
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  if (allowed == 0) fmt::print("nobody was allowed\n");
  return took.count() / rounds;
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
  const double few_grants = gatehouse::NanosecondsPerUser(10, gatehouse::kRounds);
  const double many_grants = gatehouse::NanosecondsPerUser(gatehouse::kMany, gatehouse::kUsers);
  fmt::print("a user among 10 patterns {:.0f} ns, among {} patterns {:.0f} ns, ratio {:.2f}\n",
             few_grants, gatehouse::kMany, many_grants, many_grants / few_grants);
}
