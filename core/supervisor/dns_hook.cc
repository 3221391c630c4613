#include "core/supervisor/dns_hook.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ranges>
#include <utility>

#include "core/address/ascii.h"
#include "core/base/log.h"
#include "core/base/one_line.h"
#include "core/base/utf8_check.h"
#include "core/config/check_acme.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMaxTailBytes = 4096;
constexpr std::size_t kMaxLineBytes = 300;
constexpr const char* kSearchPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string LastLine(std::string_view text) {
  text = ascii::Trim(text);
  const std::size_t line_end = text.rfind('\n');
  if (line_end != std::string_view::npos) text.remove_prefix(line_end + 1);
  return OneLine(AsUtf8(text.substr(0, kMaxLineBytes)));
}

}  // namespace

DnsHook::DnsHook(Loop& loop, std::string notes_file)
    : loop_(loop),
      notes_(std::move(notes_file)),
      limit_(loop,
             [this] {
               too_long_ = true;
               if (child_) child_->KillGroup(SIGKILL);
             }),
      next_(loop, [this] { RunNext(); }),
      idle_limit_(loop, [this] {
        Log(LogLevel::kWarning, "dns-records-left",
            {{"why",
              "the DNS hook takes too long; the TXT records that are left are removed at "
              "the next start"}});
        if (const auto done = std::exchange(on_idle_, nullptr)) done();
      }) {}

DnsHook::~DnsHook() {
  if (child_) child_->KillGroup(SIGKILL);
}

Result<void> DnsHook::Check(std::string_view plugin, const proto::Config& config,
                            const proto::DnsHookCall& call) {
  if (plugin != kAcmeWorker) return BadPeer("only acme_client may have the DNS hook called");
  if (config.acme().dns_hook().empty()) return BadPeer("acme.dns_hook names no program");
  GATEHOUSE_TRY(const std::vector<std::string> names, AcmeNames(config));
  const auto is_it = [&call](std::string_view name) {
    if (name.starts_with("*.")) name.remove_prefix(2);
    return call.name() == std::string(kChallengeLabel) + std::string(name);
  };
  if (std::ranges::none_of(names, is_it))
    return BadPeer("the DNS hook is not called for a name that acme.names has not");
  if (!IsChallengeValue(call.value()))
    return BadPeer("the DNS hook is not called with a value that no CA wants");
  return {};
}

void DnsHook::Call(std::string_view plugin, const proto::Config& config,
                   const proto::DnsHookCall& call, Done done) {
  std::optional<std::string> remover;
  if (!call.add() && plugin == kAcmeWorker) remover = ProgramOf({call.name(), call.value()});
  if (auto good = Check(plugin, config, call); !good && !remover) {
    Log(LogLevel::kError, "dns-hook-refused", {{"plugin", plugin}, {"why", good.error().text}});
    return done(std::move(good));
  }
  if (jobs_.size() >= kMaxWaiting) return done(Trouble("too many calls of the DNS hook wait"));
  jobs_.push_back({remover.value_or(config.acme().dns_hook()), call.add(), call.name(),
                   call.value(), std::move(done)});
  if (!child_) next_.Start(milliseconds{0});
}

std::optional<std::string> DnsHook::ProgramOf(const Record& record) const {
  if (const auto found = added_.find(record); found != added_.end()) return found->second;
  for (const Job& job : jobs_)
    if (job.add && job.name == record.first && job.value == record.second) return job.program;
  return std::nullopt;
}

void DnsHook::OnAskerDied() {
  std::map<Record, std::string> left = added_;
  for (const Job& job : jobs_)
    if (job.add) left.emplace(Record{job.name, job.value}, job.program);
  for (const auto& [record, program] : left)
    if (!WaitsForRemoval(record))
      jobs_.push_back({program, false, record.first, record.second, [](const Result<void>&) {}});
  if (!child_ && !jobs_.empty()) next_.Start(milliseconds{0});
}

bool DnsHook::WaitsForRemoval(const Record& record) const {
  for (const Job& job : jobs_ | std::views::reverse)
    if (job.name == record.first && job.value == record.second) return !job.add;
  return false;
}

