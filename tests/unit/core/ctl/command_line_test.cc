#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "core/policy/partner_type.h"
#include "tests/unit/core/ctl/command_line_scene.h"

namespace gatehouse::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(CommandLine, TurnsTheCommandsOfTheWholeIntoRequests) {
  EXPECT_TRUE(RequestOf("status").has_status());
  EXPECT_TRUE(RequestOf("reload").has_reload());
  EXPECT_EQ(RequestOf("stop").stop().drain_s(), 30U);
  EXPECT_EQ(RequestOf("stop --drain 5").stop().drain_s(), 5U);
}

TEST(CommandLine, TurnsQuestionsAboutPolicyIntoRequests) {
  const proto::PolicyTest test =
      RequestOf("policy test bob@partner.example sip:ann@contoso.example message").policy_test();
  EXPECT_EQ(test.from(), "bob@partner.example");
  EXPECT_EQ(test.to(), "sip:ann@contoso.example");
  EXPECT_EQ(test.kind(), "message");
  EXPECT_THAT(MisuseOf("policy test bob@partner.example"), HasSubstr("required"));
  EXPECT_EQ(RequestOf("why 7f3kq2mx").why().id(), "7f3kq2mx");
  EXPECT_EQ(RequestOf("why --partner partner.example").why().partner(), "partner.example");
  EXPECT_TRUE(RequestOf("why --list").has_why());
  EXPECT_THAT(MisuseOf("why"), HasSubstr("give an ID, --partner DOMAIN, --list or --reasons"));
  EXPECT_THAT(MisuseOf("why 7f3kq2mx --list"), HasSubstr("give an ID"));
}

TEST(CommandLine, ListsEveryReasonOffline) {
  const Result<Invocation> text = ParseText("why --reasons");
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->action, Action::kPrint);
  EXPECT_THAT(text->text, HasSubstr("contact-not-authorised\n"));
  EXPECT_THAT(ParseText("why --reasons --json")->text,
              HasSubstr("{\"reasons\":[{\"code\":\"unknown-partner\","));
}

TEST(CommandLine, TurnsWorkerCommandsIntoRequests) {
  EXPECT_EQ(RequestOf("worker list").worker().verb(), proto::WorkerCommand::LIST);
  const proto::CtlRequest restart = RequestOf("worker restart tls_listener/0");
  EXPECT_EQ(restart.worker().verb(), proto::WorkerCommand::RESTART);
  EXPECT_EQ(restart.worker().name(), "tls_listener/0");
  EXPECT_EQ(RequestOf("worker drain tls_listener/12").worker().verb(), proto::WorkerCommand::DRAIN);
  const proto::CtlRequest scale = RequestOf("worker scale tls_listener 3");
  EXPECT_EQ(scale.scale().plugin(), "tls_listener");
  EXPECT_EQ(scale.scale().count(), 3U);
}

TEST(CommandLine, GivesANewPartnerTheDefaultsWhereNothingIsSaid) {
  const proto::Partner partner = RequestOf("partner new partner.example").partner_new().partner();
  EXPECT_EQ(partner.domain(), "partner.example");
  EXPECT_EQ(partner.type(), kPublicUnverified);
  EXPECT_EQ(partner.tls(), proto::REQUIRED);
  EXPECT_EQ(partner.sasl(), proto::REQUIRED);
  EXPECT_TRUE(partner.dialback());
  EXPECT_TRUE(partner.keep_alive());
  EXPECT_TRUE(partner.enabled());
  EXPECT_EQ(partner.connection_limit(), 0U);
  EXPECT_EQ(partner.proxy(), "");
}

TEST(CommandLine, TakesTheNameOfATypeOfTheOperatorsOwn) {
  EXPECT_EQ(RequestOf("partner new a.example --type supplier").partner_new().partner().type(),
            "supplier");
}

