#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/ctl/lync_export.h"
#include "core/ctl/lync_mapping.h"
#include "plugins/policy_engine/engine.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {
namespace {

proto::CtlRequest ImportOf(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::stringstream bytes;
  bytes << stream.rdbuf();
  const auto objects = ctl::ReadLyncExport(bytes.str());
  EXPECT_TRUE(objects.has_value()) << file << ": " << objects.error().text;
  proto::CtlRequest request;
  if (!objects) return request;
  for (const ctl::LyncObject& object : *objects)
    *request.mutable_import()->add_records() = ctl::RecordOfLync(object, file.filename());
  return request;
}

// What gatehousectl makes of an export is what the engine takes.
TEST(ExportsOfLync, AreTakenAsTheyAre) {
  const ScratchFolder folder;
  Engine engine = *Engine::Create(*Store::Open(folder.File("policy.db")), {"contoso.example"});
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GATEHOUSE_TEST_DATA "/lync")) {
    const proto::CtlResponse response = engine.Answer(ImportOf(entry.path()), {});
    EXPECT_EQ(response.exit_code(), 0U) << entry.path() << ": " << response.error();
    EXPECT_TRUE(response.imported().written()) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 5);
}

}  // namespace
}  // namespace gatehouse::policy_engine
