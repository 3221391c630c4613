#include "plugins/policy_engine/certificate_desk.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "core/base/log.h"
#include "core/config/check_acme.h"

namespace gatehouse::policy_engine {
namespace {

constexpr milliseconds kLookEvery{60'000};
constexpr std::int64_t kDay = 86'400;
constexpr std::string_view kExpiryMetric = "gatehouse_certificate_expiry_seconds";

std::int64_t NowUnix() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

// Days before its end from which on it is told, once a day; and louder.
constexpr std::int64_t kToldFromDays = 30;
constexpr std::int64_t kLouderFromDays = 7;

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
  if (publication_.Refresh()) LookAtTheirEnd();
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
  } else if (auto held = engine_.certificates().Renewable(NowUnix())) {
    *acme.mutable_held() = *std::move(held);
  }
  reply(answer.SerializeAsString());
}

void CertificateDesk::LookAtTheirEnd() {
  const std::int64_t now = NowUnix();
  for (const Slot slot : {Slot::kXmpp, Slot::kSip}) {
    const HeldCertificate* const held = engine_.certificates().Shown(slot);
    const std::string labels = fmt::format("{{slot=\"{}\"}}", SlotWord(slot));
    const std::int64_t left = held == nullptr ? 0 : held->not_after() - now;
    // Where none is shown there is no end to be alarmed about; a slot that had one says 0.
    if (held != nullptr || told_.contains(slot))
      context_.metrics().Value(kExpiryMetric, labels) = static_cast<double>(left);
    if (held != nullptr) WarnOfEnd(slot, *held, now);
  }
}

void CertificateDesk::WarnOfEnd(Slot slot, const HeldCertificate& held, std::int64_t now) {
  Told& told = told_[slot];
  const std::int64_t days = (held.not_after() - now) / kDay;
  const bool was_told = told.day == now / kDay && told.not_after == held.not_after();
  if (days >= kToldFromDays || was_told) return;
  told = {now / kDay, held.not_after()};
  Log(days < kLouderFromDays ? LogLevel::kError : LogLevel::kWarning, "certificate-ends",
      {{"certificate", held.row.name},
       {"slot", SlotWord(slot)},
       {"days", days},
       {"why", held.not_after() <= now ? "it has expired; peers refuse it"
                                       : "renew it with gatehousectl cert request"}});
}

}  // namespace gatehouse::policy_engine
