#include "core/certificate/slot_fitness.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/tls/certificate_strength.h"
#include "core/tls/tls_session.h"

namespace gatehouse {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kEnoughDays = 30;
constexpr int kLargeRsaBits = 4096;
constexpr std::string_view kRenew = "request a new one with gatehousectl cert request";

std::string Quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

// "certificate 'CN=corp.example'"; "CA certificate 'CN=…' of its chain".
std::string Named(const BuiltChain& chain, std::size_t i) {
  if (i == 0) return "certificate " + Quoted(chain.links[i].subject);
  return "CA certificate " + Quoted(chain.links[i].subject) + " of its chain";
}

// The names of a certificate as those of a peer's, so that we read ours as we read theirs.
PeerCertificate PresentedBy(const CertificateFacts& leaf) {
  PeerCertificate peer;
  struct NameKind {
    std::string_view prefix;
    std::vector<std::string>& into;
  };
  const std::array kinds = {NameKind{"srv:", peer.srv_names}, NameKind{"xmpp:", peer.xmpp_addrs},
                            NameKind{"uri:", peer.uris}};
  for (const std::string& name : leaf.names) {
    const auto* const kind = std::ranges::find_if(
        kinds, [&](const NameKind& other) { return name.starts_with(other.prefix); });
    if (kind != kinds.end())
      kind->into.push_back(name.substr(kind->prefix.size()));
    else if (name.starts_with("cn:"))
      peer.common_name = name.substr(3);
    else
      peer.dns_names.push_back(name);
  }
  return peer;
}

class Judge {
 public:
  Judge(const BuiltChain& chain, const FitnessQuestion& question)
      : chain_(chain),
        question_(question),
        leaf_(chain.links.front()),
        presented_(PresentedBy(leaf_)) {}

  Fitness Verdict() {
    JudgeTimes();
    JudgeRevocation();
    JudgeStrength();
    JudgeUse();
    if (question_.slot == Slot::kXmpp)
      JudgeXmppNames();
    else
      JudgeSipNames();
    JudgeEnd();
    return std::move(fitness_);
  }

  // Of slot sip, which takes every purpose that slot xmpp takes.
  std::vector<std::string> WhyInNone() {
    JudgeTimes();
    JudgeRevocation();
    JudgeStrength();
    JudgeUse();
    JudgeAnyName();
    return std::move(fitness_.refusals);
  }

 private:
  void Refuse(std::string sentence) { fitness_.refusals.push_back(std::move(sentence)); }
  void Warn(std::string sentence) { fitness_.warnings.push_back(std::move(sentence)); }

  void JudgeTimes() {
    std::int64_t end = leaf_.not_after;
    for (std::size_t i = 0; i < chain_.links.size(); ++i) {
      const CertificateFacts& link = chain_.links[i];
      const std::string remedy =
          i == 0 ? std::string(kRenew) : "import the present one of your CA with the certificate";
      if (link.not_after <= question_.now) Refuse(Named(chain_, i) + " has expired; " + remedy);
      if (question_.now < link.not_before)
        Refuse(Named(chain_, i) +
               " is not valid yet; set the clock of this machine right, or wait until it is");
      end = std::min(end, link.not_after);
    }
    const std::int64_t days = (end - question_.now) / kDay;
    if (end > question_.now && days < kEnoughDays)
      Warn("it ends in " + std::to_string(days) + (days == 1 ? " day; " : " days; ") +
           std::string(kRenew));
  }

  void JudgeRevocation() {
    for (std::size_t i = 0; i < chain_.links.size(); ++i)
      if (std::ranges::find(question_.revoked, chain_.links[i].sha256) != question_.revoked.end())
        Refuse(Named(chain_, i) + " has been revoked, says a list in tls.crl_file; " +
               std::string(kRenew));
  }

  void JudgeStrength() {
    for (std::size_t i = 0; i < chain_.links.size(); ++i) {
      const CertificateFacts& link = chain_.links[i];
      if (!IsStrongKey(link.key_type))
        Refuse(Named(chain_, i) + " has a key of type " + link.key_type +
               ", which peers refuse; use one with rsa-2048 or more, p-256 or p-384");
      if (!link.signature_ok)
        Refuse(Named(chain_, i) + " is signed with " + link.signature_algorithm +
               ", which peers refuse; have it signed with SHA-256");
    }
    if (RsaBits(leaf_.key_type) > kLargeRsaBits)
      Warn("its " + leaf_.key_type +
           " key makes every handshake slow; rsa-3072 or p-256 is strong enough");
    if (leaf_.key_type == "ed25519")
      Warn("few peers know ed25519, and the others refuse the handshake; use p-256");
  }

