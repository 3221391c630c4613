#include "core/selftest/matrix_run.h"

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>

#include "core/loop/signal_watch.h"
#include "core/loop/timer.h"
#include "core/policy/partner_type.h"
#include "core/policy/partner_words.h"
#include "core/selftest/clear_octets.h"
#include "core/selftest/inbound_play.h"
#include "core/selftest/loopback_listener.h"
#include "core/selftest/matrix_rule.h"
#include "core/selftest/outbound_play.h"
#include "core/selftest/private_gatehouse.h"
#include "core/selftest/served_stream.h"
#include "core/tls/certificate_authority.h"

namespace gatehouse::selftest {
namespace {

constexpr std::string_view kLocalDomain = "gatehouse.example";
constexpr std::string_view kPassphrase = "a passphrase of the matrix proof";
constexpr int kCertificateDays = 2;
constexpr std::size_t kAtOnce = 64;
constexpr milliseconds kCellLimit{20000};
constexpr std::uint32_t kNoLimit = 10000;

// {0}: our domain; {1}: the next hop; {2}: the folder.
constexpr std::string_view kConfig = R"(domains:
  - name: {0}
    next_hop: "sip:{1};transport=tcp"
listen:
  xmpp: ["127.0.0.1:0"]
  sip: ["tcp:127.0.0.1:0"]
tls:
  chain_file: {2}/gatehouse.pem
  key_file: {2}/gatehouse.key
  trust: {2}/root.pem
sip:
  trusted_peers: ["127.0.0.1/32"]
dns:
  servers: ["127.0.0.1:9"]
  allow_loopback_targets: true
limits:
  connections_per_minute: 1000000
  unauthenticated_per_address: 10000
workers:
  - plugin: tls_listener
    count: auto
  - plugin: dialback_verifier
  - plugin: policy_engine
  - plugin: sip_translator
)";

// A folder that goes away with its owner.
class ScratchFolder {
 public:
  explicit ScratchFolder(bool keep) : keep_(keep) {
    std::string path = std::filesystem::temp_directory_path() / "gatehouse-selftest-XXXXXX";
    if (::mkdtemp(path.data()) != nullptr) path_ = path;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!keep_ && !path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool keep_;
};

Result<void> WriteFile(const std::string& path, std::string_view text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return Trouble("cannot write " + path);
  return {};
}

Result<std::shared_ptr<const TlsContext>> Show(const std::string& folder, const std::string& name,
                                               CertificateAuthority& authority,
                                               const std::string& dns_name) {
  const std::vector<std::string> names = {dns_name};
  GATEHOUSE_TRY(const IssuedCertificate issued, authority.Issue(names, kCertificateDays));
  const std::string stem = folder + "/" + name;
  GATEHOUSE_TRY_VOID(WriteFile(stem + ".pem", issued.chain));
  GATEHOUSE_TRY_VOID(WriteFile(stem + ".key", issued.key));
  return TlsContext::Create({stem + ".pem", stem + ".key", folder + "/root.pem"});
}

// Gatehouse's own certificate, and what the partner may show.
Result<void> MakeCertificates(const std::string& folder, MatrixStage& stage) {
  GATEHOUSE_TRY(const auto root, CertificateAuthority::Create("selftest root", kCertificateDays));
  GATEHOUSE_TRY(const auto stranger, CertificateAuthority::Create("stranger", kCertificateDays));
  GATEHOUSE_TRY_VOID(WriteFile(folder + "/root.pem", root->root()));
  GATEHOUSE_TRY([[maybe_unused]] const auto own,
                Show(folder, "gatehouse", *root, std::string(kLocalDomain)));
  const std::string right = CellPlay::DomainOf("*");
  GATEHOUSE_TRY(stage.certificates[0], Show(folder, "valid", *root, right));
  GATEHOUSE_TRY(stage.certificates[1], Show(folder, "untrusted", *stranger, right));
  GATEHOUSE_TRY(stage.certificates[2], Show(folder, "wrong-name", *root, "*.other.example"));
  GATEHOUSE_TRY(stage.certificates[3], TlsContext::Create({{}, {}, folder + "/root.pem"}));
  return {};
}

proto::Negotiation LevelOf(char letter) {
  if (letter == 'R') return proto::REQUIRED;
  return letter == 'O' ? proto::OPTIONAL : proto::NOT_SUPPORTED;
}

std::string NameOf(const MatrixCell& cell, std::size_t index) {
  return fmt::format("r{:02}-{}-{:04}", cell.row, WayName(cell.way), index);
}

class MatrixRun {
 public:
  MatrixRun(Loop& loop, const MatrixOptions& options)
      : loop_(loop),
        cells_(CellsOf(options.rows, options.ways)),
        sip_(loop,
             {.on_message = [this](std::string_view body) { OnSipMessage(body); },
              .on_answer = [this](std::string_view id, int status) { OnSipAnswer(id, status); }}),
        stage_{.loop = loop,
               .sip = sip_,
               .local_domain = std::string(kLocalDomain),
               .passphrase = std::string(kPassphrase),
               .gatehouse = {},
               .certificates = {}},
        clock_(loop, [this] { OnClock(); }),
        interrupt_(loop, SIGINT, [this] { Fail("interrupted"); }),
        terminate_(loop, SIGTERM, [this] { Fail("interrupted"); }) {}

