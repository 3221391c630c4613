#include "core/tls/verdict_memory.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

PeerCertificate Good(std::int64_t from, std::int64_t to) {
  PeerCertificate verdict;
  verdict.presented = verdict.chain_valid = true;
  verdict.not_before_unix = from;
  verdict.not_after_unix = to;
  return verdict;
}

TEST(VerdictMemory, GivesAGoodVerdictWithinTheValidityOfItsChain) {
  VerdictMemory memory;
  memory.Keep("chain", Good(100, 200));
  EXPECT_NE(memory.Find("chain", 100), nullptr);
  EXPECT_NE(memory.Find("chain", 200), nullptr);
  EXPECT_EQ(memory.Find("another", 150), nullptr);
}

TEST(VerdictMemory, HasNoVerdictAfterTheClockWentPastTheChainOrBeforeIt) {
  VerdictMemory memory;
  memory.Keep("chain", Good(100, 200));
  EXPECT_EQ(memory.Find("chain", 201), nullptr);
  EXPECT_EQ(memory.Find("chain", 99), nullptr);
}

TEST(VerdictMemory, KeepsNoBadVerdict) {
  VerdictMemory memory;
  PeerCertificate bad = Good(100, 200);
  bad.chain_valid = false;
  memory.Keep("chain", bad);
  EXPECT_EQ(memory.Find("chain", 150), nullptr);
}

TEST(VerdictMemory, ForgetsTheOldestOfTooMany) {
  VerdictMemory memory;
  for (std::size_t i = 0; i <= kMaxKeptVerdicts; ++i)
    memory.Keep(std::to_string(i), Good(100, 200));
  EXPECT_EQ(memory.Find("0", 150), nullptr);
  EXPECT_NE(memory.Find("1", 150), nullptr);
  EXPECT_NE(memory.Find(std::to_string(kMaxKeptVerdicts), 150), nullptr);
}

}  // namespace
}  // namespace gatehouse
