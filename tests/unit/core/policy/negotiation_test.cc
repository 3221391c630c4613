#include "core/policy/negotiation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace gatehouse {
namespace {

constexpr auto kR = NegotiationLevel::kRequired;
constexpr auto kO = NegotiationLevel::kOptional;
constexpr auto kN = NegotiationLevel::kNotSupported;

struct MatrixLine {
  int number;
  NegotiationRow row;
  std::string_view methods;  // letters of 4.1
  std::string_view notes;    // codes in the table's order
};

// The table of 4.2, word for word.
// clang-format off
constexpr std::array kMatrix = {
    MatrixLine{1,  {kR, kR, true},  "A",   "W1"},
    MatrixLine{2,  {kR, kR, false}, "A",   ""},
    MatrixLine{3,  {kO, kR, true},  "ABC", "W2 W4 W5"},
    MatrixLine{4,  {kO, kR, false}, "A",   "W2"},
    MatrixLine{5,  {kN, kR, true},  "C",   "W3 W4"},
    MatrixLine{6,  {kN, kR, false}, "",    "E1"},
    MatrixLine{7,  {kR, kO, true},  "AB",  ""},
    MatrixLine{8,  {kR, kO, false}, "A",   ""},
    MatrixLine{9,  {kO, kO, true},  "ABC", "W2 W4"},
    MatrixLine{10, {kO, kO, false}, "A",   "W2"},
    MatrixLine{11, {kN, kO, true},  "C",   "W3 W4"},
    MatrixLine{12, {kN, kO, false}, "",    "E1"},
    MatrixLine{13, {kR, kN, true},  "B",   ""},
    MatrixLine{14, {kR, kN, false}, "",    "E2"},
    MatrixLine{15, {kO, kN, true},  "BC",  "W4"},
    MatrixLine{16, {kO, kN, false}, "",    "E2"},
    MatrixLine{17, {kN, kN, true},  "C",   "W4"},
    MatrixLine{18, {kN, kN, false}, "",    "E2"},
};
// clang-format on

std::string Letters(const MethodSet& methods) {
  std::string letters;
  if (methods.sasl_tls) letters += 'A';
  if (methods.tls_dialback) letters += 'B';
  if (methods.tcp_dialback) letters += 'C';
  return letters;
}

std::string Codes(const std::vector<NegotiationNote>& notes) {
  std::string codes;
  for (const NegotiationNote note : notes) {
    if (!codes.empty()) codes += ' ';
    codes += NoteCode(note);
  }
  return codes;
}

TEST(Negotiation, PermitsTheMethodsOfEachOfThe18Rows) {
  for (const MatrixLine& expected : kMatrix)
    EXPECT_EQ(Letters(PermittedMethods(expected.row)), expected.methods)
        << "row " << expected.number;
}

TEST(Negotiation, NotesWhatTheTableNotesForEachOfThe18Rows) {
  for (const MatrixLine& expected : kMatrix)
    EXPECT_EQ(Codes(NotesOf(expected.row)), expected.notes) << "row " << expected.number;
}

TEST(Negotiation, NumbersTheRowsAsTheTableDoes) {
  for (const MatrixLine& expected : kMatrix) EXPECT_EQ(RowNumber(expected.row), expected.number);
}

TEST(Negotiation, RefusesExactlyTheFiveRowsWithoutAMethod) {
  std::vector<int> refused;
  for (const MatrixLine& expected : kMatrix) {
    const std::vector<NegotiationNote> notes = NotesOf(expected.row);
    const bool refusal = !notes.empty() && IsRefusal(notes.front());
    EXPECT_EQ(refusal, PermittedMethods(expected.row).empty());
    if (refusal) refused.push_back(expected.number);
  }
  EXPECT_THAT(refused, testing::ElementsAre(6, 12, 14, 16, 18));
}

TEST(Negotiation, ReadsTheRowOfAPartnerRecord) {
  proto::Partner partner;
  partner.set_tls(proto::OPTIONAL);
  partner.set_sasl(proto::NOT_SUPPORTED);
  partner.set_dialback(true);
  EXPECT_EQ(RowNumber(RowOf(partner)), 15);
  partner.set_strict_sasl(true);
  EXPECT_TRUE(RowOf(partner).strict_sasl);
}

// 4.3 no. 4; every other row is as it was.
TEST(Negotiation, StrictSaslTakesDialbackFromWhatRequiresSasl) {
  for (const MatrixLine& line : kMatrix) {
    NegotiationRow strict = line.row;
    strict.strict_sasl = true;
    const std::string expected = line.number == 3   ? "A"
                                 : line.number == 5 ? ""
                                                    : std::string(line.methods);
    EXPECT_EQ(Letters(PermittedMethods(strict)), expected) << line.number;
  }
  EXPECT_EQ(Codes(NotesOf({kO, kR, true, true})), "W2");
  EXPECT_EQ(Codes(NotesOf({kN, kR, true, true})), "E1");
}

TEST(Negotiation, ReadsAnUnknownLevelAsRequired) {
  proto::Partner partner;
  partner.set_tls(static_cast<proto::Negotiation>(7));
  EXPECT_EQ(RowOf(partner).tls, kR);
}

TEST(Negotiation, KnowsEachMethodByItsName) {
  const MethodSet methods = PermittedMethods({kR, kO, true});
  EXPECT_TRUE(methods.Has(proto::SASL_TLS));
  EXPECT_TRUE(methods.Has(proto::TLS_DIALBACK));
  EXPECT_FALSE(methods.Has(proto::TCP_DIALBACK));
  EXPECT_FALSE(methods.Has(proto::AUTH_METHOD_NONE));
  EXPECT_EQ(MethodName(proto::SASL_TLS), "sasl_tls");
  EXPECT_EQ(MethodName(proto::TLS_DIALBACK), "tls_dialback");
  EXPECT_EQ(MethodName(proto::TCP_DIALBACK), "tcp_dialback");
}

}  // namespace
}  // namespace gatehouse