  Result<void> SetUp(const std::string& folder);
  Result<std::vector<CellReport>> Run();

 private:
  Result<void> AddPartners(std::uint16_t port);
  proto::CtlRequest PartnerRequest(const std::vector<std::size_t>& group, std::uint16_t port) const;
  void StartMore();
  void StartCell(std::size_t index);
  void OnEnd(CellPlay& play);
  void OnClock();
  void Fail(std::string why);
  void OnSipMessage(std::string_view body);
  void OnSipAnswer(std::string_view call_id, int status);
  CellPlay* ByDomain(std::string_view domain);
  CellPlay* ByMark(std::string_view text);
  [[nodiscard]] CellReport Report(std::size_t index) const;

  Loop& loop_;
  std::vector<MatrixCell> cells_;
  SipAgent sip_;
  MatrixStage stage_;
  std::optional<LoopbackListener> partner_socket_;
  std::optional<LoopbackListener> sip_socket_;
  std::unique_ptr<PrivateGatehouse> gatehouse_;
  std::unique_ptr<TcpAcceptor> acceptor_;
  std::map<std::string, std::size_t, std::less<>> by_domain_;
  std::vector<std::unique_ptr<CellPlay>> plays_;  // by index; null before its turn
  std::vector<std::unique_ptr<ServedStream>> served_;
  std::map<std::size_t, TimePoint> playing_;  // when it must have ended
  std::size_t next_ = 0;
  std::string failure_;
  Timer clock_;
  SignalWatch interrupt_;
  SignalWatch terminate_;
};

Result<void> MatrixRun::SetUp(const std::string& folder) {
  GATEHOUSE_TRY_VOID(MakeCertificates(folder, stage_));
  GATEHOUSE_TRY(partner_socket_, LoopbackListener::Open());
  GATEHOUSE_TRY(sip_socket_, LoopbackListener::Open());
  const std::string config =
      fmt::format(kConfig, kLocalDomain, sip_socket_->address().ToText(), folder);
  GATEHOUSE_TRY(gatehouse_, PrivateGatehouse::Start(loop_, folder, config));
  stage_.gatehouse = gatehouse_->xmpp();
  proto::CtlRequest secret;
  secret.mutable_dialback_secret_set()->set_passphrase(stage_.passphrase);
  GATEHOUSE_TRY_VOID(gatehouse_->Call(secret));
  proto::CtlRequest access;
  proto::PolicySet& everybody = *access.mutable_policy_set();
  everybody.set_name("global");
  everybody.mutable_policy()->set_xmpp_access(true);
  everybody.add_fields("xmpp_access");
  GATEHOUSE_TRY_VOID(gatehouse_->Call(access));
  return AddPartners(partner_socket_->address().Port());
}

// One partner for each row, direction and whether its server can speak TLS at all: what Gatehouse
// remembers of a partner (3.4.1) is then the same for all of its cells.
Result<void> MatrixRun::AddPartners(std::uint16_t port) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    by_domain_.emplace(CellPlay::DomainOf(NameOf(cells_[i], i)), i);
    const bool tls = cells_[i].partner.starttls != StartTls::kOmits;
    groups[fmt::format("{} {} {}", cells_[i].row, WayName(cells_[i].way), tls)].push_back(i);
  }
  for (const auto& [name, group] : groups)
    GATEHOUSE_TRY_VOID(gatehouse_->Call(PartnerRequest(group, port)));
  return {};
}

proto::CtlRequest MatrixRun::PartnerRequest(const std::vector<std::size_t>& group,
                                            std::uint16_t port) const {
  proto::CtlRequest request;
  proto::Partner& partner = *request.mutable_partner_new()->mutable_partner();
  partner = DefaultPartner();
  partner.set_type(kFederated);
  const RuleRow& row = RuleOf(cells_[group.front()].row);
  partner.set_tls(LevelOf(row.tls));
  partner.set_sasl(LevelOf(row.sasl));
  partner.set_dialback(row.dialback);
  partner.set_connection_limit(kNoLimit);
  partner.set_proxy(fmt::format("127.0.0.1:{}", port));
  for (const std::size_t index : group) {
    std::string domain = CellPlay::DomainOf(NameOf(cells_[index], index));
    if (partner.domain().empty())
      partner.set_domain(std::move(domain));
    else
      partner.add_additional_domains(std::move(domain));
  }
  return request;
}

