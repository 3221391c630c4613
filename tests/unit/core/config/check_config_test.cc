#include "core/config/check_config.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "proto/topology.pb.h"

namespace gatehouse {
namespace {

using testing::HasSubstr;

class CheckConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
        R"(worker { name: "tls_listener" plugin: "tls_listener.so" listen: XMPP scalable: true }
           worker { name: "policy_engine" plugin: "policy_engine.so" })",
        &topology_));
    folder_ = std::filesystem::path(testing::TempDir()) / "gatehouse_check_config";
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "chain.pem") << "PEM";
    std::ofstream(folder_ / "key.pem") << "PEM";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // The error of a whole file; "" where there is none.
  std::string ErrorOf(const std::string& text) {
    auto yaml = YamlConfig::Parse(text, (folder_ / "g.yaml").string());
    if (!yaml) return yaml.error().text;
    const auto checked = CheckConfig(*yaml, topology_);
    config_ = yaml->config();
    return checked ? "" : checked.error().text.substr(folder_.string().size() + 1);
  }
  // The same for a file that is right but for `text`.
  std::string ErrorWith(const std::string& text) {
    return ErrorOf("domains: [{name: contoso.example}]\nworkers: [{plugin: policy_engine}]\n" +
                   text);
  }

  // All of a whole file.
  std::vector<std::string> ErrorsOf(const std::string& text) {
    YamlConfig yaml = YamlConfig::ReadAll(text, "g.yaml");
    FindMistakes(yaml, topology_);
    std::vector<std::string> errors;
    for (const Error& mistake : yaml.mistakes()) errors.push_back(mistake.text);
    return errors;
  }

  proto::Topology topology_;
  proto::Config config_;
  std::filesystem::path folder_;
};

TEST_F(CheckConfigTest, AcceptsASmallAndAFullConfiguration) {
  EXPECT_EQ(ErrorWith(""), "");
  EXPECT_EQ(ErrorWith("listen: {xmpp: ['[::]:5269'], xmpps: ['0.0.0.0:5270'],\n"
                      "  sip: ['tcp:127.0.0.1:0', 'udp:[::1]:5060']}\n"
                      "sip: {trusted_peers: [pool.contoso.example, 192.0.2.0/24], profile: page}\n"
                      "dns: {servers: [192.0.2.53, '[::1]:5353']}\n"),
            "");
}

TEST_F(CheckConfigTest, WarnsWhereNobodyMaySendSipByTcpOrUdp) {
  const auto warnings = [this](const std::string& peers) {
    YamlConfig yaml = YamlConfig::ReadAll(
        "listen: {sip: ['tls:[::]:5061', 'udp:[::]:5060']}\nsip: {trusted_peers: [" + peers +
            "]}\n",
        "g.yaml");
    FindMistakes(yaml, topology_);
    return yaml.warnings();
  };
  EXPECT_THAT(warnings("pool.contoso.example"),
              testing::ElementsAre(HasSubstr("g.yaml:2: key 'sip.trusted_peers': has no network, "
                                             "so that each request that comes to the tcp: and")));
  EXPECT_THAT(warnings("pool.contoso.example, 192.0.2.7"), testing::IsEmpty());
}

TEST_F(CheckConfigTest, WantsDomainsWithNames) {
  EXPECT_THAT(ErrorOf("workers: [{plugin: policy_engine}]\n"),
              HasSubstr("key 'domains': is missing; would be right: "));
  const std::string workers = "workers: [{plugin: policy_engine}]\n";
  EXPECT_THAT(ErrorOf("domains: [{next_hop: 'sip:x'}]\n" + workers),
              HasSubstr("key 'domains[0].name': is missing"));
  for (const std::string bad : {"a..b", "-a.example", "a b", "192.0.2.1", ".", "a..example."})
    EXPECT_THAT(ErrorOf("domains: [{name: '" + bad + "'}]\n" + workers),
                HasSubstr("key 'domains[0].name': is '" + bad.substr(0, 9)));
  EXPECT_THAT(ErrorOf("domains: [{name: a.example}, {name: a.example}]\n" + workers),
              HasSubstr("key 'domains[1].name': names 'a.example' again"));
}

