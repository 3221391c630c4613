// Domains that people take for another one: the same skeleton (UTS #39 §4), or a label of several
// scripts (§5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::policy_engine {

class Lookalikes {
 public:
  // `known`: prepared domains that nobody else is to be taken for.
  explicit Lookalikes(const std::vector<std::string>& known);
  // Why `domain` (prepared) may be taken for another one, one sentence with the remedy; empty: no
  // reason is known. One of `known` is not its own look-alike.
  [[nodiscard]] std::string WhyLike(std::string_view domain) const;

 private:
  struct Known {
    std::string skeleton;
    std::string domain;
  };
  std::vector<Known> known_;
};

}  // namespace gatehouse::policy_engine
