// What is said of certificates, on the command line and in answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/ctl/certificate_text.h"
#include "tests/unit/core/ctl/command_line_scene.h"

namespace gatehouse::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::int64_t kNow = 1'800'000'000;  // 2027-01-15 08:00 UTC
constexpr std::int64_t kDay = 86400;

Invocation MustParse(const std::string& text) {
  const Result<Invocation> invocation = ParseText(text);
  EXPECT_TRUE(invocation.has_value()) << text << ": " << invocation.error().text;
  return invocation.value_or(Invocation{});
}

TEST(CertificateCommands, ARequestNeedsNoMoreThanItsName) {
  const Invocation invocation = MustParse("cert request external");
  EXPECT_EQ(invocation.action, Action::kRequestCertificate);
  EXPECT_FALSE(invocation.changes);  // what is broken off before it is sent has changed nothing
  const CertificateOrder& order = invocation.certificate;
  EXPECT_EQ(order.name, "external");
  EXPECT_EQ(order.key_type, KeyType::kP256);
  EXPECT_EQ(order.signer, Signer::kLater);
  EXPECT_FALSE(order.exportable || order.offline || order.srv_ids);
  EXPECT_THAT(order.domains, IsEmpty());
}

TEST(CertificateCommands, ARequestTakesAllItsWords) {
  const Invocation invocation = MustParse(
      "cert request external --key rsa-3072 --friendly-name Edge --exportable --organization Corp "
      "--organizational-unit IT --country DE --state Bayern --locality Muenchen --san a.example,b "
      "--san c.example --srv-id --domain x.example,y.example --out e.csr --reason new "
      "--if-revision 7");
  const CertificateOrder& order = invocation.certificate;
  EXPECT_EQ(order.key_type, KeyType::kRsa3072);
  EXPECT_EQ(order.friendly_name, "Edge");
  EXPECT_TRUE(order.exportable && order.srv_ids);
  EXPECT_EQ(order.subject.organization, "Corp");
  EXPECT_EQ(order.subject.organizational_unit, "IT");
  EXPECT_EQ(order.subject.country, "DE");
  EXPECT_EQ(order.subject.state, "Bayern");
  EXPECT_EQ(order.subject.locality, "Muenchen");
  EXPECT_THAT(order.own_names, ElementsAre("a.example", "b", "c.example"));
  EXPECT_THAT(order.domains, ElementsAre("x.example", "y.example"));
  EXPECT_EQ(order.out, "e.csr");
  EXPECT_EQ(invocation.request.reason(), "new");
  EXPECT_EQ(invocation.request.if_revision(), 7U);
}

TEST(CertificateCommands, ARequestIsSignedAtOnceWhereThatIsSaid) {
  const CertificateOrder self = MustParse("cert request e --self-sign --days 30").certificate;
  EXPECT_EQ(self.signer, Signer::kSelf);
  EXPECT_EQ(self.days, 30);
  const CertificateOrder ca = MustParse("cert request e --ca ca.pem,ca.key").certificate;
  EXPECT_EQ(ca.signer, Signer::kAuthority);
  EXPECT_EQ(ca.ca_file, "ca.pem");
  EXPECT_EQ(ca.ca_key_file, "ca.key");
  EXPECT_EQ(ca.days, 365);
}

TEST(CertificateCommands, ARequestOfflineSaysWhereTheKeyGoes) {
  const CertificateOrder order =
      MustParse("cert request e --offline --key-out e.key --config g.yaml").certificate;
  EXPECT_TRUE(order.offline);
  EXPECT_EQ(order.key_out, "e.key");
  EXPECT_EQ(order.config, "g.yaml");
  EXPECT_EQ(MustParse("cert request e --offline --key-out e.key").certificate.config,
            "/etc/gatehouse/gatehouse.yaml");
}

