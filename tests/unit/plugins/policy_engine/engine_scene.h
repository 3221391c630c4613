// An engine with a store of its own, asked by one operator.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/policy/partner_words.h"
#include "plugins/policy_engine/engine.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {

class EngineTest : public testing::Test {
 protected:
  EngineTest() : engine_(Open()) {}

  Engine Open() {
    Result<Store> store = Store::Open(folder_.File("policy.db"));
    EXPECT_TRUE(store.has_value()) << store.error().text;
    return *Engine::Create(*std::move(store), {"contoso.example"});
  }
  proto::CtlResponse Answer(proto::CtlRequest request) {
    request.set_id(17);
    request.set_actor("alice");
    request.set_actor_uid(1001);
    return engine_.Answer(request,
                          std::chrono::system_clock::time_point{std::chrono::milliseconds{1234}});
  }
  proto::CtlResponse New(const proto::Partner& partner) {
    proto::CtlRequest request;
    *request.mutable_partner_new()->mutable_partner() = partner;
    return Answer(request);
  }
  proto::CtlResponse New(const std::string& domain) {
    proto::Partner partner = DefaultPartner();
    partner.set_domain(domain);
    return New(partner);
  }
  proto::CtlResponse Set(const std::string& domain, const proto::Partner& values,
                         const std::vector<std::string>& fields) {
    proto::CtlRequest request;
    request.mutable_partner_set()->set_domain(domain);
    *request.mutable_partner_set()->mutable_partner() = values;
    for (const std::string& field : fields) request.mutable_partner_set()->add_fields(field);
    return Answer(request);
  }
  proto::CtlResponse Get(const std::string& domain) {
    proto::CtlRequest request;
    request.mutable_partner_get()->set_domain(domain);
    return Answer(request);
  }
  proto::CtlResponse Remove(const std::string& domain) {
    proto::CtlRequest request;
    request.mutable_partner_remove()->set_domain(domain);
    return Answer(request);
  }
  std::vector<AuditEntry> Audit() { return *Store::Open(folder_.File("policy.db"))->Audit({}); }
  std::string hash() const { return engine_.policy().snapshot.hash(); }

  ScratchFolder folder_;
  Engine engine_;
};
}  // namespace gatehouse::policy_engine
