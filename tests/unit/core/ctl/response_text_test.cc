#include "core/ctl/response_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/ctl/json_text.h"
#include "core/ctl/text_table.h"
#include "core/policy/partner_type.h"
#include "core/policy/partner_view.h"
#include "core/policy/partner_words.h"

namespace gatehouse::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

proto::PartnerView SomePartner() {
  proto::Partner partner = DefaultPartner();
  partner.set_id("17");
  partner.set_domain("partner.example");
  partner.add_additional_domains("more.example");
  partner.set_type(kFederated);
  partner.set_description("a \"friend\"");
  partner.set_revision(9);
  return ViewOf(partner);
}

proto::CtlResponse PartnerResponse() {
  proto::CtlResponse response;
  *response.mutable_partners()->add_partners() = SomePartner();
  return response;
}

proto::CtlResponse StatusResponse() {
  proto::CtlResponse response;
  proto::StatusReport& report = *response.mutable_status();
  report.set_version("0.1.0");
  report.add_domains("contoso.example");
  report.set_streams(3);
  report.set_partners(2);
  proto::ListenerStatus& listener = *report.add_listeners();
  listener.set_kind("xmpp");
  listener.set_address("127.0.0.1:5269");
  proto::WorkerStatus& worker = *report.add_workers();
  worker.set_name("tls_listener/0");
  worker.set_pid(4711);
  worker.set_state("ready");
  worker.set_uptime_ms(3'725'000);
  return response;
}

TEST(ResponseText, ShowsTheStatusAtAGlance) {
  proto::CtlRequest request;
  request.mutable_status();
  EXPECT_EQ(ResponseText(request, StatusResponse()),
            "Gatehouse 0.1.0\n"
            "domains    contoso.example\n"
            "listening  xmpp 127.0.0.1:5269\n"
            "streams    3\n"
            "partners   2\n"
            "\n"
            "WORKER          PID   STATE  RESTARTS  UPTIME  QUEUE\n"
            "tls_listener/0  4711  ready  0         1h 2m   0\n");
}

TEST(ResponseText, TheStatusHasANoticeForEachThingAnOperatorShouldKnow) {
  proto::CtlRequest request;
  request.mutable_status();
  proto::CtlResponse response = StatusResponse();
  response.mutable_status()->add_notices("slot xmpp: the certificate has expired");
  response.mutable_status()->add_notices("ACME fails");
  EXPECT_THAT(ResponseText(request, response),
              HasSubstr("partners   2\n"
                        "notice     slot xmpp: the certificate has expired\n"
                        "notice     ACME fails\n"
                        "\n"));
  EXPECT_THAT(ResponseJson(request, response),
              HasSubstr("\"notices\":[\"slot xmpp: the certificate has expired\",\"ACME fails\"]"));
}

TEST(ResponseText, ShowsTheWorkersAloneWhenTheyAreAskedFor) {
  proto::CtlRequest request;
  request.mutable_worker();
  EXPECT_EQ(ResponseText(request, StatusResponse()),
            "WORKER          PID   STATE  RESTARTS  UPTIME  QUEUE\n"
            "tls_listener/0  4711  ready  0         1h 2m   0\n");
  EXPECT_THAT(ResponseJson(request, StatusResponse()),
              HasSubstr("{\"workers\":[{\"name\":\"tls_listener/0\",\"plugin\":\"\",\"index\":0,"
                        "\"pid\":4711,"));
}

TEST(ResponseText, ListsPartners) {
  proto::CtlRequest request;
  request.mutable_partner_list();
  EXPECT_EQ(ResponseText(request, PartnerResponse()),
            "DOMAIN           TYPE       TLS       SASL      DIALBACK  ENABLED  METHODS   NOTES\n"
            "partner.example  federated  required  required  true      true     sasl_tls  W1\n");
  proto::CtlResponse none;
  none.mutable_partners();
  EXPECT_THAT(ResponseText(request, none), HasSubstr("gatehousectl partner new DOMAIN"));
  EXPECT_EQ(ResponseJson(request, none), "{\"partners\":[]}");
}

