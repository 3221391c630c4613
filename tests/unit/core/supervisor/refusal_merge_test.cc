#include "core/supervisor/refusal_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace gatehouse {
namespace {

using testing::HasSubstr;

using Refusals = std::vector<std::pair<std::string, std::uint64_t>>;  // id, when

WorkersAnswer Says(const std::string& instance, const Refusals& refusals) {
  WorkersAnswer answer{instance, {}};
  answer.response.mutable_refusals();
  for (const auto& [id, at] : refusals) {
    proto::RefusalRecord& record = *answer.response.mutable_refusals()->add_refusals();
    record.set_id(id);
    record.set_at_unix_ms(at);
  }
  return answer;
}

WorkersAnswer Silent(const std::string& instance) {
  WorkersAnswer answer{instance, {}};
  answer.response.set_exit_code(1);
  answer.response.set_error(instance + " did not answer");
  return answer;
}

std::string Ids(const proto::CtlResponse& response) {
  std::string ids;
  for (const proto::RefusalRecord& record : response.refusals().refusals())
    ids += record.id() + ' ';
  return ids;
}

proto::Why ById(const std::string& id) {
  proto::Why why;
  why.set_id(id);
  return why;
}

TEST(RefusalMerge, MakesOneListOfAllNewestFirst) {
  const std::vector answers = {Says("sip_translator/0", {{"a", 50}, {"b", 10}}),
                               Says("tls_listener/0", {{"c", 40}}), Says("tls_listener/1", {}),
                               Says("tls_listener/2", {{"d", 60}, {"e", 20}})};
  const proto::CtlResponse merged = MergeRefusals({}, answers);
  EXPECT_EQ(Ids(merged), "d a c e b ");
  EXPECT_EQ(merged.exit_code(), 0U);
  EXPECT_EQ(merged.error(), "");
}

TEST(RefusalMerge, LetsASilentWorkerHideNothingOfTheOthersAndNamesIt) {
  const std::vector answers = {Silent("tls_listener/0"), Says("tls_listener/1", {{"a", 1}})};
  const proto::CtlResponse merged = MergeRefusals({}, answers);
  EXPECT_EQ(Ids(merged), "a ");
  EXPECT_EQ(merged.exit_code(), 0U);
  EXPECT_EQ(merged.error(), "tls_listener/0 did not answer; what it remembers is missing here");
}

TEST(RefusalMerge, FindsAnIdWhoeverHasIt) {
  const std::vector answers = {Says("sip_translator/0", {}), Says("tls_listener/0", {{"x", 1}})};
  const proto::CtlResponse merged = MergeRefusals(ById("x"), answers);
  EXPECT_EQ(Ids(merged), "x ");
  EXPECT_EQ(merged.exit_code(), 0U);
}

TEST(RefusalMerge, SaysThatNobodyHasAnIdAndWhoMightHaveHadIt) {
  const std::vector answers = {Says("sip_translator/0", {}), Silent("tls_listener/0")};
  const proto::CtlResponse merged = MergeRefusals(ById("7f3kq2mx"), answers);
  EXPECT_EQ(merged.exit_code(), 1U);
  EXPECT_FALSE(merged.has_refusals());
  EXPECT_THAT(merged.error(), HasSubstr("no refusal '7f3kq2mx' is remembered"));
  EXPECT_THAT(merged.error(), HasSubstr("tls_listener/0 did not answer"));
}

TEST(RefusalMerge, IsNoEmptyListWhereNobodyWasHeard) {
  EXPECT_EQ(MergeRefusals({}, std::vector{Silent("tls_listener/0")}).exit_code(), 1U);
  const proto::CtlResponse nobody = MergeRefusals({}, {});
  EXPECT_EQ(nobody.exit_code(), 1U);
  EXPECT_FALSE(nobody.error().empty());
}

TEST(RefusalMerge, ShowsNoMoreThanAScreenCanBear) {
  Refusals many;
  for (std::uint64_t i = 0; i < kMaxRefusalsShown; ++i) many.emplace_back("i", i);
  const std::vector answers = {Says("tls_listener/0", many), Says("tls_listener/1", many)};
  const proto::CtlResponse merged = MergeRefusals({}, answers);
  EXPECT_EQ(merged.refusals().refusals_size(), static_cast<int>(kMaxRefusalsShown));
  EXPECT_EQ(merged.refusals().refusals(199).at_unix_ms(), 100U);
}

}  // namespace
}  // namespace gatehouse
