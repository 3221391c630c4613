#include "core/xmpp/xml_reader.h"

#include <expat.h>
#include <google/protobuf/arena.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/base/limits.h"
#include "core/base/utf8_check.h"
#include "core/tls/crypto.h"
#include "core/xmpp/element.h"

namespace gatehouse {
namespace {

using proto::Element;

// Form feed is no character of XML 1.0, so no name and no namespace can hold it.
constexpr char kSeparator = '\f';
// One tag with its attributes. expat keeps an unfinished one and scans it again with each piece, so
// a tag may not be as large as a stanza; 64 KiB is eight attributes of the greatest size.
constexpr std::size_t kMaxTagBytes = 65536;
// Octets of the tree of one stanza. Each element and attribute repeats its namespace's name there:
// a few KiB of XML could grow to a hundred MiB. Twice the stanza leaves room for what honest
// stanzas repeat.
constexpr std::size_t kMaxTreeBytes = 2 * kMaxStanzaBytes;
// The stream's start tag (2.2 no. 13).
constexpr std::size_t kMaxHeaderAttributes = 16;
constexpr std::size_t kMaxHeaderAttributeBytes = 3072;
// What expat holds for one stream: it keeps each name it has met until the stream ends, so that a
// peer whose names are never the same would fill the worker. With what waits to be written it stays
// below the 2 MiB of 12.5.
constexpr std::size_t kMaxParserBytes = 512 * 1024;
// A message with a few children fits.
constexpr std::size_t kArenaBlockBytes = 4096;
// Features, and whatever else comes first: many streams never bring more.
constexpr std::size_t kFirstBlockBytes = 512;

// Where the tree of a stanza grows. One serves a stream from its second element until it rests:
// most of the streams of an edge are silent.
struct StanzaMemory {
  explicit StanzaMemory(std::size_t block_bytes)
      : block(std::make_unique_for_overwrite<char[]>(block_bytes)),
        arena(block.get(), block_bytes) {}
  std::unique_ptr<char[]> block;
  google::protobuf::Arena arena;
};

// Counts what expat allocates while one of these lives. expat tells its functions nothing of whom
// they serve, hence the variable of the thread.
class ExpatAccount {
 public:
  explicit ExpatAccount(std::size_t& bytes) : outer_(current_) { current_ = &bytes; }
  ~ExpatAccount() { current_ = outer_; }
  ExpatAccount(const ExpatAccount&) = delete;
  ExpatAccount& operator=(const ExpatAccount&) = delete;

  static void* Allocate(std::size_t size) noexcept { return Added(std::malloc(size)); }
  static void* Reallocate(void* block, std::size_t size) noexcept {
    const std::size_t before = malloc_usable_size(block);
    void* const moved = std::realloc(block, size);
    if (moved != nullptr) *current_ -= before;
    return Added(moved);
  }
  static void Free(void* block) noexcept {
    *current_ -= malloc_usable_size(block);
    std::free(block);
  }

