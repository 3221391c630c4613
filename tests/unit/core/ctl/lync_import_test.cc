#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <sstream>

#include "core/ctl/lync_export.h"
#include "core/ctl/lync_mapping.h"
#include "core/policy/partner_type.h"

namespace gatehouse::ctl {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<LyncObject> Objects(const std::string& file) {
  std::ifstream stream(std::string(GATEHOUSE_TEST_DATA) + "/lync/" + file, std::ios::binary);
  std::stringstream bytes;
  bytes << stream.rdbuf();
  auto objects = ReadLyncExport(bytes.str());
  EXPECT_TRUE(objects.has_value()) << file << ": " << objects.error().text;
  return objects.value_or(std::vector<LyncObject>());
}

proto::ImportRecord Record(const std::string& file, std::size_t index) {
  const std::vector<LyncObject> objects = Objects(file);
  EXPECT_GT(objects.size(), index) << file;
  if (objects.size() <= index) return {};
  proto::ImportRecord record = RecordOfLync(objects[index], file);
  EXPECT_EQ(record.refused(), "") << file;
  return record;
}

proto::ImportRecord RecordOf(const std::string& text) {
  const auto objects = ReadLyncExport(text);
  EXPECT_TRUE(objects.has_value()) << text << ": " << objects.error().text;
  return objects ? RecordOfLync(objects->front(), "x") : proto::ImportRecord();
}

std::string WhyNot(std::string_view text) {
  const auto objects = ReadLyncExport(text);
  EXPECT_FALSE(objects.has_value()) << text;
  return objects ? std::string() : objects.error().text;
}

TEST(LyncImport, ReadsPartnersOfExportClixmlAsPowerShell5WritesThem) {
  const proto::Partner fabrikam = Record("partners.clixml", 0).partner();
  EXPECT_EQ(fabrikam.domain(), "fabrikam.example");
  EXPECT_THAT(fabrikam.additional_domains(),
              ElementsAre("research.fabrikam.example", "fabrikam2.example"));
  EXPECT_EQ(fabrikam.type(), kFederated);
  EXPECT_EQ(fabrikam.tls(), proto::REQUIRED);
  EXPECT_EQ(fabrikam.connection_limit(), 0U);
  EXPECT_EQ(fabrikam.description(), "Business partner since 2011");
  EXPECT_THAT(Record("partners.clixml", 0).notes(), ElementsAre(HasSubstr("line ends")));
  EXPECT_TRUE(fabrikam.enabled());
  const proto::Partner talk = Record("partners.clixml", 1).partner();
  EXPECT_EQ(talk.type(), kPublicUnverified);
  EXPECT_EQ(talk.tls(), proto::NOT_SUPPORTED);
  EXPECT_EQ(talk.sasl(), proto::NOT_SUPPORTED);
  EXPECT_TRUE(talk.dialback());
  EXPECT_FALSE(talk.keep_alive());
  EXPECT_EQ(talk.connection_limit(), 10U);
  EXPECT_EQ(talk.proxy(), "xmpp.talk.example");
}

TEST(LyncImport, ReadsPartnersOfConvertToJsonWithEnumsAsWords) {
  const proto::ImportRecord first = Record("partners.json", 0);
  EXPECT_EQ(first.partner().type(), kFederated);
  EXPECT_EQ(first.partner().sasl(), proto::OPTIONAL);
  EXPECT_EQ(first.partner().tls(), proto::REQUIRED);
  EXPECT_FALSE(first.partner().dialback());
  EXPECT_EQ(first.partner().description(), "Gr\u00fc\u00dfe");
  EXPECT_THAT(first.notes(), IsEmpty());
  const proto::ImportRecord words = Record("partners.json", 1);
  EXPECT_EQ(words.partner().type(), kPublicVerified);
  EXPECT_THAT(words.partner().additional_domains(), ElementsAre("chat.adatum.example"));
  EXPECT_THAT(words.notes(), IsEmpty());
}

TEST(LyncImport, ReadsPartnersOfFormatListWhoseLinesAreWrapped) {
  const proto::Partner woodgrove = Record("partners.txt", 0).partner();
  EXPECT_THAT(
      woodgrove.additional_domains(),
      ElementsAre("chat.woodgrove.example", "jabber.woodgrove.example", "xmpp.woodgrove.example"));
  EXPECT_EQ(woodgrove.description(),
            "Bank, asked for by the head of treasury: see the contract of 2012 and its annex");
  const proto::Partner tailspin = Record("partners.txt", 1).partner();
  EXPECT_EQ(tailspin.connection_limit(), 5U);
  EXPECT_EQ(tailspin.sasl(), proto::NOT_SUPPORTED);
  EXPECT_FALSE(tailspin.keep_alive());
}

TEST(LyncImport, ReadsAccessPoliciesOfExportCsv) {
  EXPECT_EQ(Record("policies.csv", 0).policy().name(), "Global");
  EXPECT_FALSE(Record("policies.csv", 0).policy().xmpp_access());
  const proto::ImportRecord site = Record("policies.csv", 1);
  EXPECT_EQ(site.policy().description(), "Head office, \"HQ\"");
  EXPECT_TRUE(site.policy().xmpp_access());
  EXPECT_THAT(site.notes(), ElementsAre(HasSubstr("policy grant"),
                                        HasSubstr("EnableFederationAccess, EnableOutsideAccess")));
  EXPECT_EQ(Record("policies.csv", 2).policy().name(), "Tag:Sales People");
}

TEST(LyncImport, TakesGatewaySettingsButNoSecretAndNoLoggingOfTexts) {
  const proto::ImportRecord record = Record("gateway.json", 0);
  EXPECT_EQ(record.gateway().settings().connection_limit(), 2000U);
  EXPECT_EQ(record.gateway().settings().stream_inactivity_timeout_s(), 1200U);
  EXPECT_EQ(record.gateway().fields_size(), 6);
  EXPECT_THAT(record.notes(), ElementsAre(HasSubstr("EnableLoggingAllMessageBodies"),
                                          HasSubstr("--dialback-passphrase-file")));
  EXPECT_THAT(record.ShortDebugString(), testing::Not(HasSubstr("not to be printed")));
}

TEST(LyncImport, RefusesWhatIsNoRecordAndSaysWhy) {
  struct Row {
    std::string text;
    std::string_view says;
  };
  const std::array rows = {
      Row{R"({"Identity":"a.example","TlsNegotiation":"Maybe"})", "none of Required, Optional"},
      Row{R"({"Identity":"a.example","TlsNegotiation":"Required","PartnerType":0})",
          "PartnerType is the number 0, and no word; write it with Export-Clixml, which has the "
          "word"},
      Row{R"({"Identity":"a.example","TlsNegotiation":7})", "write it with Export-Clixml"},
      Row{R"({"Identity":"a.example","TlsNegotiation":"","ConnectionLimit":"many"})",
          "not a number"},
      Row{R"({"Identity":"a.example","TlsNegotiation":"","EnableKeepAlive":"perhaps"})",
          "neither True nor False"},
      Row{R"({"TlsNegotiation":"Required"})", "neither Domain nor Identity"},
      Row{R"({"Identity":"a.example","Colour":"red"})", "leave it out of the file"},
      Row{"Identity : a.example\nTlsNegotiation : Required\nAdditionalDomains : {a, b, c, d...}\n",
          "$FormatEnumerationLimit"},
      Row{"\"Identity\",\"TlsNegotiation\",\"AdditionalDomains\"\n"
          "\"a.example\",\"Required\",\"System.Collections.Generic.List`1[System.String]\"\n",
          "use Export-Clixml"},
  };
  for (const Row& row : rows) EXPECT_THAT(RecordOf(row.text).refused(), HasSubstr(row.says));
}

TEST(LyncImport, WarnsOfPropertiesThatWereLostOnTheWay) {
  const proto::ImportRecord partner =
      RecordOf(R"({"Domain":"a.example","PartnerType":"Federated","TlsNegotiation":null})");
  EXPECT_EQ(partner.refused(), "");
  EXPECT_THAT(
      partner.notes(),
      ElementsAre("warning: AdditionalDomains, SaslNegotiation, "
                  "SupportDialbackNegotiation, ConnectionLimit, EnableKeepAlive, ProxyFqdn, "
                  "Description are not in this record, so what a new partner has holds "
                  "here; write it whole, with Get-CsXmppAllowedPartner | Export-Clixml "
                  "FILE"));
  EXPECT_THAT(RecordOf(R"({"StreamInactivityTimeout":600})").notes(),
              ElementsAre(HasSubstr("EnableLoggingAllMessageBodies are not in this record, so what "
                                    "was set here stays; ")));
  const proto::ImportRecord policy = RecordOf(
      "<Objs><Obj><TN RefId=\"0\"><T>Selected.Microsoft.Rtc.Management.WritableConfig.Policy."
      "ExternalAccess.ExternalAccessPolicy</T></TN><Props><S N=\"Identity\">Global</S></Props>"
      "</Obj></Objs>");
  EXPECT_THAT(policy.notes(), ElementsAre(HasSubstr("EnableXmppAccess is not in this record, so "
                                                    "the policy gives no XMPP access here")));
}

TEST(LyncImport, ReadsTheListThatPowerShell5Wraps) {
  const auto objects =
      ReadLyncExport(R"({"value":[{"Identity":"a.example","TlsNegotiation":"Required"},)"
                     R"({"Identity":"b.example","TlsNegotiation":"Optional"}],"Count":2})");
  ASSERT_TRUE(objects.has_value()) << objects.error().text;
  ASSERT_EQ(objects->size(), 2U);
  EXPECT_EQ(RecordOfLync((*objects)[1], "x").partner().domain(), "b.example");
}

TEST(LyncImport, MakesADescriptionOneLineOfTheLengthThatIsPossible) {
  const auto json = [](const std::string& description) {
    return R"({"Identity":"a.example","TlsNegotiation":"Required","Description":")" + description +
           "\"}";
  };
  const proto::ImportRecord lines = RecordOf(json("\\r\\na\\r\\n\\tb\\u2028c\\n"));
  EXPECT_EQ(lines.partner().description(), "a b c");
  EXPECT_THAT(lines.notes(), Contains(HasSubstr("line ends")));
  std::string umlauts = "x";
  for (int i = 0; i < 600; ++i) umlauts += "\u00fc";
  const proto::ImportRecord longer = RecordOf(json(umlauts));
  EXPECT_EQ(longer.partner().description(), umlauts.substr(0, 1023)) << "at a character's border";
  EXPECT_THAT(longer.notes(), Contains(HasSubstr("has 1201 octets; it is cut to the 1024")));
}

