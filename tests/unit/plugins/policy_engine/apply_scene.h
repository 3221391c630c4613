// gatehousectl's `apply` with the engine behind it, without a supervisor between them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/ctl/carry_out.h"
#include "core/policy/partner_words.h"
#include "plugins/policy_engine/engine.h"
#include "tests/unit/core/ctl/scratch_file.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {

// A store with partner.example, which may have so many contacts, and an engine with these limits.
class ApplyScene : public testing::Test {
 protected:
  static constexpr std::int64_t kTtl = 2'592'000;

  explicit ApplyScene(std::int64_t most = kMaxContactsOfAPartner, const DataLimits& limits = {})
      : engine_(*Engine::Create(
            *Store::Open(folder_.File("policy.db"), [] {}, most), {"contoso.example"}, 0, limits)) {
    EXPECT_EQ(Apply("partners: [{domain: partner.example}]\n").exit_code, ctl::kDone);
    asked_.clear();
  }

  using Adjust = std::function<void(ctl::Invocation&)>;
  ctl::Ending Apply(const std::string& text, const Adjust& adjust = {}) {
    const ctl::ScratchFile file(text);
    ctl::Invocation invocation;
    invocation.action = ctl::Action::kApply;
    invocation.file = file.path();
    invocation.request.mutable_apply();
    if (adjust) adjust(invocation);
    ctl::Outside outside;
    outside.call = [this](const proto::CtlRequest& request, milliseconds) {
      asked_.push_back(request.command_case());
      if (const auto before = before_; before) before(request);
      return Result<std::optional<proto::CtlResponse>>(Answer(request));
    };
    return ctl::CarryOut(invocation, outside);
  }
  static void Dry(ctl::Invocation& invocation) {
    invocation.request.mutable_apply()->set_dry_run(true);
  }
  proto::CtlResponse Answer(proto::CtlRequest request) {
    request.set_actor("alice");
    return engine_.Answer(request,
                          std::chrono::system_clock::time_point{std::chrono::seconds{now_}});
  }
  proto::CtlResponse Change(proto::ContactChange::Verb verb, const std::string& user,
                            const std::string& contact) {
    proto::CtlRequest request;
    request.mutable_contact_change()->set_verb(verb);
    proto::ContactName& name = *request.mutable_contact_change()->add_contacts();
    name.set_sip_user(user);
    name.set_contact(contact);
    return Answer(request);
  }
  void Subscribe(const std::string& user, const std::string& contact) {
    proto::ContactSeen seen;
    seen.set_sip_user(user);
    seen.set_contact(contact);
    const auto states = engine_.NoteContacts(std::span(&seen, 1), now_);
    EXPECT_EQ(states->front(), proto::CONTACT_AUTHORISED) << contact;
  }
  // "ann@contoso.example a@partner.example allowed" of each that has not ended, sorted.
  std::vector<std::string> Contacts() {
    std::vector<std::string> lines;
    proto::CtlRequest request;
    request.mutable_contact_list()->set_limit(1000);
    do {
      const proto::ContactViews page = Answer(request).contacts();
      for (const proto::ContactView& view : page.contacts())
        lines.push_back(view.sip_user() + ' ' + view.contact() + ' ' + view.state());
      request.mutable_contact_list()->set_after(page.next());
    } while (!request.contact_list().after().empty());
    std::ranges::sort(lines);
    return lines;
  }
  std::uint64_t revision() { return engine_.policy().snapshot.revision(); }
  std::vector<AuditEntry> Audit() { return *Store::Open(folder_.File("policy.db"))->Audit({}); }

  std::int64_t now_ = 1'800'000'000;
  std::vector<proto::CtlRequest::CommandCase> asked_;
  std::function<void(const proto::CtlRequest&)> before_;  // what happens before a command arrives
  ScratchFolder folder_;
  Engine engine_;
};

// So many elements of `contacts:` for ann.
inline std::string Marks(int from, int to, const std::string& state) {
  std::string text;
  for (int i = from; i < to; ++i)
    text += "  - {sip_user: ann@contoso.example, contact: u" + std::to_string(i) +
            "@partner.example, state: " + state + "}\n";
  return text;
}

}  // namespace gatehouse::policy_engine
