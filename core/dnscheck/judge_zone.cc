#include "core/dnscheck/judge_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/dnscheck/judge_target.h"
#include "core/dnscheck/zone_lines.h"

namespace gatehouse::dnscheck {
namespace {

bool IsRefused(const std::vector<SrvRecord>& records) {
  return records.size() == 1 && records.front().target.empty();
}

class ZoneJudge {
 public:
  ZoneJudge(std::string_view domain, const ZonePicture& picture, const OurSide* ours)
      : domain_(domain), picture_(picture), ours_(ours) {}

  std::vector<Finding> Judge() {
    JudgeLookups();
    JudgeApex();
    const auto xmpp = picture_.Srv(XmppService(domain_));
    const auto xmpps = picture_.Srv(XmppsService(domain_));
    JudgePresence(xmpp, xmpps);
    JudgeService(XmppService(domain_), xmpp, ours_ == nullptr ? nullptr : &ours_->xmpp);
    if (ours_ != nullptr && ours_->xmpps.empty() && !xmpps.empty() && !IsRefused(xmpps))
      Add("direct-tls-without-listener", Weight::kMistake, XmppsService(domain_),
          "the record promises direct TLS, but listen.xmpps has no address; remove the record, or "
          "listen");
    else
      JudgeService(XmppsService(domain_), xmpps, ours_ == nullptr ? nullptr : &ours_->xmpps);
    JudgeDirectTls(xmpps);
    JudgeIssuers();
    return std::move(findings_);
  }

 private:
  void Add(std::string code, Weight weight, std::string_view name, std::string sentence,
           std::string line = {}) {
    findings_.push_back(
        {std::move(code), weight, std::string(name), std::move(sentence), std::move(line)});
  }

  [[nodiscard]] std::string OurHost() const {
    return ours_ == nullptr || ours_->host.empty() ? fmt::format("edge.{}", domain_) : ours_->host;
  }
  [[nodiscard]] std::string LineOfOurs() const {
    if (ours_ == nullptr) return {};
    return SrvLine(XmppService(domain_), ours_->xmpp.empty() ? kXmppPort : ours_->xmpp[0].Port(),
                   OurHost());
  }

  // One finding for the domain and all below it: of a name server that is broken every question
  // fails. Whether an address has a name, who may issue, and how SIP is found is not worth one.
  void JudgeLookups() {
    std::set<std::string> told;
    for (const auto& [question, section] : picture_.sections) {
      const std::string& name = question.name;
      const bool matters = question.type != kDnsPtr && question.type != kDnsCaa &&
                           !IsBelow(name, "arpa") && name != SipFederationService(domain_) &&
                           name != SipsService(domain_);
      if (section.IsFact() || !matters) continue;
      if (!told.insert(IsBelow(name, domain_) ? std::string(domain_) : name).second) continue;
      Add("lookup-failed", Weight::kMistake, name,
          fmt::format("the question for {} ended with {}: {}; no partner gets through",
                      DnsTypeWord(question.type), section.trouble,
                      section.said == DnsSaid::kSilence
                          ? "the resolver cannot be reached, or a name server of the zone is silent"
                          : "a name server of the zone does not serve it, or its signatures are "
                            "broken"));
    }
  }

  void JudgeApex() {
    const std::string alias_of = picture_.AliasOf(domain_);
    if (alias_of.empty()) return;
    Add("apex-alias", Weight::kMistake, domain_,
        fmt::format("the domain itself is an alias for {} (CNAME), beside which it cannot have "
                    "other records (RFC 1034 §3.6.2); give it addresses of its own",
                    alias_of));
  }

