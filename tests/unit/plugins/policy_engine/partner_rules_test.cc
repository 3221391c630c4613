#include "plugins/policy_engine/partner_rules.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "core/policy/partner_words.h"
#include "plugins/policy_engine/gateway_rules.h"

namespace gatehouse::policy_engine {
namespace {

proto::Partner Named(const std::string& domain) {
  proto::Partner partner = DefaultPartner();
  partner.set_domain(domain);
  return partner;
}

// We serve contoso.example; other.example has more.other.example too.
DomainOwners Others() {
  DomainOwners others({"contoso.example"});
  proto::Partner other = Named("other.example");
  other.add_additional_domains("more.other.example");
  others.Add(other);
  return others;
}

struct WrongRecord {
  std::string name;
  std::function<void(proto::Partner&)> spoil;
  std::string says;  // somewhere in the sentence
};

std::vector<WrongRecord> WrongRecords() {
  return {
      {"an end that cannot be written", [](auto& p) { p.set_expires_unix(kLatestUnix + 1); },
       "is too late"},
      {"no domain", [](auto& p) { p.clear_domain(); }, "the domain is empty"},
      {"domain with @", [](auto& p) { p.set_domain("me@partner.example"); }, "is not a domain"},
      {"domain with a space", [](auto& p) { p.set_domain("partner example.org"); },
       "is not a domain"},
      {"address as domain", [](auto& p) { p.set_domain("192.0.2.1"); }, "is not a domain"},
      {"single label", [](auto& p) { p.set_domain("localhost"); }, "is not a domain"},
      {"our own domain", [](auto& p) { p.set_domain("Contoso.Example"); }, "one of our own"},
      {"existing partner", [](auto& p) { p.set_domain("other.example"); },
       "exists already; change it with: gatehousectl partner set other.example"},
      {"domain of another", [](auto& p) { p.set_domain("more.other.example"); },
       "additional domain of partner 'other.example'"},
      {"additional of another", [](auto& p) { p.add_additional_domains("other.example"); },
       "the additional domain 'other.example' is a partner of its own; leave it out here, or take "
       "that partner out first with: gatehousectl partner remove other.example"},
      {"additional is ours", [](auto& p) { p.add_additional_domains("contoso.example"); },
       "one of our own"},
      {"additional is itself", [](auto& p) { p.add_additional_domains("PARTNER.example."); },
       "named twice"},
      {"unknown DANE", [](auto& p) { p.set_dane(static_cast<proto::Dane>(9)); },
       "use off, report or enforce"},
      {"DANE without TLS",
       [](auto& p) {
         p.set_tls(proto::NOT_SUPPORTED);
         p.set_dane(proto::ENFORCE);
       },
       "cannot be enforced without TLS"},
      {"DANE on a proxy",
       [](auto& p) {
         p.set_proxy("proxy.example");
         p.set_dane(proto::ENFORCE);
       },
       "cannot be enforced on a proxy"},
      {"additional twice",
       [](auto& p) {
         p.add_additional_domains("a.example");
         p.add_additional_domains("A.example");
       },
       "named twice"},
      {"additional is none", [](auto& p) { p.add_additional_domains("a..example"); },
       "is not a domain"},
      {"additional is empty", [](auto& p) { p.add_additional_domains(""); }, "is empty"},
      {"too many domains",
       [](auto& p) {
         for (int i = 0; i < 257; ++i)
           p.add_additional_domains("d" + std::to_string(i) + ".example");
       },
       "at most 256"},
      {"row 6",
       [](auto& p) {
         p.set_tls(proto::NOT_SUPPORTED);
         p.set_dialback(false);
       },
       "E1: "},
      {"row 12",
       [](auto& p) {
         p.set_tls(proto::NOT_SUPPORTED);
         p.set_sasl(proto::OPTIONAL);
         p.set_dialback(false);
       },
       "E1: "},
      {"row 14",
       [](auto& p) {
         p.set_sasl(proto::NOT_SUPPORTED);
         p.set_dialback(false);
       },
       "E2: "},
      {"row 16",
       [](auto& p) {
         p.set_tls(proto::OPTIONAL);
         p.set_sasl(proto::NOT_SUPPORTED);
         p.set_dialback(false);
       },
       "E2: "},
      {"row 18",
       [](auto& p) {
         p.set_tls(proto::NOT_SUPPORTED);
         p.set_sasl(proto::NOT_SUPPORTED);
         p.set_dialback(false);
       },
       "E2: "},
      {"unknown type", [](auto& p) { p.set_type("supplier"); },
       "'supplier' is no partner type; use one of federated, public-verified, public-unverified, "
       "or make it with"},
      {"unknown TLS", [](auto& p) { p.set_tls(static_cast<proto::Negotiation>(9)); },
       "the TLS setting is unknown"},
      {"unknown SASL", [](auto& p) { p.set_sasl(static_cast<proto::Negotiation>(-1)); },
       "the SASL setting is unknown"},
      {"proxy without host", [](auto& p) { p.set_proxy(":5269"); }, "is not HOST[:PORT]"},
      {"anchors of another kind", [](auto& p) { p.set_trust_anchors("my CA"); },
       "trust anchors: no PEM certificate"},
      {"limit too large", [](auto& p) { p.set_connection_limit(100'001); }, "at most 100000"},
      {"long description", [](auto& p) { p.set_description(std::string(1025, 'x')); },
       "at most 1024"},
      {"description of two lines", [](auto& p) { p.set_description("a\nb"); }, "on one line"},
  };
}

TEST(PartnerRules, TellEachWrongRecordInOneSentenceWhatIsWrong) {
  for (const WrongRecord& wrong : WrongRecords()) {
    proto::Partner partner = Named("partner.example");
    wrong.spoil(partner);
    const Result<proto::Partner> checked = CheckPartner(partner, Others(), {});
    ASSERT_FALSE(checked.has_value()) << wrong.name;
    EXPECT_EQ(checked.error().fault, Fault::kConfig);
    EXPECT_NE(checked.error().text.find(wrong.says), std::string::npos)
        << wrong.name << ": " << checked.error().text;
    EXPECT_EQ(checked.error().text.find('\n'), std::string::npos) << wrong.name;
  }
}

TEST(PartnerRules, PrepareTheDomainsOfARightRecordAndKeepTheRest) {
  proto::Partner partner = Named("Partner.Example.");
  partner.add_additional_domains("CHAT.partner.example");
  partner.set_proxy("proxy.partner.example:15269");
  partner.set_connection_limit(100'000);
  partner.set_description("the people next door");
  const Result<proto::Partner> checked = CheckPartner(partner, Others(), {});
  ASSERT_TRUE(checked.has_value()) << checked.error().text;
  EXPECT_EQ(checked->domain(), "partner.example");
  EXPECT_EQ(checked->additional_domains(0), "chat.partner.example");
  EXPECT_EQ(checked->description(), "the people next door");
}

TEST(PartnerRules, ASubdomainOfAPartnerOrOfOursMayBeAPartner) {
  EXPECT_TRUE(CheckPartner(Named("sub.other.example"), Others(), {}).has_value());
  EXPECT_TRUE(CheckPartner(Named("sub.contoso.example"), Others(), {}).has_value());
}

TEST(PartnerRules, AcceptEveryWayToWriteAProxy) {
  for (const char* proxy : {"proxy.example", "proxy.example:5269", "localhost", "localhost:1",
                            "192.0.2.1", "192.0.2.1:65535", "[2001:db8::1]", "[::1]:5269", "a-b"})
    EXPECT_TRUE(CheckProxy(proxy).has_value()) << proxy;
}

TEST(PartnerRules, KeepAProxyAsDnsHasIt) {
  EXPECT_EQ(CheckProxy("proxy.example.:5269").value_or(""), "proxy.example:5269");
  EXPECT_EQ(CheckProxy("b\u00fccher.example:5269").value_or(""), "xn--bcher-kva.example:5269");
  EXPECT_EQ(CheckProxy("B\u00dcCHER.example.").value_or(""), "xn--bcher-kva.example");
  EXPECT_EQ(CheckProxy("[2001:db8::1]:5269").value_or(""), "[2001:db8::1]:5269");
  proto::Partner partner = Named("partner.example");
  partner.set_proxy("proxy.example.");
  EXPECT_EQ(CheckPartner(partner, Others(), {})->proxy(), "proxy.example");
}

TEST(PartnerRules, RefuseWhatIsNoProxy) {
  for (const char* proxy :
       {":5269", "proxy.example:", "proxy.example:0", "proxy.example:65536", "proxy.example:x",
        "proxy.example:52 69", "proxy..example", "proxy.example..", ".", "-a.example",
        "a_b.example", "2001:db8::1", "[::1", "[::1]5269", "[proxy.example]", "1.2.3", "1.2.3.4.5",
        "http://proxy.example", "a b"})
    EXPECT_FALSE(CheckProxy(proxy).has_value()) << proxy;
}

TEST(GatewayRules, AcceptTheDefaultsAndNeitherZeroNorAbsurdNumbers) {
  EXPECT_TRUE(CheckGateway(DefaultGatewaySettings()).has_value());
  proto::GatewaySettings none = DefaultGatewaySettings();
  none.set_keep_alive_interval_s(0);
  EXPECT_EQ(CheckGateway(none).error().text,
            "the keep-alive interval cannot be 0; use a number from 1 to 604800");
  proto::GatewaySettings hasty = DefaultGatewaySettings();
  hasty.set_subscription_refresh_interval_s(59);
  EXPECT_EQ(CheckGateway(hasty).error().text,
            "the subscription refresh interval cannot be 59; use a number from 60 to 604800");
  EXPECT_TRUE(CheckGateway(hasty, hasty).has_value()) << "what is in force stays";
  proto::GatewaySettings long_wait = DefaultGatewaySettings();
  long_wait.set_stream_inactivity_timeout_s(604'801);
  EXPECT_FALSE(CheckGateway(long_wait).has_value());
  proto::GatewaySettings upside_down = DefaultGatewaySettings();
  upside_down.set_partner_connection_limit(1001);
  EXPECT_NE(CheckGateway(upside_down).error().text.find("above the connection limit 1000"),
            std::string::npos);
}

TEST(GatewayRules, RefuseToPromiseALogOfMessageTexts) {
  proto::GatewaySettings bodies = DefaultGatewaySettings();
  bodies.set_log_message_bodies(true);
  EXPECT_NE(CheckGateway(bodies).error().text.find("message texts cannot be logged"),
            std::string::npos);
}

}  // namespace
}  // namespace gatehouse::policy_engine