 private:
  static void* Added(void* block) noexcept {
    *current_ += malloc_usable_size(block);  // 0 for none
    return block;
  }
  static inline thread_local std::size_t* current_ = nullptr;
  std::size_t* outer_;
};
constexpr XML_Memory_Handling_Suite kCounted = {&ExpatAccount::Allocate, &ExpatAccount::Reallocate,
                                                &ExpatAccount::Free};

struct FreeParser {
  void operator()(XML_Parser parser) const noexcept {
    std::size_t bytes = 0;  // whoever counted is gone
    const ExpatAccount account(bytes);
    XML_ParserFree(parser);
  }
};
using Parser = std::unique_ptr<XML_ParserStruct, FreeParser>;

// "uri SEP local SEP prefix", the last two only where there are any.
struct ExpandedName {
  std::string_view ns, local, prefix;
};

ExpandedName Expand(const char* text) {
  const char* first = std::strchr(text, kSeparator);
  if (first == nullptr) return {{}, text, {}};
  const std::string_view ns(text, static_cast<std::size_t>(first - text));
  const char* second = std::strchr(first + 1, kSeparator);
  if (second == nullptr) return {ns, first + 1, {}};
  return {ns, {first + 1, static_cast<std::size_t>(second - first - 1)}, second + 1};
}

bool IsWhitespace(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool EqualsNoCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  return true;
}

StreamCondition ConditionOf(XML_Error error) {
  switch (error) {
    case XML_ERROR_UNDEFINED_ENTITY:
    case XML_ERROR_RECURSIVE_ENTITY_REF:
    case XML_ERROR_BINARY_ENTITY_REF:
    case XML_ERROR_ATTRIBUTE_EXTERNAL_ENTITY_REF:
    case XML_ERROR_ENTITY_DECLARED_IN_PE:
      return StreamCondition::kRestrictedXml;
    case XML_ERROR_UNKNOWN_ENCODING:
    case XML_ERROR_INCORRECT_ENCODING:
      return StreamCondition::kUnsupportedEncoding;
    case XML_ERROR_NO_MEMORY:
      return StreamCondition::kResourceConstraint;
    default:
      return StreamCondition::kNotWellFormed;
  }
}

// Language tags as 2.2 keeps them; anything else is ignored.
bool IsLanguage(std::string_view text) {
  if (text.empty() || text.size() > 35) return false;
  return text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") ==
         std::string_view::npos;
}

// The parser with the tree it grows. Apart from the reader's handle, because a callback may destroy
// that one while expat is still on the stack.
class Parse {
 public:
  explicit Parse(XmlReader::Events events) : events_(std::move(events)) {}
  bool Begin();
  Result<void, StreamCondition> Feed(std::span<const std::byte> bytes);

  void Stop();
  void Orphan() {
    Stop();
    orphaned_ = true;
  }
  void LiftUnverifiedBudget() { budget_lifted_ = true; }
  void Rest() {
    if (!feeding_ && depth_ <= 1) memory_.reset();
  }
  [[nodiscard]] bool feeding() const { return feeding_; }
  [[nodiscard]] bool orphaned() const { return orphaned_; }
  [[nodiscard]] std::span<const std::byte> unread() const { return unread_; }

 private:
  static Parse& Of(void* data) { return *static_cast<Parse*>(data); }
  static void OnStart(void* data, const char* name, const char** attributes) noexcept;
  static void OnEnd(void* data, const char* name) noexcept;
  static void OnText(void* data, const char* text, int size) noexcept;
  static void OnNamespace(void* data, const char* prefix, const char* uri) noexcept;
  static void OnXmlDeclaration(void* data, const char* version, const char* encoding,
                               int standalone) noexcept;
  static void OnDoctype(void* data, const char*, const char*, const char*, int) noexcept {
    Of(data).Refuse(StreamCondition::kRestrictedXml);
  }
  static void OnComment(void* data, const char*) noexcept {
    Of(data).Refuse(StreamCondition::kRestrictedXml);
  }
  static void OnInstruction(void* data, const char*, const char*) noexcept {
    Of(data).Refuse(StreamCondition::kRestrictedXml);
  }

  Result<void, StreamCondition> CheckFirstBytes(std::span<const std::byte> bytes) const;
  Result<void, StreamCondition> FeedSlice(std::span<const std::byte> bytes);
  bool ParseBytes(std::span<const std::byte> bytes);
  Result<void, StreamCondition> CheckSizes();
  void Refuse(StreamCondition condition);
  void ReadHeader(const ExpandedName& name, const char** attributes);
  bool TakeHeaderAttribute(StreamHeader& header, const ExpandedName& name,
                           std::string_view value) const;
  void OpenElement(const ExpandedName& name, const char** attributes);
  bool AddAttributes(Element& element, const char** attributes);
  void CloseTopLevel();
  void KeepHeadOnly();
  [[nodiscard]] std::size_t Position() const;  // of the first byte behind the current event
  [[nodiscard]] std::size_t EventBegin() const;
  [[nodiscard]] bool HasFailed() const { return refused_ || stopped_; }

