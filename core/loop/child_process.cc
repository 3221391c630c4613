#include "core/loop/child_process.h"

#include <fmt/format.h>

#include <csignal>

#include "core/loop/uv_handle.h"

namespace gatehouse {

struct ChildProcess::State {
  std::function<void(Exit)> on_exit;
  UvHandle<uv_process_t> handle;
  bool exited = false;

  static void OnExit(uv_process_t* handle, std::int64_t status, int signal) noexcept {
    auto* const state = static_cast<State*>(handle->data);
    if (state == nullptr) return;
    state->exited = true;
    const auto on_exit = std::move(state->on_exit);  // the owner may go inside
    on_exit(Exit{static_cast<int>(status), signal});
  }
};

namespace {

std::vector<uv_stdio_container_t> Streams(const ChildProcess::Plan& plan) {
  std::vector<uv_stdio_container_t> all;
  const auto inherit = [&all](int fd) {
    uv_stdio_container_t one{};
    one.flags = UV_INHERIT_FD;
    one.data.fd = fd;
    all.push_back(one);
  };
  for (const int fd : {plan.standard_input, plan.standard_output, plan.standard_error}) inherit(fd);
  for (const int fd : plan.descriptors) inherit(fd);
  return all;
}

}  // namespace

ChildProcess::ChildProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}
ChildProcess::~ChildProcess() = default;

Result<std::unique_ptr<ChildProcess>> ChildProcess::Spawn(Loop& loop, const Plan& plan,
                                                          std::function<void(Exit)> on_exit) {
  std::vector<uv_stdio_container_t> stdio = Streams(plan);
  std::vector<std::string> words = plan.command;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  std::vector<std::string> variables = plan.environment.value_or(std::vector<std::string>());
  std::vector<char*> environment;
  environment.reserve(variables.size() + 1);
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  uv_process_options_t options{};
  if (plan.environment) options.env = environment.data();
  if (plan.own_group) options.flags |= UV_PROCESS_DETACHED;
  options.exit_cb = State::OnExit;
  options.file = arguments.front();
  options.args = arguments.data();
  options.stdio = stdio.data();
  options.stdio_count = static_cast<int>(stdio.size());

  auto state = std::make_unique<State>();
  state->on_exit = std::move(on_exit);
  // The handle must be closed even where the spawn failed.
  state->handle.reset(new uv_process_t{});  // NOLINT(cppcoreguidelines-owning-memory)
  state->handle->data = state.get();
  if (const int failed = uv_spawn(loop.raw(), state->handle.get(), &options); failed != 0)
    return Trouble(fmt::format("starting {}: {}", plan.command.front(), uv_strerror(failed)));
  return std::unique_ptr<ChildProcess>(new ChildProcess(std::move(state)));  // NOLINT
}

int ChildProcess::pid() const {
  return state_->handle->pid;
}

void ChildProcess::KillGroup(int signal) {
  if (!state_->exited) ::kill(-state_->handle->pid, signal);
}

void ChildProcess::Kill(int signal) {
  if (!state_->exited) uv_process_kill(state_->handle.get(), signal);
}

}  // namespace gatehouse
