#include "core/ctl/request_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/certificate/certificate_bundle.h"
#include "core/certificate/certificate_chain.h"
#include "core/certificate/issuing.h"
#include "core/ctl/request_names.h"
#include "core/tls/certificate_authority.h"
#include "tests/unit/core/ctl/command_line_scene.h"
#include "tests/unit/core/ctl/fake_supervisor.h"

namespace gatehouse::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST(RequestNames, AreThoseOfTheDomainsAndOnesOwn) {
  const auto names = NamesToRequest({"corp.example",
                                     "B\xc3\xbc"
                                     "cher.example"},
                                    {"Edge.corp.example", "*.corp.example", "corp.example"}, true);
  ASSERT_TRUE(names.has_value()) << names.error().text;
  EXPECT_THAT(names->dns_names,
              ElementsAre("corp.example", "sip.corp.example", "xn--bcher-kva.example",
                          "sip.xn--bcher-kva.example", "edge.corp.example", "*.corp.example"));
  EXPECT_THAT(names->srv_names,
              ElementsAre("_xmpp-server.corp.example", "_xmpp-server.xn--bcher-kva.example"));
  EXPECT_THAT(NamesToRequest({"corp.example"}, {}, false)->srv_names, IsEmpty());
}

TEST(RequestNames, ThatAreNoneAreNamed) {
  for (const char* name : {"", "192.0.2.1", "a b", "-a.example", "x@y.example"})
    EXPECT_THAT(NamesToRequest({"corp.example"}, {name}, false).error().text,
                HasSubstr("'" + std::string(name) + "' is no name for a certificate"));
}

TEST(RequestNames, GiveACommonNameThatFits) {
  RequestNames names;
  names.dns_names = {std::string(60, 'a') + ".example", "b.example"};
  EXPECT_EQ(CommonNameOf(names), "b.example");
  names.dns_names.pop_back();
  EXPECT_EQ(CommonNameOf(names), "");
}