  XmlReader::Events events_;
  std::size_t parser_bytes_ = 0;  // what expat holds
  Parser parser_;
  Utf8Check utf8_;
  std::unique_ptr<StanzaMemory> memory_;                              // null: none since it rested
  std::array<Element*, static_cast<std::size_t>(kMaxDepth)> open_{};  // from the stanza inwards
  std::unique_ptr<Element> oversized_;  // the start tag of a stanza too large to keep
  StreamHeader header_;
  std::span<const std::byte> unread_;
  std::span<const std::byte> feed_;
  std::size_t fed_ = 0;          // bytes given to expat in all
  std::size_t slice_begin_ = 0;  // value of fed_ before the bytes expat holds now
  std::size_t element_begin_ = 0;
  int depth_ = 0;               // 0 before the stream's start tag, 1 between stanzas
  int children_ = 0;            // elements below the stanza so far
  std::size_t tree_bytes_ = 0;  // of the stanza's names, namespaces and values so far
  int namespaces_ = 0;          // declarations of the tag being read
  StreamCondition refusal_ = StreamCondition::kNotWellFormed;
  bool refused_ = false;
  bool stopped_ = false;
  bool feeding_ = false;
  bool orphaned_ = false;
  bool budget_lifted_ = false;
  bool first_ = true;  // no element has ended yet
};

bool Parse::Begin() {
  const ExpatAccount account(parser_bytes_);
  constexpr std::array<char, 2> kSeparatorText = {kSeparator, '\0'};
  parser_.reset(XML_ParserCreate_MM("UTF-8", &kCounted, kSeparatorText.data()));
  if (!parser_) return false;
  unsigned long salt = 0;
  const std::string random = RandomBytes(sizeof salt);
  std::memcpy(&salt, random.data(), sizeof salt);
  XML_SetHashSalt(parser_.get(), salt | 1U);  // 0 would mean: choose one yourself
#ifdef GATEHOUSE_EXPAT_HAS_REPARSE_DEFERRAL
  // Deferral would hold back a finished stanza until more bytes come. What it protects from is
  // bounded here by kMaxTagBytes.
  XML_SetReparseDeferralEnabled(parser_.get(), XML_FALSE);
#endif
  XML_SetUserData(parser_.get(), this);
  XML_SetReturnNSTriplet(parser_.get(), 1);
  XML_SetElementHandler(parser_.get(), OnStart, OnEnd);
  XML_SetCharacterDataHandler(parser_.get(), OnText);
  XML_SetStartNamespaceDeclHandler(parser_.get(), OnNamespace);
  XML_SetXmlDeclHandler(parser_.get(), OnXmlDeclaration);
  XML_SetStartDoctypeDeclHandler(parser_.get(), OnDoctype);
  XML_SetCommentHandler(parser_.get(), OnComment);
  XML_SetProcessingInstructionHandler(parser_.get(), OnInstruction);
  return true;
}

std::size_t Parse::EventBegin() const {
  return static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_.get()));
}

std::size_t Parse::Position() const {
  return EventBegin() + static_cast<std::size_t>(XML_GetCurrentByteCount(parser_.get()));
}

void Parse::Refuse(StreamCondition condition) {
  if (HasFailed()) return;
  refused_ = true;
  refusal_ = condition;
  XML_StopParser(parser_.get(), XML_FALSE);
}

void Parse::Stop() {
  if (HasFailed()) return;
  stopped_ = true;
  if (!feeding_) return;
  const std::size_t used = Position() - slice_begin_;
  unread_ = used < feed_.size() ? feed_.subspan(used) : std::span<const std::byte>{};
  XML_StopParser(parser_.get(), XML_FALSE);
}

