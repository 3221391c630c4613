#include "plugins/sip_translator/sip_resolver.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/sip/sip_grammar.h"
#include "core/sip/sip_uri.h"

namespace gatehouse {
namespace {

using sip_grammar::EqualsNoCase;

constexpr std::size_t kMaxTargets = 8;

std::string_view WithoutBrackets(std::string_view host) {
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

std::string_view SrvPrefix(SipTransport transport) {
  switch (transport) {
    case SipTransport::kTls:
      return "_sips._tcp.";
    case SipTransport::kTcp:
      return "_sip._tcp.";
    case SipTransport::kUdp:
      return "_sip._udp.";
  }
  return {};
}

// RFC 3263 §4.1: SIPS+D2T is TLS over TCP.
std::optional<SipTransport> TransportOfService(std::string_view service) {
  if (EqualsNoCase(service, "SIPS+D2T")) return SipTransport::kTls;
  if (EqualsNoCase(service, "SIP+D2T")) return SipTransport::kTcp;
  if (EqualsNoCase(service, "SIP+D2U")) return SipTransport::kUdp;
  return std::nullopt;
}

// The transport a URI names; nullopt: none, or one we do not speak.
std::optional<SipTransport> NamedTransport(const SipUri& uri) {
  const auto param = uri.Param("transport");
  if (!param) return std::nullopt;
  if (EqualsNoCase(*param, "tls") || (uri.secure && EqualsNoCase(*param, "tcp")))
    return SipTransport::kTls;
  if (EqualsNoCase(*param, "tcp")) return SipTransport::kTcp;
  if (EqualsNoCase(*param, "udp")) return SipTransport::kUdp;
  return std::nullopt;
}

}  // namespace

void OrderSrv(std::vector<SrvRecord>& records,
              const std::function<std::uint32_t(std::uint32_t)>& pick) {
  std::ranges::stable_sort(records, [](const SrvRecord& a, const SrvRecord& b) {
    return std::tuple(a.priority, a.weight != 0) < std::tuple(b.priority, b.weight != 0);
  });
  for (auto first = records.begin(); first != records.end(); ++first) {
    const auto last = std::find_if(
        first, records.end(), [&](const SrvRecord& r) { return r.priority != first->priority; });
    std::uint32_t sum = 0;
    for (auto it = first; it != last; ++it) sum += it->weight;
    std::uint32_t drawn = pick(sum + 1);
    auto chosen = first;
    while (drawn > chosen->weight) drawn -= (chosen++)->weight;
    std::rotate(first, chosen, std::next(chosen));
  }
}

SipResolver::SipResolver(DnsLookup& dns, Options options, std::uint32_t seed)
    : dns_(dns), options_(options), random_(seed) {}

SipResolver::~SipResolver() = default;

SipTransport SipResolver::DefaultTransport(bool secure) const {
  if (secure) return SipTransport::kTls;
  return options_.udp ? SipTransport::kUdp : SipTransport::kTcp;
}

bool SipResolver::Enabled(SipTransport transport) const {
  if (transport == SipTransport::kUdp) return options_.udp;
  return transport != SipTransport::kTls || options_.tls;
}

bool SipResolver::Resolve(std::string_view text, Done done) {
  const auto uri = SipUri::Parse(text);
  if (!uri || (uri->Param("transport") && !NamedTransport(*uri))) return false;
  const std::string_view host = WithoutBrackets(uri->host);
  const auto named = NamedTransport(*uri);
  const SipTransport transport = named.value_or(DefaultTransport(uri->secure));
  const std::uint16_t port = uri->port != 0 ? uri->port : DefaultPort(transport);
  if (const auto address = SocketAddress::FromIp(host, port)) {
    done(std::vector{
        SipTarget{.transport = transport, .address = *address, .tls_name = {}, .key = {}}});
    return true;
  }
  queries_.push_front({.domain = std::string(host),
                       .secure = uri->secure,
                       .fallback = transport,
                       .services = {},
                       .steps = {},
                       .targets = {},
                       .done = std::move(done)});
  const auto query = queries_.begin();
  if (uri->port != 0) {
    query->steps.push_back({transport, query->domain, port});
    AskNextHost(query);
  } else if (named) {
    query->services.push_back({transport, std::string(SrvPrefix(transport)) + query->domain});
    AskNextService(query);
  } else {
    AskNaptr(query);
  }
  return true;
}

void SipResolver::AskNaptr(QueryRef query) {
  dns_.Naptr(query->domain, [this, query](DnsAnswer<NaptrRecord> answer) {
    TakeNaptr(*query, std::move(answer.records));
    if (query->services.empty()) query->services = ServicesWithoutNaptr(*query);
    AskNextService(query);
  });
}

void SipResolver::TakeNaptr(Query& query, std::vector<NaptrRecord> records) const {
  std::ranges::stable_sort(records, [](const NaptrRecord& a, const NaptrRecord& b) {
    return std::tie(a.order, a.preference) < std::tie(b.order, b.preference);
  });
  for (const NaptrRecord& record : records) {
    const auto transport = TransportOfService(record.service);
    if (!EqualsNoCase(record.flags, "s") || !transport || !Enabled(*transport)) continue;
    if (query.secure && *transport != SipTransport::kTls) continue;
    query.services.push_back({*transport, record.replacement});
  }
}

std::vector<SipResolver::Service> SipResolver::ServicesWithoutNaptr(const Query& query) const {
  std::vector<Service> services;
  if (Enabled(SipTransport::kTls)) {
    services.push_back({SipTransport::kTls, "_sips._tcp." + query.domain});
    services.push_back({SipTransport::kTls, "_sip._tls." + query.domain});
  }
  if (query.secure) return services;
  services.push_back({SipTransport::kTcp, "_sip._tcp." + query.domain});
  if (Enabled(SipTransport::kUdp))
    services.push_back({SipTransport::kUdp, "_sip._udp." + query.domain});
  return services;
}

void SipResolver::AskNextService(QueryRef query) {
  if (query->services.empty()) {
    // No SRV at all: the host itself (§4.2).
    if (query->steps.empty())
      query->steps.push_back({query->fallback, query->domain, DefaultPort(query->fallback)});
    return AskNextHost(query);
  }
  const Service service = std::move(query->services.front());
  query->services.erase(query->services.begin());
  dns_.Srv(service.name, [this, query, transport = service.transport](DnsAnswer<SrvRecord> answer) {
    query->trouble |= answer.status == DnsStatus::kTemporary;
    OrderSrv(answer.records, [this](std::uint32_t n) {
      return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random_);
    });
    for (SrvRecord& record : answer.records)
      if (!record.target.empty())
        query->steps.push_back({transport, std::move(record.target), record.port});
    AskNextService(query);
  });
}

void SipResolver::AskNextHost(QueryRef query) {
  if (query->steps.empty() || query->targets.size() >= kMaxTargets) return Finish(query);
  const Step step = std::move(query->steps.front());
  query->steps.erase(query->steps.begin());
  dns_.Addresses(
      step.host, step.port,
      [this, query, transport = step.transport](const DnsAnswer<SocketAddress>& answer) {
        query->trouble |= answer.status == DnsStatus::kTemporary;
        for (const SocketAddress& address : answer.records) {
          if (address.IsForbiddenTarget() && !options_.allow_loopback_targets) continue;
          query->targets.push_back(
              {.transport = transport, .address = address, .tls_name = query->domain, .key = {}});
        }
        AskNextHost(query);
      });
}

void SipResolver::Finish(QueryRef query) {
  const Query finished = std::move(*query);
  queries_.erase(query);
  if (!finished.targets.empty()) return finished.done(finished.targets);
  finished.done(std::unexpected(finished.trouble ? SipFailure::kTransport : SipFailure::kNoRoute));
}

}  // namespace gatehouse
