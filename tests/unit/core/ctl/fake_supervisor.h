// A supervisor that notes what it is asked and answers from a list.
#pragma once

#include <string>
#include <vector>

#include "core/ctl/carry_out.h"

namespace gatehouse::ctl {

class FakeSupervisor {
 public:
  void Say(proto::CtlResponse response) { responses_.push_back(std::move(response)); }
  Outside AsOutside() {
    return {
        .call = [this](const proto::CtlRequest& request,
                       milliseconds limit) -> Result<std::optional<proto::CtlResponse>> {
          requests.push_back(request);
          waited = limit;
          if (silent) return std::nullopt;
          if (requests.size() > responses_.size()) return Trouble("nobody listens");
          return responses_[requests.size() - 1];
        },
        .check_config = [](const std::string& file) -> Result<std::vector<std::string>> {
          if (file == "good.yaml") return std::vector<std::string>();
          if (file == "doubtful.yaml") return std::vector{file + ":3: key 'tls': is odd"};
          return BadConfig(file + ":3: key 'listen': is wrong");
        },
        .play_matrix = [this](const selftest::MatrixOptions&) -> Result<selftest::MatrixReport> {
          return matrix;
        }};
  }
  selftest::MatrixReport matrix;
  std::vector<proto::CtlRequest> requests;
  milliseconds waited{};
  bool silent = false;  // it takes a request and never answers

 private:
  std::vector<proto::CtlResponse> responses_;
};

inline proto::CtlResponse Done(const std::string& text) {
  proto::CtlResponse response;
  response.set_done(text);
  return response;
}

inline proto::CtlResponse RefusedWith(const std::string& why) {
  proto::CtlResponse response;
  response.set_exit_code(1);
  response.set_error(why);
  return response;
}

}  // namespace gatehouse::ctl
