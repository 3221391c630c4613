// dns check, dns plan and sip plan, with a world of the test around them.
#include <gmock/gmock.h>

#include <iterator>

#include "core/certificate/certificate_request.h"
#include "core/certificate/issuing.h"
#include "core/certificate/private_key.h"
#include "core/ctl/carry_out.h"
#include "core/ctl/sip_plan.h"
#include "core/tls/crypto.h"
#include "core/tls/own_chain.h"
#include "tests/unit/core/ctl/command_line_scene.h"

namespace gatehouse::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

class Setup : public testing::Test {
 protected:
  Setup() {
    config_.add_domains()->set_name("corp.example");
    config_.mutable_domains(0)->set_next_hop("sip:pool.corp.example:5061;transport=tls");
    config_.mutable_listen()->add_xmpp("[::]:5269");
    config_.mutable_listen()->add_sip("udp:[::]:5060");
    config_.mutable_listen()->add_sip("tls:[::]:5061");
    config_.mutable_dns()->add_servers("127.0.0.1:53");
  }
  void AddPartner(const std::string& domain, bool enabled = true) {
    proto::Partner& partner = *partners_.add_partners()->mutable_partner();
    partner.set_domain(domain);
    partner.set_enabled(enabled);
  }
  Ending Run(const std::string& words) {
    std::istringstream stream(words);
    return RunWords({std::istream_iterator<std::string>(stream), {}});
  }
  Ending RunWords(const std::vector<std::string>& words) {
    Outside outside;
    outside.call = [this](const proto::CtlRequest& request,
                          milliseconds) -> Result<std::optional<proto::CtlResponse>> {
      if (!running_) return Trouble("no socket");
      proto::CtlResponse response;
      if (request.has_partner_list()) *response.mutable_partners() = partners_;
      if (request.has_status()) {
        response.mutable_status()->add_domains("corp.example");
        response.mutable_status()->set_sip_host(sip_host_);
        proto::ListenerStatus& listener = *response.mutable_status()->add_listeners();
        listener.set_kind("xmpp");
        listener.set_address("192.0.2.10:5269");
      }
      if (request.has_certificate_get() && !chain_.empty()) {
        proto::CertificateView& other = *response.mutable_certificates()->add_certificates();
        other.set_name("other");
        other.add_slots(proto::SLOT_SIP);
        if (request.certificate_get().name() == "edge") {
          other.set_pem(chain_);
          other.set_source(source_);
        }
        if (request.certificate_get().name().empty()) {
          proto::CertificateView& shown = *response.mutable_certificates()->add_certificates();
          shown.set_name("edge");
          shown.add_slots(proto::SLOT_XMPP);
        }
      }
      return response;
    };
    outside.read_config = [this](const std::string& file) -> Result<proto::Config> {
      if (file != "there.yaml") return BadConfig("'" + file + "' cannot be read");
      return config_;
    };
    outside.look_up = [](const std::string& resolver,
                         const std::string&) -> Result<dnscheck::ZonePicture> {
      dnscheck::ZonePicture picture;
      picture.resolver = resolver;
      return picture;
    };
    outside.system_resolvers = [] {
      return Result<std::vector<std::string>>({"192.0.2.53:53", "192.0.2.54:53", "192.0.2.55:53"});
    };
    const auto invocation = Parse(words);
    EXPECT_TRUE(invocation.has_value()) << words.back();
    return CarryOut(*invocation, outside);
  }

  proto::Config config_;
  proto::PartnerViews partners_;
  bool running_ = true;
  std::string chain_;  // PEM, assigned to slot xmpp
  std::string source_ = "import";
  std::string sip_host_;
};

TEST_F(Setup, ThePlanOfDnsGoesByTheFile) {
  running_ = false;
  const Ending ending = Run("dns plan --config there.yaml --address 192.0.2.10");
  EXPECT_EQ(ending.exit_code, kDone) << ending.err;
  EXPECT_THAT(ending.out, HasSubstr("SRV 0 0 5269 edge.corp.example."));
  EXPECT_THAT(ending.out, HasSubstr("edge.corp.example. 3600 IN A 192.0.2.10"));
}