Result<void, StreamCondition> Parse::Feed(std::span<const std::byte> bytes) {
  if (refused_) return std::unexpected(refusal_);
  if (stopped_) {
    unread_ = bytes;
    return {};
  }
  if (auto first = CheckFirstBytes(bytes); !first) {
    refused_ = true;
    refusal_ = first.error();
    return first;
  }
  feeding_ = true;
  feed_ = bytes;
  slice_begin_ = fed_;
  const std::size_t sound = utf8_.Feed(bytes);
  auto result = FeedSlice(bytes.first(sound));
  feeding_ = false;
  if (result && sound < bytes.size() && !stopped_) {
    refused_ = true;
    refusal_ = StreamCondition::kUnsupportedEncoding;
    return std::unexpected(refusal_);
  }
  return result;
}

// expat would swallow a byte order mark, and take a NUL among the first two bytes for UTF-16
// whatever encoding it was told. The mark is an ordinary character here, and no tag (2.2 no. 1).
Result<void, StreamCondition> Parse::CheckFirstBytes(std::span<const std::byte> bytes) const {
  for (std::size_t i = 0; i < bytes.size() && fed_ + i < 2; ++i) {
    if (bytes[i] == std::byte{0}) return std::unexpected(StreamCondition::kUnsupportedEncoding);
    if (fed_ + i == 0 && bytes[i] == std::byte{0xEF})
      return std::unexpected(StreamCondition::kNotWellFormed);
  }
  return {};
}

// Before the first verified pair only as much as the budget has left, for a callback may lift it.
Result<void, StreamCondition> Parse::FeedSlice(std::span<const std::byte> bytes) {
  while (!bytes.empty() && !stopped_) {
    std::size_t size = bytes.size();
    if (!budget_lifted_)
      size = std::min(size, kMaxUnverifiedBytes - std::min(kMaxUnverifiedBytes, fed_));
    if (size == 0) {
      refused_ = true;
      refusal_ = StreamCondition::kPolicyViolation;
      return std::unexpected(refusal_);
    }
    const bool parsed = ParseBytes(bytes.first(size));
    if (stopped_) return {};
    if (!parsed) {
      if (!refused_) refusal_ = ConditionOf(XML_GetErrorCode(parser_.get()));
      refused_ = true;
      return std::unexpected(refusal_);
    }
    if (auto sizes = CheckSizes(); !sizes) return sizes;
    bytes = bytes.subspan(size);
  }
  return {};
}

bool Parse::ParseBytes(std::span<const std::byte> bytes) {
  fed_ += bytes.size();
  const ExpatAccount account(parser_bytes_);
  return XML_Parse(parser_.get(), reinterpret_cast<const char*>(bytes.data()),
                   static_cast<int>(bytes.size()), XML_FALSE) == XML_STATUS_OK;
}

// What no handler has seen yet counts too: a tag that never ends is refused while it grows (X7).
Result<void, StreamCondition> Parse::CheckSizes() {
  const std::size_t pending = fed_ - std::min(fed_, Position());
  const bool too_large = depth_ > 1 && fed_ - element_begin_ > 2 * kMaxStanzaBytes;
  const bool sound = pending <= kMaxTagBytes && !too_large;
  if (sound && parser_bytes_ <= kMaxParserBytes) return {};
  refused_ = true;
  refusal_ = sound ? StreamCondition::kResourceConstraint : StreamCondition::kPolicyViolation;
  return std::unexpected(refusal_);
}

void Parse::OnXmlDeclaration(void* data, const char* version, const char* encoding,
                             int standalone) noexcept {
  Parse& self = Of(data);
  if (version == nullptr || std::string_view(version) != "1.0")
    return self.Refuse(StreamCondition::kNotWellFormed);
  if (encoding != nullptr && !EqualsNoCase(encoding, "utf-8"))
    return self.Refuse(StreamCondition::kUnsupportedEncoding);
  if (standalone != -1) self.Refuse(StreamCondition::kRestrictedXml);
}

