// A YAML document as a tree: what yaml-cpp tells while it reads, kept in little memory. Its own
// nodes cost many times as much, which counts with thousands of partners.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMap };

  [[nodiscard]] bool IsNull() const { return kind == Kind::kNull; }
  [[nodiscard]] bool IsScalar() const { return kind == Kind::kScalar; }
  [[nodiscard]] bool IsList() const { return kind == Kind::kList; }
  [[nodiscard]] bool IsMap() const { return kind == Kind::kMap; }

  Kind kind = Kind::kNull;
  bool is_quoted = false;
  int line = 1;
  std::string scalar;
  std::vector<const YamlNode*> items;  // of a list; of a map a key, its value, the next key
};

struct YamlTree {
  std::deque<YamlNode> nodes;              // of all documents
  std::vector<const YamlNode*> documents;  // up to the first that is empty
};

// Throws what yaml-cpp throws where `text` is not well-formed.
[[nodiscard]] YamlTree ReadYamlTree(std::string_view text);

}  // namespace gatehouse
