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

// What all aliases (*name) of a text may repeat: the octets of its scalars, and kYamlNodeOctets for
// each scalar, list and group of keys. An anchor in an anchor multiplies, so that a few lines could
// stand for more than any memory holds; 20,000 partners that share a certificate of 1500 octets by
// an alias are within it.
inline constexpr std::uint64_t kMaxRepeatedOctets = 32ULL * 1024 * 1024;
inline constexpr std::uint64_t kYamlNodeOctets = 64;

struct YamlTree {
  std::deque<YamlNode> nodes;              // of all documents
  std::vector<const YamlNode*> documents;  // up to the first that is empty
  // Where the aliases repeat more than that, or one stands inside of what it names. Then the tree
  // lacks it, and must not be walked. 0: nowhere.
  int too_much_line = 0;
};

// Throws what yaml-cpp throws where `text` is not well-formed.
[[nodiscard]] YamlTree ReadYamlTree(std::string_view text);

}  // namespace gatehouse
