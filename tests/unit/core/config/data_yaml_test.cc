#include "core/config/data_yaml.h"

#include <gmock/gmock.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <random>

#include "core/policy/partner_words.h"
#include "core/policy/record_kinds.h"

namespace gatehouse {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Records with every kind of value that a field can hold, whether the rules allow it or not.
class AnyData {
 public:
  explicit AnyData(unsigned seed) : random_(seed) {}

  proto::FederationData Next() {
    proto::FederationData data;
    for (const RecordKind& kind : RecordKinds()) {
      const FieldDescriptor& field = *data.GetDescriptor()->FindFieldByNumber(kind.number);
      const int count = field.is_repeated() ? Below(5) : 1;
      for (int i = 0; i < count; ++i) {
        proto::Record record;
        record.GetReflection()->MutableMessage(
            &record, record.GetDescriptor()->FindFieldByNumber(kind.number));
        Fill(BodyOf(record), kind);
        Message* const into = field.is_repeated()
                                  ? data.GetReflection()->AddMessage(&data, &field)
                                  : data.GetReflection()->MutableMessage(&data, &field);
        into->CopyFrom(BodyOf(record));
      }
    }
    return data;
  }

 private:
  int Below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  std::string Text() {
    static const std::vector<std::string> kPieces = {
        "a",    "Z",    "9",      " ",      "  ",
        ":",    ": ",   "#",      " #",     "-",
        "- ",   "\"",   "'",      "\\",     "\n",
        "\t",   "\r",   "{",      "}",      "[",
        "]",    ",",    "&",      "*",      "!",
        "|",    ">",    "%",      "@",      "`",
        "~",    "null", "true",   "off",    "0x",
        "1e3",  ".",    "---",    "...",    "\x7f",
        "\x01", "ö",    "\u2028", "\u0085", "😀",
        "?",    "<<",   "=",      "\\n",    "-----BEGIN CERTIFICATE-----\n"};
    std::string text;
    for (int i = Below(8); i > 0; --i)
      text += kPieces[static_cast<std::size_t>(Below(static_cast<int>(kPieces.size())))];
    return text;
  }
  void Fill(Message& body, const RecordKind& kind) {
    const auto& set = *body.GetReflection();
    for (int i = 0; i < body.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *body.GetDescriptor()->field(i);
      if (IsKept(kind, field)) continue;
      if (field.is_repeated()) {
        for (int n = Below(4); n > 0; --n) set.AddString(&body, &field, Text());
      } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        // No record is without a type: one that is left out is that of a new partner.
        set.SetString(&body, &field, (field.name() == "type" ? "t" : "") + Text());
      } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
        set.SetBool(&body, &field, Below(2) == 0);
      } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
        set.SetEnum(&body, &field,
                    field.enum_type()->value(Below(field.enum_type()->value_count())));
      } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
        set.SetUInt32(&body, &field, static_cast<std::uint32_t>(random_()));
      } else {
        set.SetUInt64(&body, &field, random_());
      }
    }
  }

  std::mt19937 random_;
};

TEST(DataYaml, AnAliasIsWhatItsAnchorNames) {
  const DataFile read = ReadDataYaml(
      "partners:\n  - domain: a.example\n    additional_domains: &more [b.example, '1']\n"
      "  - domain: c.example\n    description: &why same\n    additional_domains: *more\n"
      "  - domain: d.example\n    description: *why\n",
      "partners.yaml");
  ASSERT_TRUE(read.mistakes.empty()) << read.mistakes.front().text;
  EXPECT_EQ(read.data.partners(1).additional_domains(1), "1");
  EXPECT_EQ(read.data.partners(2).description(), "same");
}

TEST(DataYaml, WhatIsWrittenIsReadAsTheSame) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    const proto::FederationData data = AnyData(seed).Next();
    const std::string yaml = DataYaml(data);
    const DataFile read = ReadDataYaml(yaml, "x.yaml");
    ASSERT_TRUE(read.mistakes.empty()) << read.mistakes.front().text << "\n" << yaml;
    ASSERT_EQ(read.data.SerializeAsString(), data.SerializeAsString())
        << "seed " << seed << "\n"
        << yaml << "\n"
        << data.DebugString() << read.data.DebugString();
  }
}

