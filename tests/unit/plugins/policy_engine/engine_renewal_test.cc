// What acme_client hands over.
#include <gmock/gmock.h>

#include <chrono>
#include <optional>

#include "plugins/policy_engine/certificate_desk.h"
#include "tests/unit/core/policy/fake_worker_context.h"
#include "tests/unit/plugins/policy_engine/certified_engine.h"

namespace gatehouse::policy_engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class EngineRenewal : public EngineCertificates {
 protected:
  EngineRenewal() { Renew("edge"); }
  // What gatehouse.yaml has at acme.certificate.
  void Renew(const std::string& name, std::optional<ShownEnd> file = std::nullopt) {
    CertificateEdge edge;
    edge.renewed = name;
    edge.domains = {kOurs};
    edge.file = std::move(file);
    EXPECT_TRUE(engine_.KeepCertificates(folder_.File("certificate.key"), edge).has_value());
  }
  Result<proto::CertificateView> Take(const Made& made, const std::string& name = "edge",
                                      const std::string& asked_by = "") {
    proto::AcmeRenewed renewed;
    renewed.set_name(name);
    renewed.set_asked_by(asked_by);
    renewed.set_chain(made.chain);
    renewed.set_key(made.key);
    return engine_.TakeRenewed(renewed, std::chrono::system_clock::now());
  }
  std::optional<proto::CertificateView> Renewable() {
    return engine_.certificates().Renewable(UnixNow());
  }
};

TEST_F(EngineRenewal, IsShownToPartnersWhereNothingIsAndTakesThePlaceOfWhatWasThere) {
  EXPECT_FALSE(Renewable());
  const auto first = Take(edge_);
  ASSERT_TRUE(first) << first.error().text;
  EXPECT_EQ(first->source(), "acme");
  EXPECT_THAT(first->slots(), ElementsAre(proto::SLOT_XMPP));
  EXPECT_EQ(Shown(Slot::kXmpp), "edge");
  EXPECT_THAT(Shown(Slot::kSip), IsEmpty());
  EXPECT_EQ(Renewable()->sha256(), first->sha256());
  const auto second = Take(Make({kOurs}));
  ASSERT_TRUE(second);
  EXPECT_NE(second->sha256(), first->sha256());
  EXPECT_EQ(Renewable()->sha256(), second->sha256());
  proto::CtlRequest audit;
  audit.mutable_audit_get()->set_last(1);
  const proto::AuditRecord record = Run(audit).audit().records(0);
  EXPECT_EQ(record.user(), "acme_client");
  EXPECT_EQ(record.action(), "cert import");
  EXPECT_EQ(record.subject(), "edge");
}

TEST_F(EngineRenewal, LeavesTheSlotToWhatTheOperatorAssigned) {
  Works(Import("own", {edge_.chain, edge_.key}));
  Works(Assign("own"));
  ASSERT_TRUE(Take(Make({kOurs})));
  EXPECT_EQ(Shown(Slot::kXmpp), "own");
}

TEST_F(EngineRenewal, LeavesTheSlotToTheOperatorsFiles) {
  Renew("edge",
        ShownEnd{.name = "/etc/chain.pem", .not_after = UnixNow() + 86'400, .from_file = true});
  ASSERT_TRUE(Take(edge_));
  EXPECT_THAT(Shown(Slot::kXmpp), IsEmpty());
  ASSERT_TRUE(Take(Make({kOurs})));
  EXPECT_THAT(Shown(Slot::kXmpp), IsEmpty());
}

TEST_F(EngineRenewal, IsNotShownAgainWhereTheOperatorHasTakenItAway) {
  ASSERT_TRUE(Take(edge_));
  EXPECT_EQ(Shown(Slot::kXmpp), "edge");
  Works(Assign(""));
  ASSERT_TRUE(Take(Make({kOurs})));
  EXPECT_THAT(Shown(Slot::kXmpp), IsEmpty());
}

TEST_F(EngineRenewal, GotForAnotherNameIsRefused) {
  Renew("other");
  const auto taken = Take(edge_, "edge");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().fault, Fault::kConfig);
  EXPECT_THAT(taken.error().text, HasSubstr("it was got for 'edge'"));
}

TEST_F(EngineRenewal, TheAuditSaysWhoAskedForIt) {
  ASSERT_TRUE(Take(edge_, "edge", "ann"));
  proto::CtlRequest audit;
  audit.mutable_audit_get()->set_last(2);
  EXPECT_EQ(Run(audit).audit().records(0).reason(), "got by ACME, asked for by ann");
}

TEST_F(EngineRenewal, OfTheNameForSipAloneIsKeptAndNotShown) {
  const auto taken = Take(Make({"sip." + std::string(kOurs)}));
  ASSERT_TRUE(taken) << taken.error().text;
  EXPECT_THAT(Shown(Slot::kXmpp), IsEmpty());
  EXPECT_THAT(taken->warnings(), testing::Contains(HasSubstr("does not fit slot xmpp")));
}

TEST_F(EngineRenewal, OfNoneOfOurNamesIsRefused) {
  const auto taken = Take(Make({"other.example"}));
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().text, HasSubstr("it names none of our domains"));
}

TEST_F(EngineRenewal, WhatDoesNotFitIsRefusedAndNothingChanges) {
  ASSERT_TRUE(Take(edge_));
  const auto other = Take(Make({"other.example"}));  // it would be shown at once
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().fault, Fault::kConfig);
  const Made another = Make({kOurs});
  EXPECT_FALSE(Take({edge_.key, edge_.request, another.chain}));  // not its key
  EXPECT_FALSE(Take({"", "", ""}));
  EXPECT_EQ(Renewable()->sha256(), View("edge").sha256());
  Renew("");
  EXPECT_FALSE(Take(edge_));  // nothing is named for ACME
}

class NoLink final : public ipc::AskClient {
  void AskBytes(std::string /*question*/, std::chrono::milliseconds /*limit*/,
                OnAnswer /*on_answer*/) override {}
};

TEST_F(EngineRenewal, IsForAcmeClientAlone) {
  FakeWorkerContext<NoLink> context;
  CertificateDesk desk(context, engine_);
  proto::PolicyQuestion renewed;
  renewed.mutable_acme_renewed()->set_name("edge");
  renewed.mutable_acme_renewed()->set_chain(edge_.chain);
  renewed.mutable_acme_renewed()->set_key(edge_.key);
  proto::PolicyQuestion look;
  look.mutable_acme_look();
  for (const char* instance : {"tls_listener/0", "sip_translator/0", "acme_client2/0", ""})
    for (const proto::PolicyQuestion& question : {renewed, look})
      desk.OnAcme(instance, question, [instance](const Result<std::string>& answer) {
        EXPECT_FALSE(answer) << instance;
      });
  EXPECT_FALSE(Renewable());
  EXPECT_EQ(context.metrics().Value("gatehouse_certificates_withheld_total"), 8);
  desk.OnAcme("acme_client/0", renewed, [](const Result<std::string>& bytes) {
    proto::PolicyAnswer answer;
    ASSERT_TRUE(bytes && answer.ParseFromString(*bytes));
    EXPECT_EQ(answer.acme().held().name(), "edge");
    EXPECT_EQ(answer.acme().refused(), "");
  });
  EXPECT_EQ(Shown(Slot::kXmpp), "edge");
}

}  // namespace
}  // namespace gatehouse::policy_engine