  // Is there anything a partner can go by?
  void JudgePresence(const std::vector<SrvRecord>& xmpp, const std::vector<SrvRecord>& xmpps) {
    const DnsSection* section = picture_.Find(XmppService(domain_), kDnsSrv);
    const DnsSection* direct = picture_.Find(XmppsService(domain_), kDnsSrv);
    if (section == nullptr || !section->IsFact() || !xmpp.empty()) return;
    if (!xmpps.empty() && !IsRefused(xmpps)) {
      Add("srv-missing", Weight::kWarning, XmppService(domain_),
          "only servers that know direct TLS find the way; add the ordinary record as well",
          LineOfOurs());
      return;
    }
    if (direct == nullptr || !direct->IsFact()) return;
    const auto addresses = picture_.Addresses(domain_);
    if (!addresses.empty()) return AddFallback(addresses);
    if (!picture_.AddressesAreFacts(domain_)) return;
    Add("no-records", Weight::kMistake, domain_,
        ours_ != nullptr
            ? "there is neither an SRV record nor an address: no partner finds us; add the record"
            : "there is neither an SRV record nor an address: nobody can connect to this domain",
        LineOfOurs());
  }

  void JudgeDirectTls(const std::vector<SrvRecord>& xmpps) {
    const DnsSection* section = picture_.Find(XmppsService(domain_), kDnsSrv);
    const bool known = section != nullptr && section->IsFact();
    if (ours_ == nullptr || ours_->xmpps.empty() || !known || !xmpps.empty()) return;
    Add("direct-tls-missing", Weight::kWarning, XmppsService(domain_),
        "we listen for direct TLS (listen.xmpps), but no record leads partners there; add it",
        SrvLine(XmppsService(domain_), ours_->xmpps.front().Port(), OurHost()));
  }

  void AddFallback(const std::vector<SocketAddress>& addresses) {
    if (ours_ == nullptr) {
      Add("srv-missing", Weight::kNote, XmppService(domain_),
          fmt::format("there is no SRV record; the addresses of {} are tried at port {}", domain_,
                      kXmppPort));
      return;
    }
    const auto is_ours = [this](const SocketAddress& address) {
      return std::ranges::any_of(ours_->addresses, [&address](const SocketAddress& each) {
        return each.Ip() == address.Ip();
      });
    };
    const bool foreign = !ours_->addresses.empty() && !std::ranges::all_of(addresses, is_ours);
    Add("srv-missing", foreign ? Weight::kMistake : Weight::kWarning, XmppService(domain_),
        fmt::format("there is no SRV record, so partners try the addresses of {} at port {}{}; add "
                    "the record",
                    domain_, kXmppPort, foreign ? ", which are not ours" : ""),
        LineOfOurs());
    if (ours_->addresses.empty())
      Add("not-judged", Weight::kNote, domain_, NotJudgedText(addresses));
  }

  void JudgeService(const std::string& service, const std::vector<SrvRecord>& records,
                    const std::vector<SocketAddress>* listening) {
    if (IsRefused(records)) {
      if (service == XmppService(domain_) || ours_ == nullptr)
        Add("service-refused", Weight::kMistake, service,
            "the record names '.', which says that there is no such service here; no partner will "
            "connect",
            LineOfOurs());
      return;
    }
    JudgeOrder(service, records);
    std::set<std::string> judged;
    for (const SrvRecord& record : records) {
      if (record.target.empty() || !judged.insert(record.target).second) continue;
      for (Finding& finding : JudgeTarget({domain_, service, record, picture_, ours_, listening}))
        if (std::ranges::find(findings_, finding) == findings_.end())
          findings_.push_back(std::move(finding));
    }
  }

  void JudgeOrder(const std::string& service, const std::vector<SrvRecord>& records) {
    const auto odd = [&](std::string_view what) {
      Add("srv-odd", Weight::kWarning, service, std::string(what));
    };
    for (std::size_t i = 0; i < records.size(); ++i)
      for (std::size_t j = i + 1; j < records.size(); ++j) {
        const SrvRecord& a = records[i];
        const SrvRecord& b = records[j];
        if (a.target == b.target && a.port == b.port)
          return odd(
              fmt::format("{} port {} is named twice, with priorities {} and {}; one of the "
                          "records does nothing",
                          a.target, a.port, a.priority, b.priority));
        if (a.priority == b.priority && (a.weight == 0) != (b.weight == 0))
          return odd(
              fmt::format("with priority {} there are weights of 0 beside others: {} is "
                          "hardly ever taken; give both a weight, or another priority",
                          a.priority, a.weight == 0 ? a.target : b.target));
        if (a.target.empty() || b.target.empty())
          return odd(
              "'.' stands beside other records; it says that there is no service, and must "
              "stand alone");
      }
  }