TEST_F(Setup, WithoutAFileItGoesByTheSupervisor) {
  const Ending ending = Run("dns plan");
  EXPECT_EQ(ending.exit_code, kDone) << ending.err;
  EXPECT_THAT(ending.out, HasSubstr("edge.corp.example. 3600 IN A 192.0.2.10"));
  sip_host_ = "gw.corp.example";
  EXPECT_THAT(Run("dns plan").out, HasSubstr("gw.corp.example. 3600 IN A 192.0.2.10"));
  running_ = false;
  const Ending neither = Run("dns plan");
  EXPECT_EQ(neither.exit_code, kRefused);
  EXPECT_THAT(neither.err, HasSubstr("--config FILE"));
}

TEST_F(Setup, TheTlsaPlanIsForTheCertificateThatIsAssigned) {
  const std::string key = *MakePrivateKey(KeyType::kP256);
  RequestDetails details;
  details.dns_names = {"corp.example"};
  chain_ = *SelfSign(*MakeCertificateRequest(details, key), key, 30);
  const Ending ending = Run("dns plan --tlsa");
  EXPECT_EQ(ending.exit_code, kDone) << ending.err;
  EXPECT_THAT(ending.out, HasSubstr("TLSA 3 1 1 " + Hex(TlsaOfOwnChain(chain_)->data)));
  EXPECT_EQ(ending.err, "");
  source_ = "acme";
  EXPECT_THAT(Run("dns plan --tlsa").err, HasSubstr("gets a new key each time it is renewed"));
  for (const char* words : {"dns plan --tlsa --config there.yaml", "dns plan --tlsa"}) {
    const Ending refused = Run(words);
    EXPECT_EQ(refused.exit_code, kRefused) << words;
    EXPECT_THAT(refused.err, HasSubstr("gatehousectl cert assign")) << words;
    chain_.clear();
  }
}

TEST_F(Setup, APlanForADomainThatIsNotOursIsRefused) {
  const Ending ending = Run("dns plan other.example --config there.yaml");
  EXPECT_EQ(ending.exit_code, kRefused);
  EXPECT_THAT(ending.err, HasSubstr("one of corp.example"));
}

TEST_F(Setup, TheCheckSaysWhomItAsked) {
  EXPECT_THAT(Run("dns check --config there.yaml").out, HasSubstr("asked 127.0.0.1:53; "));
  EXPECT_THAT(Run("dns check --config there.yaml").out, HasSubstr("only one resolver was asked"));
  config_.mutable_dns()->clear_servers();
  EXPECT_THAT(Run("dns check --config there.yaml").out,
              HasSubstr("asked 192.0.2.53:53 and 192.0.2.54:53; "));
}

TEST_F(Setup, APartnerCanBeCheckedWithNothingKnownOfUs) {
  running_ = false;
  EXPECT_THAT(Run("dns check --resolver 192.0.2.53 partner.example").out,
              HasSubstr("partner.example (not ours"));
}

TEST_F(Setup, ThePlanOfSipHasALineForEachPartnerThatIsOne) {
  AddPartner("partner.example");
  partners_.mutable_partners(0)->mutable_partner()->add_additional_domains("*.partner.example");
  AddPartner("off.example", false);
  const Ending ending = Run("sip plan --config there.yaml");
  EXPECT_EQ(ending.exit_code, kDone) << ending.err;
  for (const char* part :
       {"-Identity edge.corp.example -Registrar pool.corp.example -Site SITEID",
        "-TLSRoute -Destination edge.corp.example -Port 5061 -MatchUri \"*.partner.example\" "
        "-UseDefaultCertificate $true",
        "-MatchUri \"partner.example\"", "-Route @{Add=$r2}",
        "$(rd{s.tolower}) == \"partner.example\"", "$(rd{s.tolower}) =~ \"\\.partner\\.example$\"",
        "# The certificate on our port 5061 must name edge.corp.example",
        "must have a name of Kamailio's certificate",
        "  if (is_method(\"SUBSCRIBE\")) record_route();\n  $du = "
        "\"sip:edge.corp.example:5061;transport=tls\";"})
    EXPECT_THAT(ending.out, HasSubstr(part));
  EXPECT_THAT(ending.out, Not(HasSubstr("off.example")));
  EXPECT_THAT(Run("sip plan --config there.yaml --lync").out, Not(HasSubstr("$du")));
  EXPECT_THAT(Run("sip plan --config there.yaml --kamailio").out, Not(HasSubstr("New-Cs")));
}