TEST_F(CheckConfigTest, KnowsANextHopWhenItSeesOne) {
  const auto error_of = [this](const std::string& next_hop) {
    return ErrorOf("domains: [{name: a.example, next_hop: '" + next_hop +
                   "'}]\nworkers: [{plugin: policy_engine}]\n");
  };
  for (const std::string good : {"sip:pool.a.example", "sip:pool.a.example:5061;transport=tls",
                                 "sips:192.0.2.1:5061", "sip:[2001:db8::1]:5060;lr"})
    EXPECT_EQ(error_of(good), "") << good;
  for (const std::string bad : {"pool.a.example", "sip:", "sip:alice@a.example", "sip:a:0",
                                "sip:a:5061;transport=sctp", "http://a", "sip:[::1"})
    EXPECT_THAT(error_of(bad), HasSubstr("key 'domains[0].next_hop': is '" + bad + "'")) << bad;
}

TEST_F(CheckConfigTest, NamesABadListenAddress) {
  EXPECT_THAT(ErrorWith("listen:\n  xmpp: ['[::]:5269', 'somewhere']\n"),
              HasSubstr("g.yaml:4: key 'listen.xmpp[1]': is 'somewhere'; would be right: an "
                        "address and a port"));
  EXPECT_THAT(ErrorWith("listen: {sip: ['[::]:5061']}\n"), HasSubstr("tls, tcp or udp"));
  EXPECT_THAT(ErrorWith("listen: {sip: ['tls:5061']}\n"), HasSubstr("\"tls:[::]:5061\""));
  EXPECT_THAT(
      ErrorWith("listen: {xmpp: ['[::]:5269', '[::]:5269']}\n"),
      HasSubstr("key 'listen.xmpp[1]': is '[::]:5269', where listen.xmpp[0] listens already"));
  EXPECT_THAT(ErrorWith("listen: {xmpp: ['[::]:5269'], sip: ['udp:[::]:5269', 'tls:[::]:5269']}\n"),
              HasSubstr("key 'listen.sip[1]': is 'tls:[::]:5269', where listen.xmpp[0] listens "
                        "already; would be right: another port"));
  EXPECT_EQ(ErrorWith("listen: {xmpp: ['[::]:0', '[::]:0']}\n"), "");
}

// An operator who asks for metrics and gets none would find out when he needs them.
TEST_F(CheckConfigTest, RefusesAddressesWhereNothingIsServed) {
  EXPECT_THAT(ErrorWith("listen: {metrics: '127.0.0.1:9464'}\n"),
              HasSubstr("key 'listen.metrics': is '127.0.0.1:9464', where this version serves "
                        "nothing; would be right: without this key; `gatehousectl status --json`"));
  EXPECT_THAT(ErrorWith("listen: {control_panel: '127.0.0.1:8443'}\n"),
              HasSubstr("key 'listen.control_panel': is '127.0.0.1:8443', where this version"));
}

// `cert assign` decides then, or has decided.
TEST_F(CheckConfigTest, TakesAnEdgeWithoutACertificate) {
  EXPECT_EQ(ErrorWith("listen: {sip: ['tls:[::]:5061']}\n"), "");
  EXPECT_EQ(ErrorOf("domains: [{name: a.example}]\nworkers: [{plugin: tls_listener}]\n"), "");
}

TEST_F(CheckConfigTest, WantsBothFilesOfACertificate) {
  EXPECT_THAT(ErrorWith("tls: {key_file: key.pem}\n"),
              HasSubstr("key 'tls.chain_file': is missing"));
  EXPECT_THAT(ErrorWith("tls: {chain_file: chain.pem}\n"),
              HasSubstr("key 'tls.key_file': is missing"));
  EXPECT_THAT(ErrorWith("tls: {chain_file: chain.pem, key_file: gone.pem}\n"),
              HasSubstr("gone.pem', which cannot be read: No such file or directory"));
  EXPECT_THAT(ErrorWith("tls: {crl_file: gone.pem}\n"), HasSubstr("key 'tls.crl_file': names '"));
  EXPECT_THAT(ErrorWith("tls: {trust: '.'}\n"), HasSubstr("a folder; would be right: a PEM file"));
}

