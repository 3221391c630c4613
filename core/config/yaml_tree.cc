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
  }
  void OnAlias(const Mark&, YAML::anchor_t anchor) override { Place(anchored_.at(anchor)); }
  void OnScalar(const Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode& node = Add(YamlNode::Kind::kScalar, mark, anchor);
    node.is_quoted = tag == "!";  // as yaml-cpp marks it
    node.scalar = value;
  }
  void OnSequenceStart(const Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back(&Add(YamlNode::Kind::kList, mark, anchor));
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back(&Add(YamlNode::Kind::kMap, mark, anchor));
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  YamlNode& Add(YamlNode::Kind kind, const Mark& mark, YAML::anchor_t anchor) {
    YamlNode& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.line = mark.line + 1;
    if (anchor != YAML::NullAnchor) anchored_[anchor] = &node;
    Place(&node);
    return node;
  }
  void Place(const YamlNode* node) {
    (open_.empty() ? tree_.documents : open_.back()->items).push_back(node);
  }

  YamlTree& tree_;
  std::vector<YamlNode*> open_;  // lists and maps around what is told
  std::unordered_map<YAML::anchor_t, const YamlNode*> anchored_;
};

}  // namespace

YamlTree ReadYamlTree(std::string_view text) {
  YamlTree tree;
  TreeBuilder builder(tree);
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  while (parser.HandleNextDocument(builder))
    if (tree.documents.back()->IsNull()) {
      tree.documents.pop_back();
      break;
    }
  return tree;
}

}  // namespace gatehouse
