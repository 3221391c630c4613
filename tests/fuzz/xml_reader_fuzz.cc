// The bytes of a hostile stream: cut anywhere they give the same elements and are refused or not,
// and what they give is written so that it reads as the same tree again (12.1).
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/xmpp/xml_reader.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse {
namespace {

struct Reading {
  std::vector<std::string> trees;  // serialised
  std::vector<std::string> xml;
  bool footer = false;
  bool refused =
      false;  // with which condition may depend on the cut, where two faults stand together
  bool too_much = false;
};

// Reads in pieces of `piece` bytes.
Reading Read(std::string_view bytes, std::size_t piece) {
  Reading reading;
  const auto reader = XmlReader::Create({.on_header = [](const StreamHeader&) {},
                                         .on_element =
                                             [&](proto::Element& element, std::size_t) {
                                               reading.trees.push_back(element.SerializeAsString());
                                               AppendXml(reading.xml.emplace_back(), element);
                                             },
                                         .on_footer = [&] { reading.footer = true; },
                                         .on_oversized = {},
                                         .on_whitespace = {}});
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto fed = reader->Feed(std::as_bytes(std::span(bytes.substr(at, piece))));
    if (fed) continue;
    reading.refused = true;
    reading.too_much = fed.error() == StreamCondition::kPolicyViolation;
    break;
  }
  return reading;
}

void CheckRoundTrip(const std::string& tree, const std::string& xml) {
  const Reading again = Read(StreamHeaderXml({.from = "a", .to = "b", .id = "c"}) + xml, 1 << 20);
  if (again.too_much) return;  // more declarations than the peer's spelling
  GATEHOUSE_CHECK(again.trees.size() == 1 && again.trees[0] == tree);
}

}  // namespace
}  // namespace gatehouse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse;
  if (size > 16384) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Reading whole = Read(bytes, size + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
    const Reading cut = Read(bytes, piece);
    GATEHOUSE_CHECK(cut.trees == whole.trees);
    GATEHOUSE_CHECK(cut.refused == whole.refused && cut.footer == whole.footer);
  }
  for (std::size_t i = 0; i < whole.trees.size(); ++i) CheckRoundTrip(whole.trees[i], whole.xml[i]);
  return 0;
}
