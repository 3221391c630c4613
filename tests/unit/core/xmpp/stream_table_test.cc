// The README shows the table of inbound streams as it is.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "core/xmpp/stream_machine.h"

namespace gatehouse {
namespace {

std::string Padded(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(width - std::min(width, text.size()), ' ');
}

std::string Diagram() {
  std::string diagram;
  for (const StreamStep& step : kStreamSteps)
    diagram += Padded(StreamStateName(step.from), 16) + "-- " +
               Padded(StreamEventName(step.on), 12) + " --> " +
               std::string(StreamStateName(step.to)) + "\n";
  return diagram;
}

TEST(StreamTable, StandsInTheReadmeAsADiagram) {
  std::ifstream file(GATEHOUSE_README);
  const std::string readme{std::istreambuf_iterator<char>(file), {}};
  ASSERT_FALSE(readme.empty());
  EXPECT_TRUE(readme.find(Diagram()) != std::string::npos) << "it should say:\n" << Diagram();
}

}  // namespace
}  // namespace gatehouse
