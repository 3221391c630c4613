#include "core/dnscheck/judge_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/dnscheck/zone_lines.h"
#include "core/tls/own_chain.h"

namespace gatehouse::dnscheck {
namespace {

bool IsV6(const SocketAddress& address) {
  return address.storage.ss_family == AF_INET6;
}

bool Contains(const std::vector<SocketAddress>& all, const SocketAddress& address) {
  return std::ranges::any_of(
      all, [&address](const SocketAddress& each) { return each.Ip() == address.Ip(); });
}

// A listener on [::] takes both families.
bool Takes(const std::vector<SocketAddress>& listening, bool v6) {
  return std::ranges::any_of(listening, [v6](const SocketAddress& each) {
    return IsV6(each) == v6 || (!v6 && each.Ip() == "::");
  });
}

std::string ListText(const std::vector<SocketAddress>& addresses) {
  std::string text;
  for (const SocketAddress& address : addresses) text += (text.empty() ? "" : ", ") + address.Ip();
  return text;
}

class TargetJudge {
 public:
  explicit TargetJudge(const TargetQuestion& question)
      : q_(question),
        target_(question.record.target),
        addresses_(question.picture.Addresses(question.record.target)) {}

  std::vector<Finding> Judge() {
    JudgePort();
    if (!HasGoodName()) return findings_;
    JudgeAlias();
    if (addresses_.empty()) {
      if (q_.picture.AddressesAreFacts(target_))
        Add("target-without-address", Weight::kMistake, target_,
            "the host that the SRV record names has neither A nor AAAA; give it an address",
            LineOfOurAddress());
      return findings_;
    }
    JudgeAddresses();
    if (q_.ours != nullptr) {
      JudgeFamilies();
      JudgeReverse();
    }
    JudgeTlsa();
    return findings_;
  }

 private:
  void Add(std::string code, Weight weight, std::string_view name, std::string sentence,
           std::string line = {}) {
    findings_.push_back(
        {std::move(code), weight, std::string(name), std::move(sentence), std::move(line)});
  }

  [[nodiscard]] std::string OurHost() const {
    return q_.ours != nullptr && !q_.ours->host.empty() ? q_.ours->host
                                                        : fmt::format("edge.{}", q_.domain);
  }
  [[nodiscard]] std::string LineOfOurAddress() const {
    if (q_.ours == nullptr || q_.ours->addresses.empty()) return {};
    return AddressLine(target_, q_.ours->addresses.front());
  }
  [[nodiscard]] std::uint16_t OurPort() const {
    return q_.ours == nullptr || q_.listening->empty() ? q_.record.port
                                                       : q_.listening->front().Port();
  }

  void JudgePort() {
    if (q_.ours == nullptr || q_.listening->empty()) return;
    const auto at_port = [this](const SocketAddress& each) {
      return each.Port() == q_.record.port;
    };
    if (std::ranges::any_of(*q_.listening, at_port)) return;
    Add("wrong-port", Weight::kMistake, q_.service,
        fmt::format("port {} is given, but we listen on {} for it; name that port", q_.record.port,
                    OurPort()),
        SrvLine(q_.service, OurPort(), target_));
  }

  bool HasGoodName() {
    if (IsHostName(target_)) return true;
    const bool address = IsAddress(target_);
    Add(address ? "target-is-address" : "target-single-label", Weight::kMistake, q_.service,
        address ? fmt::format("the record names the address {} where a host's name must stand "
                              "(RFC 2782); name a host that has this address",
                              target_)
                : fmt::format("the record names '{}', which has no dot: the domain was left out; "
                              "write the whole name with a dot at its end",
                              target_),
        SrvLine(q_.service, OurPort(),
                address ? OurHost() : fmt::format("{}.{}", target_, q_.domain)));
    return false;
  }

  void JudgeAlias() {
    const std::string alias_of = q_.picture.AliasOf(target_);
    if (alias_of.empty()) return;
    Add("target-alias", Weight::kMistake, target_,
        fmt::format("the host that the SRV record names is an alias for {} (CNAME), which RFC 2782 "
                    "forbids and some servers do not follow; name {} itself",
                    alias_of, alias_of),
        SrvLine(q_.service, OurPort(), alias_of));
  }

  void JudgeAddresses() {
    std::vector<SocketAddress> closed = addresses_;
    std::erase_if(closed, IsPublic);
    if (!closed.empty())
      Add("private-address", Weight::kMistake, target_,
          fmt::format("{} cannot be reached from outside; give the public address",
                      ListText(closed)),
          LineOfOurAddress());
    if (q_.ours == nullptr) return;
    std::vector<SocketAddress> foreign = addresses_;
    std::erase_if(foreign, [this](const SocketAddress& each) {
      return !IsPublic(each) || Contains(q_.ours->addresses, each);
    });
    // Of a family of which we know no address nobody can say whose it is.
    const auto unknown = [this](const SocketAddress& each) {
      return std::ranges::none_of(q_.ours->addresses, [&each](const SocketAddress& own) {
        return IsV6(own) == IsV6(each);
      });
    };
    const bool knows = !std::ranges::all_of(foreign, unknown);
    if (knows) std::erase_if(foreign, unknown);
    if (foreign.empty()) return;
    if (IsAccessEdge()) return AddAccessEdge(knows);
    if (!knows) return AddNotJudged(foreign);
    const bool none = foreign.size() + closed.size() == addresses_.size();
    Add("not-ours", none ? Weight::kMistake : Weight::kWarning, target_,
        fmt::format("{} is none of our addresses ({}); partners knock at another host there",
                    ListText(foreign), ListText(q_.ours->addresses)),
        LineOfOurAddress());
  }

