#include "core/config/check_acme.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/config/check_config.h"
#include "proto/topology.pb.h"

namespace gatehouse {
namespace {

using testing::HasSubstr;

class CheckAcmeTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / "gatehouse_check_acme";
    std::filesystem::create_directories(folder_);
    Write("hook", 0755);
    Write("plain", 0644);
    Write("secret", 0600);
    Write("pem", 0600, "-----BEGIN KEY-----");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void Write(const char* name, mode_t mode, const char* content = "c2VjcmV0\n") const {
    std::ofstream(folder_ / name) << content;
    ::chmod((folder_ / name).c_str(), mode);
  }

  // Of a whole file; "" where there is none.
  std::string ErrorOf(const std::string& text) {
    auto yaml = YamlConfig::Parse(text, (folder_ / "g.yaml").string());
    if (!yaml) return yaml.error().text;
    CheckAcme(*yaml);
    const auto checked = yaml->FirstMistake();
    config_ = yaml->config();
    return checked ? "" : checked.error().text.substr(folder_.string().size() + 1);
  }
  // Of one that is right but for `section`, whose keys are added to those that must be there.
  std::string ErrorWith(const std::string& section,
                        const std::string& listen = "listen: {http: ['[::]:80']}\n") {
    return ErrorOf(
        "domains: [{name: Müller.example}]\nworkers: [{plugin: acme_client}]\n" + listen +
        "acme: {directory: 'https://ca.example/dir', agree_to_terms: true, certificate: edge" +
        section + "}\n");
  }

  std::filesystem::path folder_;
  proto::Config config_;
};

TEST_F(CheckAcmeTest, TakesTheLeastAndTheMost) {
  EXPECT_EQ(ErrorWith(""), "");
  EXPECT_EQ(config_.acme().challenge(), "http-01");
  EXPECT_EQ(*AcmeNames(config_), std::vector<std::string>{"xn--mller-kva.example"});
  EXPECT_EQ(
      ErrorWith(", contact: 'mailto:a@b.example', names: [A.example, '*.Müller.example'],"
                " key: rsa-2048,"
                " challenge: dns-01, dns_hook: hook, trust: plain,"
                " external_account: {key_id: k, key_file: secret}",
                ""),
      "");
  EXPECT_EQ(*AcmeNames(config_), (std::vector<std::string>{"a.example", "*.xn--mller-kva.example"}));
  EXPECT_EQ(config_.acme().dns_hook(), (folder_ / "hook").string());
}

TEST_F(CheckAcmeTest, TheWorkerAndItsSectionGoTogether) {
  EXPECT_THAT(
      ErrorOf("domains: [{name: a.example}]\nworkers: []\nacme: {certificate: edge}\n"),
      HasSubstr("g.yaml:3: key 'acme': needs its worker; would be right: '- plugin: acme_client'"));
  EXPECT_THAT(ErrorOf("domains: [{name: a.example}]\nworkers: [{plugin: acme_client}]\n"),
              HasSubstr("key 'workers': has acme_client, which has nothing to do"));
  EXPECT_THAT(ErrorOf("domains: [{name: a.example}]\nlisten: {http: ['[::]:80']}\n"),
              HasSubstr("key 'listen.http': is for acme_client"));
}

TEST_F(CheckAcmeTest, SaysWhichKeyIsWrongAndWhatWouldBeRight) {
  struct Mistake {
    const char* section;
    const char* complaint;
  };
  for (const Mistake& one : {
           Mistake{", contact: ops@b.example", "key 'acme.contact': is 'ops@b.example'"},
           Mistake{", contact: 'mailto:a@b.example?x=y'", "key 'acme.contact'"},
           Mistake{", key: dsa", "key 'acme.key': is 'dsa'; would be right: p-256"},
           Mistake{", names: ['a b']", "key 'acme.names[0]'"},
           Mistake{", names: [localhost]", "key 'acme.names[0]'"},
           Mistake{", names: ['*.a.example']", "or challenge: dns-01"},
           Mistake{", names: [b.example]", "key 'acme.names': names none of our domains"},
           Mistake{", challenge: tls",
                   "key 'acme.challenge': is 'tls'; would be right: http-01 or dns-01"},
           Mistake{", challenge: dns-01", "key 'acme.dns_hook': is missing"},
           Mistake{", challenge: dns-01, dns_hook: none", "which cannot be found"},
           Mistake{", challenge: dns-01, dns_hook: plain", "which cannot be started"},
           Mistake{", challenge: dns-01, dns_hook: .", "which cannot be started"},
           Mistake{", dns_hook: hook", "is for challenge dns-01"},
           Mistake{", trust: none.pem", "key 'acme.trust': names '"},
           Mistake{", external_account: {key_file: secret}",
                   "external_account.key_id': is missing"},
           Mistake{", external_account: {key_id: k}", "external_account.key_file': is missing"},
           Mistake{", external_account: {key_id: k, key_file: none}", "which cannot be read"},
           Mistake{", external_account: {key_id: k, key_file: plain}", "which others may read"},
           Mistake{", external_account: {key_id: k, key_file: pem}", "holds no base64url key"},
       })
    EXPECT_THAT(ErrorWith(one.section), HasSubstr(one.complaint)) << one.section;
  EXPECT_THAT(ErrorWith("", ""), HasSubstr("nothing listens for it; would be right: http:"));
}

TEST_F(CheckAcmeTest, TheCaAndItsTermsAreTheOperatorsToName) {
  const auto error_of = [this](const std::string& section) {
    return ErrorOf(
        "domains: [{name: a.example}]\nworkers: [{plugin: acme_client}]\n"
        "listen: {http: ['[::]:80']}\nacme: {" +
        section + "}\n");
  };
  EXPECT_THAT(error_of("certificate: edge"), HasSubstr("key 'acme.directory': is missing"));
  EXPECT_THAT(error_of("directory: 'http://ca.example/'"),
              HasSubstr("would be right: an https URL"));
  EXPECT_THAT(error_of("directory: 'https://192.0.2.1/'"), HasSubstr("with a name for its host"));
  EXPECT_THAT(error_of("directory: 'https://ca.example/'"),
              HasSubstr("key 'acme.agree_to_terms': is not true"));
  EXPECT_THAT(error_of("directory: 'https://ca.example/', agree_to_terms: true"),
              HasSubstr("key 'acme.certificate': is missing"));
  EXPECT_THAT(
      error_of("directory: 'https://ca.example/', agree_to_terms: true, certificate: 'a/b'"),
      HasSubstr("key 'acme.certificate': is 'a/b'"));
}

}  // namespace
}  // namespace gatehouse
