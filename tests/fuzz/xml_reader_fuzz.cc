// The bytes of a hostile stream: cut anywhere they give the same elements and the same answer, and
// what they give is written so that it reads as the same tree again (12.1).
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
  std::string answer = "ok";
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
                                         .on_footer = [&] { reading.answer = "footer"; },
                                         .on_oversized = {},
                                         .on_whitespace = {}});
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto fed = reader->Feed(std::as_bytes(std::span(bytes.substr(at, piece))));
    if (fed) continue;
    reading.answer = StreamConditionName(fed.error());
    break;
  }
  return reading;
}

void CheckRoundTrip(const std::string& tree, const std::string& xml) {
  const Reading again = Read(StreamHeaderXml({.from = "a", .to = "b", .id = "c"}) + xml, 1 << 20);
  if (again.answer == "policy-violation") return;  // more declarations than the peer's spelling
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
    GATEHOUSE_CHECK(cut.answer == whole.answer);
  }
  for (std::size_t i = 0; i < whole.trees.size(); ++i) CheckRoundTrip(whole.trees[i], whole.xml[i]);
  return 0;
}
