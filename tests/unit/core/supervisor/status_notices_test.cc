#include "core/supervisor/status_notices.h"

#include <gmock/gmock.h>

namespace gatehouse {
namespace {

using testing::AllOf;
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
  void Ends(const std::string& slot, double in_seconds) {
    Count("policy_engine", "gatehouse_certificate_expiry_seconds", in_seconds,
          "{slot=\"" + slot + "\"}");
  }
  [[nodiscard]] std::vector<std::string> Told(const proto::RenewalView* renewal = nullptr) const {
    return StatusNotices(report_, renewal, kNow);
  }
  proto::StatusReport report_;
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
