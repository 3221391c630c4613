#include "plugins/policy_engine/certificate_desk.h"

#include <chrono>
#include <utility>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/config/check_acme.h"
#include "core/policy/certificate_notice.h"

namespace gatehouse::policy_engine {
namespace {

constexpr milliseconds kLookEvery{60'000};
constexpr std::int64_t kDay = 86'400;

constexpr std::int64_t kLouderFromDays = 7;  // before its end

}  // namespace

CertificateDesk::CertificateDesk(WorkerContext& context, Engine& engine)
    : context_(context),
      engine_(engine),
      publication_([&engine](Slot slot) { return engine.certificates().Given(slot); }),
      look_(context.loop(), [this] { LookAtTheirEnd(); }),
      given_total_(context.metrics().Value("gatehouse_certificates_asked_total")),
      withheld_total_(context.metrics().Value("gatehouse_certificates_withheld_total")) {
  look_.StartRepeating(kLookEvery);
}

void CertificateDesk::Refresh() {
  publication_.Refresh();
  LookAtTheirEnd();
}

void CertificateDesk::OnWanted(std::string_view instance, const proto::CertificateWanted& wanted,
                               Reply reply) {
  given_total_ += 1;
  if (!SlotOfInstance(instance)) {
    withheld_total_ += 1;
    Log(LogLevel::kError, "certificate-withheld", {{"instance", instance}});
  }
  publication_.Ask(instance, wanted.held_hash(), std::move(reply));
}

void CertificateDesk::OnAcme(std::string_view instance, const proto::PolicyQuestion& question,
                             const Reply& reply) {
  if (instance.substr(0, instance.find('/')) != kAcmeWorker) {
    withheld_total_ += 1;
    Log(LogLevel::kError, "certificate-withheld", {{"instance", instance}});
    return reply(Trouble("only acme_client renews certificates"));
  }
  proto::PolicyAnswer answer;
  proto::AcmeAnswer& acme = *answer.mutable_acme();
  if (question.has_acme_renewed()) {
    auto taken = engine_.TakeRenewed(question.acme_renewed(), std::chrono::system_clock::now());
    Refresh();
    if (taken) {
      acme.mutable_warnings()->CopyFrom(taken->warnings());
      *acme.mutable_held() = *std::move(taken);
    } else if (taken.error().fault == Fault::kConfig) {
      acme.set_refused(taken.error().text);
    } else {
      return reply(std::unexpected(taken.error()));
    }
  } else if (auto held = engine_.certificates().Renewable(UnixNow())) {
    *acme.mutable_held() = *std::move(held);
  }
  reply(answer.SerializeAsString());
}

void CertificateDesk::LookAtTheirEnd() {
  const std::int64_t now = UnixNow();
  for (const Slot slot : {Slot::kXmpp, Slot::kSip}) {
    const std::optional<ShownEnd> shown = engine_.certificates().EndOf(slot);
    const std::string labels = SlotLabels(SlotWord(slot));
    // Where none is shown there is no end to be alarmed about; a slot that had one says 0.
    if (shown || told_.contains(slot))
      context_.metrics().Value(kCertificateExpiryMetric, labels) =
          shown ? static_cast<double>(shown->not_after - now) : 0;
    if (shown) WarnOfEnd(slot, *shown, now);
  }
}

void CertificateDesk::WarnOfEnd(Slot slot, const ShownEnd& shown, std::int64_t now) {
  Told& told = told_[slot];
  const std::int64_t days = (shown.not_after - now) / kDay;
  const bool was_told = told.day == now / kDay && told.not_after == shown.not_after;
  if (days >= kCertificateToldFromDays || was_told) return;
  told = {now / kDay, shown.not_after};
  const std::string_view why = shown.not_after <= now ? "it has expired; peers refuse it"
                               : shown.from_file      ? "put a new one into that file and reload"
                                                      : "renew it with gatehousectl cert request";
  Log(days < kLouderFromDays ? LogLevel::kError : LogLevel::kWarning, "certificate-ends",
      {{"certificate", shown.name}, {"slot", SlotWord(slot)}, {"days", days}, {"why", why}});
}

}  // namespace gatehouse::policy_engine