TEST_F(CheckConfigTest, ANamedPipeInPlaceOfTheFileIsNotWaitedFor) {
  const std::string pipe = folder_ / "pipe.yaml";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto yaml = YamlConfig::ReadFile(pipe);
  EXPECT_TRUE(!yaml || yaml->config().domains().empty());
}

TEST_F(CheckConfigTest, MakesFileNamesAbsoluteFromItsOwnFolder) {
  ASSERT_EQ(ErrorWith("tls: {chain_file: chain.pem, key_file: ./key.pem}\n"), "");
  EXPECT_EQ(config_.tls().chain_file(), (folder_ / "chain.pem").string());
  EXPECT_EQ(config_.tls().key_file(), (folder_ / "key.pem").string());
  EXPECT_EQ(config_.tls().trust(), "system");
}

TEST_F(CheckConfigTest, TakesACertificateOfTheStoreWithoutFiles) {
  ASSERT_EQ(ErrorWith("tls: {certificate: external-edge_2.a}\n"), "");
  EXPECT_EQ(config_.tls().certificate(), "external-edge_2.a");
  EXPECT_THAT(
      ErrorWith("tls: {certificate: edge, chain_file: chain.pem, key_file: key.pem}\n"),
      HasSubstr("key 'tls.certificate': is 'edge', and there are files too; would be right: "
                "either the name"));
  EXPECT_THAT(ErrorWith("tls: {certificate: 'the edge'}\n"),
              HasSubstr("key 'tls.certificate': is 'the edge'; would be right: a name of at most"));
  EXPECT_THAT(ErrorWith("tls: {certificate: " + std::string(65, 'a') + "}\n"),
              HasSubstr("would be right: a name of at most 64 letters"));
}

TEST_F(CheckConfigTest, KnowsTheWorkersOfTheTopologyOnly) {
  const auto error_of = [this](const std::string& workers) {
    return ErrorOf(
        "domains: [{name: a.example}]\ntls: {chain_file: chain.pem, key_file: key.pem}\n"
        "workers: " +
        workers + "\n");
  };
  EXPECT_THAT(error_of("[]"), HasSubstr("key 'workers': is missing"));
  EXPECT_THAT(error_of("[{count: 2}]"), HasSubstr("key 'workers[0].plugin': is missing"));
  EXPECT_THAT(error_of("[{plugin: tls_listner}]"), HasSubstr("did you mean 'tls_listener'?"));
  EXPECT_THAT(error_of("[{plugin: pump}]"),
              HasSubstr("would be right: one of tls_listener, policy_engine"));
  EXPECT_THAT(error_of("[{plugin: policy_engine}, {plugin: policy_engine}]"),
              HasSubstr("key 'workers[1].plugin': names 'policy_engine' again"));
  EXPECT_THAT(error_of("[{plugin: policy_engine, count: 2}]"),
              HasSubstr("there can be only one policy_engine"));
  for (const std::string bad : {"0", "65", "-1", "many", "2x"})
    EXPECT_THAT(error_of("[{plugin: tls_listener, count: '" + bad + "'}]"),
                HasSubstr("key 'workers[0].count': is '" + bad + "'"));
  EXPECT_EQ(error_of("[{plugin: tls_listener, count: auto}, {plugin: policy_engine, count: 1}]"),
            "");
}

// Each would start, find no other end and die, again and again.
TEST_F(CheckConfigTest, MissesAWorkerThatAnotherOneNeeds) {
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(worker { name: "listener" } worker { name: "translator" } worker { name: "engine" }
         link { kind: ASK from: "listener" to: "engine" }
         link { kind: DATA from: "listener" to: "translator" })",
      &topology_));
  const auto error_of = [this](const std::string& workers) {
    return ErrorOf("domains: [{name: a.example}]\nworkers: [" + workers + "]\n");
  };
  EXPECT_EQ(error_of("{plugin: engine}"), "");
  EXPECT_EQ(error_of("{plugin: translator}, {plugin: listener}, {plugin: engine}"), "");
  EXPECT_THAT(error_of("{plugin: listener}, {plugin: translator}"),
              HasSubstr("g.yaml:2: key 'workers': listener needs engine; would be right: "
                        "'- plugin: engine'"));
  EXPECT_THAT(error_of("{plugin: listener}, {plugin: engine}"),
              HasSubstr("key 'workers': listener needs translator; "));
  EXPECT_THAT(error_of("{plugin: translator}, {plugin: engine}"),
              HasSubstr("key 'workers': translator needs listener; "));
}