TEST(DataYaml, ReadsLikeWhatAnOperatorWouldWrite) {
  proto::FederationData data;
  *data.mutable_gateway() = DefaultGatewaySettings();
  proto::Partner& partner = *data.add_partners();
  partner = DefaultPartner();
  partner.set_id("secret of the engine");
  partner.set_domain("fabrikam.example");
  partner.add_additional_domains("eu.fabrikam.example");
  partner.set_description("since 2009: #1");
  partner.set_trust_anchors("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(DataYaml(data), StartsWith("gateway:\n  connection_limit: 1000\n"));
  EXPECT_THAT(DataYaml(data), HasSubstr("partners:\n"
                                        "  - domain: fabrikam.example\n"
                                        "    additional_domains: [eu.fabrikam.example]\n"
                                        "    type: public-unverified\n"
                                        "    tls: required\n"
                                        "    sasl: required\n"
                                        "    dialback: true\n"
                                        "    connection_limit: 0\n"
                                        "    keep_alive: true\n"
                                        "    description: \"since 2009: #1\"\n"
                                        "    enabled: true\n"
                                        "    trust_anchors: |\n"
                                        "      -----BEGIN CERTIFICATE-----\n"
                                        "      AAAA\n"
                                        "      -----END CERTIFICATE-----\n"
                                        "    strict_sasl: false\n"
                                        "    bidi: false\n"
                                        "    same_certificate: false\n"
                                        "    dane: report\n"));
}

TEST(DataYaml, AnExpiryIsATimeThatIsReadAsOlderExportsHadItToo) {
  proto::FederationData data;
  *data.add_partners() = DefaultPartner();
  proto::Partner& partner = *data.mutable_partners(0);
  partner.set_domain("a.example");
  EXPECT_THAT(DataYaml(data), HasSubstr("    expires: never\n"));
  partner.set_expires_unix(1'801'353'600);
  const std::string yaml = DataYaml(data);
  EXPECT_THAT(yaml, HasSubstr("    expires: \"2027-01-31T00:00:00Z\"\n"));
  for (const char* written : {"expires: 2027-01-31", "expires: \"2027-01-31T00:00:00Z\"",
                              "expires: 2027-01-31T01:00+01:00", "expires: 1801353600",
                              "expires_unix: 1801353600", "expires_unix: 2027-01-31"}) {
    const DataFile read = ReadDataYaml(
        std::string("partners:\n  - domain: a.example\n    ") + written + "\n", "x.yaml");
    ASSERT_TRUE(read.mistakes.empty()) << written << ": " << read.mistakes.front().text;
    EXPECT_EQ(DataYaml(read.data), yaml) << written;
  }
}

TEST(DataYaml, AMistakeInAnExpiryIsToldByTheWordOfTheFile) {
  const auto error_of = [](const std::string& keys) {
    const DataFile read = ReadDataYaml("partners:\n  - domain: a.example\n" + keys, "x.yaml");
    EXPECT_EQ(read.mistakes.size(), 1U) << keys;
    return read.mistakes.empty() ? std::string() : read.mistakes.front().text;
  };
  EXPECT_EQ(error_of("    expires: tomorrow\n"),
            "x.yaml:3: key 'partners[0].expires': is 'tomorrow'; would be right: a time such as "
            "2027-01-31 or 2027-01-31T18:00Z (UTC), or never");
  EXPECT_THAT(error_of("    expires:\n"), HasSubstr("is nothing; would be right: a time such as"));
  EXPECT_THAT(
      error_of("    expires: never\n    expires_unix: 0\n"),
      HasSubstr("x.yaml:4: key 'partners[0].expires_unix': is given twice, first in line 3"));
  const DataFile read =
      ReadDataYaml("partners:\n  - domain: a.example\n    expires: 1\n", "x.yaml");
  EXPECT_EQ(read.places.At("partners[0].expires_unix", "is past").text,
            "x.yaml:3: key 'partners[0].expires': is past");
}

TEST(DataYaml, TakesTheWordsOfTheFlagsOrNamesItsOwn) {
  for (const auto& [word, value] : {std::pair("allow", true), std::pair("deny", false),
                                    std::pair("true", true), std::pair("false", false)}) {
    const DataFile read =
        ReadDataYaml(std::string("gateway:\n  unverified_outbound_im: ") + word + "\n", "x.yaml");
    ASSERT_TRUE(read.mistakes.empty()) << read.mistakes.front().text;
    EXPECT_EQ(read.data.gateway().unverified_outbound_im(), value) << word;
  }
  const auto error_of = [](const std::string& text) {
    return ReadDataYaml(text, "x.yaml").mistakes.front().text;
  };
  EXPECT_THAT(error_of("gateway:\n  unverified_outbound_im: maybe\n"),
              HasSubstr("is 'maybe'; would be right: deny, allow, true or false"));
  EXPECT_THAT(error_of("gateway:\n  keep_alive_interval: 1\n"),
              HasSubstr("did you mean 'keep_alive_interval_s'?"));
  EXPECT_THAT(error_of("partners:\n  - domain: a.example\n    trust: x.pem\n"),
              HasSubstr("did you mean 'trust_anchors'?"));
  EXPECT_THAT(error_of("policies:\n  - name: global\n    enable_xmpp_access: true\n"),
              HasSubstr("did you mean 'xmpp_access'?"));
  EXPECT_THAT(error_of("policies:\n  - name: global\n    pattern: [a]\n"),
              HasSubstr("did you mean 'patterns'?"));
}

// "on" and "off" are booleans to tools that read YAML 1.1.
TEST(DataYaml, AWordThatMayBeReadAsABooleanIsQuoted) {
  proto::FederationData data;
  *data.mutable_gateway() = DefaultGatewaySettings();
  *data.add_partners() = DefaultPartner();
  data.mutable_partners(0)->set_dane(proto::OFF);
  const std::string yaml = DataYaml(data);
  EXPECT_THAT(yaml, HasSubstr("federation: \"on\"\n"));
  EXPECT_THAT(yaml, HasSubstr("dane: \"off\"\n"));
  EXPECT_EQ(ReadDataYaml(yaml, "x.yaml").data.SerializeAsString(), data.SerializeAsString());
}

TEST(DataYaml, ASettingThatIsLeftOutHasItsDefault) {
  const DataFile read = ReadDataYaml("gateway:\npartners:\n  - domain: a.example\n", "x.yaml");
  ASSERT_TRUE(read.mistakes.empty()) << read.mistakes.front().text;
  EXPECT_THAT(read.sections, ElementsAre("gateway", "partners"));
  EXPECT_EQ(read.data.gateway().SerializeAsString(), DefaultGatewaySettings().SerializeAsString());
  proto::Partner partner = DefaultPartner();
  partner.set_domain("a.example");
  EXPECT_EQ(read.data.partners(0).SerializeAsString(), partner.SerializeAsString());
}

TEST(DataYaml, ASectionThatIsNotThereIsNotMeant) {
  EXPECT_THAT(ReadDataYaml("partners: []\n", "x.yaml").sections, ElementsAre("partners"));
  EXPECT_THAT(ReadDataYaml("gateway:\n", "x.yaml").sections, ElementsAre("gateway"));
  EXPECT_THAT(ReadDataYaml("# nothing\n", "x.yaml").mistakes.front().text,
              HasSubstr("x.yaml:1: holds no data; would be right: "));
}

TEST(DataYaml, NamesEveryMistakeWithItsLineKeyAndWhatWouldBeRight) {
  const DataFile read = ReadDataYaml(
      "partners:\n"
      "  - domain: a.example\n"
      "    tls: maybe\n"
      "    id: 17\n"
      "  - b.example\n"
      "  - domian: c.example\n"
      "    dialback: 1\n",
      "x.yaml");
  std::vector<std::string> texts;
  for (const Error& mistake : read.mistakes) texts.push_back(mistake.text);
  EXPECT_THAT(
      texts,
      ElementsAre(
          "x.yaml:3: key 'partners[0].tls': is 'maybe'; would be right: required, optional, "
          "not-supported",
          HasSubstr("x.yaml:4: key 'partners[0].id': is not known; "),
          HasSubstr("x.yaml:5: key 'partners[1]': is 'b.example'; would be right: a group of keys"),
          "x.yaml:6: key 'partners[2].domian': is not known; did you mean 'domain'?",
          "x.yaml:7: key 'partners[2].dialback': is '1'; would be right: true or false"));
}

TEST(DataYaml, AListThatWasLostIsNotAnEmptyOne) {
  EXPECT_TRUE(ReadDataYaml("gateway: {}\npartners: []\n", "x.yaml").mistakes.empty());
  for (const char* text : {"partners:\n", "gateway: {}\n\npartners: # none\ndenied: []\n"}) {
    const DataFile read = ReadDataYaml(text, "x.yaml");
    ASSERT_EQ(read.mistakes.size(), 1U) << text;
    EXPECT_THAT(read.mistakes.front().text,
                testing::HasSubstr("write 'partners: []' to remove all there is"));
  }
}

TEST(DataYaml, AnchorsAndAliasesSaveWriting) {
  const DataFile file = ReadDataYaml(
      "partners:\n"
      "  - domain: &name a.example\n"
      "    additional_domains: &more [b.example, c.example]\n"
      "    description: *name\n"
      "  - domain: d.example\n"
      "    additional_domains: *more\n",
      "d.yaml");
  ASSERT_THAT(file.mistakes, testing::IsEmpty());
  EXPECT_EQ(file.data.partners(0).description(), "a.example");
  EXPECT_THAT(file.data.partners(1).additional_domains(), ElementsAre("b.example", "c.example"));
}

TEST(DataYaml, ManyPartnersMayShareACertificate) {
  std::string text = "partners:\n- domain: a.example\n  trust_anchors: &shared |\n";
  for (int i = 0; i < 22; ++i) text += "    " + std::string(64, 'A') + '\n';
  for (int i = 0; i < 19'999; ++i) text += "- trust_anchors: *shared\n";
  const DataFile file = ReadDataYaml(text, "d.yaml");
  ASSERT_THAT(file.mistakes, testing::IsEmpty());
  EXPECT_EQ(file.data.partners(19'999).trust_anchors(), file.data.partners(0).trust_anchors());
}

std::int64_t PeakKib() {
  struct rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Half a gigabyte of names out of 8 KB.
TEST(DataYaml, AliasesThatMultiplyAreRefusedBeforeTheyTakeAnyMemory) {
  std::string text =
      "partners:\n  - &partner\n    additional_domains: [&name " + std::string(2000, 'a');
  for (int i = 0; i < 500; ++i) text += ", *name";
  text += "]\n";
  for (int i = 0; i < 500; ++i) text += "  - *partner\n";
  const std::int64_t before = PeakKib();
  const DataFile file = ReadDataYaml(text, "d.yaml");
  EXPECT_LT(PeakKib() - before, 65'536);
  ASSERT_THAT(file.mistakes, testing::SizeIs(1));
  EXPECT_EQ(file.mistakes[0].text,
            "d.yaml:35: the aliases up to here (such as '*name') stand for more than 33554432 "
            "octets, or for what they stand in; write out what they repeat");
  EXPECT_EQ(file.data.partners_size(), 0);
}

TEST(DataYaml, AnAliasInsideOfWhatItNamesIsRefused) {
  for (const char* text : {"partners: &all [*all]\n", "gateway: &all {federation: *all}\n"}) {
    const DataFile file = ReadDataYaml(text, "d.yaml");
    ASSERT_THAT(file.mistakes, testing::SizeIs(1)) << text;
    EXPECT_THAT(file.mistakes[0].text, StartsWith("d.yaml:1: the aliases up to here"));
  }
}

}  // namespace
}  // namespace gatehouse
