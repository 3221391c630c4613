#include "core/tls/revocation_lists.h"

#include <gmock/gmock.h>

#include <ctime>

#include "core/certificate/certificate_bundle.h"
#include "core/certificate/certificate_chain.h"
#include "tests/unit/core/certificate/openssl_folder.h"
#include "tests/unit/core/tls/tls_pair.h"

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kDay = 86400;

// root ─ middle ─ partner, and root ─ other.
class RevocationListsTest : public testing::Test {
 protected:
  RevocationListsTest() {
    MakeAuthority("root", "root");
    folder_.Issue("middle", {.issuer = "root",
                             .extensions = "basicConstraints=critical,CA:TRUE\n"
                                           "keyUsage=keyCertSign,cRLSign"});
    folder_.Issue("partner", Leaf("middle"));
    folder_.Issue("other", Leaf("root"));
    folder_.Write("partner.chain", folder_.Read("partner.pem") + folder_.Read("middle.pem"));
    folder_.Write("other.chain", folder_.Read("other.pem"));
  }
  void MakeAuthority(const std::string& file, const std::string& name,
                     const std::string& usage = "keyCertSign,cRLSign") {
    folder_.Run(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=" +
        name + " -keyout " + file + ".key -out " + file +
        ".pem -addext basicConstraints=critical,CA:TRUE -addext keyUsage=" + usage);
  }
  static OpensslFolder::Below Leaf(const std::string& issuer) {
    return {.issuer = issuer,
            .extensions = "subjectAltName=DNS:partner.example\nkeyUsage=digitalSignature"};
  }
  // A list of `authority`'s that has these: CRL.crl.
  void List(const std::string& authority, const std::vector<std::string>& revoked,
            const std::string& crl = "list") {
    folder_.Write("index.txt", "");
    folder_.Write("ca.cnf",
                  "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n"
                  "default_crl_days=30\n");
    const std::string ca =
        "ca -config ca.cnf -cert " + authority + ".pem -keyfile " + authority + ".key ";
    for (const std::string& name : revoked) folder_.Run(ca + "-revoke " + name + ".pem");
    folder_.Run(ca + "-gencrl -out " + crl + ".crl");
  }
  TlsFiles FilesOf(const std::string& name, const std::string& crl = {}) const {
    return {.chain_file = folder_.Path(name + ".chain"),
            .key_file = folder_.Path(name + ".key"),
            .trust = folder_.Path("root.pem"),
            .crl_file = crl.empty() ? std::string() : folder_.Path(crl + ".crl")};
  }
  // What a server with that list finds of a client.
  PeerCertificate Judge(const std::string& name, const std::string& crl) {
    TlsPair pair(MustContext(FilesOf(name)), MustContext(FilesOf("other", crl)));
    pair.Handshake();
    EXPECT_TRUE(pair.both_done()) << pair.server.error;
    return pair.server.session->peer();
  }
  std::shared_ptr<const RevocationLists> Read(const std::string& crl = "list") const {
    return RevocationLists::Read(folder_.Path(crl + ".crl")).value_or(nullptr);
  }
  std::string DigestOf(const std::string& name) const {
    const auto bundle = ReadCertificateBundle(folder_.Read(name + ".pem"), {});
    return bundle ? FactsOf(bundle->certificates.front())->sha256 : std::string();
  }

  OpensslFolder folder_;
};

TEST_F(RevocationListsTest, AFileIsReadAgainOnlyWhereItWasWritten) {
  List("root", {"other"});
  const auto first = RevocationLists::Read(folder_.Path("list.crl"));
  ASSERT_TRUE(first);
  EXPECT_EQ(*RevocationLists::Read(folder_.Path("list.crl")), *first);
  List("root", {});
  const auto second = RevocationLists::Read(folder_.Path("list.crl"));
  EXPECT_NE(*second, *first);
  EXPECT_THAT((*second)->Listed(folder_.Read("other.pem")), IsEmpty());
  EXPECT_FALSE(RevocationLists::Read(folder_.Path("none.crl")));
}

TEST_F(RevocationListsTest, RefuseWhatTheyNameAndNothingElse) {
  List("middle", {"partner"});
  const PeerCertificate revoked = Judge("partner", "list");
  EXPECT_TRUE(revoked.presented);
  EXPECT_TRUE(revoked.revoked);
  EXPECT_FALSE(revoked.chain_valid);
  EXPECT_EQ(revoked.chain_error, "its authority has revoked it");
  EXPECT_TRUE(Judge("other", "list").chain_valid);
  EXPECT_TRUE(Judge("partner", "").chain_valid);
}

