#include "core/config/check_config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <thread>

#include "core/base/process_resources.h"
#include "core/config/certificate_name.h"
#include "core/config/check_acme.h"
#include "core/config/check_certificate.h"
#include "core/config/check_domains.h"
#include "core/config/listen_address.h"
#include "core/config/plain_sip.h"
#include "core/loop/dns_servers.h"
#include "core/xmpp/jid.h"
#include "proto/topology.pb.h"

namespace gatehouse {
namespace {

using proto::Topology;
using proto::WorkerKind;

// Who listens where, by what the kernel tells apart: "tcp 0.0.0.0:5269".
using Listening = std::map<std::string, std::string>;

void CheckListenList(YamlConfig& yaml, std::string_view key,
                     const google::protobuf::RepeatedPtrField<std::string>& list,
                     Result<ListenAddress> (*parse)(std::string_view), Listening& listening) {
  for (int i = 0; i < list.size(); ++i) {
    const std::string item = fmt::format("{}[{}]", key, i);
    const auto parsed = parse(list[i]);
    if (!parsed) {
      yaml.Note(std::unexpected(yaml.At(item, parsed.error().text)));
      continue;
    }
    if (parsed->address.Port() == 0) continue;
    const std::string_view socket = parsed->transport == "udp" ? "udp " : "tcp ";
    const auto [first, is_new] =
        listening.emplace(std::string(socket) + parsed->address.ToText(), item);
    if (!is_new)
      yaml.Note(std::unexpected(yaml.At(
          item, fmt::format("is '{}', where {} listens already; would be right: another port, or "
                            "without one of the two",
                            list[i], first->second))));
  }
}

// A key of the full format that no worker of this version serves.
Result<void> CheckUnserved(const YamlConfig& yaml, std::string_view key, const std::string& address,
                           std::string_view instead) {
  if (address.empty()) return {};
  return std::unexpected(yaml.At(
      key, fmt::format("is '{}', where this version serves nothing; would be right: without "
                       "this key; {}",
                       address, instead)));
}

void CheckListen(YamlConfig& yaml) {
  const proto::Listen& listen = yaml.config().listen();
  Listening listening;
  CheckListenList(yaml, "listen.xmpp", listen.xmpp(), ListenAddress::ParseXmpp, listening);
  CheckListenList(yaml, "listen.xmpps", listen.xmpps(), ListenAddress::ParseXmpp, listening);
  CheckListenList(yaml, "listen.sip", listen.sip(), ListenAddress::ParseSip, listening);
  CheckListenList(yaml, "listen.http", listen.http(), ListenAddress::ParseXmpp, listening);
  yaml.Note(CheckUnserved(yaml, "listen.control_panel", listen.control_panel(),
                          "gatehousectl has the commands"));
  yaml.Note(CheckUnserved(yaml, "listen.metrics", listen.metrics(),
                          "`gatehousectl status --json` has the counters"));
}

// Makes `name` absolute and sees whether this user may read it.
Result<void> CheckFile(const YamlConfig& yaml, std::string_view key, std::string& name) {
  const std::filesystem::path folder = std::filesystem::absolute(yaml.file()).parent_path();
  name = (folder / name).lexically_normal().string();
  std::error_code ignored;
  if (std::filesystem::is_directory(name, ignored))
    return std::unexpected(
        yaml.At(key, fmt::format("names '{}', a folder; would be right: a PEM file", name)));
  if (std::filesystem::exists(name, ignored) && !std::filesystem::is_regular_file(name, ignored))
    return std::unexpected(yaml.At(
        key, fmt::format("names '{}', a pipe or a device; would be right: a PEM file", name)));
  if (::access(name.c_str(), R_OK) == 0) return {};
  return std::unexpected(
      yaml.At(key, fmt::format("names '{}', which cannot be read: {}; would be right: a PEM file "
                               "readable by the user gatehoused runs as",
                               name, std::strerror(errno))));
}

// A certificate of the store, or files, or neither: then `cert assign` decides.
Result<void> CheckOwnCertificate(YamlConfig& yaml) {
  proto::Tls& tls = *yaml.config().mutable_tls();
  const bool has_chain = !tls.chain_file().empty();
  const bool has_key = !tls.key_file().empty();
  if (!tls.certificate().empty()) {
    if (has_chain || has_key)
      return std::unexpected(yaml.At(
          "tls.certificate",
          fmt::format("is '{}', and there are files too; would be right: either the name of a "
                      "certificate in the store, or chain_file and key_file",
                      tls.certificate())));
    if (IsCertificateName(tls.certificate())) return {};
    return std::unexpected(
        yaml.At("tls.certificate", fmt::format("is '{}'; would be right: a name of at most {} "
                                               "letters, digits, '.', '_' and '-'",
                                               tls.certificate(), kMaxCertificateNameBytes)));
  }
  if (!has_chain && !has_key) return {};
  if (!has_chain)
    return std::unexpected(
        yaml.At("tls.chain_file",
                "is missing; would be right: a PEM file with the certificate, leaf first"));
  if (!has_key)
    return std::unexpected(
        yaml.At("tls.key_file", "is missing; would be right: a PEM file with the private key"));
  yaml.Note(CheckFile(yaml, "tls.chain_file", *tls.mutable_chain_file()));
  return CheckFile(yaml, "tls.key_file", *tls.mutable_key_file());
}

void CheckTls(YamlConfig& yaml) {
  proto::Tls& tls = *yaml.config().mutable_tls();
  if (tls.trust().empty()) tls.set_trust("system");
  if (tls.trust() != "system") yaml.Note(CheckFile(yaml, "tls.trust", *tls.mutable_trust()));
  if (!tls.crl_file().empty()) yaml.Note(CheckFile(yaml, "tls.crl_file", *tls.mutable_crl_file()));
  yaml.Note(CheckOwnCertificate(yaml));
}

Result<void> CheckTrustedPeer(const YamlConfig& yaml, int index) {
  const std::string& peer = yaml.config().sip().trusted_peers(index);
  const bool is_network = peer.find('/') != std::string::npos;
  if (is_network ? Network::Parse(peer).has_value() : !peer.empty()) return {};
  return std::unexpected(yaml.At(
      fmt::format("sip.trusted_peers[{}]", index),
      fmt::format("is '{}'; would be right: a name such as \"pool.contoso.example\" or a network "
                  "such as \"192.0.2.0/24\"",
                  peer)));
}

// It goes into Via and Contact as it is: a name, or an address as a URI has it. An
// internationalised name becomes what DNS has.
Result<void> CheckSipHost(YamlConfig& yaml) {
  std::string& host = *yaml.config().mutable_sip()->mutable_host();
  const bool is_ip6 = host.size() > 2 && host.starts_with('[') && host.ends_with(']') &&
                      host.contains(':') &&
                      SocketAddress::FromIp(host.substr(1, host.size() - 2), 0).has_value();
  const bool is_ip4 = !host.contains(':') && SocketAddress::FromIp(host, 0).has_value();
  if (is_ip4 || is_ip6) return {};
  const bool is_ascii = std::ranges::all_of(host, [](char c) { return (c & 0x80) == 0; });
  if (is_ascii && IsDomain(host)) return {};
  if (const auto prepared = PrepareDomain(host); !is_ascii && prepared && IsDomain(host))
    if (auto encoded = DomainToAscii(*prepared)) {
      host = *std::move(encoded);
      return {};
    }
  return std::unexpected(yaml.At(
      "sip.host", fmt::format("is '{}'; would be right: a name alone such as "
                              "edge.contoso.example, without a port, a scheme, blanks or a dot at "
                              "its end",
                              host)));
}

void CheckSip(YamlConfig& yaml) {
  const proto::Sip& sip = yaml.config().sip();
  if (!sip.host().empty()) yaml.Note(CheckSipHost(yaml));
  for (int i = 0; i < sip.trusted_peers_size(); ++i) yaml.Note(CheckTrustedPeer(yaml, i));
  if (RefusesAllPlainSip(yaml.config())) yaml.Warn("sip.trusted_peers", kRefusesAllPlainSip);
  if (!sip.profile().empty() && sip.profile() != "page")
    yaml.Note(std::unexpected(
        yaml.At("sip.profile", fmt::format("is '{}'; would be right: page", sip.profile()))));
  if (sip.page_mode_max() > 65535)
    yaml.Note(std::unexpected(
        yaml.At("sip.page_mode_max",
                fmt::format("is {}; would be right: at most 65535 octets", sip.page_mode_max()))));
}

// What an edge can live with. 0 is the default, as if the key were not there.
void CheckLimits(YamlConfig& yaml) {
  struct Row {
    const char* key;
    std::uint32_t value;
    std::uint32_t least;
    std::uint32_t most;
    const char* what;
  };
  const proto::Limits& limits = yaml.config().limits();
  constexpr std::uint32_t kMostPerSecond = 1'000'000;
  constexpr std::uint32_t kMostOfAddress = 10'000'000;
  // clang-format off
  const std::array rows = {
      Row{"limits.stanzas_per_second", limits.stanzas_per_second(), 1, kMostPerSecond, "stanzas a second"},
      Row{"limits.stanza_burst", limits.stanza_burst(), 1, kMostPerSecond, "stanzas at once"},
      Row{"limits.connections_per_minute", limits.connections_per_minute(), 1, kMostOfAddress, "connections a minute"},
      Row{"limits.unauthenticated_per_address", limits.unauthenticated_per_address(), 1, kMostOfAddress, "connections"},
      Row{"limits.worker_memory_mib", limits.worker_memory_mib(), kLeastWorkerMemoryMib, kMostWorkerMemoryMib, "MiB"},
  };
  // clang-format on
  for (const Row& row : rows)
    if (row.value != 0 && (row.value < row.least || row.value > row.most))
      yaml.Note(std::unexpected(yaml.At(
          row.key, fmt::format("is {}; would be right: 0, which is the default, or {} to {} {}",
                               row.value, row.least, row.most, row.what))));
  const std::uint32_t mib = limits.worker_memory_mib();
  if (mib >= kLeastWorkerMemoryMib && mib < kAmpleWorkerMemoryMib)
    yaml.Warn("limits.worker_memory_mib",
              fmt::format("is {}; a worker may be near that before it has anything to do, and then "
                          "takes no newcomers; better would be {} or more",
                          mib, kAmpleWorkerMemoryMib));
}

Result<void> CheckDnsServer(const YamlConfig& yaml, int index) {
  const std::string& server = yaml.config().dns().servers(index);
  if (DnsServerList(std::span(&server, 1))) return {};
  return std::unexpected(
      yaml.At(fmt::format("dns.servers[{}]", index),
              fmt::format("is '{}'; would be right: an IP address such as \"192.0.2.53\" or "
                          "\"192.0.2.53:5353\"",
                          server)));
}

Result<void> CheckDnssec(const YamlConfig& yaml) {
  const proto::Dns& dns = yaml.config().dns();
  if (dns.dnssec().empty() || dns.dnssec() == "off") return {};
  if (dns.dnssec() != "trust-ad")
    return std::unexpected(yaml.At(
        "dns.dnssec", fmt::format("is '{}'; would be right: off or trust-ad", dns.dnssec())));
  const std::vector<std::string> servers(dns.servers().begin(), dns.servers().end());
  if (const auto local = CheckServersAreLocal(servers); !local)
    return std::unexpected(yaml.At("dns.dnssec", local.error().text));
  return {};
}

void CheckDns(YamlConfig& yaml) {
  const std::size_t before = yaml.mistakes().size();
  for (int i = 0; i < yaml.config().dns().servers_size(); ++i) yaml.Note(CheckDnsServer(yaml, i));
  if (yaml.mistakes().size() == before) yaml.Note(CheckDnssec(yaml));
}

const WorkerKind* FindKind(const Topology& topology, std::string_view name) {
  for (const WorkerKind& kind : topology.worker())
    if (kind.name() == name) return &kind;
  return nullptr;
}

std::string UnknownPlugin(const std::string& name, const Topology& topology) {
  std::string names;
  std::string listed;
  for (const WorkerKind& kind : topology.worker()) {
    names += (names.empty() ? "" : " ") + kind.name();
    listed += (listed.empty() ? "" : ", ") + kind.name();
  }
  const std::string_view nearest = NearestWord(name, names);
  if (!nearest.empty())
    return fmt::format("is '{}', which the topology does not know; did you mean '{}'?", name,
                       nearest);
  return fmt::format("is '{}', which the topology does not know; would be right: one of {}", name,
                     listed);
}

Result<void> CheckPool(const YamlConfig& yaml, const Topology& topology, int index) {
  const proto::WorkerPool& pool = yaml.config().workers(index);
  const std::string key = fmt::format("workers[{}]", index);
  if (pool.plugin().empty())
    return std::unexpected(
        yaml.At(key + ".plugin", "is missing; would be right: a name such as tls_listener"));
  const WorkerKind* const kind = FindKind(topology, pool.plugin());
  if (kind == nullptr)
    return std::unexpected(yaml.At(key + ".plugin", UnknownPlugin(pool.plugin(), topology)));
  for (int earlier = 0; earlier < index; ++earlier)
    if (yaml.config().workers(earlier).plugin() == pool.plugin())
      return std::unexpected(yaml.At(
          key + ".plugin",
          fmt::format("names '{}' again; would be right: once, with count", pool.plugin())));
  const auto count = InstanceCount(pool.count());
  if (!count) return std::unexpected(yaml.At(key + ".count", count.error().text));
  if (!kind->scalable() && !pool.count().empty() && pool.count() != "1")
    return std::unexpected(
        yaml.At(key + ".count", fmt::format("is '{}'; would be right: 1, there can be only one {}",
                                            pool.count(), pool.plugin())));
  return {};
}

bool IsConfigured(const YamlConfig& yaml, std::string_view plugin) {
  return std::ranges::any_of(yaml.config().workers(), [plugin](const proto::WorkerPool& pool) {
    return pool.plugin() == plugin;
  });
}

// Who asks cannot do without the one that answers, and what is handed on needs both ends.
void CheckLinked(YamlConfig& yaml, const Topology& topology) {
  std::set<std::string> told;
  const auto check = [&yaml, &told](const std::string& who, const std::string& needed) {
    if (!IsConfigured(yaml, who) || IsConfigured(yaml, needed)) return;
    if (!told.insert(needed).second) return;
    yaml.Note(std::unexpected(
        yaml.At("workers",
                fmt::format("{} needs {}; would be right: '- plugin: {}'", who, needed, needed))));
  };
  for (const proto::LinkKindSpec& link : topology.link()) {
    check(link.from(), link.to());
    if (link.kind() == proto::DATA) check(link.to(), link.from());
  }
}

void CheckWorkers(YamlConfig& yaml, const Topology& topology) {
  if (yaml.config().workers().empty())
    return yaml.Note(std::unexpected(
        yaml.At("workers", "is missing; would be right: a list such as '- plugin: tls_listener'")));
  const std::size_t before = yaml.mistakes().size();
  for (int i = 0; i < yaml.config().workers_size(); ++i) yaml.Note(CheckPool(yaml, topology, i));
  if (yaml.mistakes().size() == before) CheckLinked(yaml, topology);
}

}  // namespace

Result<unsigned> InstanceCount(const std::string& count) {
  if (count.empty()) return 1U;
  if (count == "auto") return std::clamp(std::thread::hardware_concurrency(), 1U, kMaxInstances);
  unsigned number = 0;
  const auto [end, failed] = std::from_chars(count.data(), count.data() + count.size(), number);
  const bool whole = failed == std::errc() && end == count.data() + count.size();
  if (whole && number >= 1 && number <= kMaxInstances) return number;
  return BadConfig(fmt::format(
      "is '{}'; would be right: auto (one a core) or a number from 1 to {}", count, kMaxInstances));
}

void FindMistakes(YamlConfig& yaml, const Topology& topology) {
  if (yaml.IsRead("domains")) CheckDomains(yaml);
  if (yaml.IsRead("listen")) CheckListen(yaml);
  if (yaml.IsRead("workers")) CheckWorkers(yaml, topology);
  if (yaml.IsRead("tls")) CheckTls(yaml);
  if (yaml.IsRead("sip")) CheckSip(yaml);
  if (yaml.IsRead("dns")) CheckDns(yaml);
  if (yaml.IsRead("limits")) CheckLimits(yaml);
  // It leans on most of the others.
  if (yaml.mistakes().empty()) CheckAcme(yaml);
}

Result<void> CheckConfig(YamlConfig& yaml, const Topology& topology) {
  FindMistakes(yaml, topology);
  return yaml.FirstMistake();
}

Result<YamlConfig> ReadAndCheck(const std::string& path, const Topology& topology) {
  GATEHOUSE_TRY(YamlConfig yaml, YamlConfig::ReadAllOf(path));
  FindMistakes(yaml, topology);
  if (yaml.mistakes().empty()) yaml.Note(CheckCertificate(yaml));
  return yaml;
}

Result<YamlConfig> LoadConfig(const std::string& path, const Topology& topology) {
  GATEHOUSE_TRY(YamlConfig yaml, ReadAndCheck(path, topology));
  GATEHOUSE_TRY_VOID(yaml.FirstMistake());
  return yaml;
}

}  // namespace gatehouse
