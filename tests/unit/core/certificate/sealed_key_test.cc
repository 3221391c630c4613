#include "core/certificate/sealed_key.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/unit/core/certificate/openssl_folder.h"

namespace gatehouse {
namespace {

using testing::HasSubstr;
using testing::Not;

class SealedKey : public testing::Test {
 protected:
  [[nodiscard]] KeySeal MustOpen() const {
    Result<KeySeal> seal = KeySeal::Open(file_);
    EXPECT_TRUE(seal.has_value()) << seal.error().text;
    return *std::move(seal);
  }
  [[nodiscard]] std::string OpenError() const {
    const Result<KeySeal> seal = KeySeal::Open(file_);
    EXPECT_FALSE(seal.has_value());
    return seal ? "" : seal.error().text;
  }

  OpensslFolder folder_;
  const std::string file_ = folder_.Path("keys.secret");
};

TEST_F(SealedKey, IsOpenedAfterARestart) {
  const std::string sealed = MustOpen().Seal("the key", "external").value_or("");
  EXPECT_THAT(sealed, Not(HasSubstr("the key")));
  EXPECT_EQ(MustOpen().Unseal(sealed, "external").value_or(""), "the key");
  struct stat info{};
  ASSERT_EQ(::stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(info.st_size, 32);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.Path("")), {}), 1);
}

TEST_F(SealedKey, IsNeverSealedAlikeTwice) {
  const KeySeal seal = MustOpen();
  EXPECT_NE(seal.Seal("the key", "external").value_or("a"),
            seal.Seal("the key", "external").value_or("b"));
  EXPECT_EQ(seal.Unseal(seal.Seal("", "").value_or(""), "").value_or("none"), "");
}

TEST_F(SealedKey, IsNotOpenedForAnotherRecordWithAnotherKeyOrDamaged) {
  const KeySeal seal = MustOpen();
  const std::string sealed = seal.Seal("the key", "external").value_or("");
  EXPECT_FALSE(seal.Unseal(sealed, "internal").has_value());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(seal.Unseal(damaged, "external").has_value()) << i;
    EXPECT_FALSE(seal.Unseal(sealed.substr(0, i), "external").has_value()) << i;
  }
  std::filesystem::remove(file_);
  const auto foreign = MustOpen().Unseal(sealed, "external");
  ASSERT_FALSE(foreign.has_value());
  EXPECT_THAT(foreign.error().text, HasSubstr("sealed with another key file"));
}

TEST_F(SealedKey, FileThatOthersMayReadIsRefused) {
  static_cast<void>(MustOpen());
  ::chmod(file_.c_str(), 0640);
  EXPECT_THAT(OpenError(), HasSubstr("chmod 600"));
}

TEST_F(SealedKey, FileOfAnotherSizeIsRefusedAndKept) {
  folder_.Write("keys.secret", "short");
  ::chmod(file_.c_str(), 0600);
  EXPECT_THAT(OpenError(), HasSubstr("has not 32 octets"));
  EXPECT_EQ(folder_.Read("keys.secret"), "short");
}

TEST_F(SealedKey, FileIsNotMadeWhereThereIsNoFolder) {
  const auto seal = KeySeal::Open(folder_.Path("none/keys.secret"));
  ASSERT_FALSE(seal.has_value());
  EXPECT_THAT(seal.error().text, HasSubstr("cannot be made: No such file"));
}

}  // namespace
}  // namespace gatehouse
