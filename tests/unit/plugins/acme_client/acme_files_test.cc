#include "plugins/acme_client/acme_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace gatehouse::acme {
namespace {

using testing::HasSubstr;

class AcmeFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "gatehouse-acme-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string At(const char* name) const { return folder_ + "/" + name; }
  void Write(const char* name, std::string_view text, mode_t mode) const {
    std::ofstream(At(name)) << text;
    ::chmod(At(name).c_str(), mode);
  }

  std::string folder_;
};

TEST_F(AcmeFilesTest, AnAccountKeyIsMadeOnceForItsOwnerOnly) {
  const auto first = OpenAccountKey(At("key"));
  ASSERT_TRUE(first);
  struct stat found{};
  ASSERT_EQ(::stat(At("key").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  const auto again = OpenAccountKey(At("key"));
  ASSERT_TRUE(again);
  EXPECT_EQ(first->x(), again->x());
  ::chmod(At("key").c_str(), 0644);
  EXPECT_THAT(OpenAccountKey(At("key")).error().text, HasSubstr("chmod 600"));
  Write("key", "nonsense", 0600);
  EXPECT_THAT(OpenAccountKey(At("key")).error().text, HasSubstr("delete it for a new account"));
}

TEST_F(AcmeFilesTest, MemoryIsKept) {
  EXPECT_EQ(ReadMemory(At("state"))->failures(), 0U);
  proto::AcmeMemory memory;
  memory.set_failures(3);
  memory.set_last_error("a \"quoted\"\nword");
  ASSERT_TRUE(WriteMemory(At("state"), memory));
  EXPECT_EQ(ReadMemory(At("state"))->last_error(), memory.last_error());
  Write("state", "failures: 2 of_a_later_version: 5", 0600);
  EXPECT_EQ(ReadMemory(At("state"))->failures(), 2U);
  Write("state", "failures: x", 0600);
  EXPECT_THAT(ReadMemory(At("state")).error().text, HasSubstr("damaged"));
  EXPECT_FALSE(WriteMemory(At("no/such/folder"), memory));
}

TEST_F(AcmeFilesTest, AnExternalKeyIsBase64UrlForItsOwnerOnly) {
  Write("eab", "c2VjcmV0\n", 0600);
  EXPECT_EQ(ReadExternalAccount("kid", At("eab"))->key, "secret");
  Write("eab", "not base64!", 0600);
  EXPECT_THAT(ReadExternalAccount("kid", At("eab")).error().text, HasSubstr("base64url"));
  Write("eab", "c2VjcmV0\n", 0640);
  EXPECT_THAT(ReadExternalAccount("kid", At("eab")).error().text, HasSubstr("chmod 600"));
  EXPECT_THAT(ReadExternalAccount("kid", At("none")).error().text, HasSubstr("is not there"));
}

}  // namespace
}  // namespace gatehouse::acme
