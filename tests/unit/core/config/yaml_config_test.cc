#include "core/config/yaml_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gatehouse {
namespace {

std::string ErrorOf(std::string_view text) {
  const auto parsed = YamlConfig::Parse(text, "g.yaml");
  return parsed ? "no error" : parsed.error().text;
}

TEST(YamlConfig, ReadsEveryKindOfField) {
  const auto yaml = YamlConfig::Parse(
      "domains:\n"
      "  - name: contoso.example\n"
      "    next_hop: \"sip:pool.contoso.example\"\n"
      "listen:\n"
      "  xmpp: [\"[::]:5269\", \"127.0.0.1:5269\"]\n"
      "sip:\n"
      "  page_mode_max: 1200\n"
      "dns:\n"
      "  allow_loopback_targets: true\n"
      "workers:\n"
      "  - plugin: tls_listener\n"
      "    count: 2\n",
      "g.yaml");
  ASSERT_TRUE(yaml) << yaml.error().text;
  const proto::Config& config = yaml->config();
  EXPECT_EQ(config.domains(0).next_hop(), "sip:pool.contoso.example");
  EXPECT_EQ(config.listen().xmpp(1), "127.0.0.1:5269");
  EXPECT_EQ(config.sip().page_mode_max(), 1200U);
  EXPECT_TRUE(config.dns().allow_loopback_targets());
  EXPECT_EQ(config.workers(0).count(), "2");
}

TEST(YamlConfig, TakesAGroupOrAListWithNothingBelowItAsEmpty) {
  const auto yaml = YamlConfig::Parse("sip:\ndomains:\ndns:\n  servers:\n", "g.yaml");
  ASSERT_TRUE(yaml) << yaml.error().text;
  EXPECT_EQ(yaml->config().domains_size(), 0);
  EXPECT_TRUE(YamlConfig::Parse("", "g.yaml"));
  EXPECT_TRUE(YamlConfig::Parse("# nothing but a comment\n", "g.yaml"));
}

TEST(YamlConfig, NamesTheLineAndTheNearestKeyOfAnUnknownOne) {
  EXPECT_EQ(ErrorOf("domains: []\ndomian: []\n"),
            "g.yaml:2: key 'domian': is not known; did you mean 'domains'?");
  EXPECT_EQ(ErrorOf("tls:\n  keyfile: x\n"),
            "g.yaml:2: key 'tls.keyfile': is not known; did you mean 'key_file'?");
}

TEST(YamlConfig, ListsTheKnownKeysWhereNoneIsNear) {
  EXPECT_EQ(ErrorOf("domains:\n  - colour: red\n"),
            "g.yaml:2: key 'domains[0].colour': is not known; would be right here: name, next_hop");
}

TEST(YamlConfig, SaysWhatIsThereAndWhatWouldBeRightForAWrongType) {
  EXPECT_EQ(ErrorOf("domains: contoso.example\n"),
            "g.yaml:1: key 'domains': is 'contoso.example'; would be right: a list");
  EXPECT_EQ(ErrorOf("domains: [contoso.example]\n"),
            "g.yaml:1: key 'domains[0]': is 'contoso.example'; would be right: a group of keys "
            "(name, next_hop)");
  EXPECT_EQ(ErrorOf("tls:\n  trust: [a]\n"),
            "g.yaml:2: key 'tls.trust': is a list; would be right: a text");
  EXPECT_EQ(ErrorOf("dns:\n  allow_loopback_targets: yes\n"),
            "g.yaml:2: key 'dns.allow_loopback_targets': is 'yes'; would be right: true or false");
  for (const std::string bad : {"-1", "1.5", "4294967296", "\"5\"", "0x10", ""})
    EXPECT_THAT(ErrorOf("sip:\n  page_mode_max: " + bad + "\n"),
                testing::EndsWith("would be right: a number from 0 to 4294967295"))
        << bad;
}

TEST(YamlConfig, RefusesAKeyGivenTwice) {
  EXPECT_EQ(ErrorOf("sip:\n  host: a\n  host: b\n"),
            "g.yaml:3: key 'sip.host': is given twice, first in line 2; would be right: once");
}

TEST(YamlConfig, RefusesWhatIsNoYaml) {
  EXPECT_THAT(ErrorOf("domains:\n\t- name: x\n"),
              testing::StartsWith("g.yaml:2: is not well-formed YAML: "));
  EXPECT_THAT(ErrorOf("a: [1\nb: ]]\n"), testing::HasSubstr("is not well-formed YAML: "));
  EXPECT_THAT(ErrorOf("dns: *nowhere\n"), testing::HasSubstr("is not well-formed YAML: "));
}

TEST(YamlConfig, RefusesADocumentThatIsNoGroupOrNotAlone) {
  EXPECT_THAT(ErrorOf("- a\n- b\n"), testing::StartsWith("g.yaml:1: is a list; "));
  EXPECT_THAT(ErrorOf("dns:\n---\ndns:\n"), testing::HasSubstr("holds 2 YAML documents"));
}

TEST(YamlConfig, PlacesALaterErrorAtTheNearestKeyTheFileHas) {
  const auto yaml = YamlConfig::Parse("sip:\n  host: a\ndomains:\n  - name: x\n", "g.yaml");
  ASSERT_TRUE(yaml);
  EXPECT_EQ(yaml->At("sip.host", "is wrong").text, "g.yaml:2: key 'sip.host': is wrong");
  EXPECT_EQ(yaml->At("domains[0].next_hop", "is wrong").text,
            "g.yaml:4: key 'domains[0].next_hop': is wrong");
  EXPECT_EQ(yaml->At("tls.trust", "is wrong").text, "g.yaml:1: key 'tls.trust': is wrong");
}

TEST(YamlConfig, AValueOrAKeyForgesNoLineAndIsNotToldWhole) {
  const std::string forged = ErrorOf("tls:\n  trust: {\"a\\nforged: b\": 1}\n\"x\\ny\": 1\n");
  EXPECT_EQ(forged.find('\n'), std::string::npos) << forged;
  EXPECT_THAT(ErrorOf("\"x\\ny\": 1\n"),
              testing::StartsWith("g.yaml:1: key 'x?y': is not known; "));
  EXPECT_EQ(
      ErrorOf("sip: \"a\\nforged.yaml:1: all is well\"\n"),
      "g.yaml:1: key 'sip': is 'a?forged.yaml:1: all is well'; would be right: a group of keys");
  const std::string much(1'000'000, 'a');
  for (const std::string& text : {"sip: " + much + "\n", "\"" + much.substr(0, 1000) + "\": 1\n"}) {
    const std::string error = ErrorOf(text);
    EXPECT_LT(error.size(), 1000U) << error;
    EXPECT_NE(error.find("a ... a"), std::string::npos) << error;
    EXPECT_NE(error.find("would be right"), std::string::npos) << error;
  }
}

TEST(YamlConfig, AMarkOrUtf16AsAnEditorWritesItIsRead) {
  EXPECT_TRUE(YamlConfig::Parse("\xEF\xBB\xBFsip:\r\n  host: a\r\n", "g.yaml"));
  const std::string_view utf16("\xFF\xFEs\0i\0p\0:\0", 10);
  EXPECT_TRUE(YamlConfig::Parse(utf16, "g.yaml"));
  EXPECT_EQ(ErrorOf("sip:\n  host: \xE4\n"), "g.yaml:2: is not in UTF-8; write the file in UTF-8");
  EXPECT_EQ(ErrorOf(std::string("sip:\n  host: a\0", 15)),
            "g.yaml:2: has a zero octet; write the file in UTF-8");
}

TEST(NearestWord, IsTheOnlyOneThatGoesOnWhereItEnds) {
  EXPECT_EQ(NearestWord("trust", "domain type trust_anchors"), "trust_anchors");
  EXPECT_EQ(NearestWord("trust", "domain trust_anchors trust_lists"), "");
  EXPECT_EQ(NearestWord("tr", "domain trust_anchors"), "");
}

TEST(NearestWord, FindsTyposAndNothingElse) {
  EXPECT_EQ(NearestWord("tls_lstener", "policy_engine tls_listener"), "tls_listener");
  EXPECT_EQ(NearestWord("lsiten", "listen tls"), "listen");
  EXPECT_EQ(NearestWord("colour", "name next_hop"), "");
  EXPECT_EQ(NearestWord("x", ""), "");
}

// The lists are well-formed and stand for 10^9 texts.
TEST(YamlConfig, RefusesAliasesThatMultiply) {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name <= 'i'; ++name) {
    const std::string inner = std::string(" *") + static_cast<char>(name - 1);
    text += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 10; ++i) text += inner + (i < 9 ? "," : "]\n");
  }
  EXPECT_THAT(ErrorOf(text), testing::StartsWith("g.yaml:6: the aliases up to here"));
}

}  // namespace
}  // namespace gatehouse
