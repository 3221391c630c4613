// The sip_translator worker: the SIP endpoint, the two flows, and what ties them to links, policy
// and control.
#include "core/worker/worker.h"

#include <memory>
#include <optional>
#include <utility>

#include "core/base/log.h"
#include "core/loop/timer.h"
#include "core/policy/certificate_client.h"
#include "core/policy/certificate_notice.h"
#include "core/policy/snapshot_client.h"
#include "core/worker/plugin_abi.h"
#include "plugins/sip_translator/refusal_note.h"
#include "plugins/sip_translator/sip_to_xmpp.h"
#include "plugins/sip_translator/test_im.h"
#include "plugins/sip_translator/test_sip.h"
#include "plugins/sip_translator/watched_contacts.h"
#include "plugins/sip_translator/xmpp_to_sip.h"

namespace gatehouse::translator {
namespace {

constexpr milliseconds kTick = seconds{1};
constexpr milliseconds kDrainCheck{20};

WallTime WallNow() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

void AskPolicy(WorkerContext& context, const proto::PolicyQuestion& question,
               std::function<void(Result<proto::ContactState>)> answer) {
  ipc::AskClient* engine = context.AskLinkTo("policy_engine");
  if (engine == nullptr) return context.Fail("topology: no ask link to policy_engine");
  engine->Ask<proto::PolicyAnswer>(
      question, WatchedContacts::kPolicyLimit,
      [answer = std::move(answer)](const Result<proto::PolicyAnswer>& said) {
        if (!said) return answer(std::unexpected(said.error()));
        if (!said->has_contact()) return answer(Trouble("an answer to another question"));
        answer(said->contact().state());
      });
}

class SipTranslator final : public Worker {
 public:
  // The endpoint ends its requests when it goes; by then nobody may answer the partners for it.
  ~SipTranslator() override {
    if (xmpp_to_sip_) xmpp_to_sip_->LeaveToNextLife();
    sip_tests_.reset();
    endpoint_.reset();
  }
  Result<void> Prepare(const WorkerConfig& config) override {
    GATEHOUSE_TRY(keys_, SipEndpoint::ReadKeys(config));
    GATEHOUSE_TRY(test_tls_, SipTests::ReadContext(config.config()));
    return {};
  }
  Result<void> Start(WorkerContext& context) override;
  void Drain(std::function<void()> drained) override;

 private:
  Result<void> SetUpFlows(WorkerContext& context, ipc::DataLinkSet& listeners);
  void OnSnapshot(PolicyPointer policy);
  void OnCertificate(const CertificateClient::Given& given);
  void OnCtl(const proto::CtlRequest& request, WorkerContext::CtlAnswer answer);
  Result<void> OnReconfigure(const proto::Config& config);
  void ReportDrained(const std::function<void()>& drained);

