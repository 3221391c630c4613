#include "core/supervisor/status_notices.h"

#include <gmock/gmock.h>

namespace gatehouse {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::int64_t kNow = 1'800'000'000;
constexpr double kDay = 86'400;

class StatusNotice : public testing::Test {
 protected:
  void Count(const std::string& plugin, const std::string& name, double value,
             const std::string& labels = {}) {
    proto::WorkerStatus& worker = *report_.add_workers();
    worker.set_plugin(plugin);
    proto::CounterValue& counter = *worker.add_counters();
    counter.set_name(name);
    counter.set_labels(labels);
    counter.set_value(value);
  }
  void Is(const std::string& name, const std::string& state, std::uint32_t restarts = 0) {
    proto::WorkerStatus& worker = *report_.add_workers();
    worker.set_name(name);
    worker.set_plugin(name.substr(0, name.find('/')));
    worker.set_state(state);
    worker.set_restarts(restarts);
  }
  void Ends(const std::string& slot, double in_seconds) {
    Count("policy_engine", "gatehouse_certificate_expiry_seconds", in_seconds,
          "{slot=\"" + slot + "\"}");
  }
  [[nodiscard]] std::vector<std::string> Told(const proto::RenewalView* renewal = nullptr) const {
    return StatusNotices(config_, report_, renewal, kNow);
  }
  proto::StatusReport report_;
  proto::Config config_;
};

TEST_F(StatusNotice, NothingIsToldOfAnEdgeThatIsWell) {
  Count("policy_engine", "gatehouse_policy_nobody_may", 0);
  Count("tls_listener", "gatehouse_certificate_missing", 0);
  Ends("xmpp", 60 * kDay);
  Ends("sip", 0);  // a slot that shows none any more
  proto::RenewalView renewal;
  renewal.set_state("waiting");
  EXPECT_THAT(Told(&renewal), IsEmpty());
}

TEST_F(StatusNotice, NobodyMayUseXmpp) {
  Count("policy_engine", "gatehouse_policy_nobody_may", 1);
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("policy set global --enable-xmpp-access true")));
}

TEST_F(StatusNotice, APluginWhoseWorkersAreAllStoppedIsToldWithWhereNobodyListens) {
  config_.mutable_listen()->add_xmpp("[::]:5269");
  config_.mutable_listen()->add_xmpps("[::]:5270");
  Is("tls_listener/0", "stopped");
  Is("tls_listener/1", "ready");
  Is("dialback_verifier/0", "stopped");
  EXPECT_THAT(Told(), ElementsAre("dialback_verifier is stopped; start it with gatehousectl worker "
                                  "restart dialback_verifier/0"));
  report_.mutable_workers(1)->set_state("stopped");
  EXPECT_THAT(Told(), Contains("tls_listener is stopped, so nobody listens on xmpp [::]:5269, "
                               "xmpps [::]:5270; start it with gatehousectl worker restart "
                               "tls_listener/0"));
}

TEST_F(StatusNotice, APluginThatDiesAgainAndAgainIsToldAndOneThatStartsIsNot) {
  config_.mutable_listen()->add_sip("tls:[::]:5061");
  Is("sip_translator/0", "starting", 1);
  Is("policy_engine/0", "draining");
  EXPECT_THAT(Told(), IsEmpty());
  for (const char* state : {"starting", "waiting"}) {
    report_.clear_workers();
    Is("sip_translator/0", state, 3);
    EXPECT_THAT(Told(), ElementsAre(AllOf(
                            StartsWith("sip_translator dies again and again, so nobody is served "
                                       "on sip tls:[::]:5061; the log says why"),
                            HasSubstr("gatehousectl worker restart sip_translator/0"))));
  }
}

TEST_F(StatusNotice, SipPeersThatWereRefusedAreToldWithWhenAndWhatToDo) {
  Count("sip_translator", "gatehouse_sip_untrusted_refused_total", 0);
  EXPECT_THAT(Told(), IsEmpty());
  report_.clear_workers();
  Count("sip_translator", "gatehouse_sip_untrusted_refused_total", 12);
  Count("sip_translator", "gatehouse_sip_untrusted_refused_unix_seconds", kNow);
  EXPECT_THAT(
      Told(),
      ElementsAre(AllOf(
          StartsWith("12 requests or connections of SIP peers that are not in sip.trusted_peers "
                     "were refused since the start, the last at 2027-01-15 08:00 "
                     "UTC; the log names them (reason untrusted-peer)"),
          HasSubstr("gatehouse.yaml and reload"))));
}

