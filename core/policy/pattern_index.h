// Grants of access policies by pattern ("sales-*@contoso.example"), so that who holds for a user is
// found without a look at each. Immutable once sealed.
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proto/policy_snapshot.pb.h"

namespace gatehouse {

class PatternIndex {
 public:
  // `pattern` (any number of "*" in its localpart, its domain exactly) and `policy` outlive this.
  void Add(std::string_view pattern, const proto::AccessPolicy& policy);
  // After the last Add, before the first Find.
  void Seal();
  // The policy of the narrowest pattern, the one with the most characters that are no "*", that a
  // user of ours (prepared) fits; of equal ones a policy without access. Null: he fits none.
  // Total: no allocation, no I/O.
  [[nodiscard]] const proto::AccessPolicy* Find(std::string_view local,
                                                std::string_view domain) const;

 private:
  struct Row {
    std::string_view pattern;  // of the localpart
    std::size_t literals = 0;  // its characters that are no "*"
    const proto::AccessPolicy* policy = nullptr;
    [[nodiscard]] bool IsBefore(const Row& other) const;
  };
  using Rows = std::vector<Row>;  // the narrowest first
  // Patterns by what stands before their first "*", or after their last.
  struct ByEnd {
    std::unordered_map<std::string_view, Rows> rows;
    std::vector<std::size_t> lengths;  // of the keys, each once
    void Seal();
  };
  struct Domain {
    ByEnd by_start;  // nothing in front of the first "*": by_rest
    ByEnd by_rest;
  };
  static void Look(const ByEnd& by_end, std::string_view local, bool at_start, const Row*& best);

  std::unordered_map<std::string_view, Domain> domains_;
};

}  // namespace gatehouse