TEST(CommandLine, TurnsPermissionsOfATypeIntoFields) {
  EXPECT_TRUE(RequestOf("partner type list").has_partner_type_list());
  const proto::PartnerType added =
      RequestOf("partner type new supplier --sees-note true --description goods")
          .partner_type_new()
          .type();
  EXPECT_EQ(added.name(), "supplier");
  EXPECT_EQ(added.description(), "goods");
  EXPECT_EQ(PermissionsOf(added), Permissions{.sees_note = true});
  const proto::PartnerTypeSet set =
      RequestOf(
          "partner type set supplier --may-subscribe true --auto-approve true"
          " --may-message-unlisted true --sees-rich-activity true --sees-note false")
          .partner_type_set();
  EXPECT_EQ(set.name(), "supplier");
  EXPECT_THAT(set.fields(), ElementsAre("may_subscribe", "auto_approve", "may_message_unlisted",
                                        "sees_note", "sees_rich_activity"));
  EXPECT_EQ(PermissionsOf(set.type()), (Permissions{.may_subscribe = true,
                                                    .auto_approve = true,
                                                    .may_message_unlisted = true,
                                                    .sees_rich_activity = true}));
  EXPECT_EQ(RequestOf("partner type remove supplier").partner_type_remove().name(), "supplier");
  EXPECT_THAT(ParseText("partner type set supplier").error().text,
              HasSubstr("nothing to set is given"));
  EXPECT_FALSE(ParseText("partner type new supplier --sees-note maybe").has_value());
}

TEST(CommandLine, HasAFlagForEachPermissionThereIs) {
  const auto& fields = *proto::PartnerType::descriptor();
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto* const field = fields.field(i);
    if (field->cpp_type() != field->CPPTYPE_BOOL) continue;
    std::string flag = field->name();
    std::ranges::replace(flag, '_', '-');
    const proto::PartnerType type =
        RequestOf("partner type new one --" + flag + " true").partner_type_new().type();
    EXPECT_TRUE(type.GetReflection()->GetBool(type, field)) << flag;
  }
}

TEST(CommandLine, TakesEveryFieldOfANewPartner) {
  const Result<Invocation> invocation = Parse({"partner",
                                               "new",
                                               "partner.example",
                                               "--additional-domains",
                                               "a.example,b.example",
                                               "--type",
                                               "federated",
                                               "--tls",
                                               "optional",
                                               "--sasl",
                                               "not-supported",
                                               "--dialback",
                                               "false",
                                               "--connection-limit",
                                               "7",
                                               "--keep-alive",
                                               "false",
                                               "--proxy",
                                               "proxy.example:99",
                                               "--description",
                                               "the people next door",
                                               "--enabled",
                                               "false"});
  ASSERT_TRUE(invocation.has_value()) << invocation.error().text;
  const proto::Partner& partner = invocation->request.partner_new().partner();
  EXPECT_THAT(partner.additional_domains(), ElementsAre("a.example", "b.example"));
  EXPECT_EQ(partner.type(), kFederated);
  EXPECT_EQ(partner.tls(), proto::OPTIONAL);
  EXPECT_EQ(partner.sasl(), proto::NOT_SUPPORTED);
  EXPECT_FALSE(partner.dialback());
  EXPECT_EQ(partner.connection_limit(), 7U);
  EXPECT_FALSE(partner.keep_alive());
  EXPECT_EQ(partner.proxy(), "proxy.example:99");
  EXPECT_EQ(partner.description(), "the people next door");
  EXPECT_FALSE(partner.enabled());
}

TEST(CommandLine, NamesExactlyTheFieldsThatSetIsGiven) {
  const proto::PartnerSet set =
      RequestOf("partner set partner.example --tls optional --dialback false").partner_set();
  EXPECT_EQ(set.domain(), "partner.example");
  EXPECT_THAT(set.fields(), ElementsAre("tls", "dialback"));
  EXPECT_EQ(set.partner().tls(), proto::OPTIONAL);
}