TEST(CertificateCommands, ARequestWhoseWordsDoNotFitTogetherIsMisuse) {
  struct Row {
    const char* text;
    const char* sentence;
  };
  for (const Row& row : {
           Row{"cert request e --key rsa-1024", "rsa-1024"},
           Row{"cert request e --ca ca.pem", "--ca takes two files, CERT,KEY"},
           Row{"cert request e --ca ca.pem,", "--ca takes two files, CERT,KEY"},
           Row{"cert request e --ca a,b --self-sign", "--self-sign"},
           Row{"cert request e --days 30", "--days is for --self-sign and --ca"},
           Row{"cert request e --self-sign --days 0", "0"},
           Row{"cert request e --offline", "--offline needs --key-out FILE"},
           Row{"cert request e --key-out e.key", "--offline"},
           Row{"cert request e --offline --key-out e.key --exportable", "cert import"},
       })
    EXPECT_THAT(MisuseOf(row.text), HasSubstr(row.sentence)) << row.text;
}

TEST(CertificateCommands, AnImportNamesItsFiles) {
  const Invocation invocation = MustParse(
      "cert import leaf.pem chain.pem --name external --passphrase-file p --exportable "
      "--friendly-name Edge");
  EXPECT_EQ(invocation.action, Action::kImportCertificate);
  EXPECT_THAT(invocation.files, ElementsAre("leaf.pem", "chain.pem"));
  EXPECT_EQ(invocation.passphrase_file, "p");
  EXPECT_TRUE(invocation.changes);
  const proto::CertificateImport& import = invocation.request.certificate_import();
  EXPECT_EQ(import.name(), "external");
  EXPECT_EQ(import.friendly_name(), "Edge");
  EXPECT_TRUE(import.exportable());
  std::string many = "cert import";
  for (int i = 0; i < 17; ++i) many += " f";
  EXPECT_FALSE(ParseText(many).has_value());
  EXPECT_THAT(MisuseOf("cert import"), HasSubstr("FILE"));
}

TEST(CertificateCommands, AnAssignmentIsForBothSlotsWhereNoneIsSaid) {
  const proto::CertificateAssign both = RequestOf("cert assign external").certificate_assign();
  EXPECT_EQ(both.name(), "external");
  EXPECT_THAT(both.slots(), IsEmpty());
  EXPECT_THAT(RequestOf("cert assign external --slot sip").certificate_assign().slots(),
              ElementsAre(proto::SLOT_SIP));
  const proto::CertificateAssign none =
      RequestOf("cert assign --none --slot xmpp").certificate_assign();
  EXPECT_EQ(none.name(), "");
  EXPECT_THAT(none.slots(), ElementsAre(proto::SLOT_XMPP));
  EXPECT_THAT(MisuseOf("cert assign"), HasSubstr("either a NAME or --none"));
  EXPECT_THAT(MisuseOf("cert assign external --none"), HasSubstr("either a NAME or --none"));
  EXPECT_THAT(MisuseOf("cert assign external --slot web"), HasSubstr("web"));
}

TEST(CertificateCommands, TheOthersNameOneOrAll) {
  EXPECT_EQ(RequestOf("cert list").certificate_get().name(), "");
  EXPECT_TRUE(RequestOf("cert list").has_certificate_get());
  EXPECT_EQ(RequestOf("cert show external").certificate_get().name(), "external");
  EXPECT_EQ(RequestOf("cert remove external").certificate_remove().name(), "external");
  const Invocation key = MustParse("cert export-key external --out e.key");
  EXPECT_EQ(key.action, Action::kExportKey);
  EXPECT_EQ(key.file, "e.key");
  EXPECT_EQ(key.request.certificate_key_get().name(), "external");
  EXPECT_THAT(MisuseOf("cert export-key external"), HasSubstr("--out"));
}

proto::CertificateView External() {
  proto::CertificateView view;
  view.set_name("external");
  view.set_issued(true);
  view.add_slots(proto::SLOT_XMPP);
  view.add_slots(proto::SLOT_SIP);
  view.set_key_type("p-256");
  view.set_subject("CN=corp.example");
  for (const char* name : {"corp.example", "sip.corp.example", "a.example", "b.example"})
    view.add_names(name);
  view.set_not_before_unix(kNow - kDay);
  view.set_not_after_unix(kNow + 20 * kDay + 5);
  view.set_source("request");
  view.set_request("-----BEGIN CERTIFICATE REQUEST-----\n");
  proto::CertificateLink& link = *view.add_chain();
  link.set_subject("CN=corp.example");
  link.set_issuer("CN=ca");
  link.set_not_after_unix(kNow + 20 * kDay + 5);
  return view;
}

