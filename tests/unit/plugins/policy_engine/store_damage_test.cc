// A store that is damaged, gone, foreign, or cannot be written to.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "core/policy/partner_words.h"
#include "tests/unit/plugins/policy_engine/store_scene.h"

namespace gatehouse::policy_engine {
namespace {

using testing::HasSubstr;

TEST(StoreDamage, RefusesAFileThatIsNoDatabaseAndLeavesItAlone) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  std::ofstream(path) << std::string(8192, 'x');
  EXPECT_THAT(WhyNotOpened(path), HasSubstr("file is not a database"));
  EXPECT_THAT(WhyNotOpened(path), HasSubstr("restore a copy"));
  EXPECT_THAT(WhyNotOpened(path), HasSubstr(path));
}

TEST(StoreDamage, RefusesAFileThatWasEmptiedOrCutShort) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  for (const std::string& rest : {std::string(), std::string("SQLite format 3")}) {
    std::ofstream(path) << rest;
    EXPECT_THAT(WhyNotOpened(path), HasSubstr("the file is empty or cut short; restore a copy"));
  }
}

TEST(StoreDamage, RefusesADamagedFile) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  {
    Store store = OpenAt(path);
    for (int i = 0; i < 100; ++i) {
      proto::Partner partner = DefaultPartner();
      partner.set_id(std::to_string(i));
      partner.set_domain("d" + std::to_string(i) + ".example");
      partner.set_description(std::string(900, 'x'));
      ASSERT_TRUE(Put(store, partner).has_value());
    }
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(5 * 4096);
  file << std::string(8192, '\x5a');
  file.close();
  EXPECT_THAT(WhyNotOpened(path), HasSubstr("restore a copy"));
}

std::string StoreOfSome(const std::string& path) {
  {
    Store store = OpenAt(path);
    for (int i = 0; i < 40; ++i) {
      proto::Partner partner = DefaultPartner();
      partner.set_id(std::to_string(i));
      partner.set_domain("d" + std::to_string(i) + ".example");
      EXPECT_TRUE(Put(store, partner).has_value());
    }
  }
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void Replace(const std::string& path, const std::string& bytes) {
  for (const char* end : {"-wal", "-shm"}) ::unlink((path + end).c_str());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Where nothing was kept in what is missing, nothing is lost.
TEST(StoreDamage, AFileThatWasCutAnywhereIsRefusedOrHasLostNothing) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  const std::string bytes = StoreOfSome(path);
  const std::string data = OpenAt(path).Read()->data.SerializeAsString();
  int refused = 0;
  for (std::size_t size = 0; size < bytes.size(); size += 2039) {
    Replace(path, bytes.substr(0, size));
    Result<Store> store = Store::Open(path);
    if (store) {
      EXPECT_EQ(store->Read()->data.SerializeAsString(), data) << size << " of " << bytes.size();
    } else {
      EXPECT_THAT(store.error().text, HasSubstr("restore a copy"));
      ++refused;
    }
  }
  EXPECT_GT(refused, 50);
}

// A bit that is not the same any more may stand where nothing is kept; it never makes another
// partner.
TEST(StoreDamage, ABitThatWasFlippedAnywhereNeverMakesAnotherPartner) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  const std::string bytes = StoreOfSome(path);
  const std::string data = OpenAt(path).Read()->data.SerializeAsString();
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string flipped = bytes;
    // Half of them in the header and the first page, where every bit counts.
    const std::size_t at = random() % (round % 2 == 0 ? 4096 : bytes.size());
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << random() % 8));
    Replace(path, flipped);
    Result<Store> store = Store::Open(path);
    const Result<StoreContent> content =
        store ? store->Read() : Result<StoreContent>(std::unexpected(store.error()));
    if (content) {
      EXPECT_EQ(content->data.SerializeAsString(), data) << "byte " << at;
    } else {
      ++refused;
      EXPECT_FALSE(content.error().text.empty());
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(StoreDamage, RefusesRecordsThatAreNotWhatWasWritten) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  StoreOfSome(path);
  ASSERT_TRUE(
      SqliteDatabase::Open(path)->Run("UPDATE partner SET enabled = 0 WHERE id = '7'").has_value());
  const Result<StoreContent> content = OpenAt(path).Read();
  ASSERT_FALSE(content.has_value());
  EXPECT_THAT(content.error().text, HasSubstr("its checksum differs"));
  EXPECT_THAT(content.error().text, HasSubstr("restore a copy"));
}