  // RFC 8659 §3: the nearest name above that has any counts.
  void JudgeIssuers() {
    if (ours_ == nullptr) return;
    for (std::string_view name = domain_;; name = name.substr(name.find('.') + 1)) {
      const auto records = picture_.Records(name, kDnsCaa);
      if (!records.empty()) return JudgeIssuers(name, records);
      if (name.find('.') == std::string_view::npos) return;
    }
  }

  void JudgeIssuers(std::string_view name, const std::vector<DnsRecord>& records) {
    std::string issuers;
    bool restricted = false;
    for (const DnsRecord& record : records) {
      const auto caa = CaaOf(record);
      if (!caa || caa->tag != "issue") continue;
      restricted = true;
      std::string issuer = caa->value.substr(0, caa->value.find(';'));
      std::erase(issuer, ' ');
      if (!issuer.empty()) issuers += (issuers.empty() ? "" : ", ") + issuer;
    }
    if (restricted && issuers.empty())
      Add("caa-forbids", Weight::kMistake, name,
          "the CAA records let no authority issue a certificate for this domain; name yours",
          CaaLine(name, "YOUR-AUTHORITY.EXAMPLE"));
    else if (restricted)
      Add("caa-issuers", Weight::kNote, name,
          fmt::format("only these authorities may issue certificates: {}", issuers));
  }

  std::string_view domain_;
  const ZonePicture& picture_;
  const OurSide* ours_;
  std::vector<Finding> findings_;
};

// What a picture says of one name and type, to be compared.
std::string SaidText(const ZonePicture& picture, const ZoneQuestion& question) {
  std::vector<std::string> texts;
  for (const DnsRecord& record : picture.Records(question.name, question.type))
    texts.push_back(DnsDataText(record));
  std::ranges::sort(texts);
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all.empty() ? "nothing" : all;
}

void AddDisagreements(std::span<const ZonePicture> pictures, bool ours,
                      std::vector<Finding>& findings) {
  for (const auto& [question, section] : pictures[0].sections)
    for (const ZonePicture& other : pictures.subspan(1)) {
      const DnsSection* there = other.Find(question.name, question.type);
      if (there == nullptr || !there->IsFact() || !section.IsFact()) continue;
      const std::string here = SaidText(pictures[0], question);
      const std::string said = SaidText(other, question);
      if (here == said) continue;
      findings.push_back(
          {"resolvers-disagree",
           ours ? Weight::kMistake : Weight::kWarning,
           question.name,
           fmt::format("for {} {} says {}, and {} says {}; a name server of the zone has not got "
                       "the newest, or one resolver still has the older answer",
                       DnsTypeWord(question.type), pictures[0].resolver, here, other.resolver,
                       said),
           {}});
      return;  // what follows from it differs as well
    }
}

}  // namespace

std::vector<Finding> JudgeZone(std::string_view domain, const ZonePicture& picture,
                               const OurSide* ours) {
  return ZoneJudge(domain, picture, ours).Judge();
}

std::vector<Finding> JudgePictures(std::string_view domain, std::span<const ZonePicture> pictures,
                                   const OurSide* ours) {
  std::vector<Finding> all;
  std::vector<std::vector<std::string>> seen_by;
  for (const ZonePicture& picture : pictures)
    for (Finding& finding : JudgeZone(domain, picture, ours)) {
      const auto known = std::ranges::find(all, finding);
      const auto index = static_cast<std::size_t>(known - all.begin());
      if (known == all.end()) {
        all.push_back(std::move(finding));
        seen_by.emplace_back();
      }
      seen_by[index].push_back(picture.resolver);
    }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (seen_by[i].size() < pictures.size()) all[i].resolver = seen_by[i].front();
  if (!pictures.empty()) AddDisagreements(pictures, ours != nullptr, all);
  std::ranges::stable_sort(all, {}, &Finding::weight);
  return all;
}

}  // namespace gatehouse::dnscheck
