#include "core/supervisor/topology.h"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <fstream>
#include <iterator>
#include <set>

namespace gatehouse {
namespace {

using proto::LinkKindSpec;
using proto::Topology;
using proto::WorkerKind;

class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("topology: {}:{}: {}", line + 1, column + 1, message);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A name becomes a folder and half of an instance's name.
bool IsName(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789_";
  return !name.empty() && name.size() <= 32 &&
         name.find_first_not_of(kLetters) == std::string_view::npos;
}

Result<void> CheckWorker(const WorkerKind& kind, int number, std::set<std::string>& names) {
  if (!IsName(kind.name()))
    return BadConfig(
        fmt::format("topology: worker {}: name '{}' is not 1 to 32 letters a-z, digits "
                    "and underscores",
                    number, kind.name()));
  if (!names.insert(kind.name()).second)
    return BadConfig(fmt::format("topology: worker {}: '{}' is there twice", number, kind.name()));
  if (kind.plugin().empty() || kind.plugin().find('/') != std::string::npos)
    return BadConfig(
        fmt::format("topology: worker {}: plugin '{}' is not a file of the plugin "
                    "folder",
                    number, kind.plugin()));
  return {};
}

Result<void> CheckLink(const Topology& topology, const LinkKindSpec& link, int number) {
  for (const std::string& end : {link.from(), link.to()})
    if (FindWorkerKind(topology, end) == nullptr)
      return BadConfig(fmt::format("topology: link {}: no worker named '{}'", number, end));
  if (link.from() == link.to())
    return BadConfig(
        fmt::format("topology: link {}: '{}' cannot be linked to itself", number, link.from()));
  if (link.kind() != proto::DATA && link.kind() != proto::ASK)
    return BadConfig(fmt::format("topology: link {}: kind must be DATA or ASK", number));
  if (link.kind() == proto::DATA && link.window() == 0)
    return BadConfig(fmt::format("topology: link {}: window must be at least 1", number));
  if (link.kind() == proto::ASK && link.deadline_ms() == 0)
    return BadConfig(fmt::format("topology: link {}: deadline_ms must be at least 1", number));
  if (link.max_message_bytes() == 0)
    return BadConfig(
        fmt::format("topology: link {}: max_message_bytes must be at least 1", number));
  return {};
}

// Plugins name a link by the worker at its other end, so two workers share one link.
Result<void> CheckRepeats(const Topology& topology, int index) {
  const LinkKindSpec& link = topology.link(index);
  for (int earlier = 0; earlier < index; ++earlier) {
    const LinkKindSpec& other = topology.link(earlier);
    const bool same_way = other.from() == link.from() && other.to() == link.to();
    const bool other_way = other.from() == link.to() && other.to() == link.from();
    if (same_way || other_way)
      return BadConfig(fmt::format("topology: link {}: joins '{}' and '{}' like link {}", index + 1,
                                   link.from(), link.to(), earlier + 1));
  }
  return {};
}

Result<void> Check(const Topology& topology) {
  std::set<std::string> names;
  for (int i = 0; i < topology.worker_size(); ++i)
    GATEHOUSE_TRY_VOID(CheckWorker(topology.worker(i), i + 1, names));
  for (int i = 0; i < topology.link_size(); ++i) {
    GATEHOUSE_TRY_VOID(CheckLink(topology, topology.link(i), i + 1));
    GATEHOUSE_TRY_VOID(CheckRepeats(topology, i));
  }
  return {};
}

}  // namespace

Result<Topology> ParseTopology(std::string_view text) {
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  Topology topology;
  if (!parser.ParseFromString(std::string(text), &topology)) return BadConfig(error.text());
  GATEHOUSE_TRY_VOID(Check(topology));
  return topology;
}

Result<Topology> ReadTopologyFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open()) return BadConfig(fmt::format("topology: {} cannot be opened", path));
  return ParseTopology(text);
}

const WorkerKind* FindWorkerKind(const Topology& topology, std::string_view name) {
  for (const WorkerKind& kind : topology.worker())
    if (kind.name() == name) return &kind;
  return nullptr;
}

}  // namespace gatehouse