  SteadyClock clock_;
  Loop* loop_ = nullptr;  // the context's; set in Start
  SipEndpoint::Keys keys_;
  std::optional<ListenerLinks> listeners_;
  std::unique_ptr<SipEndpoint> endpoint_;
  std::optional<ContactStates> contacts_;
  std::optional<FlowContext> flow_;
  std::optional<WatchedContacts> watched_;
  std::optional<XmppToSip> xmpp_to_sip_;
  std::optional<SipToXmpp> sip_to_xmpp_;
  std::optional<SnapshotClient> snapshots_;
  std::optional<CertificateClient> certificates_;
  bool has_certificate_ = false;  // or knows that there is none
  PolicyPointer early_policy_;    // came before that
  std::shared_ptr<const TlsContext> test_tls_;
  std::unique_ptr<SipTests> sip_tests_;
  std::optional<Timer> tick_;
  std::optional<Timer> drain_check_;
};

Result<void> SipTranslator::Start(WorkerContext& context) {
  loop_ = &context.loop();
  ipc::DataLinkSet* listeners = context.DataLinksWith("tls_listener");
  if (listeners == nullptr)
    return BadConfig("topology: sip_translator has no data link with tls_listener");
  GATEHOUSE_TRY_VOID(SetUpFlows(context, *listeners));
  endpoint_->OnRequests(
      [this](const SipMessage& message, const SipPeer& peer, const SipReply& reply) {
        if (message.method() == "SUBSCRIBE") return watched_->OnSubscribe(message, peer, reply);
        sip_to_xmpp_->OnRequest(message, reply);
      });
  endpoint_->OnRefusals([this](const RefusedRequest& request, RequestAnswer& answer) {
    NoteRequest(*flow_, request, answer);
  });
  listeners->OnOffers([this](const ipc::Received& offer, ipc::Ticket ticket) {
    xmpp_to_sip_->OnOffer(offer, std::move(ticket));
  });
  context.OnCtl([this](const proto::CtlRequest& request, WorkerContext::CtlAnswer answer) {
    OnCtl(request, std::move(answer));
  });
  context.OnReconfigure([this](const proto::Config& config) { return OnReconfigure(config); });
  snapshots_.emplace(context, [this](PolicyPointer policy) { OnSnapshot(std::move(policy)); });
  certificates_.emplace(context,
                        [this](const CertificateClient::Given& given) { OnCertificate(given); });
  tick_.emplace(context.loop(), [this] {
    contacts_->Tick();
    xmpp_to_sip_->Tick();
    watched_->Tick();
  });
  tick_->StartRepeating(kTick);
  return {};
}

Result<void> SipTranslator::SetUpFlows(WorkerContext& context, ipc::DataLinkSet& listeners) {
  GATEHOUSE_TRY(auto served, ServedDomains::Read(context.config().config()));
  GATEHOUSE_TRY(endpoint_, SipEndpoint::Create(context, std::move(keys_)));
  GATEHOUSE_TRY(sip_tests_,
                SipTests::Create(context.loop(), *endpoint_, test_tls_, context.config()));
  listeners_.emplace(listeners);
  contacts_.emplace(clock_, [&context](const proto::PolicyQuestion& question, milliseconds limit,
                                       ContactStates::OnAnswer on_answer) {
    ipc::AskClient* engine = context.AskLinkTo("policy_engine");
    if (engine == nullptr) return context.Fail("topology: no ask link to policy_engine");
    engine->Ask<proto::PolicyAnswer>(question, limit, std::move(on_answer));
  });
  flow_.emplace(FlowContext{.clock = clock_,
                            .wall = WallNow,
                            .metrics = context.metrics(),
                            .endpoint = *endpoint_,
                            .listeners = *listeners_,
                            .served = std::move(served),
                            .profile = ProfileFromName(context.config().config().sip().profile()),
                            .policy = nullptr,
                            .spellings = {},
                            .sent = SentStanzas(clock_),
                            .log_sampler = LogSampler(clock_),
                            .verdicts = VerdictCounters(context.metrics()),
                            .contacts = *contacts_});
  watched_.emplace(*flow_, [&context](const proto::PolicyQuestion& question, auto answer) {
    AskPolicy(context, question, std::move(answer));
  });
  xmpp_to_sip_.emplace(
      *flow_,
      [&context](std::string_view instance, std::string_view what) {
        context.ReportMalformed(instance, what);
      },
      XmppToSip::Watchers{
          .watch =
              [this](const StanzaAddresses& addresses) { return watched_->Watches(addresses); },
          .take =
              [this](const proto::Element& presence, const StanzaAddresses& addresses) {
                return watched_->OnPresence(presence, addresses);
              }});
  sip_to_xmpp_.emplace(*flow_);
  return {};
}

// Nothing goes out to SIP or is read from there before the first snapshot, and before it is known
// which certificate is ours: closed at start, static on failure.
void SipTranslator::OnSnapshot(PolicyPointer policy) {
  if (!has_certificate_) {
    early_policy_ = std::move(policy);
    return;
  }
  const bool first = !flow_->policy;
  flow_->policy = std::move(policy);
  contacts_->OnSnapshot(flow_->policy->snapshot().contacts_epoch(),
                        seconds{flow_->policy->gateway().authorisation_ttl_s()});
  watched_->OnSnapshot();
  if (!first) return;
  xmpp_to_sip_->OnSnapshot();
  endpoint_->ResumeRequests();
}

// What the store has assigned goes before the files of gatehouse.yaml.
void SipTranslator::OnCertificate(const CertificateClient::Given& given) {
  const bool has_one = endpoint_->ShowCertificate(given.certificate.get());
  sip_tests_->ShowCertificate(given.certificate.get());
  if (!has_one) Log(LogLevel::kWarning, "no-certificate", {{"why", kNoCertificate}});
  flow_->metrics.Value(kNoCertificateMetric) = has_one ? 0 : 1;
  has_certificate_ = true;
  if (PolicyPointer early = std::exchange(early_policy_, nullptr)) OnSnapshot(std::move(early));
}

void SipTranslator::OnCtl(const proto::CtlRequest& request, WorkerContext::CtlAnswer answer) {
  if (request.has_test_im())
    return TestIm(*flow_, *sip_to_xmpp_, request.test_im(), std::move(answer));
  if (request.has_test_sip()) return sip_tests_->Start(request.test_sip(), std::move(answer));
  if (request.has_why())
    return answer(AnswerWhy(flow_->refusals, flow_->policy.get(), request.why()));
  proto::CtlResponse refused;
  refused.set_exit_code(1);
  refused.set_error("sip_translator takes only `test im`, `test sip` and `why`");
  answer(std::move(refused));
}

Result<void> SipTranslator::OnReconfigure(const proto::Config& config) {
  GATEHOUSE_TRY(ServedDomains served, ServedDomains::Read(config));
  GATEHOUSE_TRY_VOID(endpoint_->Reconfigure(config));
  flow_->served = std::move(served);
  flow_->profile = ProfileFromName(config.sip().profile());
  sip_tests_->Reconfigure(config);
  if (has_certificate_) OnCertificate(certificates_->current());
  return {};
}

void SipTranslator::Drain(std::function<void()> drained) {
  xmpp_to_sip_->Drain();
  sip_to_xmpp_->Drain();
  watched_->Drain();
  drain_check_.emplace(*loop_, [this, drained = std::move(drained)] { ReportDrained(drained); });
  drain_check_->StartRepeating(kDrainCheck);
}

void SipTranslator::ReportDrained(const std::function<void()>& drained) {
  const std::size_t under_way =
      xmpp_to_sip_->under_way() + sip_to_xmpp_->under_way() + watched_->under_way();
  if (under_way + endpoint_->replies_owed() > 0) return;
  drain_check_->Stop();
  drained();
}

}  // namespace
}  // namespace gatehouse::translator

GATEHOUSE_PLUGIN("sip_translator", gatehouse::translator::SipTranslator);
