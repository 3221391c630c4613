#include "core/ctl/setup_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "core/config/listen_address.h"
#include "core/ctl/text_table.h"
#include "core/xmpp/jid.h"

namespace gatehouse::ctl {
namespace {

constexpr milliseconds kSupervisorLimit{3000};  // it is asked in passing
constexpr std::size_t kMaxChainBytes = 1 << 20;

proto::Config ConfigOf(const proto::StatusReport& report) {
  proto::Config config;
  for (const std::string& domain : report.domains()) config.add_domains()->set_name(domain);
  config.mutable_sip()->set_host(report.sip_host());
  *config.mutable_dns()->mutable_servers() = report.dns_servers();
  for (const proto::ListenerStatus& listener : report.listeners()) {
    if (listener.kind() == "xmpp") config.mutable_listen()->add_xmpp(listener.address());
    if (listener.kind() == "xmpps") config.mutable_listen()->add_xmpps(listener.address());
    if (listener.kind() == "sip") config.mutable_listen()->add_sip(listener.address());
  }
  return config;
}

std::optional<proto::Config> AskSupervisor(const Outside& outside) {
  proto::CtlRequest request;
  request.set_id(1);
  request.mutable_status();
  const auto response = outside.call(request, kSupervisorLimit);
  if (!response || !*response || !(*response)->has_status()) return std::nullopt;
  return ConfigOf((*response)->status());
}

std::set<std::string> NamesOf(const proto::Config& config) {
  std::set<std::string> names;
  for (const proto::Domain& domain : config.domains()) names.insert(domain.name());
  return names;
}

std::string ReadChain(const std::string& file) {
  if (file.empty()) return {};
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  return text.size() > kMaxChainBytes ? std::string() : text;
}

Result<std::vector<SocketAddress>> Listening(
    const google::protobuf::RepeatedPtrField<std::string>& list) {
  std::vector<SocketAddress> addresses;
  for (const std::string& text : list) {
    const auto parsed = ListenAddress::ParseXmpp(text);
    if (!parsed) return BadConfig("a listening address " + parsed.error().text);
    if (parsed->address.Port() != 0) addresses.push_back(parsed->address);
  }
  return addresses;
}

}  // namespace

Result<SetupFacts> FindSetup(const Invocation& invocation, const Outside& outside) {
  const std::string& given = invocation.setup.config;
  if (!given.empty()) {
    GATEHOUSE_TRY(proto::Config config, outside.read_config(given));
    return SetupFacts{std::move(config), fmt::format("'{}'", given)};
  }
  auto file = outside.read_config(kDefaultConfig);
  auto running = AskSupervisor(outside);
  if (!running && !file)
    return BadConfig(fmt::format(
        "what is ours is not known: no supervisor answers in '{}', and {}; name the configuration "
        "with --config FILE, or start gatehoused",
        invocation.runtime_dir, file.error().text));
  if (!running) return SetupFacts{*std::move(file), fmt::format("'{}'", kDefaultConfig)};
  if (!file || NamesOf(*file) != NamesOf(*running))
    return SetupFacts{*std::move(running), "the running supervisor"};
  *file->mutable_listen() = running->listen();
  return SetupFacts{*std::move(file),
                    fmt::format("the running supervisor and '{}'", kDefaultConfig)};
}

std::optional<proto::CertificateView> AssignedCertificate(const Invocation& invocation,
                                                          const Outside& outside) {
  if (!invocation.setup.config.empty()) return std::nullopt;
  const auto ask = [&outside](const std::string& name) {
    proto::CtlRequest request;
    request.set_id(1);
    request.mutable_certificate_get()->set_name(name);
    const auto response = outside.call(request, kSupervisorLimit);
    return response && *response ? (*response)->certificates() : proto::CertificateViews();
  };
  const proto::CertificateViews all = ask({});
  for (const proto::CertificateView& view : all.certificates()) {
    if (std::ranges::count(view.slots(), proto::SLOT_XMPP) == 0) continue;
    const proto::CertificateViews one = ask(view.name());
    if (one.certificates_size() == 1 && !one.certificates(0).pem().empty())
      return one.certificates(0);
  }
  return std::nullopt;
}

Result<std::string> AsciiDomain(std::string_view domain) {
  GATEHOUSE_TRY(const std::string prepared, PrepareDomain(domain));
  return DomainToAscii(prepared);
}

Result<std::vector<std::string>> OurDomains(const proto::Config& config) {
  std::vector<std::string> domains;
  for (const proto::Domain& domain : config.domains()) {
    GATEHOUSE_TRY(std::string ascii, AsciiDomain(domain.name()));
    domains.push_back(std::move(ascii));
  }
  return domains;
}

Result<std::string> GivenHost(std::string_view option, const std::string& name) {
  auto ascii = AsciiDomain(name);
  if (ascii && !SocketAddress::FromIp(*ascii, 0)) return ascii;
  return BadConfig(
      fmt::format("{} '{}' is no name that DNS can have; give one such as edge.corp.example",
                  option, Printable(name)));
}

Result<std::string> EdgeHost(const Invocation& invocation, const proto::Config& config) {
  if (!invocation.setup.host.empty()) return GivenHost("--host", invocation.setup.host);
  const std::string& sip_host = config.sip().host();
  const auto names = NamesOf(config);
  const bool is_name = sip_host.find('.') != std::string::npos && !names.contains(sip_host);
  if (is_name)
    if (auto known = GivenHost("sip.host", sip_host)) return known;
  const auto domains = OurDomains(config);
  return domains && !domains->empty() ? "edge." + domains->front() : std::string();
}

Result<dnscheck::OurSide> OurSideOf(const Invocation& invocation, const proto::Config& config) {
  dnscheck::OurSide ours;
  GATEHOUSE_TRY(ours.xmpp, Listening(config.listen().xmpp()));
  GATEHOUSE_TRY(ours.xmpps, Listening(config.listen().xmpps()));
  for (const std::string& text : invocation.setup.addresses) {
    const auto address = SocketAddress::FromIp(text, 0);
    if (!address)
      return BadConfig(fmt::format("--address '{}' is no IP address; give one such as 192.0.2.10",
                                   Printable(text)));
    const bool allowed = address->IsLoopback() && config.dns().allow_loopback_targets();
    if (address->IsForbiddenTarget() && !allowed)
      return BadConfig(fmt::format(
          "--address {} cannot be reached by partners; give a public address of the edge", text));
    const auto is_it = [&address](const SocketAddress& one) {
      return one.ToText() == address->ToText();
    };
    if (std::ranges::none_of(ours.addresses, is_it)) ours.addresses.push_back(*address);
  }
  if (ours.addresses.empty()) ours.addresses = PublicAddresses(ours);
  GATEHOUSE_TRY(ours.host, EdgeHost(invocation, config));
  ours.chain_pem = ReadChain(config.tls().chain_file());
  return ours;
}

}  // namespace gatehouse::ctl