TEST_F(StatusNotice, ListeningForSipThatNobodyMaySendIsTold) {
  config_.mutable_listen()->add_sip("tls:[::]:5061");
  config_.mutable_sip()->add_trusted_peers("pool.corp.example");
  EXPECT_THAT(Told(), IsEmpty());
  config_.mutable_listen()->add_sip("tcp:[::]:5060");
  EXPECT_THAT(Told(), ElementsAre(StartsWith("sip.trusted_peers has no network, so that")));
  for (const char* network : {"192.0.2.0/24", "192.0.2.7", "2001:db8::7"}) {
    config_.mutable_sip()->set_trusted_peers(0, network);
    EXPECT_THAT(Told(), IsEmpty()) << network;
  }
}

TEST_F(StatusNotice, AnEmptySlotIsToldOnceHoweverManyListenersNeedIt) {
  for (int i = 0; i < 2; ++i) Count("tls_listener", "gatehouse_certificate_missing", 1);
  EXPECT_THAT(Told(), ElementsAre(AllOf(StartsWith("slot xmpp: there is no certificate"),
                                        HasSubstr("cert assign"))));
  Count("sip_translator", "gatehouse_certificate_missing", 1);
  EXPECT_THAT(Told(), ElementsAre(StartsWith("slot xmpp: "), StartsWith("slot sip: ")));
}

TEST_F(StatusNotice, ACertificateIsToldFromThirtyDaysBeforeItsEnd) {
  Ends("xmpp", 30 * kDay);
  EXPECT_THAT(Told(), IsEmpty());
  Ends("sip", 30 * kDay - 1);
  EXPECT_THAT(Told(), ElementsAre(StartsWith("slot sip: the certificate ends in 29 days; see")));
  report_.Clear();
  Ends("sip", 2 * kDay - 1);
  EXPECT_THAT(Told(), ElementsAre(StartsWith("slot sip: the certificate ends in 1 day; see")));
  report_.Clear();
  Ends("sip", kDay - 1);
  EXPECT_THAT(Told(),
              ElementsAre(StartsWith("slot sip: the certificate ends in less than a day; see")));
}

TEST_F(StatusNotice, AnExpiredOneIsToldAsSuch) {
  Ends("xmpp", -1);
  EXPECT_THAT(Told(), ElementsAre(StartsWith("slot xmpp: the certificate has expired, and peers "
                                             "refuse it; see gatehousectl cert list")));
}

TEST_F(StatusNotice, AcmeThatFailsIsToldWithItsReasonAndItsNextAttempt) {
  proto::RenewalView renewal;
  renewal.set_certificate("edge");
  renewal.set_state("waiting");
  renewal.set_failures(3);
  renewal.set_last_error("the CA could not be reached");
  renewal.set_next_attempt_unix(kNow + 7200);
  EXPECT_THAT(
      Told(&renewal),
      ElementsAre("ACME has failed to renew certificate 'edge' 3 times in a row: the CA could "
                  "not be reached; the next attempt is at 2027-01-15 10:00 UTC; mend the "
                  "cause, then gatehousectl cert renew"));
}

TEST_F(StatusNotice, AnAttemptUnderWayIsNoFailureYet) {
  proto::RenewalView renewal;
  renewal.set_state("renewing");
  renewal.set_failures(1);
  EXPECT_THAT(Told(&renewal), IsEmpty());
  renewal.set_failures(2);
  EXPECT_THAT(Told(&renewal), ElementsAre(HasSubstr(" once; an attempt is under way")));
}

TEST_F(StatusNotice, WhereAcmeClientIsSilentItsFiguresAreTold) {
  Count("acme_client", "gatehouse_acme_failures_in_row", 2);
  EXPECT_THAT(Told(), ElementsAre(AllOf(HasSubstr("2 times in a row"),
                                        HasSubstr("gatehousectl cert renewal"))));
}

}  // namespace
}  // namespace gatehouse
