#include "core/certificate/slot_fitness.h"

#include <gmock/gmock.h>

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::int64_t kOneDay = 86400;

CertificateFacts Link(const std::string& subject) {
  CertificateFacts facts;
  facts.subject = "CN=" + subject;
  facts.key_type = "p-256";
  facts.signature_algorithm = "ecdsa-sha256";
  facts.not_before = kNow - kOneDay;
  facts.not_after = kNow + 90 * kOneDay;
  return facts;
}

// What a public authority issues: for servers only.
BuiltChain Good() {
  BuiltChain chain;
  CertificateFacts leaf = Link("corp.example");
  leaf.issuer = "CN=ca";
  leaf.names = {"corp.example", "sip.corp.example"};
  leaf.has_eku = true;
  leaf.server_eku = true;
  leaf.client_eku = true;
  chain.links.push_back(leaf);
  chain.links.push_back(Link("ca"));
  chain.links.back().is_ca = true;
  return chain;
}

FitnessQuestion For(Slot slot) {
  FitnessQuestion question;
  question.slot = slot;
  question.domains = {"corp.example"};
  question.now = kNow;
  return question;
}

TEST(SlotFitness, OfAGoodCertificateSaysNothing) {
  for (const Slot slot : {Slot::kXmpp, Slot::kSip}) {
    const Fitness fitness = JudgeForSlot(Good(), For(slot));
    EXPECT_THAT(fitness.refusals, IsEmpty());
    EXPECT_THAT(fitness.warnings, IsEmpty());
  }
}

struct Row {
  Slot slot;
  void (*change)(BuiltChain&, FitnessQuestion&);
  const char* sentence;
};

std::pair<Fitness, std::string> Judge(const Row& row) {
  BuiltChain chain = Good();
  FitnessQuestion question = For(row.slot);
  row.change(chain, question);
  return {JudgeForSlot(chain, question), row.sentence};
}

TEST(SlotFitness, RefusesWhatPeersWouldRefuse) {
  const Row rows[] = {
      {Slot::kXmpp,
       [](auto& c, auto& q) {
         c.links[0].sha256 = "ab12";
         q.revoked = {"cd34", "ab12"};
       },
       "certificate 'CN=corp.example' has been revoked, says a list in tls.crl_file; request a"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].not_after = kNow; },
       "certificate 'CN=corp.example' has expired; request a new one"},
      {Slot::kSip, [](auto& c, auto&) { c.links[1].not_after = kNow - 1; },
       "CA certificate 'CN=ca' of its chain has expired; import the present one"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].not_before = kNow + 1; }, "not valid yet"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].key_type = "rsa-1024"; },
       "a key of type rsa-1024, which peers refuse"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].key_type = "p-521"; }, "type p-521"},
      {Slot::kSip, [](auto& c, auto&) { c.links[1].key_type = "rsa-1024"; },
       "CA certificate 'CN=ca' of its chain has a key of type rsa-1024"},
      {Slot::kXmpp,
       [](auto& c, auto&) {
         c.links[0].signature_ok = false;
         c.links[0].signature_algorithm = "rsa-sha1";
       },
       "signed with rsa-sha1"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].is_ca = true; }, "certificate of a CA"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].may_sign = false; }, "digitalSignature"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].server_eku = c.links[0].client_eku = false; },
       "neither for servers nor for clients"},
      {Slot::kXmpp,
       [](auto& c, auto&) {
         c.links[0].server_eku = c.links[0].client_eku = false;
         c.links[0].sip_domain_eku = true;
       },
       "neither for servers nor for clients"},
      {Slot::kSip, [](auto& c, auto&) { c.links[0].server_eku = c.links[0].client_eku = false; },
       "neither for servers nor for clients"},
      {Slot::kXmpp, [](auto&, auto& q) { q.domains.push_back("other.example"); },
       "it does not name our domain other.example; have it issued with the DNS name other.example"},
      {Slot::kXmpp, [](auto&, auto& q) { q.domains = {"a.corp.example"}; }, "our domain a.corp"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].names = {"*.corp.example"}; },
       "our domain corp.example"},
      {Slot::kXmpp,
       [](auto& c, auto& q) {
         c.links[0].names = {"*.corp.example"};
         q.domains = {"a.b.corp.example"};
       },
       "our domain a.b.corp.example"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].names = {"cn:corp.example"}; },
       "our domain corp.example"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].names = {"srv:_sip.corp.example"}; },
       "our domain corp.example"},
      {Slot::kSip, [](auto&, auto& q) { q.sip_host = "edge.corp.example"; },
       "does not name edge.corp.example, by which SIP peers know this edge; have"},
      {Slot::kSip,
       [](auto& c, auto& q) {
         c.links[0].names = {"*.corp.example"};
         q.sip_host = "edge.corp.example";
       },
       "(SIP has no wildcards)"},
      {Slot::kSip, [](auto&, auto& q) { q.domains = {"other.example"}; },
       "it names none of our SIP domains; have it issued with the DNS name other.example or "
       "sip.other.example"},
  };
  for (const Row& row : rows) {
    const auto [fitness, sentence] = Judge(row);
    EXPECT_THAT(fitness.refusals, ElementsAre(HasSubstr(sentence)));
  }
}

