#include <algorithm>
#include <numeric>
#include <vector>

#include "core/config/yaml_config.h"

namespace gatehouse {
namespace {

// Levenshtein: insertions, deletions and replacements from `a` to `b`.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

// "trust_anchors" behind "trust".
bool GoesOn(std::string_view word, std::string_view candidate) {
  if (word.empty() || !candidate.starts_with(word) || candidate.size() == word.size()) return false;
  return candidate[word.size()] == '_' || candidate[word.size()] == '-';
}

}  // namespace

std::string_view NearestWord(std::string_view word, std::string_view candidates) {
  std::string_view nearest;
  std::string_view longer;  // the one that goes on where `word` ends, as a further word
  bool is_one = true;
  std::size_t least = word.size() / 3 + 2;  // as many letters wrong is another word
  while (!candidates.empty()) {
    const std::string_view candidate = candidates.substr(0, candidates.find(' '));
    candidates.remove_prefix(std::min(candidates.size(), candidate.size() + 1));
    if (GoesOn(word, candidate)) {
      is_one = longer.empty();
      longer = candidate;
    }
    if (word.size() >= candidate.size() + least) continue;
    const std::size_t distance = Distance(word, candidate);
    if (distance >= least || distance >= candidate.size()) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest.empty() && is_one ? longer : nearest;
}

}  // namespace gatehouse