TEST(CommandLine, TakesAReasonAndTheRevisionOnEveryCommandThatChangesSomething) {
  for (const char* command :
       {"partner new a.example", "partner set a.example --tls optional", "partner remove a.example",
        "partner forget-tls a.example", "gateway set --connection-limit 5", "config rollback 3"}) {
    const proto::CtlRequest request =
        RequestOf(std::string(command) + " --reason why --if-revision 17");
    EXPECT_EQ(request.reason(), "why") << command;
    EXPECT_EQ(request.if_revision(), 17U) << command;
  }
  EXPECT_FALSE(RequestOf("partner remove a.example").has_if_revision());
  EXPECT_THAT(MisuseOf("partner list --reason why"), HasSubstr("--reason"));
}

TEST(CommandLine, TurnsTheCommandsOnRevisionsIntoRequests) {
  EXPECT_EQ(RequestOf("audit").audit_get().last(), 20U);
  const proto::AuditGet audit = RequestOf("audit --last 3 --subject a.example").audit_get();
  EXPECT_EQ(audit.last(), 3U);
  EXPECT_EQ(audit.subject(), "a.example");
  EXPECT_TRUE(RequestOf("config history --last 5").audit_get().revisions_only());
  EXPECT_EQ(RequestOf("config diff 3").config_diff().from(), 3U);
  EXPECT_EQ(RequestOf("config diff 3 4").config_diff().to(), 4U);
  EXPECT_EQ(RequestOf("config rollback 3").config_rollback().revision(), 3U);
  const Result<Invocation> apply = ParseText("apply -f p.yaml --dry-run --reason why");
  ASSERT_TRUE(apply.has_value());
  EXPECT_EQ(apply->action, Action::kApply);
  EXPECT_EQ(apply->file, "p.yaml");
  EXPECT_TRUE(apply->request.apply().dry_run());
  EXPECT_EQ(apply->request.reason(), "why");
  EXPECT_EQ(ParseText("export -o p.yaml")->file, "p.yaml");
}

TEST(CommandLine, ReadsTheFileOfTrustAnchors) {
  const std::string path = testing::TempDir() + "/anchors.pem";
  std::ofstream(path) << "-----BEGIN CERTIFICATE-----\n";
  const proto::PartnerSet set =
      RequestOf("partner set partner.example --trust " + path).partner_set();
  EXPECT_THAT(set.fields(), ElementsAre("trust_anchors"));
  EXPECT_EQ(set.partner().trust_anchors(), "-----BEGIN CERTIFICATE-----\n");
  const Result<Invocation> empty = Parse({"partner", "set", "partner.example", "--trust", ""});
  ASSERT_TRUE(empty.has_value()) << empty.error().text;
  EXPECT_EQ(empty->request.partner_set().partner().trust_anchors(), "");
  EXPECT_FALSE(Parse({"partner", "set", "partner.example", "--trust", "/no/such/file"}));
  EXPECT_THAT(
      RequestOf("partner set partner.example --trust-anchors " + path).partner_set().fields(),
      ElementsAre("trust_anchors"));
  std::ofstream(path) << "\xEF\xBB\xBF-----BEGIN CERTIFICATE-----\r\n";
  EXPECT_EQ(RequestOf("partner set partner.example --trust " + path)
                .partner_set()
                .partner()
                .trust_anchors(),
            "-----BEGIN CERTIFICATE-----\r\n");
  std::ofstream(path) << "Issuer: M\xFCller\n-----BEGIN CERTIFICATE-----\n";
  EXPECT_THAT(MisuseOf("partner set partner.example --trust " + path),
              HasSubstr("anchors.pem:1: is not in UTF-8; name a file in PEM"));
}

TEST(CommandLine, TakesAnEmptyTextAsEmptying) {
  const Result<Invocation> invocation =
      Parse({"partner", "set", "partner.example", "--proxy", "", "--additional-domains", ""});
  ASSERT_TRUE(invocation.has_value()) << invocation.error().text;
  const proto::PartnerSet& set = invocation->request.partner_set();
  EXPECT_THAT(set.fields(), ElementsAre("additional_domains", "proxy"));
  EXPECT_EQ(set.partner().additional_domains_size(), 0);
}

