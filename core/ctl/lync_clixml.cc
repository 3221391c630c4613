// Export-Clixml: [MS-PSRP] §2.2.5, as far as property bags of simple values, lists and enums go.
#include <expat.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/ctl/lync_export.h"

namespace gatehouse::ctl {
namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::string_view kRemedy = "write it again with Export-Clixml";

struct Node {
  std::string name;
  std::string property;  // N: what the parent calls it
  std::string ref;       // RefId
  std::string text;
  std::vector<Node> children;

  [[nodiscard]] const Node* Child(std::string_view wanted) const {
    const auto found = std::ranges::find(children, wanted, &Node::name);
    return found == children.end() ? nullptr : &*found;
  }
};

// Expat's callbacks build the tree; a document type ends the reading: entities are none of ours.
struct Builder {
  XML_Parser parser;
  Node root;
  std::vector<Node*> open;
  bool refused = false;

  void Stop() {
    refused = true;
    XML_StopParser(parser, XML_FALSE);
  }
};

Builder& Of(void* data) {
  return *static_cast<Builder*>(data);
}

void OnStart(void* data, const XML_Char* name, const XML_Char** attributes) noexcept {
  Builder& builder = Of(data);
  if (builder.open.size() > kMaxDepth) return builder.Stop();
  Node& node = builder.open.back()->children.emplace_back();
  node.name = name;
  for (; *attributes != nullptr; attributes += 2) {
    if (std::string_view(attributes[0]) == "N") node.property = attributes[1];
    if (std::string_view(attributes[0]) == "RefId") node.ref = attributes[1];
  }
  builder.open.push_back(&node);
}

void OnEnd(void* data, const XML_Char* /*name*/) noexcept {
  Of(data).open.pop_back();
}

void OnText(void* data, const XML_Char* text, int size) noexcept {
  Of(data).open.back()->text.append(text, static_cast<std::size_t>(size));
}

void OnDoctype(void* data, const XML_Char*, const XML_Char*, const XML_Char*, int) noexcept {
  Of(data).Stop();
}

struct FreeParser {
  void operator()(XML_Parser parser) const noexcept { XML_ParserFree(parser); }
};

Result<Node> ParseClixml(std::string_view text) {
  const std::unique_ptr<XML_ParserStruct, FreeParser> parser(XML_ParserCreate("UTF-8"));
  GATEHOUSE_CHECK(parser != nullptr);
  Builder builder{parser.get(), {}, {}, false};
  builder.open.push_back(&builder.root);
  XML_SetUserData(parser.get(), &builder);
  XML_SetElementHandler(parser.get(), OnStart, OnEnd);
  XML_SetCharacterDataHandler(parser.get(), OnText);
  XML_SetStartDoctypeDeclHandler(parser.get(), OnDoctype);
  const auto status = XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
  if (builder.refused)
    return BadConfig("the XML has a document type or is nested too deeply for CLIXML; " +
                     std::string(kRemedy));
  if (status != XML_STATUS_OK)
    return BadConfig("line " + std::to_string(XML_GetCurrentLineNumber(parser.get())) +
                     " is not well-formed XML; " + std::string(kRemedy));
  return std::move(builder.root);
}

// "_x000A_" is one UTF-16 unit. Only those of ASCII occur in what is read here.
std::string Unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = text.substr(at);
    const bool escape = rest.size() >= 7 && rest.starts_with("_x00") && rest[6] == '_';
    const auto digit = [&](std::size_t i) {
      const std::string_view digits = "0123456789ABCDEF";
      const char upper =
          rest[i] >= 'a' && rest[i] <= 'f' ? static_cast<char>(rest[i] - 32) : rest[i];
      return digits.find(upper);
    };
    if (!escape || digit(4) >= 8 || digit(5) > 15) {
      out += text[at];
      continue;
    }
    out += static_cast<char>(digit(4) * 16 + digit(5));
    at += 6;
  }
  return out;
}

class Reader {
 public:
  std::vector<LyncObject> Read(const Node& root) {
    Collect(root);
    return std::move(objects_);
  }

 private:
  // Objects with properties, at the top or in a list of them.
  void Collect(const Node& parent) {
    for (const Node& node : parent.children) {
      if (node.name == "Obj" && node.Child("Props") != nullptr)
        objects_.push_back(ObjectOf(node));
      else if (node.name == "Obj" || node.name == "Objs" || node.name == "LST" || node.name == "IE")
        Collect(node);
    }
  }

  LyncObject ObjectOf(const Node& node) {
    LyncObject object;
    object.type = TypeOf(node);
    for (const std::string_view bag : {"Props", "MS"})
      if (const Node* properties = node.Child(bag))
        for (const Node& property : properties->children)
          object.values.emplace(Unescaped(property.property), ValueOf(property));
    return object;
  }

  // The first name in TN is the object's own type; TNRef repeats one.
  std::string TypeOf(const Node& node) {
    if (const Node* names = node.Child("TN")) {
      const Node* first = names->Child("T");
      return types_[names->ref] = first == nullptr ? std::string() : first->text;
    }
    const Node* again = node.Child("TNRef");
    return again == nullptr ? std::string() : types_[again->ref];
  }

  LyncValue ValueOf(const Node& node) {
    if (node.name == "Ref") return by_ref_[node.ref];
    if (node.name == "Nil") return {};
    if (node.name != "Obj") return Single(node.text);
    LyncValue value = ObjectValue(node);
    by_ref_[node.ref] = value;
    return value;
  }

  LyncValue ObjectValue(const Node& node) {
    TypeOf(node);
    for (const std::string_view list : {"LST", "IE", "STK", "QUE"})
      if (const Node* items = node.Child(list)) return ListOf(*items);
    const Node* text = node.Child("ToString");
    return text == nullptr ? LyncValue{} : Single(text->text);
  }

  LyncValue ListOf(const Node& items) {
    LyncValue value;
    for (const Node& item : items.children)
      for (std::string& text : ValueOf(item).items) value.items.push_back(std::move(text));
    return value;
  }

  static LyncValue Single(const std::string& text) {
    return text.empty() ? LyncValue{} : LyncValue{{Unescaped(text)}, false, false};
  }

  std::vector<LyncObject> objects_;
  std::map<std::string, std::string> types_;
  std::map<std::string, LyncValue> by_ref_;
};

}  // namespace

Result<std::vector<LyncObject>> ReadClixml(std::string_view text) {
  GATEHOUSE_TRY(const Node root, ParseClixml(text));
  return Reader().Read(root);
}

}  // namespace gatehouse::ctl
