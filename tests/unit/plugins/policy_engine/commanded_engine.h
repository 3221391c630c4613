// An engine with a store of its own that takes commands in protobuf's text format.
#pragma once

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plugins/policy_engine/engine.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {

class CommandedEngine : public testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'800'000'000;

  Engine Open() {
    return *Engine::Create(*Store::Open(folder_.File("policy.db")), {"contoso.example"});
  }
  proto::CtlResponse Answer(const proto::CtlRequest& request, std::int64_t now = kNow) {
    return engine_.Answer(request,
                          std::chrono::system_clock::time_point{std::chrono::seconds{now}});
  }
  // "policy_new { policy { name: 'x' } }"
  proto::CtlResponse Answer(const std::string& command, std::int64_t now = kNow) {
    proto::CtlRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(command, &request)) << command;
    return Answer(request, now);
  }
  proto::CtlResponse Done(const std::string& command) {
    proto::CtlResponse response = Answer(command);
    EXPECT_EQ(response.exit_code(), 0U) << command << ": " << response.error();
    return response;
  }
  std::string Refused(const std::string& command) {
    const proto::CtlResponse response = Answer(command);
    EXPECT_EQ(response.exit_code(), 1U) << command;
    return response.error();
  }
  std::vector<AuditEntry> Audit() { return *Store::Open(folder_.File("policy.db"))->Audit({}); }

  ScratchFolder folder_;
  Engine engine_ = Open();
};

}  // namespace gatehouse::policy_engine