Result<std::vector<CellReport>> MatrixRun::Run() {
  plays_.resize(cells_.size());
  GATEHOUSE_TRY(
      acceptor_, TcpAcceptor::Create(loop_, partner_socket_->fd(), [this](auto tcp) {
        served_.push_back(std::make_unique<ServedStream>(
            std::move(tcp), [this](std::string_view domain) { return ByDomain(domain); }));
      }));
  GATEHOUSE_TRY_VOID(sip_.Listen(sip_socket_->fd()));
  sip_.Connect(gatehouse_->sip(), [this](const Result<void>& connected) {
    if (!connected) return Fail(connected.error().text);
    clock_.StartRepeating(milliseconds{500});
    StartMore();
  });
  loop_.Run();
  if (!failure_.empty()) return Trouble(failure_);
  served_.clear();
  std::vector<CellReport> reports;
  reports.reserve(cells_.size());
  for (std::size_t i = 0; i < cells_.size(); ++i) reports.push_back(Report(i));
  return reports;
}

void MatrixRun::StartMore() {
  while (next_ < cells_.size() && playing_.size() < kAtOnce) StartCell(next_++);
  if (playing_.empty()) loop_.Stop();
}

void MatrixRun::StartCell(std::size_t index) {
  const MatrixCell& cell = cells_[index];
  const auto on_end = [this](CellPlay& play) { OnEnd(play); };
  if (cell.way == Way::kIn)
    plays_[index] = std::make_unique<InboundPlay>(stage_, cell, NameOf(cell, index), on_end);
  else
    plays_[index] = std::make_unique<OutboundPlay>(stage_, cell, NameOf(cell, index), on_end);
  playing_[index] = loop_.Now() + kCellLimit;
  plays_[index]->Start();
}

// In the next turn: the connections of the cell are on the stack.
void MatrixRun::OnEnd(CellPlay& play) {
  loop_.Post([this, ended = &play] {
    ended->Disconnect();
    std::erase_if(served_, [ended](const auto& stream) { return stream->play() == ended; });
    playing_.erase(by_domain_.at(ended->domain()));
    StartMore();
  });
}

void MatrixRun::OnClock() {
  if (!gatehouse_->running()) return Fail("the private gatehoused ended in mid-play");
  const TimePoint now = loop_.Now();
  for (const auto& [index, end] : playing_)
    if (now >= end) plays_[index]->OnTimeout();
}

void MatrixRun::Fail(std::string why) {
  failure_ = std::move(why);
  loop_.Stop();
}

CellPlay* MatrixRun::ByDomain(std::string_view domain) {
  const auto found = by_domain_.find(domain);
  return found == by_domain_.end() ? nullptr : plays_[found->second].get();
}

CellPlay* MatrixRun::ByMark(std::string_view text) {
  constexpr std::string_view kBegin = "mark-";
  const std::size_t begin = text.find(kBegin);
  if (begin == std::string_view::npos) return nullptr;
  const std::string_view name = text.substr(begin + kBegin.size());
  return ByDomain(CellPlay::DomainOf(std::string(name.substr(0, name.find("-end")))));
}

void MatrixRun::OnSipMessage(std::string_view body) {
  if (CellPlay* play = ByMark(body)) play->OnSipMessage();
}

void MatrixRun::OnSipAnswer(std::string_view call_id, int status) {
  if (CellPlay* play = ByMark(call_id)) play->OnSipAnswer(status);
}

CellReport MatrixRun::Report(std::size_t index) const {
  const CellPlay& play = *plays_[index];
  CellReport report{cells_[index], ExpectedOutcome(cells_[index]), play.outcome(), {}};
  const bool clear_permitted =
      RuleOf(report.cell.row).permitted.find('C') != std::string_view::npos;
  const std::string foreign = clear_permitted ? "" : ForeignInClear(play.clear_octets());
  const bool marked = play.clear_octets().find(play.mark()) != std::string::npos;
  if (!foreign.empty()) report.breach = "in clear: " + foreign;
  if (marked && report.expected.result != "tcp_dialback")
    report.breach = "the stanza stood in clear";
  if (play.leaked()) report.breach = "a stanza went through after the refusal";
  return report;
}

}  // namespace

Result<MatrixReport> RunMatrix(const MatrixOptions& options) {
  const ScratchFolder folder(options.keep_folder);
  if (folder.path().empty()) return Trouble("no folder can be made for temporary files");
  GATEHOUSE_TRY(const auto loop, Loop::Create());
  MatrixReport report;
  const auto run = std::make_unique<MatrixRun>(*loop, options);
  GATEHOUSE_TRY_VOID(run->SetUp(folder.path()));
  GATEHOUSE_TRY(report.cells, run->Run());
  if (options.keep_folder) report.folder = folder.path();
  return report;
}

}  // namespace gatehouse::selftest