TEST(LyncImport, RefusesFilesThatAreNoExport) {
  EXPECT_THAT(WhyNot("nonsense"), HasSubstr("neither CLIXML, JSON, CSV nor a formatted list"));
  for (const std::string_view empty : {"", " \r\n", "\xEF\xBB\xBF", "\xFF\xFE", "\xFE\xFF"})
    EXPECT_THAT(WhyNot(empty), HasSubstr("the file is empty; write it again with e.g. Get-Cs"));
  const std::string_view unmarked("{\0\"\0a\0\"\0:\0001\0}\0", 14);
  EXPECT_THAT(WhyNot(unmarked), HasSubstr("UTF-16 without a byte order mark; write it again with "
                                          "-Encoding UTF8"));
  EXPECT_THAT(WhyNot(unmarked.substr(1)), HasSubstr("UTF-16 without")) << "big-endian";
  EXPECT_THAT(WhyNot("[]"), HasSubstr("has no object"));
  EXPECT_THAT(WhyNot("{\"a\":"), HasSubstr("not well-formed JSON"));
  EXPECT_THAT(WhyNot("<Objs><Obj></Objs>"), HasSubstr("line 1 is not well-formed XML"));
  EXPECT_THAT(WhyNot("<!DOCTYPE a [<!ENTITY b \"c\">]><Objs>&b;</Objs>"),
              HasSubstr("document type"));
  std::string deep = "<Objs>";
  for (int i = 0; i < 100; ++i) deep += "<Obj>";
  EXPECT_THAT(WhyNot(deep), HasSubstr("nested too deeply"));
  EXPECT_THAT(WhyNot("\xFF\xFE\x01\xD8x"),
              HasSubstr("line 1 has half a character of UTF-16; write it "
                        "again with -Encoding UTF8"));
  EXPECT_THAT(WhyNot("a : b\nc : \xE4\n"), HasSubstr("line 2 is not in UTF-8"));
  EXPECT_THAT(WhyNot(std::string_view("a : b\nc : \0 and more that is text\n", 34)),
              HasSubstr("line 2 has a zero octet"));
  EXPECT_THAT(WhyNot("\"a\",\"b\"\n\"1\"\n"), HasSubstr("row 1"));
  EXPECT_THAT(WhyNot("a : b\nnonsense\n"), HasSubstr("line 2"));
  EXPECT_THAT(WhyNot(std::string(kMaxExportBytes + 1, 'a')), HasSubstr("octets"));
}

TEST(LyncImport, ReadsSemicolonsAndRowsWithoutAType) {
  const proto::ImportRecord record =
      RecordOf("\"Identity\";\"EnableXmppAccess\"\r\n\"Tag:A;B\";\"True\"\r\n");
  EXPECT_EQ(record.policy().name(), "Tag:A;B");
  EXPECT_TRUE(record.policy().xmpp_access());
}

}  // namespace
}  // namespace gatehouse::ctl