void Parse::OnNamespace(void* data, const char* prefix, const char* uri) noexcept {
  Parse& self = Of(data);
  if (self.HasFailed()) return;
  const std::string_view value = uri == nullptr ? std::string_view{} : uri;
  // Every element below repeats its namespace in the tree.
  if (++self.namespaces_ > kMaxNamespaceDeclarations || value.size() > kMaxAttributeValueBytes)
    return self.Refuse(StreamCondition::kPolicyViolation);
  if (self.depth_ > 0) return;
  if (prefix == nullptr) self.header_.default_ns = value;
  if (prefix != nullptr && value == ns::kDialback) self.header_.declares_dialback = true;
}

void Parse::OnStart(void* data, const char* name, const char** attributes) noexcept {
  Parse& self = Of(data);
  if (self.HasFailed()) return;
  self.namespaces_ = 0;
  const ExpandedName expanded = Expand(name);
  if (expanded.local.size() > kMaxNameBytes) return self.Refuse(StreamCondition::kPolicyViolation);
  if (self.depth_++ == 0) return self.ReadHeader(expanded, attributes);
  self.OpenElement(expanded, attributes);
}

void Parse::ReadHeader(const ExpandedName& name, const char** attributes) {
  header_.prefix = name.prefix;
  header_.name = name.local;
  header_.ns = name.ns;
  std::size_t count = 0;
  for (; *attributes != nullptr; attributes += 2) {
    if (++count > kMaxHeaderAttributes ||
        !TakeHeaderAttribute(header_, Expand(attributes[0]), attributes[1]))
      return Refuse(StreamCondition::kPolicyViolation);
  }
  if (events_.on_header) events_.on_header(header_);
}

bool Parse::TakeHeaderAttribute(StreamHeader& header, const ExpandedName& name,
                                std::string_view value) const {
  if (value.size() > kMaxHeaderAttributeBytes || name.local.size() > kMaxNameBytes) return false;
  if (name.ns == ns::kXml && name.local == "lang" && IsLanguage(value)) header.lang = value;
  if (!name.ns.empty()) return true;
  if (name.local == "id") header.id = value;
  if (name.local == "from") {
    header.from = value;
    header.has_from = true;
  } else if (name.local == "to") {
    header.to = value;
    header.has_to = true;
  } else if (name.local == "version") {
    header.version = value;
    header.has_version = true;
  }
  return true;
}

// assign, because protobuf's set(pointer, size) makes a string to copy it.
void Parse::OpenElement(const ExpandedName& name, const char** attributes) {
  const int level = depth_ - 2;  // 0 for the stanza itself
  if (level >= kMaxDepth) return Refuse(StreamCondition::kPolicyViolation);
  if (level > 0 && ++children_ > kMaxChildren) return Refuse(StreamCondition::kPolicyViolation);
  if (level > 0 && oversized_) return;
  Element* element = nullptr;
  if (level == 0) {
    element_begin_ = EventBegin();
    children_ = 0;
    tree_bytes_ = 0;
    if (!memory_)
      memory_ = std::make_unique<StanzaMemory>(first_ ? kFirstBlockBytes : kArenaBlockBytes);
    element = google::protobuf::Arena::CreateMessage<Element>(&memory_->arena);
  } else {
    element = open_[static_cast<std::size_t>(level - 1)]->add_children()->mutable_element();
  }
  open_[static_cast<std::size_t>(level)] = element;
  tree_bytes_ += name.ns.size() + name.local.size();
  if (tree_bytes_ > kMaxTreeBytes) return Refuse(StreamCondition::kPolicyViolation);
  element->mutable_name()->assign(name.local);
  if (!name.ns.empty()) element->mutable_ns()->assign(name.ns);
  if (!AddAttributes(*element, attributes)) Refuse(StreamCondition::kPolicyViolation);
}

bool Parse::AddAttributes(Element& element, const char** attributes) {
  for (int count = 0; *attributes != nullptr; attributes += 2) {
    const ExpandedName name = Expand(attributes[0]);
    const std::string_view value = attributes[1];
    if (++count > kMaxAttributes || name.local.size() > kMaxNameBytes ||
        value.size() > kMaxAttributeValueBytes)
      return false;
    tree_bytes_ += name.ns.size() + name.local.size() + value.size();
    if (tree_bytes_ > kMaxTreeBytes) return false;
    proto::Attribute& attribute = *element.add_attributes();
    attribute.mutable_name()->assign(name.local);
    if (!name.ns.empty()) attribute.mutable_ns()->assign(name.ns);
    attribute.mutable_value()->assign(value);
  }
  return true;
}