TEST_F(CheckConfigTest, ChecksSipAndDns) {
  EXPECT_THAT(ErrorWith("sip: {trusted_peers: ['192.0.2.0/99']}\n"),
              HasSubstr("key 'sip.trusted_peers[0]'"));
  EXPECT_THAT(ErrorWith("sip: {profile: session}\n"), HasSubstr("would be right: page"));
  EXPECT_THAT(ErrorWith("dns: {servers: [ns.example]}\n"), HasSubstr("key 'dns.servers[0]'"));
  EXPECT_THAT(ErrorWith("dns: {servers: ['192.0.2.53:0']}\n"), HasSubstr("key 'dns.servers[0]'"));
}

// What stands there goes into Via and Contact.
TEST_F(CheckConfigTest, WantsTheSipHostAlone) {
  const auto error_of = [this](const std::string& host) {
    return ErrorWith("sip: {host: '" + host + "'}\n");
  };
  for (const std::string good :
       {"edge.contoso.example", "edge", "192.0.2.1", "[2001:db8::1]", "Edge-1.contoso.example"}) {
    EXPECT_EQ(error_of(good), "") << good;
    EXPECT_EQ(config_.sip().host(), good);
  }
  for (const std::string bad :
       {"edge.contoso.example:5061", "sip:edge.contoso.example", "edge.contoso.example.", " edge",
        "edge contoso", "2001:db8::1", "192.0.2.1:5061", "[2001:db8::1]:5061", "a..b",
        "b\u00fc cher.example"})
    EXPECT_THAT(error_of(bad), HasSubstr("key 'sip.host': is '" + bad +
                                         "'; would be right: a name "
                                         "alone such as edge.contoso.example, without a port"));
  EXPECT_EQ(error_of("edge.b\u00fccher.example"), "");
  EXPECT_EQ(config_.sip().host(), "edge.xn--bcher-kva.example");
}

TEST_F(CheckConfigTest, TakesADotAtTheEndOfADomain) {
  const std::string workers = "workers: [{plugin: policy_engine}]\n";
  EXPECT_EQ(ErrorOf("domains: [{name: contoso.example.}]\n" + workers), "");
  EXPECT_EQ(config_.domains(0).name(), "contoso.example");
  EXPECT_THAT(ErrorOf("domains: [{name: a.example}, {name: a.example.}]\n" + workers),
              HasSubstr("key 'domains[1].name': names 'a.example' again"));
}

TEST_F(CheckConfigTest, KnowsWhichLimitsAnEdgeCanLiveWith) {
  EXPECT_EQ(ErrorWith("limits: {stanzas_per_second: 1, stanza_burst: 1000000,\n"
                      "  connections_per_minute: 0, worker_memory_mib: 16}\n"),
            "");
  EXPECT_THAT(ErrorWith("limits: {stanzas_per_second: 1000001}\n"),
              HasSubstr("key 'limits.stanzas_per_second': is 1000001; would be right: 0, which is "
                        "the default, or 1 to 1000000 stanzas a second"));
  EXPECT_THAT(
      ErrorsOf("domains: [{name: contoso.example}]\nworkers: [{plugin: policy_engine}]\n"
               "limits: {stanza_burst: 1000001, connections_per_minute: 10000001,\n"
               "  unauthenticated_per_address: 4294967295, worker_memory_mib: 1}\n"),
      testing::ElementsAre(HasSubstr("key 'limits.stanza_burst'"),
                           HasSubstr("key 'limits.connections_per_minute'"),
                           HasSubstr("key 'limits.unauthenticated_per_address'"),
                           HasSubstr("key 'limits.worker_memory_mib': is 1; would be right: "
                                     "0, which is the default, or 16 to 1048576 MiB")));
}