  void AddNotJudged(std::vector<SocketAddress> addresses) {
    std::erase_if(addresses,
                  [this](const SocketAddress& each) { return !Takes(*q_.listening, IsV6(each)); });
    if (addresses.empty()) return;
    Add("not-judged", Weight::kNote, target_, NotJudgedText(addresses));
  }

  // Where Lync is federated by SIP is its Access Edge.
  [[nodiscard]] bool IsAccessEdge() const {
    const auto edges = q_.picture.Srv(SipFederationService(q_.domain));
    return std::ranges::find(edges, target_, &SrvRecord::target) != edges.end();
  }

  void AddAccessEdge(bool knows) {
    Add("access-edge", knows ? Weight::kMistake : Weight::kWarning, q_.service,
        fmt::format(
            "{} is the Access Edge that {} names as well; XMPP partners still go to the old "
            "gateway; name the host of this one",
            target_, SipFederationService(q_.domain)),
        SrvLine(q_.service, OurPort(), OurHost()));
  }

  void JudgeFamilies() {
    if (q_.listening->empty()) return;
    const bool has_v6 = std::ranges::any_of(addresses_, IsV6);
    const bool has_v4 = std::ranges::any_of(addresses_, std::not_fn(IsV6));
    if (has_v6 && !Takes(*q_.listening, true))
      Add("aaaa-without-listener", Weight::kMistake, target_,
          "it has an AAAA record, but we do not listen on IPv6; remove the record, or listen on "
          "[::]");
    if (has_v4 && !Takes(*q_.listening, false))
      Add("a-without-listener", Weight::kMistake, target_,
          "it has an A record, but we do not listen on IPv4; remove the record, or listen on [::]");
    if (has_v6) return;
    const auto ours = std::ranges::find_if(q_.ours->addresses, IsV6);
    if (ours == q_.ours->addresses.end() || !Takes(*q_.listening, true)) return;
    Add("aaaa-missing", Weight::kWarning, target_,
        fmt::format("we have the address {} and listen on it, but there is no AAAA record; add it",
                    ours->Ip()),
        AddressLine(target_, *ours));
  }

  [[nodiscard]] bool LeadsBack(const SocketAddress& address) const {
    return std::ranges::any_of(q_.picture.ReverseNames(address), [&](const std::string& name) {
      return Contains(q_.picture.Addresses(name), address);
    });
  }

  void JudgeReverse() {
    for (const SocketAddress& address : addresses_) {
      const DnsSection* section = q_.picture.Find(ReverseName(address), kDnsPtr);
      const bool ours = q_.ours->addresses.empty() || Contains(q_.ours->addresses, address);
      if (!ours || !IsPublic(address) || section == nullptr || !section->IsFact()) continue;
      const std::string line = ReverseLine(address, target_);
      if (section->said != DnsSaid::kRecords)
        Add("reverse-missing", Weight::kWarning, target_,
            fmt::format("{} has no name in its reverse zone, which some servers ask for; whoever "
                        "gave you the address can add it",
                        address.Ip()),
            line);
      else if (!LeadsBack(address))
        Add("reverse-differs", Weight::kWarning, target_,
            fmt::format("{} is called {} in its reverse zone, but that name does not have this "
                        "address",
                        address.Ip(), q_.picture.ReverseNames(address).front()),
            line);
    }
  }

  // Where the host is an alias the records may stand at either name (RFC 7671 §7).
  void JudgeTlsa() {
    JudgeTlsaAt(target_);
    if (const std::string alias_of = q_.picture.AliasOf(target_); !alias_of.empty())
      JudgeTlsaAt(alias_of);
  }

  void JudgeTlsaAt(const std::string& host) {
    const std::string name = TlsaName(host, q_.record.port);
    const DnsSection* section = q_.picture.Find(name, kDnsTlsa);
    if (section == nullptr || section->said != DnsSaid::kRecords) return;
    std::vector<TlsaRecord> records;
    for (const DnsRecord& record : q_.picture.Records(name, kDnsTlsa))
      if (const auto tlsa = TlsaOf(record)) records.push_back(*tlsa);
    const std::string fault = FaultOf(UsableTlsa(records));
    if (!fault.empty()) {
      const auto own = TlsaOfOwnChain(q_.ours->chain_pem);
      Add("tlsa-differs", Weight::kMistake, name,
          fmt::format("no TLSA record is for our certificate ({}); partners that go by DANE refuse "
                      "us",
                      fault),
          own ? TlsaLine(host, q_.record.port, *own) : "");
    } else if (!section->IsSigned()) {
      Add("tlsa-insecure", Weight::kWarning, name,
          "there are TLSA records, but the answer is not signed by DNSSEC, so nobody heeds them; "
          "sign the zone, or remove them");
    }
  }

  // Empty: a record is for our certificate, or nobody knows.
  [[nodiscard]] std::string FaultOf(const std::vector<TlsaRecord>& usable) const {
    if (q_.ours == nullptr || q_.ours->chain_pem.empty()) return {};
    if (usable.empty()) return "none of them is usable";
    const auto verdict = JudgeOwnChain(q_.ours->chain_pem, {usable, {}, q_.domain, target_});
    return !verdict || verdict->matched ? std::string() : verdict->detail;
  }

  const TargetQuestion& q_;
  const std::string target_;
  std::vector<SocketAddress> addresses_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string NotJudgedText(const std::vector<SocketAddress>& addresses) {
  return fmt::format(
      "whether {} leads to this edge cannot be said: no public {} address of ours is known, for we "
      "listen on a wildcard or behind a translation; give it with --address",
      ListText(addresses), IsV6(addresses.front()) ? "IPv6" : "IPv4");
}

std::vector<Finding> JudgeTarget(const TargetQuestion& question) {
  return TargetJudge(question).Judge();
}

}  // namespace gatehouse::dnscheck
