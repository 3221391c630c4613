#include "core/ctl/carry_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/policy/partner_words.h"
#include "tests/unit/core/ctl/fake_supervisor.h"
#include "tests/unit/core/ctl/scratch_file.h"

namespace gatehouse::ctl {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Invocation Asking() {
  Invocation invocation;
  invocation.action = Action::kAsk;
  invocation.runtime_dir = "/run/gatehouse";
  invocation.request.mutable_reload();
  return invocation;
}

TEST(CarryOut, EndsWithZeroWhenDone) {
  FakeSupervisor supervisor;
  supervisor.Say(Done("reloaded"));
  const Ending ending = CarryOut(Asking(), supervisor.AsOutside());
  EXPECT_EQ(ending.exit_code, 0);
  EXPECT_EQ(ending.out, "reloaded\n");
  EXPECT_THAT(ending.err, IsEmpty());
}

TEST(CarryOut, EndsWithOneAndTheReasonOnStandardErrorWhenRefused) {
  FakeSupervisor supervisor;
  supervisor.Say(RefusedWith("no partner has the domain 'x.example'"));
  const Ending ending = CarryOut(Asking(), supervisor.AsOutside());
  EXPECT_EQ(ending.exit_code, 1);
  EXPECT_THAT(ending.out, IsEmpty());
  EXPECT_EQ(ending.err, "no partner has the domain 'x.example'\n");
}

TEST(CarryOut, EndsWithThreeWhenTheSupervisorCannotBeReached) {
  FakeSupervisor supervisor;
  const Ending ending = CarryOut(Asking(), supervisor.AsOutside());
  EXPECT_EQ(ending.exit_code, 3);
  EXPECT_THAT(ending.err, HasSubstr("cannot be reached in '/run/gatehouse': nobody listens"));
}

TEST(CarryOut, AUserWithoutRightsIsNotAskedWhetherGatehousedRuns) {
  FakeSupervisor supervisor;
  Outside outside = supervisor.AsOutside();
  outside.call = [](const proto::CtlRequest&,
                    milliseconds) -> Result<std::optional<proto::CtlResponse>> {
    return BadConfig("this user may not talk to it; run it as root");
  };
  Invocation invocation;
  invocation.action = Action::kAsk;
  invocation.request.mutable_status();
  const Ending ending = CarryOut(invocation, outside);
  EXPECT_EQ(ending.exit_code, 3);
  EXPECT_EQ(ending.err, "this user may not talk to it; run it as root\n");
}

TEST(CarryOut, AChangeWithoutAnAnswerIsRefusedWithAWayToLook) {
  FakeSupervisor supervisor;
  supervisor.silent = true;
  Invocation invocation = Asking();
  invocation.request.mutable_partner_remove()->set_domain("a.example");
  const Ending change = CarryOut(invocation, supervisor.AsOutside());
  EXPECT_EQ(change.exit_code, 1);
  EXPECT_EQ(change.err,
            "no response within 140 s, so the change may be done or not; see gatehousectl config "
            "history, or audit, before you try again\n")
      << "it may wait behind a whole apply";
  for (const bool dry_run : {false, true}) {
    invocation.request.mutable_import()->set_dry_run(dry_run);
    EXPECT_EQ(CarryOut(invocation, supervisor.AsOutside()).exit_code, dry_run ? 3 : 1);
  }
  EXPECT_EQ(supervisor.waited, std::chrono::seconds{125});
  invocation.request.mutable_partner_list();
  const Ending question = CarryOut(invocation, supervisor.AsOutside());
  EXPECT_EQ(question.exit_code, 3);
  EXPECT_THAT(question.err, HasSubstr("cannot be reached in '/run/gatehouse': no response within"));
}

TEST(CarryOut, EndsWithOneAndShowsTheStepsWhenATestFails) {
  FakeSupervisor supervisor;
  proto::CtlResponse response;
  response.mutable_test()->add_steps()->set_step("dns");
  response.mutable_test()->set_reason("the name does not exist");
  response.mutable_test()->set_remedy("add an SRV record");
  supervisor.Say(response);
  const Ending ending = CarryOut(Asking(), supervisor.AsOutside());
  EXPECT_EQ(ending.exit_code, 1);
  EXPECT_THAT(ending.out, HasSubstr("dns"));
  EXPECT_EQ(ending.err, "the name does not exist; add an SRV record\n");
}

TEST(CarryOut, ExplainsAValidAndAnInvalidRow) {
  Invocation invocation;
  invocation.action = Action::kExplainRow;
  invocation.partner = DefaultPartner();
  const Ending valid = CarryOut(invocation, {});
  EXPECT_EQ(valid.exit_code, 0);
  EXPECT_THAT(valid.out, HasSubstr("W1: "));
  invocation.partner.set_tls(proto::NOT_SUPPORTED);
  invocation.partner.set_dialback(false);
  const Ending invalid = CarryOut(invocation, {});
  EXPECT_EQ(invalid.exit_code, 1);
  EXPECT_THAT(invalid.out, HasSubstr("inbound             none"));
  EXPECT_THAT(invalid.err, HasSubstr("not valid, E1: "));
}

TEST(CarryOut, ChecksAConfiguration) {
  FakeSupervisor supervisor;
  Invocation invocation;
  invocation.action = Action::kCheckConfig;
  invocation.file = "good.yaml";
  EXPECT_EQ(CarryOut(invocation, supervisor.AsOutside()).exit_code, 0);
  invocation.file = "bad.yaml";
  const Ending bad = CarryOut(invocation, supervisor.AsOutside());
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_EQ(bad.err, "bad.yaml:3: key 'listen': is wrong\n");
  invocation.file = "doubtful.yaml";
  const Ending doubtful = CarryOut(invocation, supervisor.AsOutside());
  EXPECT_EQ(doubtful.exit_code, 0);
  EXPECT_EQ(doubtful.out, "'doubtful.yaml' is valid\n");
  EXPECT_EQ(doubtful.err, "warning: doubtful.yaml:3: key 'tls': is odd\n");
}

TEST(CarryOut, AnExportThatIsADirectoryIsNamedSo) {
  Invocation invocation;
  invocation.action = Action::kImportLync;
  invocation.files = {"/tmp"};
  EXPECT_EQ(CarryOut(invocation, {}).err, "'/tmp' is a directory; name the files in it\n");
}

TEST(CarryOut, SaysBeforehandWhatInterruptingAChangeMayMean) {
  FakeSupervisor supervisor;
  supervisor.Say(Done("set"));
  Outside outside = supervisor.AsOutside();
  std::string said;
  outside.when_interrupted = [&said](const std::string& text) { said = text; };
  Invocation invocation = Asking();
  static_cast<void>(CarryOut(invocation, outside));
  EXPECT_THAT(said, IsEmpty());
  invocation.changes = true;
  static_cast<void>(CarryOut(invocation, outside));
  EXPECT_THAT(said, HasSubstr("may be done or not; see gatehousectl audit"));
}

TEST(CarryOut, ARenewalSaysAtOnceWhatIsAwaitedAndHowToLook) {
  FakeSupervisor supervisor;
  supervisor.Say(Done("set"));
  supervisor.Say(Done("certificate 'edge' is renewed; 90 days left"));
  Outside outside = supervisor.AsOutside();
  std::string said;
  outside.say = [&said](const std::string& text) { said = text; };
  std::string interrupted;
  outside.when_interrupted = [&interrupted](const std::string& text) { interrupted = text; };
  Invocation invocation = Asking();
  static_cast<void>(CarryOut(invocation, outside));
  EXPECT_THAT(said, IsEmpty());
  invocation.request.mutable_certificate_renew();
  const Ending ending = CarryOut(invocation, outside);
  EXPECT_THAT(said, HasSubstr("waiting for the CA, a quarter of an hour at most"));
  EXPECT_THAT(said, HasSubstr("gatehousectl cert renewal"));
  EXPECT_THAT(interrupted, HasSubstr("the attempt goes on"));
  EXPECT_THAT(ending.err, IsEmpty());
}

TEST(CarryOut, ARefusalIsOneLineOfAReadableLengthWhateverItQuotes) {
  FakeSupervisor supervisor;
  proto::CtlResponse response;
  response.set_exit_code(1);
  response.set_error("'a\n" + std::string(100'000, 'b') +
                     "' is no domain; write one like c.example");
  supervisor.Say(response);
  const Ending ending = CarryOut(Asking(), supervisor.AsOutside());
  EXPECT_LT(ending.err.size(), 1000U);
  EXPECT_EQ(ending.err.find('\n'), ending.err.size() - 1) << ending.err;
  EXPECT_THAT(ending.err, HasSubstr("' is no domain; write one like c.example"));
}

TEST(CarryOut, SendsThePassphraseOfTheFileAndNeverPrintsIt) {
  const ScratchFile file("a secret of many octets\n");
  FakeSupervisor supervisor;
  supervisor.Say(Done("the dialback secret is set"));
  Invocation invocation = Asking();
  invocation.request.clear_command();
  invocation.request.set_reason("it leaked");
  invocation.passphrase_file = file.path();
  const Ending ending = CarryOut(invocation, supervisor.AsOutside());
  ASSERT_EQ(supervisor.requests.size(), 1U);
  EXPECT_EQ(supervisor.requests[0].dialback_secret_set().passphrase(), "a secret of many octets");
  EXPECT_EQ(supervisor.requests[0].reason(), "it leaked");
  EXPECT_THAT(ending.out + ending.err, Not(HasSubstr("many octets")));
  EXPECT_THAT(ending.err, IsEmpty());
}

TEST(CarryOut, APassphraseWithoutAnAnswerIsLookedForInTheLog) {
  const ScratchFile file("a secret of many octets\n");
  FakeSupervisor supervisor;
  supervisor.silent = true;
  Outside outside = supervisor.AsOutside();
  std::string said;
  outside.when_interrupted = [&said](const std::string& text) { said = text; };
  Invocation invocation = Asking();
  invocation.request.clear_command();
  invocation.changes = true;
  invocation.passphrase_file = file.path();
  const Ending ending = CarryOut(invocation, outside);
  EXPECT_EQ(ending.exit_code, 1);
  EXPECT_EQ(ending.err,
            "no response within 20 s, so the dialback secret may be changed or not; where it is, "
            "the log has dialback-secret-changed\n");
  EXPECT_EQ(said,
            "interrupted, so the dialback secret may be changed or not; where it is, the log has "
            "dialback-secret-changed\n");
}

TEST(CarryOut, WarnsOfAShortPassphrase) {
  const ScratchFile file("short");
  FakeSupervisor supervisor;
  supervisor.Say(Done("set"));
  Invocation invocation = Asking();
  invocation.request.clear_command();
  invocation.passphrase_file = file.path();
  EXPECT_THAT(CarryOut(invocation, supervisor.AsOutside()).err,
              HasSubstr("shorter than 16 octets"));
}

TEST(CarryOut, LeavesTheSecretAloneWhenTheSettingsAreRefused) {
  const ScratchFile file("a secret of many octets");
  FakeSupervisor supervisor;
  supervisor.Say(RefusedWith("the connection limit cannot be 0"));
  Invocation invocation = Asking();
  invocation.passphrase_file = file.path();
  EXPECT_EQ(CarryOut(invocation, supervisor.AsOutside()).exit_code, 1);
  EXPECT_EQ(supervisor.requests.size(), 1U);
}

TEST(CarryOut, RefusesAPassphraseFileThatIsMissingEmptyOrTooLong) {
  EXPECT_THAT(ReadPassphrase("/absent/file").error().text, HasSubstr("cannot be read"));
  const ScratchFile empty("\n");
  EXPECT_THAT(ReadPassphrase(empty.path()).error().text, HasSubstr("is empty"));
  const ScratchFile large(std::string(4097, 'x'));
  EXPECT_THAT(ReadPassphrase(large.path()).error().text, HasSubstr("more than 4096"));
}

TEST(CarryOut, AMatrixThatDiffersInOneCellIsAFailureThatNamesTheCell) {
  FakeSupervisor supervisor;
  Invocation invocation;
  invocation.action = Action::kPlayMatrix;
  for (const selftest::MatrixCell& cell : selftest::CellsOf({7}, {selftest::Way::kIn}))
    supervisor.matrix.cells.push_back({cell, {"sasl_tls", "[EXT]"}, {"sasl_tls", "[EXT]"}, {}});
  const Ending well = CarryOut(invocation, supervisor.AsOutside());
  EXPECT_EQ(well.exit_code, kDone);
  EXPECT_THAT(well.out, HasSubstr("72 cells, 0 not as specified"));
  supervisor.matrix.cells[3].got = {"refused: no method", "[]"};
  supervisor.matrix.cells[4].breach = "in clear: <message";
  const Ending ill = CarryOut(invocation, supervisor.AsOutside());
  EXPECT_EQ(ill.exit_code, kRefused);
  EXPECT_THAT(ill.out, HasSubstr("72 cells, 2 not as specified"));
  EXPECT_THAT(ill.out, HasSubstr("!-no method"));
  EXPECT_THAT(ill.out, HasSubstr("row 7 in: STARTTLS offers, certificate valid, EXTERNAL no, "
                                 "dialback right\n  specified: sasl_tls  ([EXT])\n"));
  EXPECT_THAT(ill.out, HasSubstr("wrong:     in clear: <message"));
  invocation.json = true;
  EXPECT_THAT(CarryOut(invocation, supervisor.AsOutside()).out,
              HasSubstr(R"("cells":72,"not_as_specified":2)"));
}

proto::CtlResponse Contacts(const std::vector<std::string>& users, const std::string& next) {
  proto::CtlResponse response;
  for (const std::string& user : users) {
    proto::ContactView& view = *response.mutable_contacts()->add_contacts();
    view.set_sip_user(user);
    view.set_contact("romeo@partner.example");
    view.set_state("learned");
    view.set_seen_unix(1'800'000'000);
  }
  response.mutable_contacts()->set_next(next);
  return response;
}

Invocation Listing(std::uint32_t limit) {
  Invocation invocation;
  invocation.action = Action::kListContacts;
  invocation.request.mutable_contact_list()->set_limit(limit);
  return invocation;
}

TEST(CarryOut, PutsShortPagesOfContactsTogetherUntilTheEnd) {
  FakeSupervisor supervisor;
  supervisor.Say(Contacts({"ann@contoso.example"}, "p1"));
  supervisor.Say(Contacts({}, "p2"));
  supervisor.Say(Contacts({"bob@contoso.example"}, ""));
  const Ending ending = CarryOut(Listing(5), supervisor.AsOutside());
  EXPECT_EQ(ending.exit_code, 0);
  EXPECT_THAT(ending.out, HasSubstr("ann@contoso.example"));
  EXPECT_THAT(ending.out, HasSubstr("bob@contoso.example"));
  EXPECT_THAT(ending.out, HasSubstr("2027-01-15 08:00 UTC  never"));
  EXPECT_THAT(ending.out, Not(HasSubstr("--after")));
  ASSERT_EQ(supervisor.requests.size(), 3U);
  EXPECT_EQ(supervisor.requests[2].contact_list().after(), "p2");
  EXPECT_EQ(supervisor.requests[2].contact_list().limit(), 4U);
}

TEST(CarryOut, StopsAtTheLimitAndSaysHowToGoOn) {
  FakeSupervisor supervisor;
  supervisor.Say(Contacts({"ann@contoso.example"}, "p1"));
  const Ending ending = CarryOut(Listing(1), supervisor.AsOutside());
  EXPECT_THAT(ending.out, HasSubstr("there are more; go on with --after 'p1'"));
  EXPECT_EQ(supervisor.requests.size(), 1U);
}

TEST(CarryOut, AListThatIsRefusedSaysWhy) {
  FakeSupervisor supervisor;
  supervisor.Say(RefusedWith("'x' is no user of ours"));
  const Ending ending = CarryOut(Listing(1), supervisor.AsOutside());
  EXPECT_EQ(ending.exit_code, 1);
  EXPECT_EQ(ending.err, "'x' is no user of ours\n");
}

}  // namespace
}  // namespace gatehouse::ctl
