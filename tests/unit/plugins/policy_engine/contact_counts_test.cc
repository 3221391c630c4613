#include "plugins/policy_engine/contact_counts.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace gatehouse::policy_engine {
namespace {

TEST(ContactCounts, APartnerHasTheContactsOfAllItsDomains) {
  ContactCounts counts;
  counts.Add(1, "a", 3);
  counts.Add(2, "a");
  counts.Add(3, "b");
  EXPECT_EQ(counts.OfPartner("a"), 4);
  EXPECT_EQ(counts.OfPartnerWith(2), 4);
  EXPECT_EQ(counts.OfPartner("b"), 1);
  EXPECT_EQ(counts.OfPartner("c"), 0);
  EXPECT_EQ(counts.OfPartnerWith(9), 0);
}

TEST(ContactCounts, WhatIsTakenAwayCountsNoMoreAndADroppedDomainHasNothingToLose) {
  ContactCounts counts;
  counts.Add(1, "a", 3);
  counts.Add(2, "a", 2);
  counts.Remove(1);
  EXPECT_EQ(counts.OfPartner("a"), 4);
  counts.Drop(2);
  counts.Remove(2);
  EXPECT_EQ(counts.OfPartner("a"), 2);
  EXPECT_FALSE(counts.Has(2));
}

TEST(ContactCounts, ANumberThatWasTakenBackMayBeAnotherPartnersNext) {
  ContactCounts counts;
  counts.Add(1, "a");
  counts.TakeBack();
  counts.Add(1, "b");
  EXPECT_EQ(counts.OfPartner("a"), 0);
  EXPECT_EQ(counts.OfPartner("b"), 1);
}

// Against a count that is kept the simple way: a copy of it before each transaction.
TEST(ContactCounts, ATransactionThatFailsLeavesNoTrace) {
  struct Simple {
    std::map<int, int> of_domain;
    [[nodiscard]] int OfPartner(int partner) const {
      int sum = 0;
      for (const auto& [domain, contacts] : of_domain)
        if (domain % 3 == partner) sum += contacts;
      return sum;
    }
  };
  std::mt19937 random(7);
  const auto below = [&random](int n) {
    return std::uniform_int_distribution<int>(0, n - 1)(random);
  };
  ContactCounts counts;
  Simple simple;
  for (int transaction = 0; transaction < 500; ++transaction) {
    Simple next = simple;
    for (int step = below(8); step >= 0; --step) {
      const int domain = below(9);
      switch (below(4)) {
        case 0:
          counts.Drop(domain);
          next.of_domain.erase(domain);
          break;
        case 1:
          counts.Remove(domain);
          if (next.of_domain.contains(domain) && --next.of_domain[domain] == 0)
            next.of_domain.erase(domain);
          break;
        default:
          counts.Add(domain, std::to_string(domain % 3));
          ++next.of_domain[domain];
      }
    }
    if (below(2) == 0) {
      counts.Keep();
      simple = next;
    } else {
      counts.TakeBack();
    }
    for (int partner = 0; partner < 3; ++partner)
      ASSERT_EQ(counts.OfPartner(std::to_string(partner)), simple.OfPartner(partner))
          << "transaction " << transaction;
  }
}

}  // namespace
}  // namespace gatehouse::policy_engine
