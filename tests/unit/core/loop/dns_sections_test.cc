#include "core/loop/dns_sections.h"

#include <gmock/gmock.h>

#include <optional>

#include "tests/unit/core/loop/dns_responder.h"
#include "tests/unit/core/loop/run_until.h"

namespace gatehouse {
namespace {

using testing::SizeIs;

class Sections : public testing::Test {
 protected:
  DnsSection Ask(std::string_view name, std::uint16_t type) {
    std::optional<DnsSection> got;
    sections_->Ask(name, type, [&got](DnsSection section) { got = std::move(section); });
    EXPECT_FALSE(got);  // never inside the call
    EXPECT_TRUE(RunUntil(*loop_, [&] { return got.has_value(); }));
    return got.value_or(DnsSection{});
  }
  std::unique_ptr<Loop> loop_ = MakeLoop();
  DnsResponder responder_{*loop_};
  std::unique_ptr<DnsSections> sections_ = *DnsSections::Create(*loop_, responder_.server());
};

TEST_F(Sections, GiveWholeAnswers) {
  responder_.validating = true;
  for (char i = 1; i <= 6; ++i)
    responder_.Add("host.example", DnsResponder::kA, std::string("\x7f\0\0", 3) + i);
  const DnsSection section = Ask("host.example", kDnsA);
  EXPECT_EQ(section.said, DnsSaid::kRecords);
  EXPECT_THAT(section.records, SizeIs(6));
  EXPECT_TRUE(section.authentic);
  EXPECT_TRUE(section.IsSigned());
}

TEST_F(Sections, TellFactsFromEachKindOfTrouble) {
  responder_.Set("gone.example", DnsResponder::Code::kNoSuchName);
  responder_.Set("broken.example", DnsResponder::Code::kServerFailure);
  EXPECT_EQ(Ask("gone.example", kDnsA).said, DnsSaid::kNoSuchName);
  EXPECT_EQ(Ask("empty.example", kDnsA).said, DnsSaid::kNoRecords);
  const DnsSection broken = Ask("broken.example", kDnsA);
  EXPECT_EQ(broken.said, DnsSaid::kFailure);
  EXPECT_EQ(broken.trouble, "SERVFAIL");
  EXPECT_FALSE(broken.IsFact());
}

TEST_F(Sections, ASilentServerIsNoFact) {
  responder_.Set("silent.example", DnsResponder::Code::kSilent);
  const DnsSection section = Ask("silent.example", kDnsA);
  EXPECT_EQ(section.said, DnsSaid::kSilence);
  EXPECT_EQ(section.trouble, "no answer");
}

TEST_F(Sections, DestroyedTheyStaySilent) {
  bool called = false;
  sections_->Ask("host.example", kDnsA, [&called](const DnsSection&) { called = true; });
  sections_.reset();
  for (int i = 0; i < 20; ++i) loop_->RunOnce();
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace gatehouse
