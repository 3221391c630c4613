// Domains that people take for another one: the same skeleton (UTS #39 §4), or a label of several
// scripts (§5).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "proto/policy_snapshot.pb.h"

namespace gatehouse::policy_engine {

class Lookalikes {
 public:
  // `known`: prepared domains that nobody else is to be taken for.
  explicit Lookalikes(const std::vector<std::string>& known);
  // One more; of a wildcard what it is above.
  void Add(std::string_view domain);
  void Add(const proto::Partner& partner);  // all of its domains
  // Why `domain` (prepared, or a wildcard) may be taken for another one, one sentence with the
  // remedy; empty: no reason is known. One of the known is not its own look-alike.
  [[nodiscard]] std::string WhyLike(std::string_view domain) const;

 private:
  std::unordered_map<std::string, std::string> by_skeleton_;  // the first one that has it
  std::unordered_set<std::string> known_;
};

}  // namespace gatehouse::policy_engine
