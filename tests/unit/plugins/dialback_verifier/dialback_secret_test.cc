#include "plugins/dialback_verifier/dialback_secret.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/fake_clock.h"

namespace gatehouse {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
const DialbackContext kStream{"partner.example", "corp.example", "s1"};

class DialbackSecretTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "gatehouse-secret-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ / "dialback.secret";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  DialbackSecret Open() { return DialbackSecret::Open(path_.string()).value(); }

  std::filesystem::path folder_, path_;
};

TEST_F(DialbackSecretTest, IsMadeOnceAndReadableByItsOwnerOnly) {
  const std::string key = Open().MakeKey(kStream);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(Open().MakeKey(kStream), key);
}

TEST_F(DialbackSecretTest, DiffersFromFolderToFolder) {
  const std::string key = Open().MakeKey(kStream);
  std::filesystem::remove(path_);
  EXPECT_NE(Open().MakeKey(kStream), key);
}

TEST_F(DialbackSecretTest, OfTheOperatorMakesTheKeysOfTheVectors) {
  DialbackSecret secret = Open();
  ASSERT_TRUE(secret.Replace("s3cr3tf0rd14lb4ck", kNow));
  EXPECT_EQ(secret.MakeKey({"montague.example", "capulet.example", "D60000229F"}),
            "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3");
  EXPECT_EQ(Open().MakeKey(kStream), secret.MakeKey(kStream));
}

TEST_F(DialbackSecretTest, BeforeAChangeStaysValidForTenMinutesAlsoAfterARestart) {
  DialbackSecret secret = Open();
  const std::string old_key = secret.MakeKey(kStream);
  ASSERT_TRUE(secret.Replace("a passphrase of the operator", kNow));
  EXPECT_TRUE(secret.Judge(kStream, secret.MakeKey(kStream), kNow));
  EXPECT_TRUE(secret.Judge(kStream, old_key, kNow + 599));
  EXPECT_FALSE(secret.Judge(kStream, old_key, kNow + 600));
  EXPECT_TRUE(Open().Judge(kStream, old_key, kNow + 599));
  EXPECT_FALSE(Open().Judge(kStream, old_key, kNow + 600));
}

TEST_F(DialbackSecretTest, SetToWhatItIsDropsNoKeyOfTheOneBefore) {
  DialbackSecret secret = Open();
  const std::string old_key = secret.MakeKey(kStream);
  ASSERT_TRUE(secret.Replace("a passphrase of the operator", kNow));
  ASSERT_TRUE(secret.Replace("a passphrase of the operator", kNow + 300));
  EXPECT_TRUE(secret.Judge(kStream, old_key, kNow + 599));
  EXPECT_FALSE(secret.Judge(kStream, old_key, kNow + 600));
}

TEST_F(DialbackSecretTest, JudgesOnlyTheKeyOfThisStream) {
  const DialbackSecret secret = Open();
  const std::string key = secret.MakeKey(kStream);
  EXPECT_TRUE(secret.Judge(kStream, key, kNow));
  EXPECT_FALSE(secret.Judge({"partner.example", "corp.example", "s2"}, key, kNow));
  EXPECT_FALSE(secret.Judge(kStream, key.substr(1), kNow));
  EXPECT_FALSE(secret.Judge(kStream, "", kNow));
}

TEST_F(DialbackSecretTest, RefusesAnEmptyPassphraseAndChangesNothing) {
  DialbackSecret secret = Open();
  const std::string key = secret.MakeKey(kStream);
  EXPECT_FALSE(secret.Replace("", kNow));
  EXPECT_EQ(secret.MakeKey(kStream), key);
}

TEST_F(DialbackSecretTest, NamesADamagedFile) {
  std::ofstream(path_) << "rubbish\n";
  const auto opened = DialbackSecret::Open(path_.string());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find(path_.string()), std::string::npos);
}

}  // namespace
}  // namespace gatehouse
