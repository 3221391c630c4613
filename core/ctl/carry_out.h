// Carries out one Invocation and says how it ended.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/ctl/invocation.h"
#include "core/dnscheck/zone_picture.h"
#include "proto/config.pb.h"

namespace gatehouse::ctl {

// The exit codes of every command.
inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;  // the request was refused or a check failed
inline constexpr int kWrongUsage = 2;
inline constexpr int kUnreachable = 3;  // the supervisor

// Of this edge.
struct EdgeNames {
  std::vector<std::string> domains;
  std::string sip_host;  // empty: not said
};

// What a command needs of the world around it.
struct Outside {
  // One request, one response; none when the supervisor does not answer in time. Fails when it
  // cannot be reached.
  std::function<Result<std::optional<proto::CtlResponse>>(const proto::CtlRequest&,
                                                          milliseconds limit)>
      call;
  // Gives what is doubtful; fails with one line naming file, line and key.
  std::function<Result<std::vector<std::string>>(const std::string& file)> check_config;
  // Fails when the matrix could not be played.
  std::function<Result<selftest::MatrixReport>(const selftest::MatrixOptions&)> play_matrix;
  // As it stands there, not checked; names of files are absolute. Fails where it cannot be read.
  std::function<Result<proto::Config>(const std::string& file)> read_config = {};
  // What a resolver says of a domain.
  std::function<Result<dnscheck::ZonePicture>(const std::string& resolver,
                                              const std::string& domain)>
      look_up = {};
  std::function<Result<std::vector<std::string>>()> system_resolvers = {};
  // What is to be said when the command is broken off from now on; may be left out.
  std::function<void(const std::string&)> when_interrupted = [](const std::string&) {};
  // Says something on standard error at once, while the command goes on; may be left out.
  std::function<void(const std::string&)> say = [](const std::string&) {};
  // The names a configuration says this edge has.
  std::function<Result<EdgeNames>(const std::string& file)> names_in_config = {};
  // Prints the prompt and reads a line; none at the end of input. Empty where nobody sits at a
  // terminal.
  std::function<std::optional<std::string>(const std::string& prompt)> ask = {};
};

struct Ending {
  int exit_code = kDone;
  std::string out;  // for standard output
  std::string err;  // for standard error: what was wrong and what would be right
};

// Exit code kRefused, and `text` as the line for standard error.
[[nodiscard]] Ending Refused(const std::string& text);

[[nodiscard]] Ending CarryOut(const Invocation& invocation, const Outside& outside);

// The response to `request`, or how it ended without one: a change that may be done or not is
// refused, all else is a supervisor that cannot be reached.
[[nodiscard]] std::expected<proto::CtlResponse, Ending> Call(const Invocation& invocation,
                                                             const proto::CtlRequest& request,
                                                             const Outside& outside);

// The response to one request; fails with what is to be told where there is none, or it is refused.
[[nodiscard]] std::expected<proto::CtlResponse, Ending> GoodAnswer(const Invocation& invocation,
                                                                   const proto::CtlRequest& request,
                                                                   const Outside& outside);

// For standard output: as text, or as JSON where that is wanted.
[[nodiscard]] std::string Shown(const Invocation& invocation, const proto::CtlRequest& request,
                                const proto::CtlResponse& response);

// The secret in `file` without its last line end.
//   fails  kConfig: cannot be read, empty, or longer than 4096 octets
[[nodiscard]] Result<std::string> ReadPassphrase(const std::string& file);

}  // namespace gatehouse::ctl