TEST(CommandLine, TurnsTheReadingPartnerCommandsIntoRequests) {
  EXPECT_EQ(RequestOf("partner get a.example").partner_get().domain(), "a.example");
  EXPECT_TRUE(RequestOf("partner list").has_partner_list());
  EXPECT_EQ(RequestOf("partner remove a.example").partner_remove().domain(), "a.example");
  EXPECT_EQ(RequestOf("partner forget-tls a.example").partner_forget_tls().domain(), "a.example");
  const proto::CtlRequest strict = RequestOf("partner set a.example --strict-sasl true");
  EXPECT_TRUE(strict.partner_set().partner().strict_sasl());
  EXPECT_THAT(strict.partner_set().fields(), ElementsAre("strict_sasl"));
  const proto::CtlRequest bidi = RequestOf("partner set a.example --bidi true");
  EXPECT_TRUE(bidi.partner_set().partner().bidi());
  EXPECT_THAT(bidi.partner_set().fields(), ElementsAre("bidi"));
  EXPECT_TRUE(RequestOf("partner new a.example --same-certificate true")
                  .partner_new()
                  .partner()
                  .same_certificate());
  EXPECT_EQ(RequestOf("partner explain a.example").partner_explain().domain(), "a.example");
}

TEST(CommandLine, TakesWhatTlsaRecordsShallBe) {
  const proto::CtlRequest set = RequestOf("partner set a.example --dane enforce");
  EXPECT_EQ(set.partner_set().partner().dane(), proto::ENFORCE);
  EXPECT_THAT(set.partner_set().fields(), ElementsAre("dane"));
  EXPECT_EQ(RequestOf("partner new a.example").partner_new().partner().dane(), proto::REPORT);
  EXPECT_EQ(RequestOf("partner new a.example --dane off").partner_new().partner().dane(),
            proto::OFF);
  EXPECT_FALSE(ParseText("partner new a.example --dane on").has_value());
}

TEST(CommandLine, ExplainsValuesOffline) {
  const Result<Invocation> invocation =
      ParseText("partner explain --tls not-supported --sasl optional --dialback false");
  ASSERT_TRUE(invocation.has_value());
  EXPECT_EQ(invocation->action, Action::kExplainRow);
  EXPECT_EQ(invocation->partner.tls(), proto::NOT_SUPPORTED);
  EXPECT_EQ(invocation->partner.sasl(), proto::OPTIONAL);
  EXPECT_FALSE(invocation->partner.dialback());
  EXPECT_THAT(MisuseOf("partner explain"), HasSubstr("either a DOMAIN or --tls"));
  EXPECT_THAT(MisuseOf("partner explain a.example --tls optional"), HasSubstr("either a DOMAIN"));
}

TEST(CommandLine, TurnsGatewayCommandsIntoRequests) {
  EXPECT_TRUE(RequestOf("gateway get").has_gateway_get());
  const proto::GatewaySet set =
      RequestOf(
          "gateway set --connection-limit 1 --partner-connection-limit 2"
          " --keep-alive-interval 3 --stream-establishment-timeout 4"
          " --stream-inactivity-timeout 5 --subscription-refresh-interval 6"
          " --log-message-bodies true --dialback-disabled-reply silent"
          " --one-stream-per-pair true --unverified-outbound-im allow")
          .gateway_set();
  EXPECT_EQ(set.settings().connection_limit(), 1U);
  EXPECT_EQ(set.settings().partner_connection_limit(), 2U);
  EXPECT_EQ(set.settings().keep_alive_interval_s(), 3U);
  EXPECT_EQ(set.settings().stream_establishment_timeout_s(), 4U);
  EXPECT_EQ(set.settings().stream_inactivity_timeout_s(), 5U);
  EXPECT_EQ(set.settings().subscription_refresh_interval_s(), 6U);
  EXPECT_TRUE(set.settings().log_message_bodies());
  EXPECT_EQ(set.settings().dialback_disabled_reply(), proto::SILENT);
  EXPECT_TRUE(set.settings().one_stream_per_pair());
  EXPECT_TRUE(set.settings().unverified_outbound_im());
  EXPECT_EQ(set.fields_size(), 10);
}