  void JudgeUse() {
    const bool sip = question_.slot == Slot::kSip;
    if (leaf_.is_ca)
      Refuse(
          "it is the certificate of a CA, which peers do not take from a server; use one that "
          "the CA issued");
    if (!leaf_.may_sign)
      Refuse(
          "its key usage does not allow digital signatures, which TLS needs; have it issued with "
          "digitalSignature");
    if (!leaf_.has_eku || leaf_.any_eku) return;
    const bool fits = leaf_.server_eku || leaf_.client_eku || (sip && leaf_.sip_domain_eku);
    if (!fits)
      Refuse(
          "its extended key usage is neither for servers nor for clients; have it issued with "
          "serverAuth and clientAuth");
    else if (sip && !leaf_.client_eku)
      Warn(
          "its extended key usage has no clientAuth, which is needed where the SIP peer asks for "
          "it "
          "on connections that we open, as Lync often does; have it issued with serverAuth and "
          "clientAuth");
    else if (!sip && !leaf_.server_eku)
      Warn(
          "its extended key usage has no serverAuth: partners that connect to us may refuse it; "
          "have "
          "it issued with serverAuth");
  }

  void RefuseFor(const std::string& domain) {
    std::string sentence = "it does not name our domain ";
    sentence += domain;
    sentence += "; have it issued with the DNS name ";
    sentence += domain;
    Refuse(std::move(sentence));
  }

  void JudgeXmppNames() {
    PeerCertificate without_addresses = presented_;
    without_addresses.xmpp_addrs.clear();
    for (const std::string& domain : question_.domains) {
      if (MatchesXmppDomain(without_addresses, domain)) continue;
      if (MatchesXmppDomain(presented_, domain))
        Warn("it names " + domain +
             " as XmppAddr only, which not every server reads; have it issued with that DNS name");
      else
        RefuseFor(domain);
    }
  }

  // As a peer reads them (11.8), which knows us by one name.
  void JudgeSipNames() {
    const auto names = [this](const std::string& name) { return MatchesSipName(presented_, name); };
    const std::string no_wildcards =
        std::ranges::any_of(presented_.dns_names,
                            [](const std::string& name) { return name.starts_with("*."); })
            ? " (SIP has no wildcards)"
            : "";
    if (!question_.sip_host.empty()) {
      if (!names(question_.sip_host))
        Refuse("it does not name " + question_.sip_host + ", by which SIP peers know this edge" +
               no_wildcards + "; have it issued with that DNS name");
      return;
    }
    const bool any = std::ranges::any_of(question_.domains, [&](const std::string& domain) {
      return names(domain) || names("sip." + domain);
    });
    if (any || question_.domains.empty()) return;
    const std::string& domain = question_.domains.front();
    Refuse("it names none of our SIP domains" + no_wildcards +
           "; have it issued with the DNS name " + domain + " or sip." + domain);
  }

  void JudgeAnyName() {
    const auto sip = [this](const std::string& name) { return MatchesSipName(presented_, name); };
    const bool any =
        (!question_.sip_host.empty() && sip(question_.sip_host)) ||
        std::ranges::any_of(question_.domains, [&](const std::string& domain) {
          return MatchesXmppDomain(presented_, domain) || sip(domain) || sip("sip." + domain);
        });
    if (any || question_.domains.empty()) return;
    const std::string& domain = question_.domains.front();
    std::string sentence = "it names none of our domains, such as ";
    sentence += domain;
    sentence += "; have it issued with that DNS name, or, where it is for a domain that is yet to ";
    sentence += "come, put that one into domains in gatehouse.yaml and reload first";
    Refuse(std::move(sentence));
  }

  void JudgeEnd() {
    if (leaf_.self_signed) {
      Warn(
          "it is signed with its own key, so only who was given it trusts it; have it signed by a "
          "CA that your peers trust");
      return;
    }
    // Who issues hands out a chain without its root; one that is a leaf alone has lost its middle.
    if (!chain_.root_seen && chain_.links.size() == 1)
      Warn("its issuer " + Quoted(leaf_.issuer) +
           " is not among the certificates: peers that do not know it as a root refuse the chain; "
           "import the CA certificates with it");
  }

  const BuiltChain& chain_;
  const FitnessQuestion& question_;
  const CertificateFacts& leaf_;
  const PeerCertificate presented_;
  Fitness fitness_;
};

}  // namespace

Fitness JudgeForSlot(const BuiltChain& chain, const FitnessQuestion& question) {
  if (chain.links.empty()) return {{"there is no certificate; import one"}, {}};
  return Judge(chain, question).Verdict();
}

std::vector<std::string> WhyInNoSlot(const BuiltChain& chain, const FitnessQuestion& question) {
  if (chain.links.empty()) return {"there is no certificate; import one"};
  FitnessQuestion of_any = question;
  of_any.slot = Slot::kSip;
  return Judge(chain, of_any).WhyInNone();
}

}  // namespace gatehouse
