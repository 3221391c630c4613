// The load driver: plays the XMPP partner and the SIP next hop of a running Gatehouse and prints
// one JSON array. tests/bench/run starts everything around it.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "core/base/process_resources.h"
#include "tests/bench/crowd.h"
#include "tests/bench/driver.h"

namespace gatehouse::bench {
namespace {

struct Words {
  std::string xmpp, sip, partner_listen, sip_listen;
  std::string chain, key, trust, fresh_chains;
  std::string local_domain = "contoso.example";
  std::string crowd_suffix = "crowd.example";
  std::vector<std::string> domains, processes, phases, crowds;
  double warm_up_s = 1;
  double measured_s = 5;
  DriverSetup setup;
};

Result<int> ListenAt(const std::string& text) {
  GATEHOUSE_TRY(const auto address, SocketAddress::Parse(text));
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, address.raw(), address.size()) != 0 || listen(fd, SOMAXCONN) != 0) {
    close(fd);
    return Trouble("cannot listen at " + text);
  }
  return fd;
}

Result<WatchedProcess> ParseProcess(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return BadConfig("'" + text + "' is not NAME=PID");
  return WatchedProcess{text.substr(0, equals), std::atoi(text.c_str() + equals + 1)};
}

Result<DriverSetup> SetUp(Words words) {
  DriverSetup setup = std::move(words.setup);
  setup.partner.domains = words.domains;
  setup.partner.local_domain = words.local_domain;
  GATEHOUSE_TRY(setup.partner.gatehouse, SocketAddress::Parse(words.xmpp));
  GATEHOUSE_TRY(setup.sip_gatehouse, SocketAddress::Parse(words.sip));
  GATEHOUSE_TRY(setup.partner.tls, TlsContext::Create({words.chain, words.key, words.trust}));
  GATEHOUSE_TRY(setup.partner_fd, ListenAt(words.partner_listen));
  GATEHOUSE_TRY(setup.sip_fd, ListenAt(words.sip_listen));
  for (const std::string& text : words.processes) {
    GATEHOUSE_TRY(auto process, ParseProcess(text));
    setup.processes.push_back(std::move(process));
  }
  for (const std::string& text : words.phases) {
    GATEHOUSE_TRY(const Phase phase, ParsePhase(text, words.warm_up_s, words.measured_s));
    setup.phases.push_back(phase);
  }
  return setup;
}

Result<std::string> RunPhases(DriverSetup setup) {
  if (setup.phases.empty()) return std::string();
  GATEHOUSE_TRY(const auto loop, Loop::Create());
  const auto driver = std::make_unique<Driver>(*loop, std::move(setup));
  GATEHOUSE_TRY(const auto results, driver->Run());
  std::string json;
  for (const PhaseResult& result : results) json += (json.empty() ? "" : ",\n") + ToJson(result);
  return json;
}

CrowdSetup CrowdSetupOf(const DriverSetup& setup, const Words& words) {
  return {.suffix = words.crowd_suffix,
          .local_domain = words.local_domain,
          .gatehouse = setup.partner.gatehouse,
          .sip_gatehouse = setup.sip_gatehouse,
          .tls = setup.partner.tls,
          .fresh_tls =
              [words](std::size_t number) {
                return TlsContext::Create(
                    {fmt::format("{}/{}.crt", words.fresh_chains, number), words.key, words.trust});
              },
          .partner_fd = setup.partner_fd,
          .sip_fd = setup.sip_fd,
          .idle_s = words.measured_s,
          .processes = setup.processes};
}

Result<std::string> RunCrowd(const CrowdSetup& setup, const std::string& text) {
  GATEHOUSE_TRY(const CrowdOrder order, ParseCrowd(text));
  GATEHOUSE_TRY(const auto loop, Loop::Create());
  const auto crowd = std::make_unique<Crowd>(*loop, setup, order);
  GATEHOUSE_TRY(const CrowdResult result, crowd->Run());
  return ToJson(result);
}

// The objects of the JSON array.
Result<std::string> RunAll(const Words& words) {
  GATEHOUSE_TRY(auto setup, SetUp(words));
  const CrowdSetup crowd = CrowdSetupOf(setup, words);
  GATEHOUSE_TRY(std::string json, RunPhases(std::move(setup)));
  for (const std::string& text : words.crowds) {
    GATEHOUSE_TRY(const std::string result, RunCrowd(crowd, text));
    json += (json.empty() ? "" : ",\n") + result;
  }
  return json;
}

int Main(int argc, char** argv) {
  CLI::App app("Drives a running Gatehouse from both ends and measures it");
  Words words;
  app.add_option("--xmpp", words.xmpp, "Gatehouse's s2s listener, address:port")->required();
  app.add_option("--sip", words.sip, "Gatehouse's SIP listener over TCP")->required();
  app.add_option("--partner-listen", words.partner_listen, "where the partner accepts")->required();
  app.add_option("--sip-listen", words.sip_listen, "where the next hop accepts")->required();
  app.add_option("--chain", words.chain, "the partner's certificate chain, PEM")->required();
  app.add_option("--key", words.key, "its key, PEM")->required();
  app.add_option("--trust", words.trust, "anchors, PEM")->required();
  app.add_option("--fresh-chains", words.fresh_chains,
                 "a folder with 0.crt, 1.crt and so on for the same key, for handshakes:fresh=N");
  app.add_option("--local-domain", words.local_domain, "the domain Gatehouse speaks for");
  app.add_option("--domain", words.domains, "a domain of the partner; again for more")->required();
  app.add_option("--process", words.processes, "NAME=PID to measure; again for more");
  app.add_option("--phase", words.phases, "such as x2s:window=256; again for more");
  app.add_option("--crowd", words.crowds, "such as idle:in=5000; again for more, after the phases");
  app.add_option("--crowd-suffix", words.crowd_suffix, "the crowd's domains: d0.SUFFIX and so on");
  app.add_option("--pairs", words.setup.pairs, "user pairs");
  app.add_option("--stanza-bytes", words.setup.stanza_bytes, "size of a stanza");
  app.add_option("--warm-up", words.warm_up_s, "seconds before each measurement");
  app.add_option("--seconds", words.measured_s, "seconds of each measurement");
  CLI11_PARSE(app, argc, argv);

  RaiseDescriptorLimit();
  const auto results = RunAll(words);
  if (!results) {
    std::fprintf(stderr, "gatehouse_bench: %s\n", results.error().text.c_str());
    return 1;
  }
  std::printf("[%s]\n", results->c_str());
  return 0;
}

}  // namespace
}  // namespace gatehouse::bench

int main(int argc, char** argv) {
  return gatehouse::bench::Main(argc, argv);
}
