#include "core/supervisor/topology.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

constexpr std::string_view kWorkers =
    "worker { name: 'a' plugin: 'a.so' } worker { name: 'b' plugin: 'b.so' }\n";

std::string ErrorOf(const std::string& text) {
  const auto parsed = ParseTopology(text);
  return parsed ? "no error" : parsed.error().text;
}
std::string ErrorOfLinks(const std::string& links) {
  return ErrorOf(std::string(kWorkers) + links);
}

TEST(Topology, ReadsWorkersAndLinks) {
  const auto topology =
      ParseTopology(std::string(kWorkers) +
                    "link { kind: DATA from: 'a' to: 'b' window: 8 max_message_bytes: 4096 }");
  ASSERT_TRUE(topology) << topology.error().text;
  EXPECT_EQ(FindWorkerKind(*topology, "b")->plugin(), "b.so");
  EXPECT_EQ(FindWorkerKind(*topology, "c"), nullptr);
}

TEST(Topology, NamesTheLinkAndTheWorkerThatIsMissing) {
  EXPECT_EQ(
      ErrorOfLinks("link { kind: ASK from: 'a' to: 'b' deadline_ms: 1 max_message_bytes: 1 }"
                   "link { kind: ASK from: 'a' to: 'x' deadline_ms: 1 max_message_bytes: 1 }"),
      "topology: link 2: no worker named 'x'");
}

TEST(Topology, NamesThePlaceOfWhatItCannotRead) {
  EXPECT_EQ(ErrorOf("worker { name: 'a'\n  colour: 'red' }"),
            "topology: 2:9: Message type \"gatehouse.proto.WorkerKind\" has no field named "
            "\"colour\".");
}

TEST(Topology, RefusesWhatMakesNoSense) {
  EXPECT_EQ(ErrorOf("worker { name: 'a/b' plugin: 'a.so' }"),
            "topology: worker 1: name 'a/b' is not 1 to 32 letters a-z, digits and underscores");
  EXPECT_EQ(ErrorOf("worker { name: 'a' plugin: '../a.so' }"),
            "topology: worker 1: plugin '../a.so' is not a file of the plugin folder");
  EXPECT_EQ(ErrorOf("worker { name: 'a' plugin: 'a.so' } worker { name: 'a' plugin: 'a.so' }"),
            "topology: worker 2: 'a' is there twice");
  EXPECT_EQ(ErrorOfLinks("link { kind: ASK from: 'a' to: 'a' }"),
            "topology: link 1: 'a' cannot be linked to itself");
  EXPECT_EQ(ErrorOfLinks("link { from: 'a' to: 'b' }"),
            "topology: link 1: kind must be DATA or ASK");
  EXPECT_EQ(ErrorOfLinks("link { kind: DATA from: 'a' to: 'b' max_message_bytes: 1 }"),
            "topology: link 1: window must be at least 1");
  EXPECT_EQ(ErrorOfLinks("link { kind: ASK from: 'a' to: 'b' max_message_bytes: 1 }"),
            "topology: link 1: deadline_ms must be at least 1");
  EXPECT_EQ(ErrorOfLinks("link { kind: ASK from: 'a' to: 'b' deadline_ms: 1 }"),
            "topology: link 1: max_message_bytes must be at least 1");
  EXPECT_EQ(ErrorOfLinks("link { kind: ASK from: 'a' to: 'b' deadline_ms: 1 max_message_bytes: 1 }"
                         "link { kind: DATA from: 'b' to: 'a' window: 1 max_message_bytes: 1 }"),
            "topology: link 2: joins 'b' and 'a' like link 1");
}

TEST(Topology, OfThisProductIsRight) {
  const auto topology = ReadTopologyFile(GATEHOUSE_TOPOLOGY_FILE);
  EXPECT_TRUE(topology) << topology.error().text;
}

}  // namespace
}  // namespace gatehouse