// The child may write no file larger than it is, as on a disk that is full.
TEST(StoreDamage, AFullDiskRefusesTheChangeAndKeepsWhatWasThere) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  StoreOfSome(path);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{65536, 65536};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Result<Store> store = Store::Open(path);
    int written = 0;
    int refused = 0;
    for (int i = 0; store && i < 60; ++i) {
      proto::Partner partner = DefaultPartner();
      partner.set_id("n" + std::to_string(i));
      partner.set_domain("n" + std::to_string(i) + ".example");
      (Put(*store, partner) ? written : refused) += 1;
    }
    const bool sound = store && refused > 0 && store->Read()->data.partners_size() == 40 + written;
    ::_exit(sound ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_GE(OpenAt(path).Read()->data.partners_size(), 40);
}

// As a user who may not write there: the superuser may.
TEST(StoreDamage, RefusesAFolderThatCannotBeWrittenTo) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  StoreOfSome(path);
  ASSERT_EQ(::chmod(folder.File(".").c_str(), 0555), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    const std::string why = WhyNotOpened(path);
    ::_exit(why.find("state folder must exist and be writable") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(::chmod(folder.File(".").c_str(), 0700), 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(StoreDamage, RefusesTheDatabaseOfAnotherProgramAndOfANewerVersion) {
  const ScratchFolder folder;
  const std::string other = folder.File("other.db");
  std::ofstream(other).close();
  ASSERT_TRUE(SqliteDatabase::Open(other)->Run("CREATE TABLE guests (name TEXT)").has_value());
  EXPECT_THAT(WhyNotOpened(other), HasSubstr("not a Gatehouse store"));

  const std::string newer = folder.File("policy.db");
  {
    Store store = OpenAt(newer);
  }
  ASSERT_TRUE(SqliteDatabase::Open(newer)->Run("PRAGMA user_version = 99").has_value());
  EXPECT_THAT(
      WhyNotOpened(newer),
      HasSubstr(fmt::format("schema version 99, this Gatehouse knows version {}", kSchemaVersion)));
}

TEST(StoreDamage, RefusesAMissingFolderAndAWriteAheadLogWithoutItsFile) {
  const ScratchFolder folder;
  EXPECT_THAT(WhyNotOpened(folder.File("absent/policy.db")),
              HasSubstr("the state folder must exist"));
  std::ofstream(folder.File("policy.db-wal")) << "log";
  EXPECT_THAT(WhyNotOpened(folder.File("policy.db")), HasSubstr("write-ahead log is still there"));
}

TEST(StoreDamage, AFileThatIsGoneIsMissedThoughItsLogIsEmpty) {
  const ScratchFolder folder;
  const std::string path = folder.File("policy.db");
  Store store = OpenAt(path);
  std::filesystem::rename(path, folder.File("elsewhere.db"));
  EXPECT_THAT(WhyNotOpened(path), HasSubstr("write-ahead log is still there"));
}

TEST(StoreDamage, RefusesToWriteIntoAFileThatWasTakenAway) {
  const ScratchFolder folder;
  Store store = OpenAt(folder.File("policy.db"));
  std::filesystem::rename(folder.File("policy.db"), folder.File("elsewhere.db"));
  const Result<void> put = Put(store, FullPartner());
  ASSERT_FALSE(put.has_value());
  EXPECT_THAT(put.error().text, HasSubstr("taken away"));
}

}  // namespace
}  // namespace gatehouse::policy_engine
