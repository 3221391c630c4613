#include "core/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>
#include <unordered_map>

namespace gatehouse {
namespace {

using YAML::Mark;

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(YamlTree& tree) : tree_(tree) {}

  void OnDocumentStart(const Mark&) override { anchored_.clear(); }
  void OnDocumentEnd() override {}
  void OnNull(const Mark& mark, YAML::anchor_t anchor) override {
    Add(YamlNode::Kind::kNull, mark, anchor);
    End(anchor, kYamlNodeOctets);
  }
  void OnAlias(const Mark& mark, YAML::anchor_t anchor) override {
    const Anchored& named = anchored_.at(anchor);
    repeated_ += named.octets;
    const bool is_inside = named.octets == 0;
    if (tree_.too_much_line == 0 && (is_inside || repeated_ > kMaxRepeatedOctets))
      tree_.too_much_line = mark.line + 1;
    if (tree_.too_much_line != 0) return;
    Place(named.node);
    End(YAML::NullAnchor, named.octets);
  }
  void OnScalar(const Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode& node = Add(YamlNode::Kind::kScalar, mark, anchor);
    node.is_quoted = tag == "!";  // as yaml-cpp marks it
    node.scalar = value;
    End(anchor, kYamlNodeOctets + value.size());
  }
  void OnSequenceStart(const Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back({&Add(YamlNode::Kind::kList, mark, anchor), anchor});
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back({&Add(YamlNode::Kind::kMap, mark, anchor), anchor});
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Anchored {
    const YamlNode* node = nullptr;
    std::uint64_t octets = 0;  // 0: it has not ended yet
  };
  // A list or a map around what is told.
  struct Around {
    YamlNode* node = nullptr;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::uint64_t octets = kYamlNodeOctets;  // of all that is in it, by now
  };

  YamlNode& Add(YamlNode::Kind kind, const Mark& mark, YAML::anchor_t anchor) {
    YamlNode& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.line = mark.line + 1;
    if (anchor != YAML::NullAnchor) anchored_[anchor] = {&node};
    Place(&node);
    return node;
  }
  void Place(const YamlNode* node) {
    (open_.empty() ? tree_.documents : open_.back().node->items).push_back(node);
  }
  // A node has ended, with so many octets in it.
  void End(YAML::anchor_t anchor, std::uint64_t octets) {
    if (anchor != YAML::NullAnchor) anchored_[anchor].octets = octets;
    if (!open_.empty()) open_.back().octets += octets;
  }
  void Close() {
    const Around ended = open_.back();
    open_.pop_back();
    End(ended.anchor, ended.octets);
  }

  YamlTree& tree_;
  std::vector<Around> open_;
  std::unordered_map<YAML::anchor_t, Anchored> anchored_;
  std::uint64_t repeated_ = 0;  // by aliases
};

}  // namespace

YamlTree ReadYamlTree(std::string_view text) {
  YamlTree tree;
  TreeBuilder builder(tree);
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  while (tree.too_much_line == 0 && parser.HandleNextDocument(builder))
    if (!tree.documents.empty() && tree.documents.back()->IsNull()) {
      tree.documents.pop_back();
      break;
    }
  return tree;
}

}  // namespace gatehouse
