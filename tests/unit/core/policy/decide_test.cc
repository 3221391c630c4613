#include "core/policy/decide.h"

#include <gtest/gtest.h>

#include <array>

namespace gatehouse {
namespace {

// federated.example: row 7 (A, B). clear.example: row 17 (C). off.example: listed, not enabled.
PolicyView SomePolicy() {
  proto::PolicySnapshot snapshot;
  proto::Partner& federated = *snapshot.add_partners();
  federated.set_domain("federated.example");
  federated.add_additional_domains("more.federated.example");
  federated.set_sasl(proto::OPTIONAL);
  federated.set_dialback(true);
  federated.set_enabled(true);
  proto::Partner& clear = *snapshot.add_partners();
  clear.set_domain("clear.example");
  clear.set_tls(proto::NOT_SUPPORTED);
  clear.set_sasl(proto::NOT_SUPPORTED);
  clear.set_dialback(true);
  clear.set_enabled(true);
  proto::Partner& off = *snapshot.add_partners();
  off.set_domain("off.example");
  proto::Partner& no_method = *snapshot.add_partners();
  no_method.set_domain("no-method.example");
  no_method.set_sasl(proto::NOT_SUPPORTED);
  no_method.set_enabled(true);
  return PolicyView(std::move(snapshot));
}

constexpr auto kIn = Direction::kXmppToSip;
constexpr auto kOut = Direction::kSipToXmpp;
constexpr auto kNone = proto::AUTH_METHOD_NONE;
constexpr auto kSasl = proto::SASL_TLS;
constexpr auto kTlsDialback = proto::TLS_DIALBACK;
constexpr auto kTcpDialback = proto::TCP_DIALBACK;
constexpr auto kAllowed = RefusalReason::kNone;
constexpr auto kUnknown = RefusalReason::kUnknownPartner;
constexpr auto kMethod = RefusalReason::kMethodNotPermitted;
constexpr auto kNotOurs = RefusalReason::kNotOurDomain;

struct Case {
  Direction direction;
  std::string_view local;
  std::string_view remote;
  proto::AuthMethod method;
  RefusalReason expected;
};

// clang-format off
constexpr std::array kCases = {
    Case{kIn,  "contoso.example", "federated.example",      kSasl,        kAllowed},
    Case{kIn,  "contoso.example", "federated.example",      kTlsDialback, kAllowed},
    Case{kIn,  "contoso.example", "federated.example",      kTcpDialback, kMethod},
    Case{kIn,  "contoso.example", "federated.example",      kNone,        kMethod},
    Case{kIn,  "contoso.example", "more.federated.example", kSasl,        kAllowed},
    Case{kIn,  "contoso.example", "sub.federated.example",  kSasl,        kUnknown},
    Case{kIn,  "contoso.example", "clear.example",          kTcpDialback, kAllowed},
    Case{kIn,  "contoso.example", "clear.example",          kSasl,        kMethod},
    Case{kIn,  "contoso.example", "off.example",            kSasl,        kUnknown},
    Case{kIn,  "contoso.example", "stranger.example",       kSasl,        kUnknown},
    Case{kIn,  "contoso.example", "",                       kSasl,        kUnknown},
    Case{kIn,  "",                "federated.example",      kSasl,        kNotOurs},
    Case{kOut, "contoso.example", "federated.example",      kNone,        kAllowed},
    Case{kOut, "contoso.example", "clear.example",          kNone,        kAllowed},
    Case{kOut, "contoso.example", "off.example",            kNone,        kUnknown},
    Case{kOut, "contoso.example", "stranger.example",       kNone,        kUnknown},
    Case{kOut, "contoso.example", "no-method.example",      kNone,        kMethod},
    Case{kOut, "",                "federated.example",      kNone,        kNotOurs},
};
// clang-format on

TEST(Decide, AllowsListedDomainsByTheMethodsOfTheirRowAndRefusesTheRest) {
  const PolicyView policy = SomePolicy();
  for (const Case& one : kCases) {
    const Verdict verdict = Decide(policy, {one.direction, one.local, one.remote, one.method});
    EXPECT_EQ(verdict.reason, one.expected) << one.remote << " " << one.method;
    EXPECT_EQ(verdict.decision, one.expected == kAllowed ? Decision::kAllow : Decision::kRefuse);
    EXPECT_FALSE(verdict.rule.empty());
  }
}

TEST(Decide, RefusesEverybodyUnderAnEmptyPolicy) {
  const PolicyView policy{proto::PolicySnapshot{}};
  EXPECT_EQ(Decide(policy, {kIn, "contoso.example", "federated.example", kSasl}).decision,
            Decision::kRefuse);
  EXPECT_EQ(Decide(policy, {kOut, "contoso.example", "federated.example", kNone}).decision,
            Decision::kRefuse);
}

TEST(Decide, NamesEachReasonForLogsAndMetrics) {
  EXPECT_EQ(RefusalName(kUnknown), "unknown-partner");
  EXPECT_EQ(RefusalName(kMethod), "method-not-permitted");
  EXPECT_EQ(RefusalName(kNotOurs), "not-our-domain");
}

}  // namespace
}  // namespace gatehouse