TEST(CommandLine, LeavesThePassphraseInItsFileAndOutOfTheSettings) {
  const Result<Invocation> invocation =
      ParseText("gateway set --dialback-passphrase-file /some/file");
  ASSERT_TRUE(invocation.has_value());
  EXPECT_EQ(invocation->passphrase_file, "/some/file");
  EXPECT_EQ(invocation->request.command_case(), proto::CtlRequest::COMMAND_NOT_SET);
}

TEST(CommandLine, TurnsTestCommandsIntoRequests) {
  const proto::CtlRequest im =
      RequestOf("test im --from sip:alice@contoso.example --to bob@partner.example");
  EXPECT_EQ(im.test_im().from_sip_uri(), "sip:alice@contoso.example");
  EXPECT_EQ(im.test_im().to_jid(), "bob@partner.example");
  EXPECT_EQ(RequestOf("test im --from alice@contoso.example --to bob@partner.example")
                .test_im()
                .from_sip_uri(),
            "sip:alice@contoso.example");
  const proto::CtlRequest stream =
      RequestOf("test stream partner.example --local-domain contoso.example");
  EXPECT_EQ(stream.test_stream().domain(), "partner.example");
  EXPECT_EQ(stream.test_stream().local_domain(), "contoso.example");
  const proto::CtlRequest dotted =
      RequestOf("test stream Partner.example. --local-domain a.example.");
  EXPECT_EQ(dotted.test_stream().domain(), "partner.example");
  EXPECT_EQ(dotted.test_stream().local_domain(), "a.example");
  EXPECT_EQ(RequestOf("test sip --domain contoso.example.").test_sip().domain(), "contoso.example");
  EXPECT_EQ(RequestOf("test sip").test_sip().domain(), "");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"test", "stream", ""},
                                                {"test", "sip", "--domain", ""},
                                                {"test", "stream", "a..example"}})
    EXPECT_THAT(Parse(words).error().text, HasSubstr("write one such as partner.example"));
}

TEST(CommandLine, ChecksAConfigurationOffline) {
  EXPECT_EQ(ParseText("config check my.yaml")->file, "my.yaml");
  EXPECT_EQ(ParseText("config check")->file, "/etc/gatehouse/gatehouse.yaml");
  EXPECT_EQ(ParseText("config check")->action, Action::kCheckConfig);
}

TEST(CommandLine, TakesTheCommonFlagsBeforeAndBehindTheWords) {
  for (const char* text :
       {"partner list --json --runtime-dir /r", "--json --runtime-dir /r partner list",
        "partner --json list --runtime-dir /r"}) {
    const Result<Invocation> invocation = ParseText(text);
    ASSERT_TRUE(invocation.has_value()) << invocation.error().text;
    EXPECT_TRUE(invocation->json) << text;
    EXPECT_EQ(invocation->runtime_dir, "/r") << text;
  }
  EXPECT_EQ(ParseText("status")->runtime_dir, "/run/gatehouse");
}

TEST(CommandLine, PrintsHelpAndVersion) {
  EXPECT_THAT(ParseText("--version")->text, HasSubstr("gatehousectl " GATEHOUSE_VERSION));
  EXPECT_THAT(ParseText("--help")->text, HasSubstr("partner"));
  EXPECT_THAT(ParseText("partner new --help")->text, HasSubstr("--additional-domains"));
  EXPECT_EQ(ParseText("partner new --help")->action, Action::kPrint);
}