class RequestingACertificate : public testing::Test {
 protected:
  RequestingACertificate() { EXPECT_NE(::mkdtemp(folder_.data()), nullptr); }
  ~RequestingACertificate() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string Path(const std::string& name) const { return folder_ + '/' + name; }
  [[nodiscard]] std::string Read(const std::string& name) const {
    std::ifstream stream(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
  }
  [[nodiscard]] bool Exists(const std::string& name) const {
    return std::filesystem::exists(Path(name));
  }
  // With "DIR/" for the folder.
  Ending Run(std::string text) {
    for (std::size_t at = 0; (at = text.find("DIR", at)) != std::string::npos;)
      text.replace(at, 3, folder_);
    const Result<Invocation> invocation = ParseText(text);
    EXPECT_TRUE(invocation.has_value()) << invocation.error().text;
    Outside outside = supervisor_.AsOutside();
    outside.names_in_config = [](const std::string& file) -> Result<EdgeNames> {
      if (file != "good.yaml") return BadConfig(file + ": cannot be read");
      return EdgeNames{{"corp.example"}, "edge.corp.example"};
    };
    if (!answers_.empty())
      outside.ask = [this](const std::string& prompt) -> std::optional<std::string> {
        prompts_ += prompt;
        if (answers_.empty()) return std::nullopt;
        std::string answer = answers_.front();
        answers_.pop_front();
        if (answer == "EOF") return std::nullopt;
        return answer;
      };
    return CarryOut(*invocation, outside);
  }
  void ServeDomains() {
    proto::CtlResponse status;
    status.mutable_status()->add_domains("corp.example");
    status.mutable_status()->add_domains("more.example");
    supervisor_.Say(status);
  }
  void MakeCa() {
    const std::string key = MakePrivateKey(KeyType::kP256).value_or("");
    Write("other.key", key);
    const auto ca = CertificateAuthority::Create("lab", 30);
    ASSERT_TRUE(ca.has_value());
    Write("ca.pem", (*ca)->root());
  }

  FakeSupervisor supervisor_;
  std::deque<std::string> answers_;  // of the operator; none: there is no terminal
  std::string prompts_;              // what he was asked
  std::string folder_ = "/tmp/request-XXXXXX";
};

TEST_F(RequestingACertificate, StoresTheKeyAndPrintsTheRequest) {
  ServeDomains();
  supervisor_.Say(Done("certificate 'external' has a request"));
  const Ending ending =
      Run("cert request external --friendly-name Edge --reason new --if-revision 4");
  EXPECT_EQ(ending.exit_code, kDone) << ending.err;
  EXPECT_THAT(ending.out, StartsWith("-----BEGIN CERTIFICATE REQUEST-----"));
  EXPECT_THAT(ending.err, HasSubstr("certificate 'external' has a request\n"
                                    "it names corp.example, sip.corp.example, more.example, "
                                    "sip.more.example\n"));
  ASSERT_EQ(supervisor_.requests.size(), 2U);
  EXPECT_TRUE(supervisor_.requests[0].has_status());
  const proto::CtlRequest& request = supervisor_.requests[1];
  EXPECT_EQ(request.reason(), "new");
  EXPECT_EQ(request.if_revision(), 4U);
  const proto::CertificateRequested& stored = request.certificate_requested();
  EXPECT_EQ(stored.name(), "external");
  EXPECT_EQ(stored.friendly_name(), "Edge");
  EXPECT_FALSE(stored.exportable());
  EXPECT_EQ(stored.request(), ending.out);
  EXPECT_EQ(PublicKeyHash(stored.key()).value_or("a"),
            RequestPublicKeyHash(stored.request()).value_or("b"));
}

TEST_F(RequestingACertificate, ForDomainsThatAreNamedAsksForNoOthers) {
  supervisor_.Say(Done("done"));
  const Ending ending = Run("cert request external --out DIR/e.csr --domain x.example");
  EXPECT_EQ(ending.exit_code, kDone) << ending.err;
  EXPECT_EQ(Read("e.csr"), supervisor_.requests[0].certificate_requested().request());
  EXPECT_THAT(ending.out, HasSubstr("it names x.example, sip.x.example\nthe request is in '"));
  EXPECT_THAT(ending.out, Not(HasSubstr("BEGIN")));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(RequestingACertificate, ThatIsRefusedLeavesNoFile) {
  supervisor_.Say(RefusedWith("'external edge' is no name; write one without blanks"));
  const Ending ending = Run("cert request external --out DIR/e.csr --domain x.example");
  EXPECT_EQ(ending.exit_code, kRefused);
  EXPECT_EQ(ending.err, "'external edge' is no name; write one without blanks\n");
  EXPECT_FALSE(Exists("e.csr") || Exists("e.csr.new"));
}

TEST_F(RequestingACertificate, WithANameThatIsNoneIsAskedOfNobody) {
  for (const char* words : {"cert request external/edge --out DIR/e.csr",
                            "cert request .edge --offline --key-out DIR/e.key"}) {
    const Ending ending = Run(words);
    EXPECT_EQ(ending.exit_code, kRefused);
    EXPECT_THAT(ending.err, HasSubstr("edge' is no name for a certificate; at most 64 letters"));
  }
  EXPECT_THAT(supervisor_.requests, IsEmpty());
  EXPECT_FALSE(Exists("e.csr") || Exists("e.key"));
}

TEST_F(RequestingACertificate, IsAskedOfNobodyWhereItsFileCannotBeWritten) {
  const Ending ending = Run("cert request external --out DIR/none/e.csr --domain x.example");
  EXPECT_EQ(ending.exit_code, kRefused);
  EXPECT_THAT(ending.err, HasSubstr("cannot be written: No such file"));
  EXPECT_THAT(supervisor_.requests, IsEmpty());
}

TEST_F(RequestingACertificate, OfNoSupervisorSaysHowItIsDoneOffline) {
  const Ending ending = Run("cert request external");
  EXPECT_EQ(ending.exit_code, kUnreachable);
  EXPECT_THAT(ending.err, HasSubstr("--offline --key-out FILE"));
}

TEST_F(RequestingACertificate, SelfSignedImportsAtOnceWhatPartnersWillNotTrust) {
  supervisor_.Say(Done("requested"));
  supervisor_.Say(Done("certificate 'external' is imported"));
  const Ending ending =
      Run("cert request external --self-sign --days 30 --domain x.example --if-revision 4 --reason "
          "lab");
  EXPECT_EQ(ending.exit_code, kDone) << ending.err;
  EXPECT_THAT(ending.out, HasSubstr("certificate 'external' is imported\nit names x.example"));
  EXPECT_THAT(ending.err, HasSubstr("partners will not trust this certificate, for it is signed by "
                                    "itself"));
  ASSERT_EQ(supervisor_.requests.size(), 2U);
  const proto::CtlRequest& request = supervisor_.requests[1];
  EXPECT_FALSE(request.has_if_revision());  // the first change has made another
  EXPECT_EQ(request.reason(), "lab");
  EXPECT_EQ(request.certificate_import().name(), "external");
  const auto bundle = ReadCertificateBundle(request.certificate_import().files(0).content(), "");
  ASSERT_TRUE(bundle.has_value());
  EXPECT_EQ(FactsOf(bundle->certificates.at(0))->public_key_hash,
            PublicKeyHash(supervisor_.requests[0].certificate_requested().key()).value_or(""));
}

TEST_F(RequestingACertificate, SignedByACaThatCannotSignChangesNothing) {
  MakeCa();
  const Ending ending =
      Run("cert request external --ca DIR/ca.pem,DIR/other.key --domain x.example");
  EXPECT_EQ(ending.exit_code, kRefused);
  EXPECT_THAT(ending.err, HasSubstr("the key of the CA 'CN=lab' is another's"));
  EXPECT_THAT(supervisor_.requests, IsEmpty());
  EXPECT_THAT(Run("cert request external --ca DIR/no.pem,DIR/other.key --domain x.example").err,
              HasSubstr("no.pem' cannot be read"));
}

TEST_F(RequestingACertificate, OfflineWritesTheKeyForItsOwnerAlone) {
  const Ending ending =
      Run("cert request e --offline --key-out DIR/e.key --config good.yaml --out DIR/e.csr");
  EXPECT_EQ(ending.exit_code, kDone) << ending.err;
  EXPECT_THAT(supervisor_.requests, IsEmpty());
  struct stat info{};
  ASSERT_EQ(::stat(Path("e.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(PublicKeyHash(Read("e.key")).value_or("a"),
            RequestPublicKeyHash(Read("e.csr")).value_or("b"));
  EXPECT_THAT(ending.out,
              HasSubstr("it names corp.example, sip.corp.example, edge.corp.example\n"));
}

TEST_F(RequestingACertificate, OfflineNeverWritesOverAKey) {
  Write("e.key", "precious");
  const Ending ending =
      Run("cert request e --offline --key-out DIR/e.key --config good.yaml --out DIR/e.csr");
  EXPECT_EQ(ending.exit_code, kRefused);
  EXPECT_THAT(ending.err, HasSubstr("e.key' is there already and may hold a key"));
  EXPECT_EQ(Read("e.key"), "precious");
  EXPECT_FALSE(Exists("e.csr"));
}

TEST_F(RequestingACertificate, NeverWritesOverAFile) {
  Write("precious.pem", "precious");
  for (const char* words : {"cert request e --domain x.example --out DIR/precious.pem",
                            "cert request e --offline --key-out DIR/e.key --config good.yaml "
                            "--out DIR/precious.pem"}) {
    const Ending ending = Run(words);
    EXPECT_EQ(ending.exit_code, kRefused);
    EXPECT_THAT(ending.err, HasSubstr("precious.pem' is there already and may hold a key, so it is "
                                      "not written over; name another file"));
    EXPECT_EQ(Read("precious.pem"), "precious");
    EXPECT_FALSE(Exists("e.key") || Exists("precious.pem.new"));
  }
  EXPECT_THAT(supervisor_.requests, IsEmpty());
}

// One that nobody writes to, and one that never ends.
TEST_F(RequestingACertificate, ReadsNoPipesAndDevices) {
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  for (const char* file : {"DIR/pipe", "/dev/zero"}) {
    const Ending ending = Run("cert import " + std::string(file) + " --name e");
    EXPECT_EQ(ending.exit_code, kRefused);
    EXPECT_THAT(ending.err, HasSubstr("' is a pipe, a device or a folder; name a regular file"));
  }
  EXPECT_THAT(supervisor_.requests, IsEmpty());
}

TEST_F(RequestingACertificate, OfflineLeavesNoKeyWithoutItsRequest) {
  const Ending ending =
      Run("cert request e --offline --key-out DIR/e.key --config good.yaml --out DIR/none/e.csr");
  EXPECT_EQ(ending.exit_code, kRefused);
  EXPECT_FALSE(Exists("e.key"));
  EXPECT_THAT(Run("cert request e --offline --key-out DIR/e.key --config bad.yaml").err,
              HasSubstr("bad.yaml: cannot be read; or name the domains with --domain"));
}

TEST_F(RequestingACertificate, WithoutANameAndATerminalIsMisuse) {
  const Ending ending = Run("cert request");
  EXPECT_EQ(ending.exit_code, kWrongUsage);
  EXPECT_THAT(ending.err, HasSubstr("a NAME is missing, and there is no terminal to ask at"));
}

TEST_F(RequestingACertificate, AsksStepByStepWithoutAName) {
  ServeDomains();
  supervisor_.Say(Done("done"));
  answers_ = {"later",  // is no answer
              "\xff",   // nor is this
              "",
              "my edge",  // nor this
              "edge-2027",
              "Edge",
              "rsa-1024",  // nor is this
              "p-384",
              "y",
              "Corp",
              "",
              "DEU",  // nor this
              "DE",
              "",
              "",
              "yes",
              "not a name",  // nor this
              "edge.corp.example, www.corp.example",
              Path("e.csr"),
              "yes"};
  const Ending ending = Run("cert request");
  EXPECT_EQ(ending.exit_code, kDone) << ending.err << prompts_;
  EXPECT_THAT(answers_, IsEmpty());
  for (const char* part :
       {"write request, ca or self\n", "write it in UTF-8",
        "'my edge' is no name for a certificate", "write one of rsa-2048",
        "write two letters such as DE", "'not a name' is no name", "\n  sip.more.example\n",
        "edge-2027", "p-384, may be exported", "_xmpp-server.corp.example", "www.corp.example",
        "the store of this Gatehouse", "Do it? yes, no [no]: "})
    EXPECT_THAT(prompts_, HasSubstr(part));
  const proto::CertificateRequested& stored = supervisor_.requests[1].certificate_requested();
  EXPECT_EQ(stored.name(), "edge-2027");
  EXPECT_EQ(stored.friendly_name(), "Edge");
  EXPECT_TRUE(stored.exportable());
  EXPECT_EQ(KeyTypeWord(stored.key()).value_or(""), "p-384");
  EXPECT_EQ(Read("e.csr"), stored.request());
}

// Enter took it again and again.
TEST_F(RequestingACertificate, AnAnswerThatIsRefusedIsNotProposed) {
  ServeDomains();
  answers_ = {"", "", "", "", "", "", "", "Germany", "", "", "", "", "", Path("e.csr"), "n"};
  EXPECT_EQ(Run("cert request").err, "nothing was changed\n");
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_THAT(prompts_, HasSubstr("write two letters such as DE\nCountry, two letters [none]: "));
  EXPECT_THAT(prompts_, Not(HasSubstr("[Germany]")));
}

TEST_F(RequestingACertificate, ChangesNothingWhereTheOperatorSaysNoOrLeaves) {
  for (const char* last : {"n", "", "EOF"}) {
    supervisor_ = {};
    ServeDomains();
    answers_ = {"self", "", "", "", "", "", "", "", "", "", "", "", "", last};
    const Ending ending = Run("cert request");
    EXPECT_EQ(ending.exit_code, kRefused);
    EXPECT_EQ(ending.err, "nothing was changed\n");
    EXPECT_THAT(answers_, IsEmpty());
    EXPECT_EQ(supervisor_.requests.size(), 1U);  // which domains there are
  }
  for (std::size_t answered = 0; answered < 13; ++answered) {
    supervisor_ = {};
    ServeDomains();
    answers_.assign(answered, "");
    answers_.emplace_back("EOF");
    EXPECT_EQ(Run("cert request").exit_code, kRefused);
    EXPECT_EQ(supervisor_.requests.size(), 1U);
  }
}

TEST_F(RequestingACertificate, IsPrintedAsJson) {
  supervisor_.Say(Done("done"));
  const Ending ending = Run("cert request external --domain x.example --srv-id --json");
  EXPECT_THAT(ending.out,
              StartsWith("{\"name\":\"external\",\"names\":[\"x.example\",\"sip.x.example\","
                         "\"_xmpp-server.x.example\"],\"request\":\"-----BEGIN"));
}

TEST_F(RequestingACertificate, ImportSendsTheFiles) {
  Write("leaf.pem", "leaf");
  Write("chain.der", std::string("\0\1", 2));
  Write("word", "secret\n");
  supervisor_.Say(Done("certificate 'external' is imported"));
  const Ending ending = Run("cert import DIR/leaf.pem DIR/chain.der --passphrase-file DIR/word");
  EXPECT_EQ(ending.out, "certificate 'external' is imported\n") << ending.err;
  const proto::CertificateImport& import = supervisor_.requests[0].certificate_import();
  ASSERT_EQ(import.files_size(), 2);
  EXPECT_EQ(import.files(0).file(), Path("leaf.pem"));
  EXPECT_EQ(import.files(1).content(), std::string("\0\1", 2));
  EXPECT_EQ(import.passphrase(), "secret");
}

TEST_F(RequestingACertificate, ImportOfWhatIsNoFileNamesIt) {
  Write("large", std::string(kMaxBundleBytes + 1, 'a'));
  Write("empty", "");
  EXPECT_THAT(Run("cert import DIR/none").err, HasSubstr("none' cannot be read"));
  EXPECT_THAT(Run("cert import DIR").err, HasSubstr("is a directory"));
  EXPECT_THAT(Run("cert import DIR/large").err, HasSubstr("large' has more than 1048576 octets"));
  EXPECT_THAT(Run("cert import DIR/empty").err, HasSubstr("empty' is empty"));
  EXPECT_THAT(supervisor_.requests, IsEmpty());
}

TEST_F(RequestingACertificate, ExportedKeysAreTheirOwnersAlone) {
  proto::CtlResponse key;
  key.mutable_certificate_key()->set_key("the key");
  supervisor_.Say(key);
  const Ending ending = Run("cert export-key external --out DIR/e.key");
  EXPECT_EQ(ending.exit_code, kDone) << ending.err;
  EXPECT_EQ(Read("e.key"), "the key");
  EXPECT_THAT(ending.out, Not(HasSubstr("the key\n")));
  struct stat info{};
  ASSERT_EQ(::stat(Path("e.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_THAT(Run("cert export-key external --out DIR/e.key").err, HasSubstr("is there already"));
}

TEST_F(RequestingACertificate, KeyThatMayNotBeExportedLeavesNoFile) {
  supervisor_.Say(
      RefusedWith("the key of 'external' is not exportable; request it with --exportable"));
  const Ending ending = Run("cert export-key external --out DIR/e.key");
  EXPECT_EQ(ending.exit_code, kRefused);
  EXPECT_THAT(ending.err, HasSubstr("not exportable"));
  EXPECT_FALSE(Exists("e.key"));
}

}  // namespace
}  // namespace gatehouse::ctl