TEST(ResponseText, ShowsOnePartnerWithAllItsSettings) {
  proto::CtlRequest request;
  request.mutable_partner_get();
  const std::string text = ResponseText(request, PartnerResponse());
  for (const char* line :
       {"domain              partner.example\n", "additional domains  more.example\n",
        "type                federated\n", "tls                 required\n",
        "inbound             SASL EXTERNAL over TLS\n", "proxy               -\n",
        "dane                report\n", "connection limit    as for all partners\n",
        "enabled             true\n", "trust               as gatehouse.yaml says\n",
        "W1: dialback is enabled but will never run"})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(ResponseText, PrintsOnePartnerAsOneJsonObjectWithTheWordsOfTheFlags) {
  proto::CtlRequest request;
  request.mutable_partner_get();
  EXPECT_THAT(
      ResponseJson(request, PartnerResponse()),
      testing::StartsWith(
          "{\"partner\":{\"id\":\"17\",\"domain\":\"partner.example\","
          "\"additional_domains\":[\"more.example\"],\"type\":\"federated\","
          "\"tls\":\"required\",\"sasl\":\"required\",\"dialback\":true,"
          "\"connection_limit\":0,\"keep_alive\":true,\"proxy\":\"\","
          "\"description\":\"a \\\"friend\\\"\",\"enabled\":true,\"revision\":9,"
          "\"trust_anchors\":\"\",\"strict_sasl\":false,"
          "\"bidi\":false,\"same_certificate\":false,\"dane\":\"report\",\"expires_unix\":0,\"tls_"
          "seen_unix\":0},"
          "\"methods\":[\"sasl_tls\"],\"warnings\":[\"W1: dialback is enabled but will never "
          "run, because TLS and SASL are both required\"],\"row\":1,"
          "\"inbound\":[\"in clear we offer STARTTLS as required\","));
}

TEST(ResponseText, ExplainsWhatHappensBothWaysAndWhatTheLastStreamsCameTo) {
  proto::CtlRequest request;
  request.mutable_partner_explain();
  proto::CtlResponse response = PartnerResponse();
  proto::PartnerView& view = *response.mutable_partners()->mutable_partners(0);
  view.set_clear_refused_until_unix(1'800'000'000);
  proto::StreamRecord& stream = *view.add_last_streams();
  stream.set_outbound(true);
  stream.set_remote_domain("partner.example");
  stream.set_method("sasl_tls");
  stream.set_tls("TLSv1.3");
  stream.set_at_unix(1'790'000'000);
  const std::string text = ResponseText(request, response);
  for (const char* part :
       {"row                 1 of 18\n", "strict sasl         false\n",
        "a stream of theirs:\n  in clear we offer STARTTLS as required\n",
        "  in TLS, without a valid certificate, the stream ends with not-authorized\n",
        "a stream of ours:\n  TLS is always tried, offered or not, and must succeed\n",
        "refused until 2027-01-15 08:00:00 UTC", "gatehousectl partner forget-tls partner.example",
        "2026-09-21 14:13:20 UTC  out  partner.example  sasl_tls  TLSv1.3  -     -\n"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(ResponseText, ShowsEachStepOfATest) {
  proto::CtlResponse response;
  proto::TestStep& dns = *response.mutable_test()->add_steps();
  dns.set_step("dns");
  dns.set_ok(true);
  dns.set_at_us(1500);
  dns.set_detail("2 addresses");
  response.mutable_test()->add_steps()->set_step("tcp");
  EXPECT_EQ(ResponseText({}, response),
            "STEP          AT      DETAIL\n"
            "dns   ok      1.5 ms  2 addresses\n"
            "tcp   FAILED  0.0 ms\n"
            "failed\n");
}

TEST(ResponseText, SaysWhatIsDone) {
  proto::CtlResponse response;
  response.set_done("reloaded");
  EXPECT_EQ(ResponseText({}, response), "reloaded\n");
  EXPECT_EQ(ResponseJson({}, response), "{\"done\":\"reloaded\"}");
}

TEST(ResponseText, AnImportSaysImportedOfWhatWasWrittenOnly) {
  proto::CtlRequest request;
  request.mutable_import()->set_dry_run(true);
  proto::CtlResponse response;
  proto::ImportResult& one = *response.mutable_imported()->add_results();
  one.set_from("p.xml");
  one.set_kind("partner");
  one.set_name("a.example");
  one.set_result("imported");
  EXPECT_EQ(ResponseText(request, response),
            "partner 'a.example' of p.xml: would be imported\n"
            "1 would be imported, 0 would be replaced, 0 unchanged; this was a dry run\n");
  response.mutable_imported()->set_written(true);
  EXPECT_EQ(ResponseText({}, response),
            "partner 'a.example' of p.xml: imported\n1 imported, 0 replaced, 0 unchanged\n");
  *response.mutable_imported()->add_results() = one;
  response.mutable_imported()->mutable_results(1)->set_result("unchanged");
  EXPECT_THAT(ResponseText({}, response),
              HasSubstr(": unchanged\n1 imported, 0 replaced, 1 unchanged\n"));
  response.mutable_imported()->set_written(false);
  response.mutable_imported()->mutable_results(1)->set_result("refused");
  response.mutable_imported()->mutable_results(1)->set_why("it is there");
  EXPECT_EQ(ResponseText({}, response),
            "partner 'a.example' of p.xml: would be imported\n"
            "partner 'a.example' of p.xml: refused: it is there\n");
  EXPECT_THAT(ResponseText(request, response), Not(HasSubstr("this was a dry run")));
}

TEST(JsonText, EscapesWhatJsonCannotHold) {
  EXPECT_EQ(JsonString("a\"b\\c\n\x7fü"), "\"a\\\"b\\\\c\\u000a\\u007fü\"");
}

TEST(JsonText, PrintsNumbersAsNumbersAndLeavesOutMembersOfAOneofThatAreNotSet) {
  proto::CounterValue counter;
  counter.set_value(0.5);
  EXPECT_EQ(JsonText(counter), "{\"name\":\"\",\"labels\":\"\",\"value\":0.5}");
  proto::CtlResponse response;
  response.set_id(18446744073709551615U);
  EXPECT_EQ(JsonText(response),
            "{\"id\":18446744073709551615,\"exit_code\":0,\"error\":\"\",\"revision\":0,"
            "\"mistakes\":[],\"contact_changes\":[]}");
}

TEST(TextTable, AlignsByCharactersAndShowsNoControlCharacters) {
  TextTable table({"A", "B"});
  table.Add({"üü", "x"});
  table.Add({"\x1b[2J", "\u202ey"});
  EXPECT_EQ(table.ToText(), "A     B\nüü    x\n?[2J  ?y\n");
}

TEST(ResponseText, ListsPoliciesWithWhomTheyAreGrantedTo) {
  proto::CtlRequest request;
  request.mutable_policy_list();
  proto::CtlResponse response;
  proto::AccessPolicies& policies = *response.mutable_policies();
  policies.add_policies()->set_name("global");
  proto::AccessPolicy& sales = *policies.add_policies();
  sales.set_name("tag:sales");
  sales.set_xmpp_access(true);
  sales.add_domains("contoso.example");
  for (const char* user : {"a@c.example", "b@c.example", "c@c.example"}) sales.add_users(user);
  const std::string text = ResponseText(request, response);
  EXPECT_THAT(text, HasSubstr("global     false        everybody else"));
  EXPECT_THAT(text, HasSubstr("tag:sales  true         domain contoso.example, a@c.example, "
                              "b@c.example and 1 more"));
  request.mutable_policy_list()->set_name("sales");
  policies.mutable_policies()->DeleteSubrange(0, 1);
  EXPECT_THAT(ResponseText(request, response), HasSubstr("granted to          c@c.example"));
  EXPECT_THAT(ResponseJson(request, response), HasSubstr("\"xmpp_access\":true"));
}

TEST(ResponseText, SaysOfAChangedListWhatWasAddedAndTakenHoweverManyThatAre) {
  proto::CtlRequest request;
  request.mutable_config_diff();
  proto::CtlResponse response;
  proto::ChangeView& change = *response.mutable_changes()->add_changes();
  change.set_kind("policy");
  change.set_key("tag:sales");
  proto::FieldChange& users = *change.add_fields();
  users.set_field("users");
  users.set_after("+ann@c.example, -bob@c.example");
  EXPECT_THAT(ResponseText(request, response),
              HasSubstr("policy tag:sales: users +ann@c.example, -bob@c.example\n"));
  users.clear_after();
  for (int i = 0; i < 100; ++i) users.mutable_after()->append("+ann@c.example, ");
  EXPECT_THAT(ResponseText(request, response), HasSubstr("+ann@c.example and more (1600 octets)"));
}

TEST(ResponseText, TellsATimeOfTheAuditAsTheFlagsHaveIt) {
  proto::CtlRequest request;
  request.mutable_config_diff();
  proto::CtlResponse response;
  proto::ChangeView& change = *response.mutable_changes()->add_changes();
  change.set_kind("partner");
  change.set_key("a.example");
  proto::FieldChange& expires = *change.add_fields();
  expires.set_field("expires_unix");
  expires.set_before("0");
  expires.set_after("1801353600");
  EXPECT_THAT(ResponseText(request, response),
              HasSubstr("partner a.example: expires never -> 2027-01-31T00:00:00Z\n"));
  EXPECT_THAT(ResponseJson(request, response), HasSubstr("\"1801353600\"")) << "scripts have it so";
}

TEST(ResponseText, AnImportQuotesNothingWholeThatHasNoEnd) {
  proto::CtlRequest request;
  proto::CtlResponse response;
  proto::ImportResult& one = *response.mutable_imported()->add_results();
  one.set_kind("partner");
  one.set_from("p.xml");
  one.set_name("a\nb" + std::string(100'000, 'a'));
  one.set_result("refused");
  one.set_why("'" + std::string(100'000, 'a') + "' is no domain; write one like c.example");
  one.add_notes("Foo '" + std::string(100'000, 'a') + "' is left out");
  const std::string text = ResponseText(request, response);
  EXPECT_LT(text.size(), 2500U);
  EXPECT_THAT(text, HasSubstr("' is no domain; write one like c.example\n"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 2) << text;
}

TEST(ResponseText, SaysOfARecordThatIsNoMoreThanItsNameThatItCame) {
  proto::CtlRequest request;
  request.mutable_apply()->set_dry_run(true);
  proto::CtlResponse response;
  proto::ChangeView& change = *response.mutable_changes()->add_changes();
  change.set_kind("denied_domain");
  change.set_key("bad.example");
  change.set_verb(proto::ChangeView::ADDED);
  EXPECT_EQ(ResponseText(request, response),
            "denied_domain bad.example added\n1 record would change\n");
}

proto::RefusalRecord SomeRefusal(const std::string& id, const std::string& answer) {
  proto::RefusalRecord record;
  record.set_id(id);
  record.set_at_unix_ms(1'000);
  record.set_from("stranger.example");
  record.set_to("contoso.example");
  record.set_kind("stream");
  record.set_reason("unknown-partner");
  record.set_sentence("the remote domain is no partner's");
  record.set_remedy("add it");
  record.set_answer(answer);
  return record;
}

TEST(ResponseText, ShowsRefusalsAsATableWithTheWordsOfEachReasonOnce) {
  proto::CtlRequest request;
  request.mutable_why();
  proto::CtlResponse response;
  EXPECT_EQ((response.mutable_refusals(), ResponseText(request, response)),
            "nothing was refused lately\n");
  *response.mutable_refusals()->add_refusals() = SomeRefusal("aaaa", "policy-violation");
  *response.mutable_refusals()->add_refusals() = SomeRefusal("bbbb", "");
  EXPECT_EQ(
      ResponseText(request, response),
      "ID    AT                       FROM              TO               KIND    REASON       "
      "    ANSWER\n"
      "aaaa  1970-01-01 00:00:01 UTC  stranger.example  contoso.example  stream  "
      "unknown-partner  policy-violation\n"
      "bbbb  1970-01-01 00:00:01 UTC  stranger.example  contoso.example  stream  "
      "unknown-partner  nothing is told\n"
      "\n"
      "unknown-partner\n"
      "    the remote domain is no partner's\n"
      "    remedy: add it\n");
}

TEST(ResponseText, ShowsOneRefusalInFull) {
  proto::CtlRequest request;
  request.mutable_why()->set_id("bbbb");
  proto::CtlResponse response;
  *response.mutable_refusals()->add_refusals() = SomeRefusal("bbbb", "");
  EXPECT_THAT(ResponseText(request, response), HasSubstr("remedy        add it\n"));
  EXPECT_THAT(ResponseText(request, response), HasSubstr("answer        nothing is told\n"));
}

}  // namespace
}  // namespace gatehouse::ctl