void Parse::OnText(void* data, const char* text, int size) noexcept {
  Parse& self = Of(data);
  if (self.HasFailed()) return;
  const std::string_view piece(text, static_cast<std::size_t>(size));
  if (self.depth_ == 1) {
    if (!IsWhitespace(piece)) return self.Refuse(StreamCondition::kBadFormat);
    if (self.events_.on_whitespace) self.events_.on_whitespace(piece.size());
    return;
  }
  if (self.oversized_) return;
  if (self.Position() - self.element_begin_ > kMaxStanzaBytes) return self.KeepHeadOnly();
  Element& parent = *self.open_[static_cast<std::size_t>(self.depth_ - 2)];
  const int last = parent.children_size() - 1;
  if (last >= 0 && parent.children(last).has_text()) {
    parent.mutable_children(last)->mutable_text()->append(piece);
  } else {
    parent.add_children()->mutable_text()->assign(piece);
  }
}

void Parse::OnEnd(void* data, const char* /*name*/) noexcept {
  Parse& self = Of(data);
  if (self.HasFailed()) return;
  --self.depth_;
  if (self.depth_ == 1) return self.CloseTopLevel();
  if (self.depth_ > 1) return;
  self.Stop();
  self.unread_ = {};
  if (self.events_.on_footer) self.events_.on_footer();
}

void Parse::CloseTopLevel() {
  const std::size_t bytes = Position() - element_begin_;
  if (bytes > 2 * kMaxStanzaBytes) return Refuse(StreamCondition::kPolicyViolation);
  if (bytes > kMaxStanzaBytes) {
    if (!oversized_) KeepHeadOnly();
    const auto head = std::move(oversized_);
    if (events_.on_oversized) events_.on_oversized(*head);
    return;
  }
  if (events_.on_element) events_.on_element(*open_[0], bytes);
  if (std::exchange(first_, false)) return memory_.reset();
  memory_->arena.Reset();
}

void Parse::KeepHeadOnly() {
  oversized_ = std::make_unique<Element>();
  oversized_->set_name(open_[0]->name());
  oversized_->set_ns(open_[0]->ns());
  *oversized_->mutable_attributes() = open_[0]->attributes();
  memory_->arena.Reset();
}

class ExpatReader final : public XmlReader {
 public:
  explicit ExpatReader(std::unique_ptr<Parse> parse) : parse_(std::move(parse)) {}
  ExpatReader(const ExpatReader&) = delete;
  ExpatReader& operator=(const ExpatReader&) = delete;
  ~ExpatReader() override {
    if (!parse_->feeding()) return;
    Parse* orphan = parse_.release();  // Feed, below us on the stack, deletes it
    orphan->Orphan();
  }

  Result<void, StreamCondition> Feed(std::span<const std::byte> bytes) override {
    Parse* parse = parse_.get();
    auto result = parse->Feed(bytes);
    if (!parse->orphaned()) return result;
    const std::unique_ptr<Parse> last(parse);  // this reader is gone: touch no member
    return {};
  }
  void Stop() override { parse_->Stop(); }
  [[nodiscard]] std::span<const std::byte> unread() const override { return parse_->unread(); }
  void LiftUnverifiedBudget() override { parse_->LiftUnverifiedBudget(); }
  void Rest() override { parse_->Rest(); }

 private:
  std::unique_ptr<Parse> parse_;
};

}  // namespace

std::unique_ptr<XmlReader> XmlReader::Create(Events events) {
  auto parse = std::make_unique<Parse>(std::move(events));
  GATEHOUSE_CHECK(parse->Begin());
  return std::make_unique<ExpatReader>(std::move(parse));
}

}  // namespace gatehouse