TEST_F(RevocationListsTest, ReachTheAuthoritiesOfAChain) {
  List("root", {"middle"});
  EXPECT_TRUE(Judge("partner", "list").revoked);
  EXPECT_TRUE(Judge("other", "list").chain_valid);
}

// Whoever has the name of an authority, but not its key; and one that may not sign lists.
TEST_F(RevocationListsTest, OfSomebodyElseRevokeNothing) {
  MakeAuthority("false", "middle");
  List("false", {"partner"});
  EXPECT_TRUE(Judge("partner", "list").chain_valid);
  MakeAuthority("root", "mute", "keyCertSign");
  folder_.Issue("other", Leaf("root"));
  folder_.Write("other.chain", folder_.Read("other.pem"));
  List("root", {"other"});
  EXPECT_TRUE(Judge("other", "list").chain_valid);
}

TEST_F(RevocationListsTest, HoldForAPartnersOwnAnchorsToo) {
  List("middle", {"partner"});
  TlsPair pair(MustContext(FilesOf("partner")), MustContext(FilesOf("other", "list")));
  pair.Handshake();
  EXPECT_TRUE(pair.server.session->JudgeAgainst(folder_.Read("root.pem")).revoked);
}

TEST_F(RevocationListsTest, ThatComeLaterReachWhatIsOpen) {
  TlsPair pair(MustContext(FilesOf("partner")), MustContext(FilesOf("other")));
  pair.Handshake();
  EXPECT_TRUE(pair.server.session->peer().chain_valid);
  List("middle", {"partner"});
  pair.server.session->JudgeBy(MustContext(FilesOf("other", "list")));
  EXPECT_TRUE(pair.server.session->peer().revoked);
  EXPECT_THAT(pair.server.session->peer().dns_names, ElementsAre("partner.example"));
  pair.server.session->JudgeBy(MustContext(FilesOf("other")));
  EXPECT_TRUE(pair.server.session->peer().chain_valid);
}

TEST_F(RevocationListsTest, FindOursWithoutItsIssuer) {
  List("middle", {"partner"});
  List("root", {}, "empty");
  folder_.Write("both.crl", folder_.Read("empty.crl") + folder_.Read("list.crl"));
  EXPECT_THAT(Read("both")->Listed(folder_.Read("partner.pem")), ElementsAre(DigestOf("partner")));
  EXPECT_THAT(Read("both")->Listed(folder_.Read("partner.chain")),
              ElementsAre(DigestOf("partner")));
  EXPECT_THAT(Read("both")->Listed(folder_.Read("other.pem")), IsEmpty());
}

TEST_F(RevocationListsTest, SayWhoseIsOutOfDate) {
  List("middle", {});
  EXPECT_THAT(Read()->Outdated(std::time(nullptr)), IsEmpty());
  EXPECT_THAT(Read()->Outdated(std::time(nullptr) + 31 * kDay), ElementsAre("CN=middle"));
}

TEST_F(RevocationListsTest, OfAFileThatIsWrongAreRefused) {
  EXPECT_EQ(RevocationLists::Read("").value(), nullptr);
  EXPECT_THAT(RevocationLists::Read(folder_.Path("none")).error().text,
              HasSubstr("cannot be read: No such file"));
  EXPECT_THAT(RevocationLists::Parse("").error().text,
              HasSubstr("holds no PEM certificate revocation list"));
  EXPECT_THAT(RevocationLists::Parse(folder_.Read("root.pem")).error().text, HasSubstr("holds no"));
  List("middle", {"partner"});
  std::string cut = folder_.Read("list.crl");
  cut.replace(cut.find('\n') + 1, 8, "AAAAAAAA");
  EXPECT_THAT(RevocationLists::Parse(cut).error().text, HasSubstr("number 1, that cannot be read"));
  const auto context = TlsContext::Create(FilesOf("other", "none"));
  ASSERT_FALSE(context.has_value());
  EXPECT_THAT(context.error().text,
              HasSubstr("revocation lists '" + folder_.Path("none.crl") + "'"));
}

}  // namespace
}  // namespace gatehouse