TEST(CommandLine, SaysWhatIsWrongAndWhatWouldBeRight) {
  EXPECT_THAT(MisuseOf(""), HasSubstr("a command is missing; use one of status, stop"));
  EXPECT_THAT(MisuseOf("partnr list"), HasSubstr("'partnr' is no command here; use one of status"));
  EXPECT_THAT(MisuseOf("partner show"),
              HasSubstr("'show' is no command here; use one of new, set"));
  EXPECT_THAT(MisuseOf("partner new"),
              HasSubstr("DOMAIN is required; see gatehousectl partner new"));
  EXPECT_THAT(MisuseOf("partner new a.example --tls maybe"),
              HasSubstr("not in {required,optional,not-supported}"));
  EXPECT_THAT(MisuseOf("partner new a.example --dialback yes"), HasSubstr("not in {true,false}"));
  EXPECT_THAT(MisuseOf("partner new a.example --colour red"), HasSubstr("--colour"));
  EXPECT_THAT(MisuseOf("partner new a.example -tls required"),
              HasSubstr("'-tls' is no flag here; did you mean --tls?"));
  EXPECT_THAT(MisuseOf("partner get a.example b.example c.example"),
              HasSubstr("nothing here takes 'b.example c.example'; see gatehousectl partner get"));
  EXPECT_THAT(MisuseOf("config rollback abc"), HasSubstr("'abc' is no number from 0 to"));
  EXPECT_THAT(MisuseOf("config diff 1 now"), HasSubstr("'now' is no number from 0 to"));
  EXPECT_THAT(MisuseOf("why --partner https://a.example"),
              HasSubstr("'https://a.example' is no domain"));
  EXPECT_THAT(MisuseOf("test stream https://a.example"),
              HasSubstr("'https://a.example' is no domain"));
  EXPECT_THAT(MisuseOf("partner new a.example --connection-limit -1"),
              HasSubstr("is no number from 0 to 4294967295"));
  EXPECT_THAT(MisuseOf("partner set a.example"), HasSubstr("nothing to set is given"));
  EXPECT_THAT(MisuseOf("gateway set"), HasSubstr("nothing to set is given"));
  EXPECT_THAT(MisuseOf("gateway set --keep-alive-interval soon"), HasSubstr("'soon' is no number"));
  EXPECT_THAT(MisuseOf("worker restart tls_listener"), HasSubstr("PLUGIN/INDEX"));
  EXPECT_THAT(MisuseOf("worker restart tls_listener/x"), HasSubstr("PLUGIN/INDEX"));
  EXPECT_THAT(MisuseOf("worker scale tls_listener 0"), HasSubstr("not in range 1 to 64"));
  EXPECT_THAT(MisuseOf("test im --from sip:a@b.example"), HasSubstr("--to is required"));
}

TEST(CommandLine, PlaysTheWholeMatrixWhereNothingIsSaid) {
  const Result<Invocation> whole = ParseText("selftest matrix");
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->action, Action::kPlayMatrix);
  EXPECT_EQ(whole->matrix.rows.size(), 13U);
  EXPECT_THAT(whole->matrix.ways, ElementsAre(selftest::Way::kIn, selftest::Way::kOut));
  const Result<Invocation> part = ParseText("selftest matrix --row 7 --row 9 --direction out");
  ASSERT_TRUE(part.has_value());
  EXPECT_THAT(part->matrix.rows, ElementsAre(7, 9));
  EXPECT_THAT(part->matrix.ways, ElementsAre(selftest::Way::kOut));
}

TEST(CommandLine, DoesNotPlayARowThatNoPartnerCanHave) {
  EXPECT_THAT(MisuseOf("selftest matrix --row 6"), HasSubstr("row 6 is refused by configuration"));
  EXPECT_THAT(MisuseOf("selftest matrix --row 19"), HasSubstr("--row"));
}

}  // namespace
}  // namespace gatehouse::ctl
