#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "core/certificate/certificate_request.h"
#include "core/certificate/issuing.h"
#include "core/certificate/private_key.h"
#include "core/tls/own_certificate.h"
#include "tests/unit/core/certificate/openssl_folder.h"
#include "tests/unit/plugins/policy_engine/certified_engine.h"

namespace gatehouse::policy_engine {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(EngineCertificates, AreRequestedImportedAndAssigned) {
  Works(Request("edge", edge_));
  EXPECT_FALSE(View("edge").issued());
  EXPECT_EQ(View("edge").request(), edge_.request);
  EXPECT_THAT(Why(Assign("edge")), HasSubstr("requested only; import"));
  Works(Import("", {edge_.chain}));
  EXPECT_THAT(Shown(Slot::kXmpp), IsEmpty());
  Works(Assign("edge"));
  EXPECT_EQ(Shown(Slot::kXmpp), "edge");
  const proto::CertificateGiven given = engine_.certificates().Given(Slot::kSip);
  EXPECT_TRUE(OwnCertificate::Parse(given.chain(), given.key()).has_value());
  EXPECT_EQ(given.hash().size(), 32U);
  const proto::CertificateView view = View("edge");
  EXPECT_THAT(view.slots(), ElementsAre(proto::SLOT_XMPP, proto::SLOT_SIP));
  EXPECT_THAT(view.names(), ElementsAre(kOurs));
  EXPECT_EQ(view.source(), "request");
  EXPECT_FALSE(view.request_pending());
  EXPECT_EQ(Get().certificates().certificates(0).pem(), "");
}

TEST_F(EngineCertificates, OutliveTheEngine) {
  Works(Import("edge", {edge_.chain, edge_.key}));
  Works(Assign("edge"));
  const std::string hash = engine_.certificates().Given(Slot::kXmpp).hash();
  Restart();
  EXPECT_EQ(engine_.certificates().Given(Slot::kXmpp).hash(), hash);
}

TEST_F(EngineCertificates, KeepTheirKeysSealed) {
  Works(Request("asked", edge_));
  Works(Import("edge", {Make({kOurs}).chain + edge_.chain, edge_.key}));
  struct stat info{};
  ASSERT_EQ(::stat(folder_.File("certificate.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  for (const char* file : {"policy.db", "policy.db-wal"})
    EXPECT_THAT(Content(folder_.File(file)), Not(HasSubstr(KeyLine(edge_)))) << file;
}

TEST_F(EngineCertificates, GoOnWhileTheirRenewalIsRequested) {
  Works(Import("edge", {edge_.chain, edge_.key}));
  Works(Assign("edge", {proto::SLOT_XMPP}));
  const Made next = Make({kOurs});
  const Made void_one = Make({kOurs});
  EXPECT_THAT(Request("edge", void_one).certificates().certificates(0).warnings(),
              testing::Not(testing::Contains(HasSubstr("before this one"))));
  EXPECT_THAT(Request("edge", next).certificates().certificates(0).warnings(),
              testing::Contains(HasSubstr("the request before this one is void")));
  EXPECT_TRUE(View("edge").request_pending());
  EXPECT_EQ(engine_.certificates().Given(Slot::kXmpp).chain(), edge_.chain);
  Works(Import("edge", {next.chain}));
  EXPECT_EQ(engine_.certificates().Given(Slot::kXmpp).chain(), next.chain);
  EXPECT_FALSE(View("edge").request_pending());
}

TEST_F(EngineCertificates, AreRenewedForTheKeyTheyHave) {
  Works(Import("edge", {edge_.chain, edge_.key}));
  const std::string longer = *SelfSign(edge_.request, edge_.key, 200);
  Works(Import("edge", {longer}));
  EXPECT_EQ(View("edge").pem(), longer);
  EXPECT_EQ(View("edge").source(), "import");
}

TEST_F(EngineCertificates, ThatWouldNotFitTheirSlotAreRefusedAsAWhole) {
  Works(Import("edge", {edge_.chain, edge_.key}));
  Works(Assign("edge", {proto::SLOT_XMPP}));
  const Made other = Make({"other.example"});
  EXPECT_THAT(Why(Import("edge", {other.chain, other.key})),
              AllOf(HasSubstr("would not fit slot xmpp, which 'edge' is assigned to"),
                    HasSubstr("does not name our domain contoso.example"),
                    HasSubstr("nothing was changed")));
  EXPECT_EQ(engine_.certificates().Given(Slot::kXmpp).chain(), edge_.chain);
  EXPECT_EQ(View("edge").pem(), edge_.chain);
}

TEST_F(EngineCertificates, ThatCouldBeShownNowhereAreNotTakenInAtAll) {
  const Made stranger = Make({"other.example"});
  EXPECT_THAT(Why(Import("edge", {stranger.chain, stranger.key})),
              AllOf(HasSubstr("it could be shown nowhere: it names none of our domains, such as "
                              "contoso.example"),
                    HasSubstr("nothing was changed")));
  const Made over = Make({kOurs}, 0);
  EXPECT_THAT(Why(Import("edge", {over.chain, over.key})), HasSubstr("has expired; request a new"));
  EXPECT_EQ(Get().certificates().certificates_size(), 0);
  EXPECT_THAT(Audit(), IsEmpty());
}

TEST_F(EngineCertificates, AreAssignedToBothSlotsOrToNone) {
  Keep({}, "pool.contoso.example");
  Works(Import("edge", {edge_.chain, edge_.key}));
  EXPECT_THAT(Why(Assign("edge")),
              AllOf(HasSubstr("'edge' does not fit slot sip"), HasSubstr("pool.contoso.example")));
  EXPECT_THAT(Shown(Slot::kXmpp), IsEmpty());
  Works(Assign("edge", {proto::SLOT_XMPP}));
  EXPECT_EQ(Shown(Slot::kXmpp), "edge");
  EXPECT_THAT(Shown(Slot::kSip), IsEmpty());
  EXPECT_THAT(Why(Assign("nobody")), HasSubstr("there is no certificate 'nobody'"));
}

TEST_F(EngineCertificates, OfGatehouseYamlHoldUntilAnotherIsAssigned) {
  const Made second = Make({kOurs});
  Works(Import("edge", {edge_.chain, edge_.key}));
  Works(Import("second", {second.chain, second.key}));
  Keep("edge");
  EXPECT_EQ(Shown(Slot::kXmpp), "edge");
  EXPECT_EQ(Shown(Slot::kSip), "edge");
  Works(Assign("second", {proto::SLOT_SIP}));
  EXPECT_EQ(Shown(Slot::kXmpp), "edge");
  EXPECT_EQ(Shown(Slot::kSip), "second");
  EXPECT_THAT(Why(Remove("edge")), HasSubstr("gatehouse.yaml names at tls.certificate"));
  Works(Assign("", {proto::SLOT_SIP}));
  EXPECT_EQ(Shown(Slot::kSip), "edge");
}

TEST_F(EngineCertificates, AreNotRemovedWhileTheyAreShown) {
  Works(Import("edge", {edge_.chain, edge_.key}));
  Works(Assign("edge", {proto::SLOT_XMPP}));
  EXPECT_THAT(Why(Remove("edge")), HasSubstr("is assigned to slot xmpp"));
  Works(Assign(""));
  Works(Remove("edge"));
  EXPECT_EQ(Get().certificates().certificates_size(), 0);
  EXPECT_THAT(Why(Remove("edge")), HasSubstr("there is no certificate 'edge'"));
}

TEST_F(EngineCertificates, GiveTheirKeyAwayOnlyWhereThatIsAllowed) {
  Works(Import("open", {edge_.chain, edge_.key}, true));
  const Made closed = Make({kOurs});
  Works(Import("closed", {closed.chain, closed.key}));
  EXPECT_EQ(KeyOf("open").certificate_key().key(), edge_.key);
  EXPECT_THAT(Why(KeyOf("closed")), HasSubstr("is not exportable"));
  Works(Request("asked", closed, true));
  EXPECT_THAT(Why(KeyOf("asked")), HasSubstr("waits for its certificate"));
  const AuditEntry last = Audit()[1];
  EXPECT_EQ(last.action, "cert key");
  EXPECT_EQ(last.subject, "open");
  EXPECT_EQ(last.actor, "alice");
}

TEST_F(EngineCertificates, AreAuditedWithoutTheirKeys) {
  Works(Import("edge", {edge_.chain, edge_.key}, true));
  Works(Assign("edge"));
  Works(KeyOf("edge"));
  std::vector<std::string> actions;
  for (const AuditEntry& entry : Audit()) {
    actions.push_back(entry.action);
    EXPECT_EQ(entry.revision, 0U);
    EXPECT_THAT(entry.before + entry.after, Not(HasSubstr("PRIVATE")));
  }
  EXPECT_THAT(actions, ElementsAre("cert key", "cert assign", "cert import"));
  EXPECT_EQ(Audit()[1].after, R"({"xmpp":"edge","sip":"edge"})");
  EXPECT_THAT(Audit()[2].after, HasSubstr(View("edge").sha256()));
}

TEST_F(EngineCertificates, AreToldBySlotInTheAudit) {
  const Made second = Make({kOurs});
  Works(Import("edge", {edge_.chain, edge_.key}));
  Works(Import("second", {second.chain, second.key}));
  Works(Assign("edge"));
  Works(Assign("second", {proto::SLOT_SIP}));
  Works(Assign(""));
  EXPECT_THAT(Told(0),
              ElementsAre("slot sip: certificate second -> ", "slot xmpp: certificate edge -> "));
  EXPECT_THAT(Told(1), ElementsAre("slot sip: certificate edge -> second"));
  EXPECT_THAT(Told(2),
              ElementsAre("slot sip: certificate  -> edge", "slot xmpp: certificate  -> edge"));
  EXPECT_THAT(Told(3), testing::Contains(HasSubstr("certificate second: subject ")));
}

TEST_F(EngineCertificates, ThatAListOfTheirAuthorityNamesAreRefused) {
  OpensslFolder ca;
  ca.Write("edge.pem", edge_.chain);
  ca.Write("edge.key", edge_.key);
  ca.Write("index.txt", "");
  ca.Write("ca.cnf",
           "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n"
           "default_crl_days=30\n");
  const std::string run = "ca -config ca.cnf -cert edge.pem -keyfile edge.key ";
  ca.Run(run + "-revoke edge.pem");
  ca.Run(run + "-gencrl -out list.crl");
  Works(Import("edge", {edge_.chain, edge_.key}));
  proto::Config config;
  config.add_domains()->set_name(kOurs);
  config.mutable_tls()->set_crl_file(ca.Path("list.crl"));
  edge_of_files_ = *CertificateEdgeOf(config);
  Keep();
  constexpr const char* kWhy = "has been revoked, says a list in tls.crl_file; request a new one";
  EXPECT_THAT(Why(Assign("edge")), HasSubstr(kWhy));
  EXPECT_THAT(Why(Import("again", {edge_.chain, edge_.key})), HasSubstr(kWhy));
  const Made second = Make({kOurs});
  Works(Import("second", {second.chain, second.key}));
  config.mutable_tls()->set_crl_file(ca.Path("none.crl"));
  EXPECT_THAT(CertificateEdgeOf(config).error().text, HasSubstr("none.crl' cannot be read"));
}

TEST_F(EngineCertificates, EndAsTheStoresDoesOrTheFilesOfTheConfiguration) {
  OpensslFolder files;
  const Made short_lived = Make({kOurs}, 5);
  files.Write("chain.pem", short_lived.chain);
  proto::Config config;
  config.add_domains()->set_name(kOurs);
  config.mutable_tls()->set_chain_file(files.Path("chain.pem"));
  edge_of_files_ = *CertificateEdgeOf(config);
  Keep();
  const std::optional<ShownEnd> of_file = engine_.certificates().EndOf(Slot::kXmpp);
  ASSERT_TRUE(of_file);
  EXPECT_TRUE(of_file->from_file);
  EXPECT_EQ(of_file->name, files.Path("chain.pem"));
  EXPECT_NEAR(static_cast<double>(of_file->not_after), static_cast<double>(UnixNow() + 5 * 86400),
              7200);
  EXPECT_FALSE(engine_.certificates().EndOf(Slot::kSip));  // nothing speaks TLS there
  Works(Import("edge", {edge_.chain, edge_.key}));
  Works(Assign("edge"));
  EXPECT_EQ(engine_.certificates().EndOf(Slot::kXmpp)->name, "edge");
  EXPECT_EQ(engine_.certificates().EndOf(Slot::kSip)->not_after,
            engine_.certificates().Shown(Slot::kSip)->not_after());
}

TEST_F(EngineCertificates, SayWhatIsWrongWithAnImport) {
  const Made other = Make({kOurs});
  EXPECT_THAT(Why(Import("edge", {edge_.key})), HasSubstr("the files hold no certificate"));
  EXPECT_THAT(Why(Import("edge", {"nothing"})), HasSubstr("'edge.pem' "));
  EXPECT_THAT(Why(Import("edge", {edge_.chain, other.key})),
              HasSubstr("none of the certificates is for a key that is here: those in the files"));
  EXPECT_THAT(Why(Import("", {edge_.chain, edge_.key})), HasSubstr("give it one with --name"));
  EXPECT_THAT(Why(Import("edge", {edge_.chain, edge_.key, other.chain, other.key})),
              HasSubstr("import them one by one"));
  EXPECT_THAT(Why(Import("the edge", {edge_.chain, edge_.key})),
              HasSubstr("'the edge' is no name for a certificate"));
  EXPECT_THAT(Why(Request("edge", {.key = other.key, .request = edge_.request, .chain = {}})),
              HasSubstr("not the one that the request is signed with"));
  EXPECT_EQ(Get().certificates().certificates_size(), 0);
  EXPECT_THAT(Audit(), IsEmpty());
}

TEST_F(EngineCertificates, ThatAreRequestedShowWhatTheyAreToHave) {
  Works(Request("edge", edge_));
  const proto::CertificateView view = View("edge");
  EXPECT_FALSE(view.issued());
  EXPECT_EQ(view.key_type(), "p-256");
  EXPECT_EQ(view.subject(), std::string("CN=") + kOurs);
  EXPECT_THAT(view.names(), testing::Contains(kOurs));
}

// Again with its CA certificates: without --name, for the key is known.
TEST_F(EngineCertificates, AreImportedAgainByTheKeyThatIsHere) {
  Works(Request("edge", edge_));
  Works(Import("", {edge_.chain}));
  Works(Import("", {edge_.chain}));
  EXPECT_EQ(View("edge").source(), "request");
  Works(Import("twin", {edge_.chain, edge_.key}));
  EXPECT_THAT(Why(Import("", {edge_.chain})),
              HasSubstr("both 'edge' and 'twin' have a key that is certified here; say which with "
                        "--name"));
  Works(Import("twin", {edge_.chain}));
}

TEST_F(EngineCertificates, AreNoMoreThanTwoHundred) {
  for (std::size_t i = 0; i < kMaxCertificates; ++i)
    Works(Request("edge" + std::to_string(i), edge_));
  EXPECT_THAT(Why(Request("another", edge_)), HasSubstr("there are 200 certificates"));
  Works(Request("edge7", edge_));
}

// The file with the store, on a machine that has another key file.
TEST_F(EngineCertificates, WhoseKeysCannotBeUnsealedAreNamedAndLeaveTheOthersAlone) {
  Works(Import("edge", {edge_.chain, edge_.key}));
  Works(Assign("edge"));
  ASSERT_EQ(
      std::rename(folder_.File("certificate.key").c_str(), folder_.File("elsewhere.key").c_str()),
      0);
  Restart();
  EXPECT_EQ(engine_.certificates().UnusableNames(), "'edge'");
  EXPECT_FALSE(std::filesystem::exists(folder_.File("certificate.key")));  // it may come back
  EXPECT_THAT(Shown(Slot::kXmpp), IsEmpty());
  EXPECT_THAT(View("edge").warnings(), testing::Contains(HasSubstr("cannot be unsealed")));
  const Made fresh = Make({kOurs});
  Works(Import("fresh", {fresh.chain, fresh.key}));
  EXPECT_THAT(Why(Assign("edge")), HasSubstr("cannot be unsealed on this machine"));
  Works(Assign("fresh", {proto::SLOT_XMPP}));
  EXPECT_EQ(Shown(Slot::kXmpp), "fresh");
  Works(Import("edge", {edge_.chain, edge_.key}));
  EXPECT_EQ(Shown(Slot::kSip), "edge");
}

TEST_F(EngineCertificates, ComeBackWithARestoredStoreWithoutTheKeysOfAnotherMachine) {
  Works(Import("edge", {edge_.chain, edge_.key}));
  const std::string copy = folder_.File("copy.db");
  {
    std::ofstream empty(copy);
  }
  {
    auto copying = engine_.CopyTo(copy);
    ASSERT_TRUE(copying && copying->All([] {}));
  }
  ScratchFolder elsewhere;
  Engine other = *Engine::Create(*Store::Open(elsewhere.File("policy.db")), {kOurs});
  ASSERT_TRUE(other.KeepCertificates(elsewhere.File("certificate.key"), {}).has_value());
  proto::CtlRequest request;
  request.mutable_restore_write()->set_file("copy.db");
  const proto::CtlResponse done = other.TakeStore(copy, request, std::chrono::system_clock::now());
  EXPECT_EQ(done.exit_code(), 0U) << done.error();
  EXPECT_THAT(done.done(), HasSubstr("the keys of certificates 'edge' were sealed on another"));
}

}  // namespace
}  // namespace gatehouse::policy_engine
