#include "core/worker/plugin_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using testing::HasSubstr;

Worker* CreateNothing() noexcept {
  return nullptr;
}

PluginDescriptor Right() {
  return {kPluginAbi, GATEHOUSE_BUILD_ID, "echo", CreateNothing};
}

std::string ErrorOf(const PluginDescriptor& descriptor) {
  const auto checked = CheckDescriptor(descriptor, "/p/echo.so", "echo");
  if (checked) return "no error";
  EXPECT_EQ(checked.error().fault, Fault::kConfig);
  return checked.error().text;
}

TEST(PluginLoader, TakesAPluginOfItsOwnBuild) {
  EXPECT_EQ(ErrorOf(Right()), "no error");
}

TEST(PluginLoader, RefusesAnotherAbiBeforeItLooksAtTheRest) {
  PluginDescriptor other = Right();
  other.abi = 2;
  other.build_id = nullptr;
  EXPECT_EQ(ErrorOf(other), "plugin /p/echo.so: has ABI 2; this gatehouse-worker takes ABI 1");
}

TEST(PluginLoader, RefusesAnotherBuild) {
  PluginDescriptor other = Right();
  other.build_id = "0.0.9+GNU-12";
  EXPECT_EQ(ErrorOf(other),
            "plugin /p/echo.so: is of build '0.0.9+GNU-12'; this gatehouse-worker is of build '" +
                std::string(GATEHOUSE_BUILD_ID) + "': build both together");
  other.build_id = nullptr;
  EXPECT_THAT(ErrorOf(other), HasSubstr("is of build 'nothing'"));
}

TEST(PluginLoader, RefusesAnotherName) {
  PluginDescriptor other = Right();
  other.name = "ecko";
  EXPECT_EQ(ErrorOf(other),
            "plugin /p/echo.so: is named 'ecko'; the topology calls its worker 'echo'");
}

TEST(PluginLoader, RefusesAPluginThatCannotCreate) {
  PluginDescriptor other = Right();
  other.create = nullptr;
  EXPECT_THAT(ErrorOf(other), HasSubstr("has no function to create its worker"));
}

TEST(PluginLoader, SaysWhyAFileCannotBeLoaded) {
  const auto opened = OpenPlugin("/nonexistent/echo.so");
  ASSERT_FALSE(opened);
  EXPECT_THAT(
      opened.error().text,
      HasSubstr("plugin /nonexistent/echo.so: cannot be loaded: cannot open shared object"));
}

TEST(PluginLoader, MissesTheDescriptorInALibraryThatIsNoPlugin) {
  const auto opened = OpenPlugin("libm.so.6");
  ASSERT_FALSE(opened);
  EXPECT_EQ(
      opened.error().text,
      "plugin libm.so.6: exports no gatehouse_worker_plugin; define it with GATEHOUSE_PLUGIN");
}

}  // namespace
}  // namespace gatehouse