TEST(SlotFitness, WarnsOfWhatSomePeersWouldRefuse) {
  const Row rows[] = {
      {Slot::kSip, [](auto& c, auto&) { c.links[0].client_eku = false; },
       "no clientAuth, which is needed where the SIP peer asks for it"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].server_eku = false; }, "no serverAuth"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].not_after = kNow + 29 * kOneDay; },
       "it ends in 29 days"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[1].not_after = kNow + kOneDay; },
       "it ends in 1 day;"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].key_type = "rsa-8192"; }, "slow"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].key_type = "ed25519"; }, "few peers know"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].names = {"xmpp:corp.example"}; },
       "as XmppAddr only"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links.resize(1); },
       "its issuer 'CN=ca' is not among the certificates"},
      {Slot::kXmpp,
       [](auto& c, auto&) {
         c.links.resize(1);
         c.links[0].self_signed = true;
       },
       "signed with its own key"},
  };
  for (const Row& row : rows) {
    const auto [fitness, sentence] = Judge(row);
    EXPECT_THAT(fitness.refusals, IsEmpty()) << sentence;
    EXPECT_THAT(fitness.warnings, ElementsAre(HasSubstr(sentence)));
  }
}

TEST(SlotFitness, TakesWhatTheRulesAllow) {
  const Row rows[] = {
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].client_eku = false; }, "for servers only"},
      {Slot::kXmpp,
       [](auto& c, auto&) {
         c.links[0].server_eku = c.links[0].client_eku = false;
         c.links[0].any_eku = true;
       },
       "any purpose"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].has_eku = false; }, "no purpose named"},
      {Slot::kXmpp, [](auto& c, auto&) { c.links[0].names = {"srv:_xmpp-server.CORP.example"}; },
       "SRV-ID"},
      {Slot::kXmpp,
       [](auto& c, auto& q) {
         c.links[0].names = {"*.corp.example"};
         q.domains = {"a.corp.example", "b.corp.example"};
       },
       "wildcard"},
      {Slot::kSip, [](auto& c, auto&) { c.links[0].names = {"cn:corp.example"}; }, "CN"},
      {Slot::kSip, [](auto& c, auto&) { c.links[0].names = {"uri:sip:corp.example"}; }, "URI"},
      {Slot::kSip,
       [](auto& c, auto& q) {
         c.links[0].names = {"edge.corp.example"};
         q.sip_host = "edge.corp.example";
       },
       "the name of a trusted application pool"},
      {Slot::kXmpp,
       [](auto& c, auto&) {
         c.links.resize(1);
         c.root_seen = true;
       },
       "issued by a root"},
  };
  for (const Row& row : rows) {
    const auto [fitness, what] = Judge(row);
    EXPECT_THAT(fitness.refusals, IsEmpty()) << what;
    EXPECT_THAT(fitness.warnings, IsEmpty()) << what;
  }
}

std::vector<std::string> InNoSlot(void (*change)(BuiltChain&, FitnessQuestion&)) {
  BuiltChain chain = Good();
  FitnessQuestion question = For(Slot::kXmpp);
  question.domains.emplace_back("second.example");
  change(chain, question);
  return WhyInNoSlot(chain, question);
}

TEST(SlotFitness, KnowsWhatCanBeShownInNoSlot) {
  const std::pair<void (*)(BuiltChain&, FitnessQuestion&), const char*> rows[] = {
      {[](auto& c, auto&) { c.links[0].not_after = kNow; },
       "certificate 'CN=corp.example' has expired"},
      {[](auto& c, auto&) { c.links[1].not_after = kNow; }, "CA certificate 'CN=ca' of its chain"},
      {[](auto& c, auto&) { c.links[0].not_before = kNow + 1; }, "not valid yet"},
      {[](auto& c, auto&) { c.links[0].key_type = "rsa-1024"; }, "a key of type rsa-1024"},
      {[](auto& c, auto&) { c.links[0].key_type = "p-521"; }, "a key of type p-521"},
      {[](auto& c, auto&) {
         c.links[0].signature_ok = false;
         c.links[0].signature_algorithm = "rsa-md5";
       },
       "is signed with rsa-md5"},
      {[](auto& c, auto&) { c.links[0].server_eku = c.links[0].client_eku = false; },
       "neither for servers nor for clients"},
      {[](auto& c, auto&) { c.links[0].names = {"other.example"}; },
       "it names none of our domains, such as corp.example"},
  };
  for (const auto& [change, sentence] : rows)
    EXPECT_THAT(InNoSlot(change), ElementsAre(HasSubstr(sentence))) << sentence;
}

TEST(SlotFitness, LeavesTheRestToTheSlot) {
  void (*const rows[])(BuiltChain&, FitnessQuestion&) = {
      [](auto&, auto&) {},  // not for second.example
      [](auto& c, auto&) { c.links[0].names = {"sip.second.example"}; },
      [](auto& c, auto& q) {
        c.links[0].names = {"pool.corp.example"};
        q.sip_host = "pool.corp.example";
      },
      [](auto& c, auto&) { c.links[0].names = {"xmpp:second.example"}; },
      [](auto& c, auto&) {
        c.links[0].server_eku = c.links[0].client_eku = false;
        c.links[0].sip_domain_eku = true;
      },
      [](auto&, auto& q) { q.domains.clear(); },
  };
  for (const auto& change : rows) EXPECT_THAT(InNoSlot(change), IsEmpty());
}

TEST(SlotFitness, OfNothingIsARefusal) {
  EXPECT_THAT(WhyInNoSlot({}, For(Slot::kXmpp)), ElementsAre(HasSubstr("import one")));
  EXPECT_THAT(JudgeForSlot({}, For(Slot::kXmpp)).refusals, ElementsAre(HasSubstr("import one")));
}

}  // namespace
}  // namespace gatehouse
