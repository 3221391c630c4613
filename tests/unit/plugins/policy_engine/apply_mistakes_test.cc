// What is wrong with a file of `apply` is told all at once, of the file and of what stays beside
// it.
#include "tests/unit/plugins/policy_engine/apply_scene.h"

namespace gatehouse::policy_engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

class ApplyMistakes : public ApplyScene {
 protected:
  std::vector<std::string> LinesOf(const std::string& text, const Adjust& adjust = {}) {
    const ctl::Ending ending = Apply(text, adjust);
    EXPECT_EQ(ending.exit_code, ctl::kRefused);
    std::vector<std::string> lines;
    std::istringstream stream(ending.err);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }
};

TEST_F(ApplyMistakes, AreAThousandAtMostAndNameAFewTypes) {
  std::string text = "partner_types:\n";
  for (int i = 0; i < 20; ++i) text += "  - name: t" + std::to_string(i) + "\n";
  text += "partners:\n";
  for (int i = 0; i < 1003; ++i)
    text += "  - {domain: p" + std::to_string(i) + ".example, type: x}\n";
  const std::vector<std::string> lines = LinesOf(text);
  ASSERT_EQ(lines.size(), 1001U);
  EXPECT_THAT(lines.front(), HasSubstr(", t7, ... (gatehousectl partner type list), or "));
  EXPECT_EQ(lines.back(), "and 3 more mistakes; mend these first");
}

TEST_F(ApplyMistakes, ARecordThatIsNotInTheFileHasNoLineInIt) {
  EXPECT_THAT(
      LinesOf("denied: [{domain: partner.example}]\n"),
      ElementsAre(MatchesRegex(
          "/tmp/scratch-[^:]*: partner partner.example, which is here and not in the file: domain "
          "'partner.example' is on the deny list by 'partner.example'; leave one of the two out")));
  EXPECT_EQ(Apply("partner_types: [{name: supplier}]\n"
                  "partners: [{domain: partner.example, type: supplier}]\n")
                .err,
            "");
  EXPECT_THAT(LinesOf("partner_types: [{name: buyer}]\n"),
              ElementsAre(HasSubstr(": partner partner.example, which is here and not in the file: "
                                    "'supplier' is no partner type; use one of federated, "
                                    "public-verified, public-unverified, buyer, or put it below "
                                    "'partner_types:' in the file")));
  EXPECT_THAT(LinesOf("partners: [{domain: a.example, type: buyer}]\n"),
              ElementsAre(HasSubstr(":1: key 'partners[0].type': partner a.example: ")));
}

TEST_F(ApplyMistakes, WhatCannotBeReadHidesNothingElse) {
  const std::uint64_t before = revision();
  EXPECT_THAT(LinesOf("partners:\n"
                      "  - domain: a.example\n"
                      "    dane: friend\n"
                      "    type: friend\n"
                      "    dialback: false\n"
                      "    tls: not-supported\n"
                      "  - domain: '@'\n"
                      "  - domain: partner.example\n"
                      "    expires: 2001-01-01\n"
                      "  - domain: contoso.examp1e\n"),
              ElementsAre(HasSubstr(":3: key 'partners[0].dane': is 'friend'"),
                          HasSubstr(":4: key 'partners[0].type': partner a.example: 'friend' is "),
                          HasSubstr(":7: key 'partners[1].domain': partner @: '@' is not a domain"),
                          HasSubstr(":9: key 'partners[2].expires': partner partner.example: the "
                                    "partner would have expired"),
                          HasSubstr(":10: key 'partners[3].domain': partner contoso.examp1e: ")))
      << "of the row of a.example nothing is said";
  EXPECT_EQ(revision(), before);
}

// Nor is anything said of what hangs on it.
TEST_F(ApplyMistakes, WhatCannotBeReadIsToldOnce) {
  EXPECT_THAT(LinesOf("partner_types:\n"
                      "  - name: [supplier]\n"
                      "partners:\n"
                      "  - {domain: a.example, type: supplier}\n"
                      "  - {domain: [b.example], additional_domains: [c.example]}\n"
                      "  - {domain: d.example, additional_domains: [c.example]}\n"
                      "contacts:\n" +
                      Marks(0, 1, "allowed") + Marks(0, 1, "learned")),
              ElementsAre(HasSubstr(":2: key 'partner_types[0].name'"),
                          HasSubstr(":5: key 'partners[1].domain'")));
  EXPECT_THAT(LinesOf("partnrs: []\ndenied: [{domain: partner.example}]\n"),
              ElementsAre(HasSubstr(":1: key 'partnrs': is not known")));
  EXPECT_THAT(
      LinesOf("denied: [{domain: x.example, tls: required}]\ncontacts:\n" + Marks(0, 1, "learned")),
      ElementsAre(HasSubstr(":1: key 'denied[0].tls'"),
                  HasSubstr(":3: key 'contacts[0].state': is 'learned'")));
}

TEST_F(ApplyMistakes, AFileThatIsReadIsAppliedOnce) {
  asked_.clear();
  EXPECT_EQ(Apply("denied: []\n").err, "");
  EXPECT_THAT(asked_, ElementsAre(proto::CtlRequest::kApply));
}

}  // namespace
}  // namespace gatehouse::policy_engine