TEST_F(CheckConfigTest, TrustsTheAdBitOfResolversOnThisMachineOnly) {
  EXPECT_EQ(ErrorWith("dns: {servers: ['127.0.0.1', '[::1]:5353'], dnssec: trust-ad}\n"), "");
  EXPECT_EQ(ErrorWith("dns: {servers: [192.0.2.53], dnssec: 'off'}\n"), "");
  EXPECT_THAT(ErrorWith("dns: {servers: ['127.0.0.1', 192.0.2.53], dnssec: trust-ad}\n"),
              HasSubstr("key 'dns.dnssec': is trust-ad, but '192.0.2.53' is not on loopback"));
  EXPECT_THAT(ErrorWith("dns: {dnssec: trust-ad}\n"), HasSubstr("dns.servers is empty"));
  EXPECT_THAT(ErrorWith("dns: {dnssec: validate}\n"), HasSubstr("off or trust-ad"));
}

TEST(InstanceCount, IsOneByDefaultAndOneACoreWithAuto) {
  EXPECT_EQ(InstanceCount("").value(), 1U);
  EXPECT_EQ(InstanceCount("64").value(), 64U);
  EXPECT_GE(InstanceCount("auto").value(), 1U);
}

TEST_F(CheckConfigTest, TellsEveryMistakeThatStandsByItself) {
  EXPECT_THAT(
      ErrorsOf("domains:\n"
               "  - name: contoso.example\n"
               "  - name: -bad-\n"
               "  - name: fabrikam.example\n"
               "    next_hop: pool\n"
               "listen:\n"
               "  xmpp: [nowhere, '[::]:5269']\n"
               "  sip: [tcp:x]\n"
               "workers:\n"
               "  - plugin: polcy_engine\n"
               "  - plugin: policy_engine\n"
               "    count: 2\n"
               "tls:\n"
               "  trust: missing.pem\n"
               "  chain_file: missing.pem\n"
               "dns:\n"
               "  servers: [x, y]\n"),
      testing::ElementsAre(
          HasSubstr("g.yaml:3: key 'domains[1].name'"),
          HasSubstr("g.yaml:5: key 'domains[2].next_hop'"),
          HasSubstr("g.yaml:7: key 'listen.xmpp[0]'"), HasSubstr("g.yaml:8: key 'listen.sip[0]'"),
          HasSubstr("did you mean 'policy_engine'"), HasSubstr("g.yaml:12: key 'workers[1].count'"),
          HasSubstr("g.yaml:14: key 'tls.trust'"), HasSubstr("key 'tls.key_file': is missing"),
          HasSubstr("key 'dns.servers[0]'"), HasSubstr("key 'dns.servers[1]'")));
}

TEST_F(CheckConfigTest, WhatCannotBeReadIsToldBesideTheRestAndOnce) {
  EXPECT_THAT(ErrorsOf("domains:\n"
                       "  - name: -bad-\n"
                       "wrokers:\n"
                       "  - plugin: policy_engine\n"
                       "listen:\n"
                       "  xmp: []\n"
                       "  sip: [tcp:x]\n"
                       "dns:\n"
                       "  servers: none\n"),
              testing::ElementsAre(HasSubstr("g.yaml:3: key 'wrokers'"),
                                   HasSubstr("g.yaml:6: key 'listen.xmp'"),
                                   HasSubstr("g.yaml:9: key 'dns.servers'"),
                                   HasSubstr("g.yaml:2: key 'domains[0].name'")))
      << "that workers are missing is no news";
  EXPECT_THAT(ErrorsOf("]\n"), testing::SizeIs(1));
  EXPECT_THAT(ErrorsOf("domains: [{name: a.example}]\ndomains: []\nworkers: [{plugin: x}]\n"),
              testing::ElementsAre(HasSubstr("is given twice"), HasSubstr("'x'")));
}

}  // namespace
}  // namespace gatehouse