void DnsHook::RemoveLeft(const proto::Config& config) {
  const std::string& program = config.acme().dns_hook();
  for (const Record& record : notes_.records()) {
    if (program.empty()) {
      Log(LogLevel::kWarning, "dns-records-left",
          {{"name", record.first},
           {"why", fmt::format("acme.dns_hook names no program any more; remove the TXT record by "
                               "hand, then delete {}",
                               notes_.file())}});
      continue;
    }
    added_.emplace(record, program);
    jobs_.push_back({program, false, record.first, record.second, [](const Result<void>&) {}});
  }
  if (!jobs_.empty()) next_.Start(milliseconds{0});
}

void DnsHook::WhenIdle(milliseconds limit, std::function<void()> done) {
  if (jobs_.empty()) return done();
  if (std::exchange(on_idle_, std::move(done)) == nullptr) idle_limit_.Start(limit);
}

void DnsHook::RunNext() {
  if (std::exchange(ended_, false)) child_.reset();
  if (child_) return;
  if (jobs_.empty()) {
    idle_limit_.Stop();
    if (const auto done = std::exchange(on_idle_, nullptr)) done();
    return;
  }
  if (auto noted = Note(); !noted) return Finish(std::move(noted));
  if (auto spawned = Spawn(); !spawned) return Finish(std::move(spawned));
}

// Before it is published.
Result<void> DnsHook::Note() {
  const Job& job = jobs_.front();
  return job.add ? notes_.Add({job.name, job.value}) : Result<void>();
}

Result<void> DnsHook::Spawn() {
  const Job& job = jobs_.front();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return Trouble(fmt::format("DNS hook: {}", std::strerror(errno)));
  errors_ = OwnedFd(ends[0]);
  const OwnedFd theirs(ends[1]);
  static_cast<void>(::fcntl(theirs.get(), F_SETFL, 0));
  const OwnedFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing.valid()) return Trouble(fmt::format("/dev/null: {}", std::strerror(errno)));
  tail_.clear();
  too_long_ = false;
  GATEHOUSE_TRY(watch_, ReadableWatch::Create(loop_, errors_.get(), [this] { ReadErrors(); }));
  const ChildProcess::Plan plan{
      .command = {job.program, job.add ? "add" : "remove", job.name, job.value},
      .descriptors = {},
      .standard_error = theirs.get(),
      .standard_input = nothing.get(),
      .standard_output = nothing.get(),
      .environment = std::vector<std::string>{kSearchPath},
      .own_group = true};
  GATEHOUSE_TRY(
      child_, ChildProcess::Spawn(loop_, plan, [this](ChildProcess::Exit exit) { OnExit(exit); }));
  limit_.Start(kLimit);
  return {};
}

void DnsHook::ReadErrors() {
  std::array<char, 4096> part{};
  while (true) {
    const ssize_t got = ::read(errors_.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) return watch_.reset();
    tail_.append(part.data(), static_cast<std::size_t>(got));
    if (tail_.size() > kMaxTailBytes) tail_.erase(0, tail_.size() - kMaxTailBytes);
  }
}

void DnsHook::OnExit(ChildProcess::Exit exit) {
  if (watch_) ReadErrors();
  const Job& job = jobs_.front();
  if (exit.signal == 0 && exit.status == 0) return Finish({});
  std::string how = too_long_          ? fmt::format("did not end within {} s", kLimit.count())
                    : exit.signal != 0 ? fmt::format("was ended by signal {}", exit.signal)
                                       : fmt::format("ended with status {}", exit.status);
  const std::string line = LastLine(tail_);
  Finish(
      Trouble(fmt::format("the DNS hook '{} {} {}' {}{}", job.program, job.add ? "add" : "remove",
                          job.name, how, line.empty() ? "" : ": " + line)));
}

// Also where it could not be started. What was tried to be added may be there.
void DnsHook::Finish(Result<void> result) {
  limit_.Stop();
  watch_.reset();
  errors_.Reset();
  const Job job = std::move(jobs_.front());
  jobs_.pop_front();
  const Record record{job.name, job.value};
  if (job.add)
    added_.emplace(record, job.program);
  else
    added_.erase(record);
  if (!job.add && result) notes_.Remove(record);
  Log(result ? LogLevel::kInfo : LogLevel::kWarning, result ? "dns-hook-called" : "dns-hook-failed",
      {{"verb", job.add ? "add" : "remove"},
       {"name", job.name},
       {"why", result ? std::string() : result.error().text}});
  ended_ = true;  // the child's handle cannot go inside its own callback
  next_.Start(milliseconds{0});
  job.done(std::move(result));
}

}  // namespace gatehouse