TEST(CertificateText, ListsAllWithTheDaysTheyHaveLeft) {
  proto::CertificateViews views;
  EXPECT_THAT(CertificateListText(views, kNow), HasSubstr("gatehousectl cert request"));
  *views.add_certificates() = External();
  views.mutable_certificates(0)->add_warnings("it ends in 20 days; renew it\n");
  proto::CertificateView& pending = *views.add_certificates();
  pending.set_name("new");
  pending.set_request_pending(true);
  pending.set_source("request");
  pending.set_key_type("rsa-2048");
  *views.add_certificates() = External();
  views.mutable_certificates(2)->set_not_after_unix(kNow);
  views.mutable_certificates(2)->set_request_pending(true);
  EXPECT_EQ(CertificateListText(views, kNow),
            "NAME      STATE                      SLOTS      CAME BY  KEY       NAMES"
            "                                                 ENDS                  DAYS LEFT\n"
            "external  issued                     xmpp, sip  request  p-256     corp.example, "
            "sip.corp.example, a.example and 1 more  2027-02-04 08:00 UTC  20\n"
            "new       requested                  -          request  rsa-2048  -"
            "                                                     -                     -\n"
            "external  issued, renewal requested  xmpp, sip  request  p-256     corp.example, "
            "sip.corp.example, a.example and 1 more  2027-01-15 08:00 UTC  expired\n"
            "warning: external: it ends in 20 days; renew it?\n");
}

TEST(CertificateText, TellsWhenOneIsRenewed) {
  proto::RenewalView view;
  view.set_certificate("external");
  view.add_names("corp.example");
  view.set_challenge("http-01");
  view.set_state("waiting");
  view.set_not_after_unix(kNow + 20 * kDay + 5);
  view.set_next_attempt_unix(kNow + kDay);
  view.set_last_attempt_unix(kNow);
  view.set_last_result("failed");
  view.set_last_error("the CA refuses\nthe order");
  view.set_failures(2);
  EXPECT_EQ(RenewalText(view, kNow),
            "certificate         external\n"
            "names               corp.example\n"
            "challenge           http-01\n"
            "ends                2027-02-04 08:00 UTC, 20 days left\n"
            "next attempt        2027-01-16 08:00 UTC\n"
            "last attempt        2027-01-15 08:00 UTC\n"
            "last result         failed\n"
            "why                 the CA refuses?the order\n"
            "failures in a row   2\n");
  view.set_state("renewing");
  EXPECT_THAT(RenewalText(view, kNow), HasSubstr("next attempt        it is being renewed now\n"));
}

TEST(CertificateText, ShowsOneWithItsRequestWhileThatIsPending) {
  proto::CertificateView view = External();
  EXPECT_THAT(CertificateText(view, kNow),
              HasSubstr("chain               CN=corp.example by CN=ca, "
                        "until 2027-02-04 08:00 UTC\n"));
  EXPECT_THAT(CertificateText(view, kNow), HasSubstr("days left           20\n"));
  EXPECT_THAT(CertificateText(view, kNow), Not(HasSubstr("BEGIN")));
  view.set_request_pending(true);
  EXPECT_THAT(CertificateText(view, kNow), HasSubstr("\n-----BEGIN CERTIFICATE REQUEST-----\n"));
}

TEST(CertificateText, SaysWhatBecameOfTheOneThatWasChanged) {
  proto::CtlRequest request;
  request.mutable_certificate_assign()->set_name("external");
  proto::CertificateViews views;
  *views.add_certificates() = External();
  views.mutable_certificates(0)->add_warnings("it has no clientAuth");
  EXPECT_EQ(CertificatesText(request, views, kNow),
            "certificate 'external' is assigned\nwarning: it has no clientAuth\n");
}

}  // namespace
}  // namespace gatehouse::ctl
