#include "plugins/acme_client/renewer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <utility>

#include "core/base/log.h"
#include "core/certificate/certificate_bundle.h"
#include "core/certificate/certificate_chain.h"
#include "core/certificate/certificate_request.h"
#include "core/policy/certificate_notice.h"
#include "core/tls/crypto.h"
#include "core/tls/own_certificate.h"
#include "plugins/acme_client/acme_files.h"
#include "plugins/acme_client/acme_words.h"
#include "plugins/acme_client/back_off.h"
#include "plugins/acme_client/renewal_time.h"

namespace gatehouse::acme {
namespace {

constexpr std::string_view kEngine = "policy_engine";
constexpr milliseconds kLookEvery{60'000};
constexpr milliseconds kLookAgain{1'000};
constexpr milliseconds kAskLimit{20'000};

std::string WhenText(std::int64_t unix_time) {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(static_cast<std::time_t>(unix_time)));
}

double RandomFraction() {
  std::uint32_t value = 0;
  const std::string bytes = RandomBytes(sizeof value);
  std::memcpy(&value, bytes.data(), sizeof value);
  return static_cast<double>(value) / 4294967296.0;
}

// The octets between the lines of a PEM text.
Result<std::string> DerOfPem(std::string_view pem) {
  std::string text;
  while (!pem.empty()) {
    const std::size_t end = std::min(pem.find('\n'), pem.size());
    const std::string_view line = pem.substr(0, end);
    if (!line.starts_with("-----")) text += line;
    pem.remove_prefix(std::min(end + 1, pem.size()));
  }
  std::string der;
  if (!DecodeBase64(text, der)) return Trouble("the request cannot be encoded");
  return der;
}

// That it is for the key, and names what was asked for.
Result<BuiltChain> CheckIssued(const std::string& pem, const std::string& key,
                               const AcmeSettings& wanted) {
  GATEHOUSE_TRY(const CertificateBundle bundle, ReadCertificateBundle(pem, {}));
  GATEHOUSE_TRY(const std::string hash, PublicKeyHash(key));
  GATEHOUSE_TRY(BuiltChain chain, BuildChain(bundle.certificates, hash, UnixNow()));
  const std::vector<std::string>& names = chain.links.front().names;
  for (const std::string& name : wanted.names)
    if (std::ranges::find(names, name) == names.end())
      return BadConfig(fmt::format("it does not name '{}'", name));
  return chain;
}

}  // namespace

struct Renewer::Issued {
  explicit Issued(std::string made) : key(std::move(made)) {}
  Issued(const Issued&) = delete;
  Issued& operator=(const Issued&) = delete;
  ~Issued() { Wipe(key); }
  std::string key;    // PEM, before the chain is there too
  std::string chain;  // PEM
};

Renewer::Renewer(Setup setup)
    : setup_(std::move(setup)),
      look_(setup_.context.loop(), [this] { Look(); }),
      offer_(setup_.context.loop(), [this] { Offer(); }),
      patience_(setup_.context.loop(), [this] { OnPatienceOver(); }) {
  // From the start on, for whoever watches them.
  for (const char* result : {"renewed", "failed", "interrupted"}) CountResult(result, 0);
}

Renewer::~Renewer() = default;

void Renewer::Configure(AcmeSettings settings, std::shared_ptr<const TlsContext> tls) {
  const bool is_other_name =
      !settings_.certificate.empty() && settings_.certificate != settings.certificate;
  settings_ = std::move(settings);
  tls_ = std::move(tls);
  if (state_ == State::kWaiting) {
    ForgetOtherCa();
    if (is_other_name) {
      setup_.memory.set_failures(0);
      setup_.memory.set_next_attempt_unix(0);
    }
  }
  ClampNextAttempt();
  if (is_other_name && state_ == State::kImporting && offer_.active())
    offer_.Start(milliseconds{0});
  if (setup_.memory.last_result() == "interrupted" && !looked_) {
    CountResult("interrupted", 1);
    TellFailure();
  }
  looked_ = false;
  held_.reset();
  Look();
}

// What another CA has refused says nothing of this one. What it has issued is to be replaced.
void Renewer::ForgetOtherCa() {
  const proto::AcmeMemory& before = setup_.memory;
  if (before.directory() == settings_.directory) return;
  proto::AcmeMemory memory;
  memory.set_directory(settings_.directory);
  memory.set_issued_sha256(before.issued_sha256());
  memory.set_issued_for(before.issued_for());
  memory.set_directory_changed(before.directory_changed() || !before.directory().empty());
  setup_.memory = std::move(memory);
}

void Renewer::Stop() {
  stopped_ = true;
  look_.Stop();
  offer_.Stop();
  patience_.Stop();
  attempt_.reset();
}

// --- when

void Renewer::Look() {
  if (stopped_) return;
  look_.Start(kLookEvery);
  proto::PolicyQuestion question;
  question.mutable_acme_look();
  ipc::AskClient* const engine = setup_.context.AskLinkTo(kEngine);
  if (engine == nullptr) return setup_.context.Fail("topology: no ask link to policy_engine");
  engine->Ask<proto::PolicyAnswer>(
      question, kAskLimit,
      [this, weak = std::weak_ptr<bool>(alive_)](const Result<proto::PolicyAnswer>& answer) {
        if (!weak.expired()) OnLook(answer);
      });
}

void Renewer::OnLook(const Result<proto::PolicyAnswer>& answer) {
  if (stopped_) return;
  if (!answer || !answer->has_acme()) return look_.Start(kLookAgain);
  looked_ = true;
  held_.reset();
  if (answer->acme().has_held()) held_ = answer->acme().held();
  Consider();
}

std::int64_t Renewer::DueTime() const {
  const std::int64_t due = DueAt(held(), settings_, setup_.memory);
  const bool wants_other =
      setup_.memory.failures() == 0 && setup_.memory.issued_for() != settings_.WhatIsWanted();
  return wants_other ? due : std::max(due, setup_.memory.next_attempt_unix());
}

// On the disk, so that it comes whatever is restarted until then.
void Renewer::ClampNextAttempt() {
  proto::AcmeMemory& memory = setup_.memory;
  const std::int64_t sane = WithinAWeek(memory.next_attempt_unix(), UnixNow());
  if (sane == memory.next_attempt_unix()) return;
  memory.set_next_attempt_unix(sane);
  if (const auto remembered = Remember(); !remembered)
    Log(LogLevel::kError, "acme-memory-lost", {{"why", remembered.error().text}});
}

void Renewer::Consider() {
  ClampNextAttempt();
  Measure();
  if (state_ != State::kWaiting || !looked_ || stopped_) return;
  const std::int64_t left = DueTime() - UnixNow();
  if (left <= 0 || !askers_.empty()) return Begin();
  look_.Start(std::min<milliseconds>(kLookEvery, seconds(left)));
}

// --- an attempt

Result<AcmeOrder::Setup> Renewer::MakeOrder() {
  setup_.context.StillBusy();  // a large RSA key takes seconds
  GATEHOUSE_TRY(std::string key, MakePrivateKey(wanted_.key));
  setup_.context.StillBusy();
  issued_ = std::make_unique<Issued>(std::move(key));
  RequestDetails details;
  details.dns_names = wanted_.names;
  GATEHOUSE_TRY(const std::string request, MakeCertificateRequest(details, issued_->key));
  AcmeOrder::Setup order{.directory = wanted_.directory,
                         .contact = wanted_.contact,
                         .names = wanted_.names,
                         .challenge = wanted_.challenge,
                         .request_der = {},
                         .external = std::nullopt};
  GATEHOUSE_TRY(order.request_der, DerOfPem(request));
  if (!wanted_.key_id.empty()) {
    GATEHOUSE_TRY(order.external, ReadExternalAccount(wanted_.key_id, wanted_.key_file));
  }
  return order;
}

// As if it had failed, before it begins: so a death in the middle counts.
void Renewer::Begin() {
  const std::int64_t now = UnixNow();
  state_ = State::kRenewing;
  wanted_ = settings_;
  proto::AcmeMemory& memory = setup_.memory;
  memory.set_directory(wanted_.directory);
  memory.set_last_attempt_unix(now);
  memory.set_last_result("interrupted");
  memory.set_last_error("acme_client ended in the middle of it");
  memory.set_failures(memory.failures() + 1);
  if (memory.failing_since_unix() == 0) memory.set_failing_since_unix(now);
  memory.set_next_attempt_unix(
      now + PauseAfter(memory.failures(), RandomFraction(), std::chrono::seconds{0}).count());
  if (const auto remembered = Remember(); !remembered) return Fail(remembered.error().text, {});
  auto order = MakeOrder();
  if (!order) return Fail(order.error().text, {});
  Log(LogLevel::kInfo, "acme-attempt",
      {{"certificate", wanted_.certificate},
       {"directory", wanted_.directory},
       {"asked_by", asked_by_}});
  attempt_ = std::make_unique<Attempt>(
      Attempt::Setup{
          .loop = setup_.context.loop(),
          .dns = setup_.dns,
          .tls = tls_,
          .board = setup_.board,
          .call_hook =
              [this](const proto::DnsHookCall& call, std::function<void(Result<void>)> done) {
                setup_.context.CallDnsHook(call, std::move(done));
              },
          .allow_inside = wanted_.allow_inside},
      setup_.key, *std::move(order),
      [this](const Result<std::string, AttemptFailure>& result, const std::string& account) {
        if (!account.empty()) setup_.memory.set_account_url(account);
        attempt_.reset();
        OnEnded(result);
      });
}

void Renewer::OnEnded(const Result<std::string, AttemptFailure>& result) {
  if (wanted_.certificate != settings_.certificate) return StartAnew();
  if (!result) return Fail(result.error().why, result.error().retry_after);
  if (const auto chain = CheckIssued(*result, issued_->key, wanted_); !chain)
    return Fail(
        fmt::format("the certificate that the CA gave cannot be used: {}", chain.error().text), {});
  issued_->chain = *result;
  state_ = State::kImporting;
  offer_pause_ = seconds{0};
  Offer();
}

// The name in gatehouse.yaml is another one by now: what came says nothing of that.
void Renewer::StartAnew() {
  Log(LogLevel::kNotice, "acme-begun-anew",
      {{"certificate", settings_.certificate}, {"dropped", wanted_.certificate}});
  issued_.reset();
  state_ = State::kWaiting;
  ForgetOtherCa();
  proto::AcmeMemory& memory = setup_.memory;
  memory.set_last_result("failed");
  memory.set_last_error("acme.certificate was changed in the middle of it");
  memory.set_failures(0);
  memory.clear_failing_since_unix();
  memory.set_next_attempt_unix(0);
  if (const auto remembered = Remember(); !remembered)
    Log(LogLevel::kError, "acme-memory-lost", {{"why", remembered.error().text}});
  looked_ = false;
  held_.reset();
  Look();
}

// Until the engine has it: it is renewed only then.
void Renewer::Offer() {
  if (wanted_.certificate != settings_.certificate) return StartAnew();
  proto::PolicyQuestion question;
  question.mutable_acme_renewed()->set_asked_by(asked_by_);
  question.mutable_acme_renewed()->set_name(wanted_.certificate);
  question.mutable_acme_renewed()->set_chain(issued_->chain);
  question.mutable_acme_renewed()->set_key(issued_->key);
  setup_.context.AskLinkTo(kEngine)->Ask<proto::PolicyAnswer>(
      question, kAskLimit,
      [this, weak = std::weak_ptr<bool>(alive_)](const Result<proto::PolicyAnswer>& answer) {
        if (!weak.expired()) OnOffered(answer);
      });
  Wipe(*question.mutable_acme_renewed()->mutable_key());
}

void Renewer::OnOffered(const Result<proto::PolicyAnswer>& answer) {
  if (stopped_) return;
  if (wanted_.certificate != settings_.certificate) return StartAnew();
  if (!answer || !answer->has_acme()) {
    Log(LogLevel::kWarning, "acme-offered-again",
        {{"certificate", wanted_.certificate},
         {"why", answer ? std::string("no answer to what was asked") : answer.error().text}});
    offer_pause_ = OfferPause(offer_pause_);
    return offer_.Start(offer_pause_);
  }
  if (!answer->acme().refused().empty()) return Fail(answer->acme().refused(), {});
  Succeed(answer->acme());
}

// --- what came of it

void Renewer::Succeed(const proto::AcmeAnswer& answer) {
  held_ = answer.held();
  issued_.reset();
  state_ = State::kWaiting;
  proto::AcmeMemory& memory = setup_.memory;
  memory.set_last_result("renewed");
  memory.clear_last_error();
  memory.set_failures(0);
  memory.clear_failing_since_unix();
  memory.clear_directory_changed();
  memory.set_next_attempt_unix(UnixNow() + kRestAfterSuccess);
  memory.set_issued_sha256(held_->sha256());
  memory.set_issued_for(wanted_.WhatIsWanted());
  if (const auto remembered = Remember(); !remembered)
    Log(LogLevel::kError, "acme-memory-lost", {{"why", remembered.error().text}});
  const std::int64_t days = (held_->not_after_unix() - UnixNow()) / kDay;
  Log(LogLevel::kNotice, "certificate-renewed",
      {{"certificate", wanted_.certificate}, {"days", days}, {"next", WhenText(DueTime())}});
  for (const std::string& warning : answer.warnings())
    Log(LogLevel::kWarning, "certificate-doubtful",
        {{"certificate", wanted_.certificate}, {"why", warning}});
  if (IsTooShort(*held_, UnixNow()))
    Log(LogLevel::kWarning, "certificate-short-lived",
        {{"certificate", wanted_.certificate},
         {"seconds", held_->not_after_unix() - UnixNow()},
         {"why",
          "the CA gives certificates that live too short to be renewed in time: once an hour "
          "at most; have it give longer ones, or take another CA"}});
  CountResult("renewed", 1);
  proto::CtlResponse response;
  response.set_done(
      fmt::format("certificate '{}' is renewed; {} days left", wanted_.certificate, days));
  AnswerAll(response);
  Consider();
}

void Renewer::Fail(const std::string& reason, std::chrono::seconds retry_after) {
  const std::string why = Told(reason);
  issued_.reset();
  state_ = State::kWaiting;
  proto::AcmeMemory& memory = setup_.memory;
  memory.set_last_result("failed");
  memory.set_last_error(why);
  memory.set_next_attempt_unix(
      UnixNow() + PauseAfter(memory.failures(), RandomFraction(), retry_after).count());
  if (const auto remembered = Remember(); !remembered)
    Log(LogLevel::kError, "acme-memory-lost", {{"why", remembered.error().text}});
  CountResult("failed", 1);
  TellFailure();
  proto::CtlResponse response;
  response.set_exit_code(1);
  response.set_error(fmt::format("certificate '{}' is not renewed: {}; it is tried again at {}",
                                 wanted_.certificate, why, WhenText(DueTime())));
  AnswerAll(response);
  ForgetOtherCa();
  Consider();
}

void Renewer::TellFailure() const {
  const proto::AcmeMemory& memory = setup_.memory;
  const bool is_urgent = looked_ && IsUrgent(held(), memory, UnixNow());
  Log(is_urgent ? LogLevel::kError : LogLevel::kWarning, "certificate-not-renewed",
      {{"certificate", settings_.certificate},
       {"why", memory.last_error()},
       {"failures", static_cast<std::int64_t>(memory.failures())},
       {"next", WhenText(DueTime())},
       {"remedy", "mend the cause, then gatehousectl cert renew"}});
}

void Renewer::OnPatienceOver() {
  proto::CtlResponse response;
  response.set_exit_code(1);
  response.set_error(fmt::format(
      "certificate '{}' is not renewed yet, and the attempt goes on; see gatehousectl cert renewal",
      wanted_.certificate));
  for (const WorkerContext::CtlAnswer& answer : std::exchange(askers_, {})) answer(response);
}

void Renewer::AnswerAll(const proto::CtlResponse& response) {
  patience_.Stop();
  asked_by_.clear();
  for (const WorkerContext::CtlAnswer& answer : std::exchange(askers_, {})) answer(response);
}

Result<void> Renewer::Remember() {
  return WriteMemory(setup_.memory_file, setup_.memory);
}

void Renewer::CountResult(const char* result, int by) {
  const std::string labels = fmt::format("{{result=\"{}\"}}", result);
  setup_.context.metrics().Value("gatehouse_acme_attempts_total", labels) += by;
}

void Renewer::Measure() {
  Metrics& metrics = setup_.context.metrics();
  metrics.Value(kAcmeFailuresMetric) = setup_.memory.failures();
  metrics.Value("gatehouse_acme_next_attempt_seconds") =
      static_cast<double>(std::max<std::int64_t>(DueTime() - UnixNow(), 0));
}

// --- commands

void Renewer::RenewNow(const std::string& asker, WorkerContext::CtlAnswer answer) {
  if (askers_.empty()) patience_.Start(setup_.patience);
  askers_.push_back(std::move(answer));
  if (state_ != State::kWaiting) return;
  asked_by_ = asker;
  Begin();
}

proto::RenewalView Renewer::View() const {
  const proto::AcmeMemory& memory = setup_.memory;
  proto::RenewalView view;
  view.set_certificate(settings_.certificate);
  view.set_directory(settings_.directory);
  for (const std::string& name : settings_.names) view.add_names(name);
  view.set_challenge(settings_.challenge);
  view.set_state(state_ == State::kWaiting    ? "waiting"
                 : state_ == State::kRenewing ? "renewing"
                                              : "importing");
  if (held_) view.set_not_after_unix(held_->not_after_unix());
  view.set_next_attempt_unix(std::max(DueTime(), UnixNow()));
  view.set_last_attempt_unix(memory.last_attempt_unix());
  // While it goes on nobody knows yet.
  if (state_ == State::kWaiting) {
    view.set_last_result(memory.last_result());
    view.set_last_error(memory.last_error());
  }
  view.set_failures(memory.failures());
  return view;
}

}  // namespace gatehouse::acme