TEST_F(Setup, ThePlanOfSipNeedsTheStore) {
  running_ = false;
  EXPECT_EQ(Run("sip plan --config there.yaml").exit_code, kUnreachable);
}

// The plans are pasted into a shell, a proxy's configuration and zone files.
TEST_F(Setup, APlanTakesNothingButNames) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"sip", "plan", "--host", "x\"; exec(\"id\") \""},
        {"sip", "plan", "--host", "a\nNew-Evil"},
        {"sip", "plan", "--host", "a b"},
        {"sip", "plan", "--host", "192.0.2.10"},
        {"sip", "plan", "--site", "x'; Stop-Computer; '"},
        {"sip", "plan", "--registrar", "pool;x"},
        {"dns", "plan", "--host", "a\nNew-Evil"},
        {"dns", "plan", "--address", "0.0.0.0"},
        {"dns", "plan", "--address", "127.0.0.1"},
        {"dns", "plan", "--address", "192.0.2"}}) {
    std::vector<std::string> all = words;
    all.insert(all.end(), {"--config", "there.yaml"});
    const Ending ending = RunWords(all);
    EXPECT_EQ(ending.exit_code, kRefused) << words.back();
    EXPECT_EQ(ending.out, "") << words.back();
    EXPECT_THAT(ending.err, HasSubstr(words[2])) << words.back();
    EXPECT_THAT(ending.err, HasSubstr("; give ")) << words.back();
    EXPECT_THAT(ending.err, Not(HasSubstr("\nNew"))) << words.back();
  }
  const std::string once = Run("dns plan --config there.yaml --address 192.0.2.10").out;
  EXPECT_EQ(Run("dns plan corp.example corp.example --config there.yaml --address 192.0.2.10 "
                "--address 192.0.2.10")
                .out,
            once);
  EXPECT_THAT(Run("dns check partner.example --resolver 192.0.2.53:0").err,
              HasSubstr("--resolver '192.0.2.53:0' is no address of a name server"));
  EXPECT_THAT(Run("dns plan --config there.yaml --host gw.example.").out,
              HasSubstr("5269 gw.example.\n"));
  EXPECT_THAT(Run("sip plan --config there.yaml --host GW.example. --site S-1_a.b").out,
              HasSubstr("-Identity gw.example -Registrar pool.corp.example -Site S-1_a.b"));
  config_.mutable_dns()->set_allow_loopback_targets(true);
  EXPECT_THAT(Run("dns plan --config there.yaml --address 127.0.0.1").out,
              HasSubstr("IN A 127.0.0.1"));
}

// 11.9: TCP routes take an address.
TEST(SipPlan, WithoutTlsTheAddressIsNamed) {
  SipPlan plan{.host = "edge.corp.example",
               .transport = "tcp",
               .address = "192.0.2.10",
               .port = 5060,
               .site = "S",
               .registrar = "P",
               .partners = {"partner.example"}};
  EXPECT_THAT(LyncText(plan), HasSubstr("-TCPRoute -Destination 192.0.2.10 -Port 5060"));
  EXPECT_THAT(LyncText(plan), Not(HasSubstr("certificate")));
  EXPECT_THAT(KamailioText(plan), HasSubstr("sip:192.0.2.10:5060;transport=tcp"));
  EXPECT_THAT(KamailioText(plan), HasSubstr("must have the address Kamailio sends from"));
  plan.transport = "udp";
  EXPECT_THAT(LyncText(plan), HasSubstr("UDP only"));
}

TEST(SipCommands, OneOfTheTwoOrBoth) {
  EXPECT_THAT(MisuseOf("sip plan --lync --kamailio"), HasSubstr("--kamailio"));
  EXPECT_THAT(RequestOf("test sip --domain corp.example").test_sip().domain(), "corp.example");
}

}  // namespace
}  // namespace gatehouse::ctl
